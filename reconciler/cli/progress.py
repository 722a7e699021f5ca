"""How far a run is: a bar on a terminal, plain lines elsewhere. On stderr, always."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler.apply.interface import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

LONG = 50
"""Credentials that are worth a line in a log."""


@contextmanager
def progress() -> Iterator[Progress]:
    """What suits the terminal, or its absence."""
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR"):
        yield PlainLines()
        return
    with _bar() as bar:
        yield OnTerminal(bar)


class PlainLines:
    """No bar: a pipeline's log is no terminal."""

    def start(self, what: str, total: int) -> None:
        """Says what begins, in one line, when it may take a while."""
        if total >= LONG:
            click.echo(f"{what} {total} credentials", err=True)

    def advance(self) -> None:
        """Says nothing."""

    def note(self, text: str) -> None:
        """One line."""
        click.echo(text, err=True)


class OnTerminal:
    """A bar that is gone when the run is over."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def start(self, what: str, total: int) -> None:
        """A bar of its own for each step."""
        self._task = self._bar.add_task(what, total=total)

    def advance(self) -> None:
        """One more."""
        if self._task is not None:
            self._bar.advance(self._task)

    def note(self, text: str) -> None:
        """One line above the bar."""
        self._bar.console.print(text, markup=False, highlight=False)


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
