"""`text`: for a person. The place, what is wrong, the line, and a caret; warnings go to stderr."""

from __future__ import annotations

from collections.abc import Iterator

import click

from reconciler.cli.faults import echo_faults, fault_text
from reconciler.cli.output import columns_of, counted, echo_styled
from reconciler.cli.reports.interface import Findings, Report

SHOWN = 50
"""Warnings that are shown; the others are counted."""


def echo(found: Findings) -> None:
    """Faults on stdout, all else on stderr: the result is nothing but faults, or that there are none."""
    for line in warnings_text(found, columns_of(err=True)):
        echo_styled(line, err=True)
    echo_faults(found.faults)
    click.echo(found.closing, err=bool(found.faults))


def warnings_text(found: Findings, columns: int | None = None) -> Iterator[str]:
    """As many as a person reads, and how many there are beside. `columns` as in `fault_text`."""
    for fault in found.warnings[:SHOWN]:
        yield fault_text(fault, click.style("warning: ", fg="yellow", bold=True), columns)
    if len(found.warnings) > SHOWN:
        more = counted(len(found.warnings) - SHOWN, "warning")
        yield f"and {more} more: see them all with --format json"


REPORT = Report("text", echo)
