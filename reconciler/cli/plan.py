"""reconcile plan"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from reconciler.apply.approval import Approved, agreed, read_begun, stale
from reconciler.cli.context import Invocation, passed
from reconciler.cli.expecting import applied_before, expect_option
from reconciler.cli.output import echo_note
from reconciler.cli.planned import override_options, shown
from reconciler.cli.plans import all_formats
from reconciler.cli.plans.interface import flags
from reconciler.cli.saving import write_out
from reconciler.errors import PlanStale
from reconciler.live.interface import LiveStore
from reconciler.plan.approving import without_due
from reconciler.plan.brakes import Overrides
from reconciler.plan.document import Plan
from reconciler.readers.judging import judged

PENDING, BLOCKED = 2, 3
UNSETTLED = "an apply has not ended: unless it still runs, the next one settles what it left"


@click.command("plan")
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="Save the plan, for apply FILE.")
@click.option(
    "--format", "form", type=click.Choice(list(all_formats())), default="text", help="How to print."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when apply has anything to do.")
@click.option("--base", metavar="REF", help="Judge by the settings, policies and groups of this revision.")
@expect_option("Exit with 4 when the plan is another than the one that was approved.")
@click.option("--no-due", is_flag=True, help="Leave out what only time asks for.")
@override_options
@passed
def command(
    invocation: Invocation,
    out: str | None,
    form: str,
    base: str | None,
    expect: str | None,
    max_delete: int | None,
    max_rotate: int | None,
    max_disable: int | None,
    *,
    detailed_exitcode: bool,
    no_due: bool,
    allow_empty: bool,
    retry: bool,
) -> int:
    """Show what apply would do. Nothing is written but FILE.

    A plan holds no secret. A saved plan is bound to the specs, the live tokens that it touches, the
    brakes and this version, and is good for a while: apply FILE does exactly that plan or refuses.

    With --base, for pull requests: brakes, store and policies, and what groups of the catalog stand for,
    are those of REF, so that no change loosens the rules that judge it. What it changes in them is said.

    The digest of a plan is what is approved: apply --expect DIGEST does that plan or refuses, and so
    plan --expect DIGEST tells whether it still holds. Rotations that fall due would make it another
    plan: with --no-due they are left to the next apply --yes, as a pipeline runs it at night.

    \b
    Exit codes: 0 done, 2 apply has something to do (with --detailed-exitcode), 3 blocked,
    4 not the plan that was approved (with --expect).
    """
    ruled = judged(invocation.workspace, base)
    workspace = ruled.workspace
    allowed = Overrides(max_delete, max_rotate, max_disable, allow_empty, retry)
    with workspace.live() as store:
        plan = ruled.plan(store, workspace.around.clock(), allowed)
        plan = without_due(plan) if no_due else plan
        plan, gone = (plan, None) if expect is None else _expected(store, plan, expect)
        unsettled = store.state().unsettled
    for note in (*ruled.notes, *((UNSETTLED,) if unsettled else ())):
        echo_note(note)
    if out is not None:
        write_out(Path(out), plan.to_bytes(), workspace.root)
    told = replace(shown(plan, workspace), saved=out, approved=expect if gone else None)
    told = replace(told, options=_given(allowed, base, no_due=no_due))
    click.echo("\n".join(all_formats()[form].lines(told)))
    if gone is not None:
        raise gone
    pending = detailed_exitcode and (plan.changes or plan.waits or unsettled)
    return BLOCKED if plan.blocked else PENDING if pending else 0


def _given(allowed: Overrides, base: str | None, *, no_due: bool) -> tuple[str, ...]:
    """The options that an apply of exactly this plan takes as well."""
    return (*(("--base", base) if base else ()), *(("--no-due",) if no_due else ()), *flags(allowed))


def _expected(store: LiveStore, plan: Plan, expect: str) -> tuple[Plan, PlanStale | None]:
    """What apply --expect would do, and why it would not do it."""
    approved = Approved(expect)
    chosen = agreed(plan, approved, read_begun(store.state().approval))
    if chosen is None and not applied_before(store, expect, plan):
        return plan, stale(plan, approved)
    return chosen or plan, None
