"""reconcile set"""

from __future__ import annotations

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.editing import checked, found, text_of, write
from reconciler.specs.assign import parse
from reconciler.specs.edit import with_fields


@click.command("set")
@click.argument("name")
@click.argument("fields", nargs=-1, required=True, metavar="FIELD=VALUE...")
@passed
def command(invocation: Invocation, name: str, fields: tuple[str, ...]) -> int:
    """Modify a token: edit its spec, and show the edit. Nothing live is touched.

    FIELD=VALUE sets, FIELD= removes, FIELD+=VALUE and FIELD-=VALUE add and take away names of a
    list. Comments and the order of the file stay. An edit that would make the spec invalid is not
    written.

    \b
    reconcile set mes-bridge apis+=telemetry.write apis-=device.admin
    reconcile set erp enabled=false
    """
    workspace = invocation.workspace
    declared = found(workspace, name)
    before = text_of(workspace, declared.file)
    after = with_fields(before, declared.line, parse(fields, declared.kind))
    checked(workspace, declared.file, after)
    write(workspace, declared.file, before, after)
    return 0
