"""What a format of `reconcile audit log` is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from reconciler.audit.events import Event, Story


@dataclass(frozen=True, slots=True)
class Shown:
    """What is printed: stories, or the log of all tokens."""

    commit: str
    """The revision that was read."""
    stories: Sequence[Story] | None
    """Of the tokens that had the name that was asked for; None where none was named."""
    log: Sequence[Event]
    """Of all tokens, newest first, where none was named."""
    whole: bool
    notes: tuple[str, ...]

    @property
    def events(self) -> list[Event]:
        """All that is told, in the order in which it is."""
        if self.stories is None:
            return list(self.log)
        return [event for story in self.stories for event in story.events]


@dataclass(frozen=True, slots=True)
class StoryFormat:
    """One way to print them. A file beside this one makes it, and calls it `FORMAT`."""

    name: str
    lines: Callable[[Shown], Iterable[str]]
    """Pure: the same stories give the same lines, but for the colours of a terminal."""
