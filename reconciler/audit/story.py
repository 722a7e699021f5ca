"""Stories of tokens, from birth to tombstone: what was asked for in git, and what runs made of it. Pure.

A live token and what was declared are one story where a run gave the one what the other asked for, whatever
either was called, and where both have one name now: the next run finds the one by the other. Else tokens that
had the same name one after the other are stories of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic_core import from_json

from reconciler.audit.declaring import Declaring
from reconciler.audit.endings import told_with
from reconciler.audit.events import Event, Ran, Story
from reconciler.audit.running import Did, Running
from reconciler.audit.settling import Seen, Settling
from reconciler.audit.spans import Span, State
from reconciler.plan.change import Action


def stories(declaring: Declaring, runs: Sequence[Ran], now: int, name: str | None = None) -> list[Story]:
    """The stories of a line and of its records, in the order in which they begin; with a name, of the tokens
    that had it, or have it as an id.

    `now` is in epoch seconds: it tells what is overdue.
    """
    places = [declaring.places.get(ran.body.commit or "") for ran in runs]
    book = _Book(declaring, Running(runs), Seen(runs, places), now)
    for ran, place in zip(runs, places, strict=True):
        where = declaring.place_at(ran.at) if place is None else place
        for change in ran.body.changes:
            book.take(Did(ran, change, where))
    book.meet()
    book.meet_at_the_cut()
    found = [book.story(part) for part in book.parts() if name is None or part.is_called(name)]
    return sorted(found, key=lambda story: (story.events[0].order, story.events[0].at, story.name))


@dataclass(slots=True)
class _Part:
    """What makes one story."""

    tokens: list[str] = field(default_factory=list)
    """As they were declared."""
    spans: list[Span] = field(default_factory=list)
    """Of these."""
    done: list[Did] = field(default_factory=list)

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the live tokens."""
        return tuple(dict.fromkeys(did.change.token for did in self.done if did.change.token))

    @property
    def names(self) -> frozenset[str]:
        """All that it had, and that it says it had."""
        return frozenset(
            (
                *(span.name for span in self.spans),
                *(old for span in self.spans for old in _previously(span.normal)),
                *(did.change.name for did in self.done),
                *(did.change.previously for did in self.done if did.change.previously is not None),
            )
        )

    def is_called(self, name: str) -> bool:
        """Whether it had a name, or has it as an id."""
        return name in self.names or name in self.ids


@dataclass(slots=True)
class _Book:
    """Which declared token and which live token are one."""

    declaring: Declaring
    running: Running
    seen: Seen
    now: int
    _above: dict[str, str] = field(default_factory=dict)
    """Part of a story → another part of it, up to one that stands for all."""
    _done: list[tuple[str, Did]] = field(default_factory=list)

    def take(self, did: Did) -> None:
        """Finds the story of what a run did."""
        change = did.change
        names = (name for name in (change.name, change.previously) if name is not None)
        spans = (self.declaring.at(name, did.place) for name in names)
        span = next((one for one in spans if one is not None and one.kind == change.kind), None)
        key = f"live {change.token}" if change.token else None
        if span is not None and change.action != Action.DELETE:
            self._join(key or f"declared {span.token}", f"declared {span.token}")
            key = key or f"declared {span.token}"
        key = key or f"name {change.name}"
        self._above.setdefault(key, key)
        self._done.append((key, did))

    def meet(self) -> None:
        """Joins what is declared now with what is live by its name, although no run had to change it: as what
        was removed and declared again before a run.
        """
        for live in self.running.live:
            span = self.declaring.at(live.name, len(self.declaring.places))
            if span is not None and span.kind == live.kind:
                self._join(f"live {live.token}", f"declared {span.token}")

    def meet_at_the_cut(self) -> None:
        """The same of where a shallow clone begins: what made the one of the other is not there."""
        line = self.declaring.line
        if line.cut is None:
            return
        for live in (span for life in self.running.lives.values() for span in life):
            span = self.declaring.at(live.name, 0) if live.is_at(line.cut_at) else None
            if span is not None and span.earlier and span.kind == live.kind:
                self._join(f"live {live.token}", f"declared {span.token}")

    def parts(self) -> list[_Part]:
        """What belongs together."""
        found = defaultdict[str, _Part](_Part)
        for token, spans in self.declaring.lives.items():
            part = found[self._top(f"declared {token}")]
            part.tokens.append(token)
            part.spans.extend(spans)
        for key, did in self._done:
            found[self._top(key)].done.append(did)
        return list(found.values())

    def story(self, part: _Part) -> Story:
        """What happened to it."""
        asked = sorted((one for token in part.tokens for one in self.declaring.events(token)), key=_order)
        did = list(self.running.events(part.done))
        current = [span for span in part.spans if span.until is None]
        live = [self.running.now[one] for one in part.ids if one in self.running.now]
        wanted = {2 * self.declaring.place(span.since): span.normal for span in part.spans}
        same = [one.normal for one in current] == [one.normal for one in live]
        settled = Settling(self.seen, asked, wanted, did, same).settled()
        events = sorted((*settled, *did), key=_order)
        for one in part.ids:
            events = told_with(events, self.running.lives.get(one, ()), self.now)
        late = [found for one in part.ids if (found := self._overdue(one)) is not None]
        shown = events[-1]
        return Story(
            name=shown.name,
            kind=shown.kind,
            owner=next((one.owner for one in (*current, *live)), shown.owner),
            ids=part.ids,
            names=part.names,
            events=tuple(events),
            declared=bool(current),
            live=bool(live) if self.running.runs else None,
            state=live[-1].state_at(self.now) if live else None,
            ended=live[-1].stops if live and live[-1].state_at(self.now) is State.EXPIRED else None,
            earlier=any(span.earlier for span in part.spans),
            overdue=min(late, default=None),
        )

    def _overdue(self, token: str) -> int | None:
        renewed = self.running.renewed.get(token)
        return None if renewed is None else renewed.overdue(self.now)

    def _top(self, key: str) -> str:
        while self._above.setdefault(key, key) != key:
            self._above[key] = self._above[self._above[key]]
            key = self._above[key]
        return key

    def _join(self, one: str, other: str) -> None:
        self._above[self._top(other)] = self._top(one)


def _previously(normal: str) -> Sequence[str]:
    """The names that a spec says its token had."""
    if '"previously":' not in normal:
        return ()
    return tuple(from_json(normal)["metadata"].get("previously", ()))


def _order(event: Event) -> tuple[int, int]:
    return event.order, event.at
