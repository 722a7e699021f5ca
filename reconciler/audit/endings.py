"""Ends that no run made: a token came to its own end, or its newest credential did. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.audit.events import Event, What
from reconciler.audit.spans import Span


def told_with(events: Sequence[Event], life: Iterable[Span], now: int) -> list[Event]:
    """Events in their order, and among them each end that a token came to by itself by now."""
    found = list(events)
    for span, at in _ends(life, now):
        place = max((number for number, one in enumerate(found) if one.at <= at), default=-1)
        what = What.ENDED if span.ends is not None and span.ends <= at else What.LAPSED
        order = found[place].order if place >= 0 else -1
        one = Event(at, what, span.name, span.kind, span.owner, token=span.token, order=order)
        found.insert(place + 1, one)
    return found


def _ends(life: Iterable[Span], now: int) -> Iterator[tuple[Span, int]]:
    """What ended, and when; what goes on as ended after an edit is told once."""
    ended = False
    for span in life:
        at = None if span.stops is None else max(span.stops, span.since.at)
        if at is None or at > now or (span.until is not None and span.until.at <= at):
            ended = False
            continue
        if not (ended and at == span.since.at):
            yield span, at
        ended = True
