"""What runs did to each live token, as their records tell, as events. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.audit.applied import applied
from reconciler.audit.declaring import differing
from reconciler.audit.events import Due, Event, Ran
from reconciler.audit.rotations import Renewed
from reconciler.audit.spans import Span, lives
from reconciler.compare.tokens import beyond
from reconciler.plan.change import Action
from reconciler.records.body import Change

QUIET = (Action.RETIRE, Action.RESEAL)
"""What gives a token no other spec."""


@dataclass(frozen=True, slots=True)
class Did:
    """One change of one run."""

    ran: Ran
    change: Change
    place: int
    """Where on the line the run belongs: at the commit that it applied, else where the line was then."""


@dataclass(slots=True)
class Running:
    """What is live after what runs did, as they are told one by one."""

    runs: Sequence[Ran]
    renewed: dict[str, Renewed] = field(default_factory=dict)
    """Id of each token that is live by now → when it is due."""
    now: dict[str, Span] = field(default_factory=dict)
    """Id → what it is by now."""
    live: Sequence[Span] = field(init=False)
    """What is live after all of them."""
    _spans: Mapping[tuple[str, str | None], Span] = field(init=False)
    """(id, run) → what the run left it with, where that differs from before."""
    lives: Mapping[str, Sequence[Span]] = field(init=False)
    """Id → all that it was, oldest first."""

    def __post_init__(self) -> None:
        spans = applied(self.runs).spans
        self.live = [span for span in spans if span.until is None]
        self.lives = lives(spans)
        self._spans = {(span.token, span.since.run): span for span in spans}

    def events(self, done: Iterable[Did]) -> Iterator[Event]:
        """What was done to some tokens: all of that, in the order of records."""
        for did in done:
            yield self._event(did.ran, did.change, 2 * did.place + 1)

    def _event(self, ran: Ran, change: Change, order: int) -> Event:
        token, at = change.token or "", ran.when(change)
        before, done = self.now.get(token), change.is_done
        after = before
        if change.action not in QUIET:
            after = self._spans.get((token, ran.body.run), before)
        if done and change.action == Action.DELETE:
            after = None
        due = self._due(change, at)
        if done:
            self._take(token, change, after, at)
        elif after is not None:
            self.now[token] = after  # it may have lost access
        shown = after or before
        moved = before is not after and done
        had, has = (one.normal if one else "" for one in (before, after))
        return Event(
            at=at,
            what=change.action,
            name=change.name,
            kind=change.kind,
            owner=shown.owner if shown else None,
            run=ran,
            previously=change.previously,
            gave=has if moved and had != has else None,
            fields=differing(before, after) if moved else (),
            gains=beyond(after.grants if after else {}, before.grants if before else {}) if moved else {},
            loses=beyond(before.grants if before else {}, after.grants if after else {}) if moved else {},
            token=change.token,
            generation=change.generation,
            outcome=change.outcome,
            error=change.error,
            due=due,
            order=order,
        )

    def _due(self, change: Change, at: int) -> Due | None:
        renewed = self.renewed.get(change.token or "")
        return None if change.action != Action.ROTATE or renewed is None else renewed.due(at)

    def _take(self, token: str, change: Change, after: Span | None, at: int) -> None:
        """Notes what a change that was done left."""
        if after is None:
            self.now.pop(token, None)
            self.renewed.pop(token, None)
            return
        known = self.renewed.get(token)
        if known is None:
            known = self.renewed[token] = Renewed(token, at, at, at, after.normal)
        if change.action == Action.ROTATE:
            known.made = at
        if known.normal != after.normal:
            known.given, known.normal = at, after.normal
        self.now[token] = after
