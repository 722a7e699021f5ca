"""How far a run is: a bar on a terminal, nothing but notes elsewhere. On stderr, always."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from reconciler.apply.interface import Progress


class Quiet:
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


LONG = 50


@contextmanager
def progress() -> Iterator[Progress]:
    """What suits the terminal, or its absence."""
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR"):
        yield Quiet()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeRemainingColumn

    bar = Bar(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    )
    with bar:
        yield _OnTerminal(bar)


class _OnTerminal:
    def __init__(self, bar: object) -> None:
        from rich.progress import Progress as Bar

        assert isinstance(bar, Bar)
        self.bar = bar
        self.task = None

    def start(self, what: str, total: int) -> None:
        self.task = self.bar.add_task(what, total=total)

    def advance(self) -> None:
        if self.task is not None:
            self.bar.advance(self.task)

    def note(self, text: str) -> None:
        self.bar.console.print(text, markup=False, highlight=False)
