"""What became of what commits asked for: which run made it live, if any did. Pure.

A run of the line that did something to a token gave it all that the line had asked for by then. A run of a
commit that is not on the line gave it what it was asked to be where it left it with that very spec.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from reconciler.audit.events import Event, Ran, Standing, What
from reconciler.audit.running import QUIET
from reconciler.plan.change import DONE
from reconciler.records import body as records


@dataclass(slots=True)
class Seen:
    """Runs, and how far each saw the line."""

    runs: Sequence[Ran]
    places: Sequence[int | None]
    """Of the commits that they applied; None for one that is not on the line."""
    _furthest: Sequence[int] = field(init=False)
    """How far each of them, or any before it, saw the line."""
    _last: Sequence[int] = field(init=False)
    """The sequence of each of them, or of the last before it, that was of the line; 0 for none."""

    def __post_init__(self) -> None:
        self._furthest = list(accumulate((-1 if one is None else one for one in self.places), max))
        numbers = [ran.body.sequence for ran in self.runs]
        of_line = (number * (place is not None) for number, place in zip(numbers, self.places, strict=True))
        self._last = list(accumulate(of_line, max))

    def of(self, order: int) -> Iterator[tuple[Ran, int]]:
        """The runs from the first that saw an event, in their order: those that were of the line."""
        for number in range(self._first(order), len(self.runs)):
            place = self.places[number]
            if place is not None:
                yield self.runs[number], place

    def before(self, order: int) -> int:
        """The sequence of the last run of the line that did not see an event; 0 where there was none."""
        first = self._first(order)
        return self._last[first - 1] if first else 0

    def _first(self, order: int) -> int:
        return bisect_left(self._furthest, order / 2)


@dataclass(slots=True)
class Settling:
    """What became of what was asked for of one token."""

    seen: Seen
    asked: Sequence[Event]
    wanted: Mapping[int, str]
    """Order of an event → the spec that was declared since, in normal form; nothing where none was."""
    done: Sequence[Event]
    """What runs did to it, in their order."""
    same: bool
    """Whether what is live by now is what is declared now."""
    _off: Sequence[Event] = field(init=False)
    """What runs from off the line gave it."""

    def __post_init__(self) -> None:
        self._off = [did for did in self.done if did.gave is not None and not _run(did).on_line]

    def settled(self) -> Iterator[Event]:
        """The events of commits with their standing, and the runs that were blocked while they waited."""
        if not self.seen.runs:
            yield from (replace(one, standing=Standing.UNKNOWN) for one in self.asked)
            return
        changes = defaultdict[str, list[Event]](list)
        for did in self.done:
            changes[_run(did).body.run].append(did)
        waiting = list(self.asked)
        for ran, place in self.seen.of(waiting[0].order) if waiting else ():
            ready = [one for one in waiting if one.order <= 2 * place]
            given = list(self._elsewhere(ready, ran.body.sequence))
            yield from given
            ready, waiting = ready[len(given) :], waiting[len(given) :]
            if not ready:
                continue
            if ran.body.outcome == records.BLOCKED:
                yield _blocked(ready[-1], ran, 2 * place + 1)
                continue
            standing = _standing(ran, changes[ran.body.run])
            if standing is not None:
                yield from (self._with(one, standing, ran) for one in ready)
                waiting = waiting[len(ready) :]
        given = list(self._elsewhere(waiting, None))
        yield from given
        left = Standing.PASSED if self.same else Standing.WAITING
        yield from (self._with(one, left, None) for one in waiting[len(given) :])

    def _elsewhere(self, ready: Sequence[Event], until: int | None) -> Iterator[Event]:
        """The first of these, as far as the last run from off the line before another left it just so."""
        if not ready:
            return
        since = self.seen.before(ready[0].order)
        last = next((did for did in self._off[::-1] if _is_between(_run(did), since, until)), None)
        if last is None:
            return
        fits = [number for number, one in enumerate(ready) if self._asks(one) == last.gave]
        for one in ready[: fits[-1] + 1] if fits else ():
            yield self._with(one, Standing.APPLIED, _run(last))

    def _asks(self, event: Event) -> str | None:
        """The spec that an event asks for; an empty one where it asks for no token; None for a fault."""
        return None if event.what is What.HIDDEN else self.wanted.get(event.order, "")

    def _with(self, event: Event, standing: Standing, ran: Ran | None) -> Event:
        """An event with what became of it. Of what was declared already where the history of this clone
        begins, a run tells no more than that it gave this very spec.
        """
        if event.what is What.FOUND and not self._was_given(event, ran):
            return replace(event, standing=Standing.UNKNOWN)
        return replace(event, standing=standing, run=ran if standing is Standing.APPLIED else None)

    def _was_given(self, event: Event, ran: Ran | None) -> bool:
        wanted = self._asks(event)
        return ran is not None and any(did.run is ran and did.gave == wanted for did in self.done)


def _run(did: Event) -> Ran:
    if did.run is None:
        raise ValueError("what was done, a run did")
    return did.run


def _is_between(ran: Ran, since: int, until: int | None) -> bool:
    """Whether a run is behind one and before another, by their sequence."""
    return since < ran.body.sequence and (until is None or ran.body.sequence < until)


def _standing(ran: Ran, changes: Sequence[Event]) -> Standing | None:
    """What a run made of what one token was asked to be; None where it made nothing of it."""
    gave = [did for did in changes if did.what not in QUIET]
    if any(did.outcome != DONE for did in gave):
        return None
    if gave:
        return Standing.APPLIED
    return Standing.PASSED if ran.body.outcome in (records.DONE, records.PARTLY) else None


def _blocked(event: Event, ran: Ran, order: int) -> Event:
    return Event(ran.at, What.BLOCKED, event.name, event.kind, event.owner, run=ran, order=order)
