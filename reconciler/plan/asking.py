"""Rotations that are asked for at a time that cannot be meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.plan.brakes import Block, Warned
from reconciler.plan.change import Change, FieldChange
from reconciler.plan.ownkeys import ASKED
from reconciler.times import timestamp

AHEAD = 86_400
"""Seconds that the clock of whoever asks may be ahead. Beyond, every later ask would come too early."""


def ahead(changes: Iterable[Change], now: int) -> Iterator[Block]:
    """Changes that ask at a time that has not come."""
    latest = timestamp(now + AHEAD)
    for change, asked in _asked(changes):
        if str(asked.after) > latest:
            yield Block(
                "rotation-ahead",
                f"{change.name} asks for a rotation at {asked.after}, which is yet to come",
                "write the time at which it is asked for, as reconcile rotate does",
            )


def behind(changes: Iterable[Change]) -> Iterator[Warned]:
    """Changes that ask at a time before the last that was asked at: nothing is rotated for them."""
    for change, asked in _asked(changes):
        if asked.before is not None and str(asked.after) < str(asked.before):
            yield Warned(
                "rotation-not-asked",
                f"{change.name} asks for a rotation at {asked.after}, and one was asked for at {asked.before}"
                " already: this one is not made",
                "if one is wanted, ask with: reconcile rotate",
            )


def _asked(changes: Iterable[Change]) -> Iterator[tuple[Change, FieldChange]]:
    for change in changes:
        for one in change.fields:
            if one.field == ASKED and one.after is not None:
                yield change, one
