"""Faults as a person reads them: the place, what is wrong, the line, and a caret."""

from __future__ import annotations

from collections.abc import Iterable

import click

from reconciler.cli.output import columns_of, echo_styled, in_line
from reconciler.specs.faults import Fault

BEFORE = 30
"""Cells of a line that are kept before what is meant, where the line is wider than the terminal."""
LEAST = 60
"""Cells that a line of a file gets, however narrow the terminal is."""
CUT = "…"


def echo_faults(faults: Iterable[object], *, err: bool = False) -> None:
    """Every fault, on stdout or stderr."""
    columns = columns_of(err=err)
    for fault in faults:
        if isinstance(fault, Fault):
            echo_styled(fault_text(fault, columns=columns), err=err)


def fault_text(fault: Fault, level: str = "", columns: int | None = None) -> str:
    """One fault in up to three lines. `level` stands before the message.

    With `columns`, the cells of a terminal's line, as much of the file's line is shown as fits into one:
    a caret below a line that was wrapped points anywhere.
    """
    from rich.cells import cell_len

    where = click.style(in_line(fault.where), bold=True)
    hint = in_line(fault.hint)
    rule = click.style(f"[{in_line(fault.rule)}]", fg="yellow")
    said = f"{where}: {level}{in_line(fault.message)} {rule}"
    if not fault.source:
        return said + (f"\n  hint: {hint}" if hint else "")
    number = f"{fault.line:>4} | "
    source = in_line(fault.source)
    start = fault.column - 1
    before, meant, after = source[:start], source[start : start + fault.width], source[start + fault.width :]
    if columns is not None and cell_len(source) > (room := max(columns - len(number), LEAST)):
        before = _end_of(before, BEFORE)
        meant = _start_of(meant, room - cell_len(before))
        after = _start_of(after, room - cell_len(before + meant))
    caret = " " * (len(number) - 2) + "| " + " " * cell_len(before) + "^" * max(1, cell_len(meant))
    return f"{said}\n{number}{before}{meant}{after}\n{caret} {click.style(hint, fg='cyan')}".rstrip()


def _start_of(text: str, cells: int) -> str:
    """As much of a text as fits, the mark of the cut included."""
    from rich.cells import cell_len

    if cell_len(text) <= cells:
        return text
    while text and cell_len(text) + len(CUT) > cells:
        text = text[:-1]
    return text + CUT if cells > 0 else ""


def _end_of(text: str, cells: int) -> str:
    from rich.cells import cell_len

    if cell_len(text) <= cells:
        return text
    while text and cell_len(text) + len(CUT) > cells:
        text = text[1:]
    return CUT + text
