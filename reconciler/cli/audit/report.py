"""reconcile audit report"""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.audit.report.contents import NAMES, OF_RECORDS, to_json
from reconciler.audit.report.facts import Facts
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import counted, echo_json, echo_note, in_line
from reconciler.cli.saving import write_out
from reconciler.errors import UsageError
from reconciler.readers.auditing_report import facts


@click.command("report")
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="Where the page is written.")
@click.option(
    "--figure", "figures", multiple=True, type=click.Choice(NAMES), help="With json: only this figure."
)
@click.option("--line", metavar="REV", help="The line of this revision; without, what is checked out.")
@click.option("--at", metavar="DATE|TIME|REV", help="As of then; without, as of now.")
@click.option("--declared", is_flag=True, help="Tell what was declared: nothing is taken from records.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "json"]),
    default="html",
    help="A page, or its numbers on stdout.",
)
@passed
def command(
    invocation: Invocation,
    *,
    out: str | None,
    figures: tuple[str, ...],
    line: str | None,
    at: str | None,
    declared: bool,
    form: str,
) -> int:
    """Write one page for a review meeting.

    One HTML file that needs nothing besides itself, has no script, and prints well: findings of audit
    verify, inventory, who is granted what, ages and ends, rotations on time and late, changes by month,
    overrides and exceptions. Below every figure stands the command that prints its numbers again: this
    one, with --format json, and --figure.

    A DATE is told as of its end, a REV as of when it came to its line. It reads git and nothing else, and
    the same commit and time give the same bytes. FILE is replaced as a whole.

    \b
    Exit codes: 0 written, whatever it says, 1 error.
    """
    _check(out, figures, form)
    found = facts(invocation.workspace, at, line, with_records=not declared)
    if not found.recorded and (lost := OF_RECORDS.intersection(figures)):
        raise UsageError(
            f"only records tell: {', '.join(sorted(lost))}",
            hint="ask where there are some, without --declared",
        )
    if out is not None:
        _write(found, out, invocation.workspace.root)
    for note in found.notes:
        echo_note(note)
    if out is None:
        echo_json(to_json(found, figures or NAMES))
        return 0
    told = counted(len(found.verified.faults), "finding")
    click.echo(in_line(f"{out}: {found.workspace} at {found.commit[:7]}, {told}."))
    return 0


def _write(found: Facts, out: str, root: Path) -> None:
    from reconciler.audit.report.page import page

    write_out(Path(out), page(found), root)


def _check(out: str | None, figures: tuple[str, ...], form: str) -> None:
    """Raises UsageError where options do not go together."""
    if form == "html" and out is None:
        raise UsageError("a page needs a file", hint="name it with --out FILE; its numbers: --format json")
    if form == "html" and figures:
        raise UsageError("a page has all figures", hint="add --format json for the numbers of one")
    if form == "json" and out is not None:
        raise UsageError("numbers go to stdout", hint="leave out --out, and use > FILE")
