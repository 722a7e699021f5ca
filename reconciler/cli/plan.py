"""reconcile plan"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.planned import override_options, shown
from reconciler.cli.plans import all_formats
from reconciler.errors import SettingsError
from reconciler.plan.brakes import Overrides
from reconciler.specs.write import write_whole

PENDING, BLOCKED = 2, 3


@click.command("plan")
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="Save the plan, for apply FILE.")
@click.option(
    "--format", "form", type=click.Choice(list(all_formats())), default="text", help="How to print."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@override_options
@passed
def command(
    invocation: Invocation,
    out: str | None,
    form: str,
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

    \b
    Exit codes: 0 done, 2 changes are pending (with --detailed-exitcode), 3 blocked.
    """
    workspace = invocation.workspace
    allowed = Overrides(max_delete, max_rotate, max_disable, allow_empty, retry)
    with workspace.live() as store:
        plan = workspace.plan(store, workspace.around.clock(), allowed)
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
