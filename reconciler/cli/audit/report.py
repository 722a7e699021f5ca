"""reconcile audit report"""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import counted, echo_note, in_line
from reconciler.cli.saving import write_out
from reconciler.readers.auditing_report import facts


@click.command("report")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False), metavar="FILE", help="Where the page is written."
)
@click.option("--at", metavar="DATE|TIME|REV", help="As of then; without, as of now.")
@click.option("--declared", is_flag=True, help="Tell what was declared: nothing is taken from records.")
@passed
def command(invocation: Invocation, out: str, at: str | None, *, declared: bool) -> int:
    """Write one page for a review meeting.

    One HTML file that needs nothing besides itself, has no script, and prints well: findings of audit
    verify, inventory, who is granted what, ages and ends, rotations on time and late, changes by month,
    overrides and exceptions. Below every figure stands the command that prints it again.

    A DATE is told as of its end, a REV as of when it came to its line. It reads git and nothing else, and
    the same commit and time give the same bytes. FILE is replaced as a whole.

    \b
    Exit codes: 0 written, whatever it says, 1 error.
    """
    from reconciler.audit.report.page import page

    found = facts(invocation.workspace, at, with_records=not declared)
    write_out(Path(out), page(found), invocation.workspace.root)
    for note in found.notes:
        echo_note(note)
    told = counted(len(found.verified.faults), "finding")
    click.echo(in_line(f"{out}: {found.workspace} at {found.commit[:7]}, {told}."))
    return 0
