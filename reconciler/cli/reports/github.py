"""`github`: for a workflow. The whole list in the log, and annotations at the lines of the worst.

A runner keeps ten errors and ten warnings of a step, and drops the rest without a word: so the tenth says
how many more there are. It takes any line that it is given for a command, if it looks like one. Of the text
that is not ours, `visible` leaves nothing that does; and what stands in a command is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from reconciler.cli.faults import fault_text
from reconciler.cli.output import counted, in_line
from reconciler.cli.reports.interface import Findings, Report, files_of
from reconciler.cli.reports.text import warnings_text
from reconciler.specs.faults import Fault
from reconciler.specs.ranking import worst_first

ANNOTATED = 10
"""Of each level, of one step."""
LONGEST = 1_000
"""Characters of a message. A runner cuts at 4,096."""
IN_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
IN_PROPERTY = IN_DATA | str.maketrans({":": "%3A", ",": "%2C"})
"""What the runner reads as it is, once it is written so."""


def echo(found: Findings) -> None:
    """The list, folded; then the annotations, the worst first; then all of it in a sentence."""
    if found.faults or found.warnings:
        title = f"{counted(len(found.faults), 'fault')}, {counted(len(found.warnings), 'warning')}"
        click.echo(command("group", title))
        for fault in found.faults:
            click.echo(click.unstyle(fault_text(fault)))
        for line in warnings_text(found):
            click.echo(click.unstyle(line))
        click.echo(command("endgroup"))
    for level, faults in (("error", found.faults), ("warning", found.warnings)):
        for line in annotated(level, faults, found.prefix):
            click.echo(line)
    click.echo(found.closing)


def annotated(level: str, faults: Sequence[Fault], prefix: str) -> Iterator[str]:
    """A command each, for as many as are kept. Of more than that, the last one counts those without."""
    ranked = worst_first(faults)
    fitting = len(ranked) if len(ranked) <= ANNOTATED else ANNOTATED - 1
    for fault in ranked[:fitting]:
        yield command(level, _said(fault), **_properties(fault, prefix))
    if rest := ranked[fitting:]:
        what = counted(len(rest), "fault" if level == "error" else "warning")
        yield command(
            level,
            f"{what} more in {files_of(rest)}: the log of this step has the list",
            title=f"{len(ranked):,} of them in all",
        )


def _said(fault: Fault) -> str:
    """What is wrong, and on a line of its own what to do."""
    lines = (in_line(fault.message), in_line(fault.hint))
    return "\n".join(line[:LONGEST] for line in lines if line)


def _properties(fault: Fault, prefix: str) -> dict[str, str | int]:
    """The place as a browser has it: the file from the top of the repository, columns in units of UTF-16.

    Where the line may hold a secret, nothing is known of the end.
    """
    column = fault.column + fault.wide
    place: dict[str, str | int] = {
        "file": in_line(f"{prefix}{fault.file}"),
        "line": fault.line,
        "endLine": fault.line,
        "col": column,
    }
    if fault.source:
        meant = fault.source[fault.column - 1 :][: fault.width]
        place["endColumn"] = column + len(meant) + sum(letter > "\uffff" for letter in meant)
    return {**place, "title": in_line(fault.rule)}


def command(name: str, data: str = "", **properties: str | int) -> str:
    """One command of a workflow, on one line, whatever stands in it."""
    named = ",".join(f"{key}={str(value).translate(IN_PROPERTY)}" for key, value in properties.items())
    return f"::{name}{' ' if named else ''}{named}::{data.translate(IN_DATA)}"


REPORT = Report("github", echo)
