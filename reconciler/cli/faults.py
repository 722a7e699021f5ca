"""Faults as a person reads them: the place, what is wrong, the line, and a caret."""

from __future__ import annotations

from collections.abc import Iterable

import click

from reconciler.cli.output import visible
from reconciler.specs.faults import Fault


def echo_faults(faults: Iterable[object], *, err: bool = False) -> None:
    """Every fault, on stdout or stderr."""
    for fault in faults:
        if isinstance(fault, Fault):
            click.echo(fault_text(fault), err=err)


def fault_text(fault: Fault) -> str:
    """One fault in up to three lines."""
    from rich.cells import cell_len

    where = click.style(visible(fault.where), bold=True)
    message, source = visible(fault.message), visible(fault.source.expandtabs(1))
    hint = visible(fault.hint)
    rule = click.style(f"[{fault.rule}]", fg="yellow")
    if not fault.source:
        return f"{where}: {message} {rule}" + (f"\n  hint: {hint}" if hint else "")
    number = f"{fault.line:>4} | "
    before = cell_len(source[: fault.column - 1])
    marked = cell_len(source[fault.column - 1 : fault.column - 1 + fault.width])
    caret = " " * (len(number) - 2) + "| " + " " * before + "^" * max(1, marked)
    return f"{where}: {message} {rule}\n{number}{source}\n{caret} {click.style(hint, fg='cyan')}".rstrip()
