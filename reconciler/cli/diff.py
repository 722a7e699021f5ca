"""reconcile diff"""

from __future__ import annotations

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.diffs import all_formats
from reconciler.cli.diffs.interface import Shown
from reconciler.cli.output import echo_note
from reconciler.readers.comparing import compare


@click.command("diff")
@click.argument("revisions", required=False, metavar="[BASE | A..B | A...B]")
@click.option(
    "--format", "form", type=click.Choice(list(all_formats())), default="text", help="How to print."
)
@passed
def command(invocation: Invocation, revisions: str | None, form: str) -> int:
    """Show what commits change in meaning, token by token.

    Without an argument: the work tree against HEAD. BASE: what this branch changes, the work tree against
    the commit where BASE and HEAD parted. A..B: these two commits. A...B: B against where the two parted.

    It reads git and nothing else: no live store, no key. So it tells what an apply would do if the one
    side were live, and not what is due, lost or applied. Moved files, comments, order and layout are no
    change. It shows changes of settings, policies, catalog and creation rules as well.

    \b
    Exit codes: 0 done, 1 error, or a side has faults.
    """
    found = compare(invocation.workspace, revisions)
    for note in found.notes:
        echo_note(note)
    told = Shown(found.workspace, found.range, found.comparison, found.place)
    click.echo("\n".join(all_formats()[form].lines(told)))
    return 0
