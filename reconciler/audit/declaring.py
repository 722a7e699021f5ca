"""What commits made of each token: the spans of what was declared, told as events. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from reconciler.audit.branches import Brought, askers
from reconciler.audit.declared import History
from reconciler.audit.events import Asked, Event, What
from reconciler.audit.history import Line, Step
from reconciler.audit.meanings import Meanings
from reconciler.audit.spans import Cause, Span
from reconciler.compare.tokens import all_of, beyond
from reconciler.plan.change import FieldChange
from reconciler.plan.fields import field_changes


@dataclass(slots=True)
class Declaring:
    """What was declared on a line, and who asked for it."""

    line: Line
    history: History
    brought: Brought
    meanings: Meanings
    places: Mapping[str, int] = field(init=False)
    """Commit of the line → its place there."""
    lives: Mapping[str, Sequence[Span]] = field(init=False)
    """Token, as its spans name it → these, oldest first."""
    _named: Mapping[str, Sequence[Span]] = field(init=False)
    _steps: Mapping[str, Step] = field(init=False)

    def __post_init__(self) -> None:
        self.places = {commit: place for place, commit in enumerate(self.line.whole)}
        self._steps = {step.commit: step for step in self.line.steps}
        lives, named = defaultdict[str, list[Span]](list), defaultdict[str, list[Span]](list)
        for span in sorted(self.history.spans, key=lambda span: self.place(span.since)):
            lives[span.token].append(span)
            named[span.name].append(span)
        self.lives, self._named = lives, named

    def place(self, cause: Cause) -> int:
        """Where the commit of a cause stands on the line."""
        return self.places.get(cause.commit or "", -1)

    def at(self, name: str, place: int) -> Span | None:
        """What was declared under a name as of a commit of the line."""
        for span in reversed(self._named.get(name, ())):
            if self.place(span.since) <= place:
                return span if span.until is None or place < self.place(span.until) else None
        return None

    def place_at(self, moment: int) -> int:
        """The newest commit of the line that was made by then; -1 where there was none."""
        return max((self.places[one] for one, at in self.line.whole.items() if at <= moment), default=-1)

    def events(self, token: str) -> Iterator[Event]:
        """What commits made of one token, oldest first."""
        spans = self.lives[token]
        yield self._event(None, spans[0], spans[0].since, _first(spans[0]))
        for one, other in pairwise(spans):
            if one.until is not None and one.until.commit != other.since.commit:
                yield self._event(one, None, one.until, What.HIDDEN)
                yield self._event(one, other, other.since, What.MENDED)
            else:
                what = What.CHANGED if one.name == other.name else What.RENAMED
                yield self._event(one, other, other.since, what)
        last = spans[-1]
        if last.until is not None:
            hidden = (last.until.commit, token) in self.history.hidden
            yield self._event(last, None, last.until, What.HIDDEN if hidden else What.REMOVED)

    def _event(self, before: Span | None, after: Span | None, cause: Cause, what: What) -> Event:
        shown, names = after or before, {one.name for one in (before, after) if one is not None}
        if shown is None:
            raise ValueError("an event is of a token")
        return Event(
            at=cause.at,
            what=what,
            name=shown.name,
            kind=shown.kind,
            owner=shown.owner,
            asked=self._asked(self._steps[cause.commit or ""], names, hidden=what is What.FOUND),
            previously=before.name if before and after and before.name != after.name else None,
            fields=() if what is What.HIDDEN else differing(before, after),
            gains=beyond(after.grants if after else {}, before.grants if before else {}),
            loses=beyond(before.grants if before else {}, after.grants if after else {}),
            order=2 * self.place(cause),
        )

    def _asked(self, step: Step, names: set[str], *, hidden: bool) -> Asked:
        if hidden:
            return Asked(step, hidden=True)
        return Asked(step, askers(self.brought.get(step.commit, ()), names, self.meanings))


def differing(before: Span | None, after: Span | None) -> tuple[FieldChange, ...]:
    """What differs between two specs, as far as both are told."""
    if (before and not before.normal) or (after and not after.normal):
        return ()
    if before is None or after is None:
        return () if after is None else all_of(None, after.normal)
    return _field_changes(before.normal, after.normal)


@lru_cache(maxsize=1024)
def _field_changes(before: str, after: str) -> tuple[FieldChange, ...]:
    """A commit asks for it, and a run does the same a while after."""
    return field_changes(before, after)


def _first(span: Span) -> What:
    return What.FOUND if span.earlier else What.DECLARED
