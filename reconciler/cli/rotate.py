"""reconcile rotate"""

from __future__ import annotations

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.editing import checked, found, text_of, write
from reconciler.cli.output import echo_note
from reconciler.errors import UsageError
from reconciler.kinds.ownkeys import FIELD
from reconciler.specs.ask import asking
from reconciler.specs.edit import with_fields


@click.command("rotate")
@click.argument("name")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for who reads the plan and the history.")
@click.option("--leaked", is_flag=True, help="End the old credential at once, without overlap.")
@passed
def command(invocation: Invocation, name: str, reason: str, *, leaked: bool) -> int:
    """Ask for a new credential: edit the spec, and show the edit. Nothing live is touched.

    The next apply makes it, and the old credential works on until the overlap is over. With --leaked,
    somebody else may hold the secret: the old credential ends before the new one is made.
    """
    workspace = invocation.workspace
    declared = found(workspace, name)
    if declared.own_key is not None and not leaked:
        raise UsageError(
            f"the owner of {name} brings its key, so apply makes none",
            hint=f"put a new one into {FIELD}; with --leaked, the old one ends at once",
        )
    before = text_of(workspace, declared.file)
    fields = asking(declared.spec().asked, workspace.around.clock(), reason, leaked=leaked)
    after = with_fields(before, declared.line, fields)
    checked(workspace, declared.file, after)
    write(workspace, declared.file, before, after)
    if declared.own_key is not None:
        echo_note(f"its owner brings the key: put a new one into {FIELD} in the same change")
    if leaked:
        click.echo(f"When this is applied, the credential that {name} has is refused at once.", err=True)
    return 0
