"""Results on stdout: JSON that is stable, text for people."""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Mapping, Sequence

import click

_BREAKS = {ord(one): " " for one in "\t\n\r"}


def echo_json(document: Mapping[str, object]) -> None:
    """One JSON document, indented, in any script."""
    click.echo(json_text(document))


def json_text(document: Mapping[str, object]) -> str:
    """The same as text."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def coloured() -> bool:
    """Whether results may carry colour: a terminal, and nobody said NO_COLOR."""
    return sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def style(text: str, fg: str | None = None, *, bold: bool = False) -> str:
    """The text in colour, where there may be colour."""
    return click.style(text, fg=fg, bold=bold) if coloured() else text


def visible(text: str) -> str:
    """The text with what a terminal would obey or not show replaced; ends of lines and tabs stay."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\t\n" else "\N{REPLACEMENT CHARACTER}" for one in text)


def in_line(text: str) -> str:
    """The same on one line: ends of lines and tabs become spaces, so that no text begins a line of ours."""
    return visible(text.translate(_BREAKS))


def echo_diff(file: str, before: str, after: str) -> None:
    """What an edit did to a file, as a unified diff; a new or removed file stands against /dev/null."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"a/{file}" if before else "/dev/null",
        f"b/{file}" if after else "/dev/null",
    )
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        shown = visible(line.replace("\r\n", "\n"))
        text = shown if shown.endswith("\n") else f"{shown}\n\\ No newline at end of file\n"
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


def counted(number: int, word: str) -> str:
    """`1 spec`, `2 specs`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def echo_note(text: str) -> None:
    """Something that the person should know, on one line of stderr."""
    click.echo(in_line(f"note: {text}"), err=True)


def echo_failed(name: str, error: str, hint: str) -> None:
    """What went wrong with one of many, on one line of stderr."""
    click.echo(click.style("error:", fg="red", bold=True) + in_line(f" {name}: {error}; {hint}"), err=True)
