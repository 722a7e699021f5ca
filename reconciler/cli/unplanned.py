"""The comment where no plan could be made: what stood in it before is of an earlier commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.cli.markdown import LIMIT, NAME, SPARE, TEXT, Room, clipped, code, marker, not_shown
from reconciler.cli.output import in_line

INDENT = "    "
"""Makes code of a line, whatever is in it."""


def unplanned_lines(workspace: str, place: str, commit: str, log: str, why: Sequence[str]) -> Iterator[str]:
    """It updates a comment and adds none. `why` is what was printed, as it is; `log` an address, or empty."""
    at = f" at {code(commit[:7])}" if commit else ""
    told = Room(LIMIT - SPARE).take(f"{INDENT}{in_line(clipped(line, TEXT))}".rstrip() for line in why)
    where = f" in {code(clipped(place, NAME))}" if place else ""
    yield from marker(workspace, place, news=False)
    yield f"### No token plan for {code(workspace)}{where}{at}"
    yield ""
    yield "> [!CAUTION]"
    yield "> **The plan could not be made.** What stood here was of an earlier commit, and holds no longer."
    if log:
        yield ""
        yield f"[The log of the run]({log})"
    if told.lines:
        yield ""
        yield from told
    if told.out:
        yield from not_shown((f"{told.out:,} lines",), "reconcile plan")
