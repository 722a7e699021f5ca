"""reconcile remove"""

from __future__ import annotations

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.editing import checked, found, text_of, write
from reconciler.cli.planned import final
from reconciler.specs.edit import without_document


@click.command("remove")
@click.argument("name")
@passed
def command(invocation: Invocation, name: str) -> int:
    """Give a token up: remove its spec, and show the edit. Nothing live is touched.

    The next apply deletes the token. That cannot be undone: whoever still uses it is refused from
    then on, and the name, if it is used again, is another token.
    """
    workspace = invocation.workspace
    declared = found(workspace, name)
    before = text_of(workspace, declared.file)
    after = without_document(before, declared.line)
    if after:
        checked(workspace, declared.file, after)
    write(workspace, declared.file, before, after)
    click.echo(f"When this is applied, {name} is deleted. {final('it')}", err=True)
    return 0
