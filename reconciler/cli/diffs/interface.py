"""What a format of `reconcile diff` is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.compare.document import Comparison
from reconciler.git.ranges import Range

ALONE = "From the specs alone: what is live, lost or due, plan tells."


@dataclass(frozen=True, slots=True)
class Shown:
    """What is printed."""

    workspace: str
    """Its name."""
    range: Range
    comparison: Comparison
    place: str = ""
    """Which workspace it is, where its name does not tell: `Workspace.place_of`."""

    @property
    def sides(self) -> tuple[str, str]:
        """Both sides in words."""
        base, head = self.range.base, self.range.head
        return base[:7] if base else "nothing", head[:7] if head else "the work tree"


@dataclass(frozen=True, slots=True)
class DiffFormat:
    """One way to print a comparison. A file beside this one makes it, and calls it `FORMAT`."""

    name: str
    lines: Callable[[Shown], Iterable[str]]
    """Pure: the same comparison gives the same lines, but for the colours of a terminal."""
