"""What was declared, and when: the spans of every token, from the line of a revision. Pure.

A name is one token from the commit that declares it to the one that does not, and by the names that it says
it had before. One that is deleted and declared again is another token, and so is one of another kind. What
has a fault declares nothing until it is mended; then its tokens are those that they were.

A duration until the end (`expires: 180d`) counts from the commit that declared the token first: when it was
issued, only records tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.audit.files import Files, Meant
from reconciler.audit.history import Line
from reconciler.audit.meanings import Meanings
from reconciler.audit.spans import Cause, Span
from reconciler.kinds.interface import Grants
from reconciler.specs.reader import Declared
from reconciler.specs.settings import WorkspaceDocument

BEHIND_METADATA = ',"spec":{'
"""Ends the metadata in every normal form, and stands in none: quotes in its texts are escaped."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """Something that declared nothing, because it had a fault."""

    since: Cause
    """The commit that brought it."""
    what: str
    """The file, or the name of a token, and what is wrong with it."""
    until: Cause | None
    """The commit that mended or removed it; None where it still is so."""


@dataclass(frozen=True, slots=True)
class History:
    """All that a line declared."""

    spans: tuple[Span, ...]
    """In the order of their beginnings, then of their names."""
    faulty: tuple[Faulty, ...]
    hidden: frozenset[tuple[str, str]]
    """(commit, token) of each span that ended for a fault, and not because nobody declared it any more."""
    workspace: WorkspaceDocument | None
    """The settings at its end."""


def blobs(line: Line) -> list[str]:
    """The blobs that a line ever read as specs, each once."""
    found = (one.blob for step in line.steps for one in step.touched if one.is_spec and one.blob)
    return list(dict.fromkeys(found))


def declared(line: Line, meanings: Meanings) -> History:
    """The spans of a line, whose blobs mean that. Raises SpecsInvalid where groups stand for too much."""
    fold = _Fold(Files(meanings))
    for step in line.steps:
        fold.step(
            Cause(step.at, step.commit), fold.files.changed(step.touched), first=step.commit == line.cut
        )
    return fold.history()


@dataclass(slots=True)
class _Life:
    """What makes a name the same token from step to step."""

    token: str
    kind: str
    created: int
    """Epoch seconds of its first declaration."""


@dataclass(slots=True)
class _Open:
    """A span that goes on."""

    life: _Life
    declared: Declared
    since: Cause
    earlier: bool


class _Able(NamedTuple):
    """What a spec lets a token do, whatever its metadata says."""

    grants: Grants
    enabled: bool
    ends: Callable[[int], int | None]
    """When it was issued → when it ends by itself."""


@dataclass(slots=True)
class _Fold:
    """The state of a line as it is read, step by step."""

    files: Files
    open: dict[str, _Open] = field(default_factory=dict)
    faulted: dict[str, _Life] = field(default_factory=dict)
    """Name → the token that it is again once its fault is mended."""
    spans: list[Span] = field(default_factory=list)
    wrong: dict[str, tuple[Cause, str]] = field(default_factory=dict)
    faulty: list[Faulty] = field(default_factory=list)
    hidden: set[tuple[str, str]] = field(default_factory=set)
    able: dict[tuple[str, str], _Able] = field(default_factory=dict)
    """Kind and what stands behind the metadata of a normal form → what that lets a token do."""

    def step(self, cause: Cause, meant: Meant, *, first: bool) -> None:
        """What names mean since a step."""
        gone = self._close(cause, meant)
        for name in sorted(meant.names):
            one = meant.names[name]
            if one is not None and name not in self.open:
                life = self._life(one, gone, meant.names) or _Life(
                    f"{cause.commit}:{name}", one.kind, cause.at
                )
                self.open[name] = _Open(life, one, cause, first)
        for name in meant.names:
            if meant.names[name] is not None or name not in meant.faulted:
                self.faulted.pop(name, None)
        self._say(cause, meant)

    def _close(self, cause: Cause, meant: Meant) -> dict[str, _Life]:
        """Ends what is not as it was, and gives what a name was until now, for who takes it over."""
        gone = dict[str, _Life]()
        for name, one in meant.names.items():
            was = self.open.get(name)
            if was is None or (one is not None and one.normal == was.declared.normal):
                continue
            del self.open[name]
            self.spans.append(self._ended(was, cause))
            gone[name] = was.life
            if one is None and name in meant.faulted:
                self.faulted[name] = was.life
                self.hidden.add((cause.commit or "", was.life.token))
        return gone

    def _life(self, one: Declared, gone: dict[str, _Life], names: dict[str, Declared | None]) -> _Life | None:
        """The token that a name goes on, or that one of its former names was until this step."""
        found = gone.pop(one.name, None) or self.faulted.pop(one.name, None)
        if found is not None and found.kind == one.kind:
            return found
        for old in one.previously:
            if names.get(old) is None and old not in self.open:
                was = gone.get(old) or self.faulted.get(old)
                if was is not None and was.kind == one.kind:
                    gone.pop(old, None)
                    self.faulted.pop(old, None)
                    return was
        return None

    def _say(self, cause: Cause, meant: Meant) -> None:
        """Notes what is wrong since this step, and what is so no more."""
        for key in sorted(meant.wrong):
            what, (since, said) = meant.wrong[key], self.wrong.get(key, (cause, None))
            if what != said:
                self.wrong.pop(key, None)
                if said is not None:
                    self.faulty.append(Faulty(since, said, cause))
                if what is not None:
                    self.wrong[key] = (cause, what)

    def _ended(self, was: _Open, until: Cause | None) -> Span:
        """The span that something was until then."""
        one = was.declared
        able = self._able(one)
        return Span(
            token=was.life.token,
            name=one.name,
            kind=one.kind,
            owner=one.owner,
            normal=one.normal,
            grants=able.grants,
            enabled=able.enabled,
            since=was.since,
            earlier=was.earlier,
            until=until,
            ends=able.ends(was.life.created),
        )

    def _able(self, one: Declared) -> _Able:
        """What a spec lets its token do. Most edits leave that as it is, and many tokens have the same."""
        key = one.kind, one.normal.partition(BEHIND_METADATA)[2]
        if key not in self.able:
            spec = one.spec()
            ends = spec.expires_at if one.sets("expires") else _never
            self.able[key] = _Able(spec.what.grants(spec.spec), spec.enabled, ends)
        return self.able[key]

    def history(self) -> History:
        """What came of it."""
        going_on = [self._ended(one, None) for one in self.open.values()]
        left = [Faulty(since, what, None) for _, (since, what) in sorted(self.wrong.items())]
        return History(
            _sorted((*self.spans, *going_on)),
            (*self.faulty, *left),
            frozenset(self.hidden),
            self.files.workspace,
        )


def _never(_: int) -> None:
    """It does not end by itself."""


def _sorted(spans: Iterable[Span]) -> tuple[Span, ...]:
    return tuple(sorted(spans, key=lambda span: (span.since.at, span.name)))
