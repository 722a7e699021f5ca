"""reconcile drift"""

from __future__ import annotations

import click

from reconciler.audit.drift import SCHEMA
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import counted, echo_json, echo_note, in_line, style
from reconciler.readers.drifting import Look, look

FOUND = 2


@click.command("drift")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(invocation: Invocation, form: str) -> int:
    """Show what is live, or in the artifacts folder, and should not be so.

    That is what somebody did past the specs: rows of the live store edited by hand, tokens that no spec
    names, artifacts and records that are lost, swapped or added. What the specs newly ask for is no
    drift: plan shows that. Nothing is written, and no key is needed.

    \b
    Exit codes: 0 none, 1 error, 2 drift was found.
    """
    workspace = invocation.workspace
    with workspace.live() as store:
        found = look(workspace, store, workspace.around.clock())
    if found.run is not None:
        echo_note(f"the apply {found.run} has not ended: the artifacts that it is about are not judged")
    if form == "json":
        echo_json({"schema": SCHEMA, "findings": [one.to_json() for one in found.findings]})
    else:
        _echo(found)
    return FOUND if found.findings else 0


def _echo(found: Look) -> None:
    live = f"{counted(found.live, 'token')} live"
    for one in found.findings:
        about = " ".join(part for part in (one.name, one.path) if part)
        click.echo(style(one.rule, fg="yellow") + in_line(f"  {about}: {one.message}; {one.hint}"))
    click.echo(
        f"{counted(len(found.findings), 'finding')}, {live}." if found.findings else f"No drift: {live}."
    )
