"""What was live, and when: the spans of every token, from the records of what was applied. Pure.

A span begins with the run that gave a token its spec, and ends with the run that gave it another or deleted
it. A change that failed and does not say that its token has the same spec still may have taken access away
before: from then on the token could do what it could before at the most, until a run gives it a spec again.
Runs are in the order of their records. A credential that ends by itself lasts until then, if no run gives its
token another before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pydantic import ValidationError
from pydantic_core import to_json

from reconciler.audit.credentials import Credentials
from reconciler.audit.recorded import Recorded
from reconciler.audit.spans import Cause, Span
from reconciler.plan.change import Action
from reconciler.records.body import Change
from reconciler.specs.model import AnyTokenSpec, from_normal_form


@dataclass(frozen=True, slots=True)
class Lived:
    """All that records tell."""

    spans: tuple[Span, ...]
    """In the order of their beginnings, then of their names. One without a normal form is of a token that
    may have lost access in a change that then failed: it could do what `grants` say at the most."""
    untold: tuple[str, ...]
    """Names of tokens that had a spec which no record tells, or none that can be understood: what they
    could do then is in no span."""


def applied(records: Iterable[Recorded]) -> Lived:
    """The spans of records, in their order, from the first."""
    fold = _Fold()
    for one in records:
        fold.take(one)
    return fold.lived()


@dataclass(slots=True)
class _Fold:
    """What is live, as records are read one by one."""

    open: dict[str, Span] = field(default_factory=dict)
    """Id of a token → its span that goes on."""
    created: dict[str, int] = field(default_factory=dict)
    """Id → when it was issued."""
    specs: dict[str, AnyTokenSpec] = field(default_factory=dict)
    """Digest → the spec: others may name it by that alone."""
    given: dict[str, str] = field(default_factory=dict)
    """Id → the digest of the spec that it was given last."""
    credentials: Credentials = field(default_factory=Credentials)
    live: dict[str, str] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    untold: set[str] = field(default_factory=set)

    def take(self, one: Recorded) -> None:
        """What a run did."""
        body = one.body
        cause = Cause(one.at, body.commit, body.run, body.actor)
        settled, unsure = set[str | None](), set[str | None]()
        for change in body.changes:
            self._learn(change)
        for change in body.changes:
            if change.is_done and change.token is not None:
                gone = change.action == Action.DELETE
                self._done(change.token, change, cause if gone else replace(cause, at=one.gave_at), one.at)
            (settled if self._is_settled(change) else unsure).add(change.token)
        for token, digest in body.live.items():
            if token not in settled - unsure and digest != self.live.get(token):
                self._narrowed(token, cause)
        self.live.update(body.live)

    def _is_settled(self, change: Change) -> bool:
        """Whether it is known what its token could do since: the change was done, or its spec is the same."""
        kept = change.spec is not None and change.spec == self.given.get(change.token or "")
        return kept or change.is_done

    def _learn(self, change: Change) -> None:
        """Keeps the spec that a change tells in words: any change of the run may name it by its digest."""
        if change.spec is not None and change.declared is not None and change.spec not in self.specs:
            spec = read_spec(change.declared)
            if spec is not None:
                self.specs[change.spec] = spec

    def _done(self, token: str, change: Change, cause: Cause, made: int) -> None:
        """Takes a change that a run of a moment did. One that gives no spec takes none away either."""
        spec, issued = self.specs.get(change.spec or ""), self.created.setdefault(token, made)
        self.credentials.take(token, change, spec, made, issued)
        if change.action == Action.DELETE:
            self._end(token, cause)
        elif change.spec is not None:
            was, lasts = self.open.get(token), self.credentials.lasts(token)
            same = self.given.get(token) == change.spec
            if same and was is not None and was.normal and not _revives(was, lasts, cause):
                self.open[token] = replace(was, lasts=lasts)
                return
            self._end(token, cause)
            self.given[token] = change.spec
            if spec is None:
                self.untold.add(change.name)
            else:
                self.open[token] = replace(_span(token, spec, issued, cause), lasts=lasts)

    def _narrowed(self, token: str, cause: Cause) -> None:
        """It may have lost access: how much is told by nobody."""
        was = self.open.get(token)
        if was is not None and was.normal:
            self._end(token, cause)
            lasts = self.credentials.lasts(token)
            self.open[token] = replace(was, normal="", since=cause, until=None, lasts=lasts)

    def _end(self, token: str, cause: Cause) -> None:
        was = self.open.pop(token, None)
        if was is not None and was.since != cause:
            self.spans.append(replace(was, until=cause))

    def lived(self) -> Lived:
        """What came of it."""
        found = sorted((*self.spans, *self.open.values()), key=lambda span: (span.since.at, span.name))
        return Lived(tuple(found), tuple(sorted(self.untold)))


def read_spec(declared: Mapping[str, object]) -> AnyTokenSpec | None:
    """The spec that a record tells; None where it is none that can be understood."""
    try:
        return from_normal_form(to_json(declared).decode())
    except (ValidationError, KeyError, TypeError, ValueError):
        return None


def _revives(was: Span, lasts: int | None, cause: Cause) -> bool:
    """Whether a new credential came after the one before had ended: in between the token could do nothing."""
    return was.lasts is not None and was.lasts <= cause.at and lasts != was.lasts


def _span(token: str, spec: AnyTokenSpec, created: int, since: Cause) -> Span:
    return Span(
        token=token,
        name=spec.metadata.name,
        kind=spec.kind,
        owner=spec.metadata.owner,
        normal=spec.normal_form(),
        grants=spec.what.grants(spec.spec),
        enabled=spec.enabled,
        since=since,
        earlier=False,
        until=None,
        ends=spec.expires_at(created),
    )
