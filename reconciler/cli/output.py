"""Results on stdout: JSON that is stable, text for people."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence

import click

from reconciler.unseen import BREAKS, UNSHOWN, marked

_ORDER = re.compile(
    r"#[^ -~\ufffd]*#(?=[^ -~\ufffd]*\[)|^[^!-~\n\ufffd]*:(?=[^ -~\ufffd]*:.*:[^ -~]*:)", re.MULTILINE
)
"""Where the runner of a workflow finds an order in what is printed: `##[name]` anywhere, `::name::` at the
start of a line. It skips blanks before the second, and characters in between that sorting ignores."""


def echo_json(document: Mapping[str, object]) -> None:
    """One JSON document, indented, in any script."""
    click.echo(json_text(document))


def json_text(document: Mapping[str, object]) -> str:
    """The same as text."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def coloured(*, err: bool = False) -> bool:
    """Whether stdout or stderr may carry colour: a terminal, and nobody said NO_COLOR."""
    stream = sys.stderr if err else sys.stdout
    return stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")


def echo_styled(text: str, *, err: bool = False) -> None:
    """A text with colours, which are left out where there may be none."""
    click.echo(text if coloured(err=err) else click.unstyle(text), err=err)


def columns_of(*, err: bool = False) -> int | None:
    """The cells of a line of the terminal that stdout or stderr is; None where it is none."""
    stream = sys.stderr if err else sys.stdout
    return shutil.get_terminal_size().columns if stream is not None and stream.isatty() else None


def style(text: str, fg: str | None = None, *, bold: bool = False) -> str:
    """The text in colour, where there may be colour."""
    return click.style(text, fg=fg, bold=bold) if coloured() else text


def visible(text: str) -> str:
    """The text with what a terminal would obey or not show replaced; ends of lines and tabs stay.

    What the runner of a workflow would obey is replaced as well: pipelines print all that we print.
    """
    if not (text.isascii() and text.isprintable()):
        text = marked(text)
    return _ORDER.sub(lambda found: found[0][:-1] + UNSHOWN, text) if "#" in text or ":" in text else text


def in_line(text: str) -> str:
    """The same on one line: ends of lines and tabs become spaces, so that no text begins a line of ours."""
    return visible(text.translate(BREAKS))


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
    for line in table(rows):
        click.echo(line)


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of the same."""
    from rich.cells import cell_len

    if not rows:
        return
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)]
        line = "  ".join(cells).rstrip()
        yield style(line, bold=True) if number == 0 else line


def counted(number: int, word: str) -> str:
    """`1 spec`, `2 specs`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def echo_note(text: str) -> None:
    """Something that the person should know, on one line of stderr."""
    click.echo(in_line(f"note: {text}"), err=True)


def echo_failed(name: str, error: str, hint: str) -> None:
    """What went wrong with one of many, on one line of stderr."""
    echo_styled(click.style("error:", fg="red", bold=True) + in_line(f" {name}: {error}; {hint}"), err=True)
