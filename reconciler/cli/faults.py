"""Faults as a person reads them: the place, what is wrong, the line, and a caret."""

from __future__ import annotations

from collections.abc import Iterable

import click

from reconciler.specs.faults import Fault


def echo_faults(faults: Iterable[object], *, err: bool = False) -> None:
    """Every fault, on stdout or stderr."""
    for fault in faults:
        if isinstance(fault, Fault):
            click.echo(fault_text(fault), err=err)


def fault_text(fault: Fault) -> str:
    """One fault in up to three lines."""
    from rich.cells import cell_len

    where = click.style(fault.where, bold=True)
    rule = click.style(f"[{fault.rule}]", fg="yellow")
    if not fault.source:
        hint = f"\n  hint: {fault.hint}" if fault.hint else ""
        return f"{where}: {fault.message} {rule}{hint}"
    number = f"{fault.line:>4} | "
    before = cell_len(fault.source[: fault.column - 1].expandtabs(1))
    marked = cell_len(fault.source[fault.column - 1 : fault.column - 1 + fault.width])
    caret = " " * (len(number) - 2) + "| " + " " * before + "^" * max(1, marked)
    return (
        f"{where}: {fault.message} {rule}\n"
        f"{number}{fault.source.expandtabs(1)}\n{caret} {click.style(fault.hint, fg='cyan')}".rstrip()
    )
