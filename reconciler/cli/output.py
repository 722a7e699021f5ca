"""Results on stdout: JSON that is stable, text for people."""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Mapping, Sequence

import click


def echo_json(document: Mapping[str, object]) -> None:
    """One JSON document, indented, in any script."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def coloured(stream: str = "stdout") -> bool:
    """Whether a stream may carry colour: a terminal, and nobody said NO_COLOR."""
    return getattr(sys, stream).isatty() and not os.environ.get("NO_COLOR")


def style(text: str, **how: object) -> str:
    """The text in colour, where there may be colour."""
    return click.style(text, **how) if coloured() else text  # type: ignore[arg-type]


def echo_diff(file: str, before: str, after: str) -> None:
    """What an edit did to a file, as a unified diff."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{file}", f"b/{file}"
    )
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        text = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        colour = colours.get(line[0]) if not line.startswith(("+++", "---")) else None
        click.echo(style(text, fg=colour) if colour else text, nl=False)


def echo_table(rows: Sequence[Sequence[str]]) -> None:
    """Rows in columns, the first row as a heading. Wide characters count as two."""
    from rich.cells import cell_len

    if not rows:
        return
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)]
        line = "  ".join(cells).rstrip()
        click.echo(style(line, bold=True) if number == 0 else line)
