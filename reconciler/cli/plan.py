"""reconcile plan"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import echo_note
from reconciler.cli.planned import override_options, shown
from reconciler.cli.plans import all_formats
from reconciler.errors import SettingsError
from reconciler.plan.brakes import Overrides
from reconciler.readers.judging import judged
from reconciler.specs.write import write_whole

PENDING, BLOCKED = 2, 3


@click.command("plan")
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="Save the plan, for apply FILE.")
@click.option(
    "--format", "form", type=click.Choice(list(all_formats())), default="text", help="How to print."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@click.option("--base", metavar="REF", help="Judge by the settings, policies and groups of this revision.")
@override_options
@passed
def command(
    invocation: Invocation,
    out: str | None,
    form: str,
    base: str | None,
    max_delete: int | None,
    max_rotate: int | None,
    max_disable: int | None,
    *,
    detailed_exitcode: bool,
    allow_empty: bool,
    retry: bool,
) -> int:
    """Show what apply would do. Nothing is written but FILE.

    A plan holds no secret. A saved plan is bound to the specs, the live tokens that it touches, the
    brakes and this version, and is good for a while: apply FILE does exactly that plan or refuses.

    With --base, for pull requests: brakes, store and policies, and what groups of the catalog stand for,
    are those of REF, so that no change loosens the rules that judge it. What it changes in them is said.

    \b
    Exit codes: 0 done, 2 changes are pending (with --detailed-exitcode), 3 blocked.
    """
    ruled = judged(invocation.workspace, base)
    workspace = ruled.workspace
    allowed = Overrides(max_delete, max_rotate, max_disable, allow_empty, retry)
    with workspace.live() as store:
        plan = ruled.plan(store, workspace.around.clock(), allowed)
    for note in ruled.notes:
        echo_note(note)
    if out is not None:
        _save(Path(out), plan.to_bytes())
    click.echo("\n".join(all_formats()[form].lines(replace(shown(plan, workspace), saved=out))))
    if plan.blocked:
        return BLOCKED
    return PENDING if detailed_exitcode and (plan.changes or plan.waits) else 0


def _save(path: Path, data: bytes) -> None:
    try:
        write_whole(path, data)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written: {error.strerror}", hint="choose another --out"
        ) from error
