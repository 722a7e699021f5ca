"""One comment a marker: the earlier one is updated, else one is added, if there is news in it.

Time passes through `sleep` alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.errors import ForgeFailed, UsageError
from reconciler.forges.interface import Comment, Thread, TryAgain

MARKER = re.compile(r"<!-- reconciler: [A-Za-z0-9][A-Za-z0-9 ._/-]{0,99} -->")
NO_NEWS = "<!-- updates a comment, adds none -->"
"""The second line of what is worth no comment of its own, but is what an earlier one has to say now."""
TRIES = 5
LONGEST = 60.0
"""Seconds that are waited for one try: a pipeline costs money while it waits."""


@dataclass(frozen=True, slots=True)
class Commented:
    """What became of a comment."""

    url: str | None
    """None where there is none."""
    outcome: str
    """`added`, `updated`, `unchanged` where it stood there so already, `none` where there is no news."""


def marker_of(text: str) -> str:
    """The marker in the first line of a comment. Raises UsageError."""
    first = _line(text, 0)
    if MARKER.fullmatch(first) is None:
        raise UsageError(
            "the first line of the comment is no marker, by which the next run could find it",
            hint="pipe into it what plan --format markdown prints, or begin with <!-- reconciler: NAME -->",
        )
    return first


def comment(thread: Thread, text: str, sleep: Callable[[float], None]) -> Commented:
    """Updates the comment that has this marker and is our own, or adds one; for `NO_NEWS` none is added.

    Where the forge cannot answer, it is asked again a few times, from the start: an answer that was lost
    may have been a comment that was made. Raises ForgeFailed, and UsageError for a text that is none.
    """
    marker = marker_of(text)
    if len(text) > thread.most:
        raise UsageError(
            f"the comment has {len(text):,} characters, and a comment may have {thread.most:,}",
            hint="print it with plan --format markdown, which keeps below that",
        )
    for number in range(TRIES):
        try:
            return _put(thread, marker, text)
        except TryAgain as busy:
            wait = float(2**number) if busy.after is None else busy.after
            if number == TRIES - 1 or wait > LONGEST:
                raise _busy(thread, busy) from None
            sleep(wait)
    raise AssertionError


def _put(thread: Thread, marker: str, text: str) -> Commented:
    earlier = _earlier(thread, marker)
    if earlier is not None and _same(earlier.text, text):
        return Commented(earlier.url, "unchanged")
    if earlier is not None:
        edited = thread.edit(earlier, text)
        if edited is not None:
            return Commented(edited.url, "updated")
    if _line(text, 1) == NO_NEWS:
        return Commented(None, "none")
    return Commented(thread.add(text).url, "added")


def _earlier(thread: Thread, marker: str) -> Comment | None:
    """Our own comment that has the marker: anybody may paste one into theirs."""
    me: str | None = None
    for found in thread.comments():
        if _line(found.text, 0) != marker:
            continue
        me = me or thread.me()
        if found.author == me:
            return found
    return None


def _line(text: str, number: int) -> str:
    """A line of the first few; empty where there are fewer."""
    lines = text.split("\n", number + 1)
    return lines[number].rstrip() if number < len(lines) else ""


def _same(one: str, other: str) -> bool:
    """Forges may keep other ends of lines than they were sent."""
    return [line.rstrip() for line in one.splitlines()] == [line.rstrip() for line in other.splitlines()]


def _busy(thread: Thread, busy: TryAgain) -> ForgeFailed:
    when = "" if busy.after is None else f", and asks to come again in {busy.after:.0f} seconds"
    return ForgeFailed(
        f"the forge cannot take the comment on {thread.what} now ({busy.status}){when}",
        hint="run the step again later",
    )
