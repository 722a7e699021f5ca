"""reconcile set"""

from __future__ import annotations

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.editing import checked, found, text_of, write
from reconciler.cli.output import echo_note
from reconciler.specs.assign import Assignment, parse
from reconciler.specs.edit import with_fields
from reconciler.specs.reader import Declared
from reconciler.specs.usage import given_by_groups
from reconciler.workspace import Workspace


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
    assignments = parse(fields, declared.kind)
    after = with_fields(before, declared.line, assignments)
    checked(workspace, declared.file, after)
    write(workspace, declared.file, before, after)
    for assignment in assignments:
        _note_groups(workspace, declared, assignment)
    return 0


def _note_groups(workspace: Workspace, declared: Declared, assignment: Assignment) -> None:
    """What is taken away and stays, because a group gives it."""
    taken = assignment.value if isinstance(assignment.value, list) and assignment.how == "-=" else []
    for name in taken if declared.written else ():
        groups = given_by_groups(declared, workspace.specs.catalog, assignment.path[-1], name, taken)
        if groups:
            echo_note(
                f"{name} still comes with {', '.join(groups)}: take that away, and name what is to stay"
            )
