"""Stories of tokens, from birth to tombstone: what was asked for in git, and what runs made of it. Pure.

A live token and what was declared are one story where a run gave the one what the other asked for, whatever
either was called. Tokens that had the same name one after the other are stories of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic_core import from_json

from reconciler.audit.declaring import Declaring
from reconciler.audit.events import Event, Ran, Standing, Story, What
from reconciler.audit.running import QUIET, Did, Running
from reconciler.audit.spans import Span
from reconciler.plan.change import DONE, Action
from reconciler.records import body as records

def stories(declaring: Declaring, runs: Sequence[Ran], now: int) -> list[Story]:
    """The stories of a line and of its records, in the order in which they begin.

    `now` is in epoch seconds: it tells what is overdue.
    """
    running = Running(runs)
    placed = {ran.body.run: declaring.place_at(ran.body.at) for ran in runs}
    book = _Book(declaring, running, placed, now)
    for did in running.all(declaring.places, placed):
        book.take(did)
    return sorted(book.stories(), key=lambda story: (story.events[0].order, story.events[0].at, story.name))


def called(found: Iterable[Story], name: str) -> list[Story]:
    """The stories of tokens that had a name, or have it as an id."""
    return [one for one in found if name in one.names or name in one.ids]


@dataclass(slots=True)
class _Book:
    """Which declared token and which live token are one."""

    declaring: Declaring
    running: Running
    placed: Mapping[str, int]
    """Run → where the line was when it ran."""
    now: int
    _above: dict[str, str] = field(default_factory=dict)
    """Part of a story → another part of it, up to one that stands for all."""
    _done: dict[str, list[Did]] = field(default_factory=lambda: defaultdict(list))

    def take(self, did: Did) -> None:
        """Finds the story of what a run did."""
        change, place = did.change, self.place(did.ran)
        spans = [
            self.declaring.at(name, place) for name in (change.name, change.previously) if name is not None
        ]
        span = next((one for one in spans if one is not None and one.kind == change.kind), None)
        key = f"live {change.token}" if change.token else None
        if span is not None and change.action != Action.DELETE:
            self._join(key or f"declared {span.token}", f"declared {span.token}")
            key = key or f"declared {span.token}"
        key = key or f"name {change.name}"
        self._above.setdefault(key, key)
        self._done[key].append(did)

    def place(self, ran: Ran) -> int:
        """Where on the line a run belongs: at its commit, or where the line was when it ran."""
        return self.declaring.places.get(ran.body.commit or "", self.placed[ran.body.run])

    def stories(self) -> Iterator[Story]:
        """All of them."""
        parts = defaultdict[str, list[str]](list)
        for token in self.declaring.lives:
            key = f"declared {token}"
            self._above.setdefault(key, key)
        for key in self._above:
            parts[self._top(key)].append(key)
        for keys in parts.values():
            tokens = [key.removeprefix("declared ") for key in keys if key.startswith("declared ")]
            yield self._story(tokens, [did for key in keys for did in self._done.get(key, ())])

    def _story(self, tokens: Sequence[str], done: Sequence[Did]) -> Story:
        spans = [span for token in tokens for span in self.declaring.lives[token]]
        asked = sorted((one for token in tokens for one in self.declaring.events(token)), key=_order)
        ids = tuple(dict.fromkeys(did.change.token for did in done if did.change.token))
        live = [self.running.now[one] for one in ids if one in self.running.now]
        settled = _Settling(self, asked, done, _current(spans), live).settled()
        events = sorted((*settled, *(did.event for did in done)), key=_order)
        late = [found for one in ids if (found := self._overdue(one)) is not None]
        shown = events[-1]
        return Story(
            name=shown.name,
            kind=shown.kind,
            owner=next((one.owner for one in (*_current(spans), *live) if one.owner), shown.owner),
            ids=ids,
            names=frozenset(_names(events, spans)),
            events=tuple(events),
            declared=bool(_current(spans)),
            live=bool(live) if self.running.runs else None,
            earlier=any(span.earlier for span in spans),
            overdue=min(late, default=None),
        )

    def _overdue(self, token: str) -> int | None:
        renewed = self.running.renewed.get(token)
        return None if renewed is None else renewed.overdue(self.now)

    def _top(self, key: str) -> str:
        while self._above[key] != key:
            self._above[key] = self._above[self._above[key]]
            key = self._above[key]
        return key

    def _join(self, one: str, other: str) -> None:
        for key in (one, other):
            self._above.setdefault(key, key)
        self._above[self._top(other)] = self._top(one)


@dataclass(slots=True)
class _Settling:
    """What became of what was asked for of one token."""

    book: _Book
    asked: Sequence[Event]
    done: Sequence[Did]
    declared: Sequence[Span]
    """What it is declared as now: one span, or none."""
    live: Sequence[Span]
    """What it is live as by now."""

    def settled(self) -> Iterator[Event]:
        """The events of commits with their standing, and the runs that were blocked while they waited."""
        runs = self.book.running.runs
        if not runs:
            yield from (replace(one, standing=Standing.UNKNOWN) for one in self.asked)
            return
        changes = defaultdict[str, list[Did]](list)
        for did in self.done:
            changes[did.ran.body.run].append(did)
        waiting = list(self.asked)
        for ran in runs:
            place = self.book.declaring.places.get(ran.body.commit or "")
            ready = [one for one in waiting if place is not None and one.order <= 2 * place]
            if not ready:
                continue
            if ran.body.outcome == records.BLOCKED:
                yield _blocked(ready[-1], ran, 2 * (place or 0) + 1)
                continue
            standing = _standing(ran, changes[ran.body.run])
            if standing is not None:
                done_by = ran if standing is Standing.APPLIED else None
                yield from (replace(one, standing=standing, run=done_by) for one in ready)
                waiting = waiting[len(ready) :]
        same = [one.normal for one in self.declared] == [one.normal for one in self.live]
        left = Standing.PASSED if same else Standing.WAITING
        yield from (replace(one, standing=left) for one in waiting)


def _standing(ran: Ran, changes: Sequence[Did]) -> Standing | None:
    """What a run made of what one token was asked to be; None where it made nothing of it."""
    gave = [did for did in changes if did.change.action not in QUIET]
    if any(did.change.outcome != DONE for did in gave):
        return None
    if gave:
        return Standing.APPLIED
    return Standing.PASSED if ran.body.outcome in (records.DONE, records.PARTLY) else None


def _blocked(event: Event, ran: Ran, order: int) -> Event:
    return Event(ran.body.at, What.BLOCKED, event.name, event.kind, event.owner, run=ran, order=order)


def _current(spans: Iterable[Span]) -> list[Span]:
    return [span for span in spans if span.until is None]


def _names(events: Iterable[Event], spans: Iterable[Span]) -> Iterator[str]:
    for event in events:
        yield from (name for name in (event.name, event.previously) if name is not None)
    for span in spans:
        yield from from_json(span.normal)["metadata"].get("previously", ())


def _order(event: Event) -> tuple[int, int]:
    return event.order, event.at
