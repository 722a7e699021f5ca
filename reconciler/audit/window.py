"""Times that a question may be about: a day, a moment, or what lies between two. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import UsageError
from reconciler.kinds.fields import DATE, LAST_YEAR, SECONDS, end_of_date

TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].*")
WRITE = "write a day such as 2026-03-01, a time such as 2026-03-01T12:00:00Z, or a commit"


@dataclass(frozen=True, slots=True)
class Window:
    """From one moment to before another; where both are one, that moment alone."""

    since: int
    """Epoch seconds."""
    until: int

    def and_up_to(self, other: Window) -> Window:
        """From where it begins to where another ends, that moment too. Raises UsageError for none."""
        if other.since < self.since:
            raise UsageError("--between ends before it begins", hint="write the earlier time first")
        return Window(self.since, max(other.until, other.since + 1))


def moment(at: int) -> Window:
    """One moment."""
    return Window(at, at)


def window(text: str) -> Window | None:
    """The time that a text names: a day in UTC, all of it, or a moment. None for what is neither.

    Raises UsageError for what looks like a time and is none.
    """
    if DATE.fullmatch(text):
        return _day(text)
    if not TIME.fullmatch(text):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text} is no time", hint=WRITE) from None
    if found.year > LAST_YEAR:
        raise _too_late(text)
    if found.tzinfo is None:
        raise UsageError(f"{text} does not say of which zone it is", hint="end it in Z for UTC")
    return moment(int(found.timestamp()))


def _too_late(text: str) -> UsageError:
    return UsageError(f"{text} is too late to be told", hint=f"write one of the year {LAST_YEAR} or before")


def _day(text: str) -> Window:
    if int(text[:4]) > LAST_YEAR:
        raise _too_late(text)
    try:
        over = end_of_date(text)
    except (ValueError, OverflowError):
        raise UsageError(f"{text} is no day", hint=WRITE) from None
    return Window(over - SECONDS["d"], over)
