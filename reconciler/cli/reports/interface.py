"""What a report is: what was found goes in, and what its reader takes comes out on stdout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.cli.output import counted
from reconciler.specs.faults import Fault


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with the specs of a workspace, or with the part of them that was asked for."""

    faults: Sequence[Fault]
    """In the order of files and lines."""
    warnings: Sequence[Fault]
    """What stops nothing. In the same order."""
    tokens: int
    """How many were read; 0 where there are faults."""
    whole: bool
    """Whether the whole workspace was asked for."""
    prefix: str
    """Of the workspace, from the top of its repository: empty, or ending in `/`."""

    @property
    def closing(self) -> str:
        """All of it in one sentence."""
        if self.faults:
            return f"{counted(len(self.faults), 'fault')} in {files_of(self.faults)}."
        return f"{counted(self.tokens, 'spec')}, no faults." if self.whole else "no faults there."


@dataclass(frozen=True, slots=True)
class Report:
    """One format. Its file is its only home: `reports/` is searched for it."""

    name: str
    echo: Callable[[Findings], None]
    """Prints what was found. What is no part of the result goes to stderr."""


def files_of(faults: Sequence[Fault]) -> str:
    """`2 files`: how many the faults are in."""
    return counted(len({fault.file for fault in faults}), "file")
