"""When things that follow one another count as done, whatever times they say of themselves. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MOST = 5
"""Names that a message has room for."""


def in_time(said: Sequence[int], now: int) -> list[int]:
    """When each counts as done, oldest first, in epoch seconds: none is before the one that it follows.

    What says that it is of later than now counts as done with the next that says what can be, else now: so
    none is hidden by its time, nor hides what follows it.
    """
    can_be, next_one = list[int](), now
    for at in reversed(said):
        next_one = at if at <= now else next_one
        can_be.append(next_one)
    found, before = list[int](), 0
    for at in reversed(can_be):
        before = max(before, at)
        found.append(before)
    return found


def odd(what: str, ahead: Sequence[str], back: Sequence[str]) -> Iterator[str]:
    """What cannot be of the times that some things say, by their names, for a reader."""
    if ahead:
        yield (
            f"{_count(what, ahead, 'is', 'are')} of later than now ({_some(ahead)}): taken as made with what"
            " came next, or now"
        )
    if back:
        yield (
            f"{_count(what, back, 'was', 'were')} made before what came before ({_some(back)}): taken as made"
            " when that was"
        )


def _count(what: str, names: Sequence[str], one: str, many: str) -> str:
    return f"1 {what} says that it {one}" if len(names) == 1 else f"{len(names)} {what}s say that they {many}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST]) + " …" * (len(names) > MOST)
