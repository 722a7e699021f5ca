"""reconcile apply"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from reconciler.apply.approval import Approved, agreed, approval, approval_of_saved, read_begun, stale
from reconciler.apply.interface import Published, Result
from reconciler.cli.context import Invocation, interactive, passed
from reconciler.cli.expecting import applied_before, expect_option
from reconciler.cli.output import counted, echo_json, in_line
from reconciler.cli.planned import echo_plan, echo_warnings, final, override_options
from reconciler.cli.plans.interface import NOTHING, WAITING
from reconciler.cli.progress import progress
from reconciler.cli.reasons import reason_given
from reconciler.errors import PartlyApplied, PlanBlocked, PlanUnreadable, UsageError
from reconciler.kinds.fields import parse_duration
from reconciler.live.interface import LiveStore
from reconciler.plan.brakes import Overrides
from reconciler.plan.change import DONE, FAILED, UNTRIED, Action
from reconciler.plan.document import Plan, SavedPlan, check_fits, read_plan
from reconciler.workspace import Manner, Workspace

NAMED = 5
"""Names that an error has room for."""


@click.command("apply")
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.option("--lock-timeout", default="0s", metavar="5m", help="Wait this long for another apply to end.")
@click.option(
    "--reason",
    envvar="RECONCILER_REASON",
    callback=reason_given,
    metavar="TEXT",
    help="Why, for the record: one line.",
)
@expect_option("Apply the plan that has this digest, and no other; nothing is asked.")
@override_options
@passed
def command(
    invocation: Invocation,
    file: str | None,
    form: str,
    lock_timeout: str,
    reason: str | None,
    expect: str | None,
    max_delete: int | None,
    max_rotate: int | None,
    max_disable: int | None,
    *,
    yes: bool,
    allow_empty: bool,
    retry: bool,
) -> int:
    """Make what is live equal to the specs.

    With FILE, a plan saved by plan --out: exactly that plan is applied, or none. Without, a plan is
    made and shown, and then you are asked. What takes access away comes first; a token becomes live
    only after its sealed artifact is in place. A run that was interrupted is gone on with.

    With --expect, the plan that is made now is applied if it has the digest that was approved, as plan
    --format markdown tells it: a digest is an approval, so nothing is asked and --yes is not needed. Where
    only rotations fell due since, they are left to the next apply --yes. Such an approval does not end by
    itself: it holds until the specs or live tokens that it is about, or the rules, change.

    \b
    Exit codes: 0 done or nothing to do, 1 error and nothing changed, 3 blocked, 4 the plan is stale,
    5 another apply holds the store, 6 partly applied: run it again.
    """
    overrides = Overrides(max_delete, max_rotate, max_disable, allow_empty, retry)
    patience, saved = _seconds(lock_timeout), _read(Path(file)) if file else None
    asked = _Asked(
        saved,
        _given(saved, expect),
        _allowed(saved, overrides),
        patience,
        reason,
        form,
        yes=yes or expect is not None,
    )
    workspace = invocation.workspace
    with workspace.live(create=True) as store:
        return _print(_applied(workspace, store, asked), form)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an apply was asked for."""

    saved: SavedPlan | None
    given: Approved | None
    """What was agreed to before."""
    allowed: Overrides
    patience: int
    reason: str | None
    form: str
    yes: bool
    """Whether nobody is to be asked."""


def _applied(workspace: Workspace, store: LiveStore, asked: _Asked) -> Result:
    """Plans, asks and applies. Raises what stands against it."""
    given = asked.given
    settled = None if asked.saved else _settled(workspace, store, asked.patience)
    plan = _planned(workspace, store, asked)
    if given and applied_before(store, given.digest, plan):
        return Result(None, resumed=settled, waits=plan.waits)
    plan = plan if given is None else agreed(plan, given, read_begun(store.state().approval)) or plan
    approved = given or (None if asked.yes else approval(plan))
    _tell(plan, workspace, asked.form)
    with progress() as shown:
        _check_unblocked(workspace, store, plan, approved, Manner(shown, asked.patience, asked.reason))
    _check_left(plan, given)
    if not _anything_to_do(store, plan):
        return Result(None, resumed=settled, waits=plan.waits)
    _ask(plan, yes=asked.yes)
    with progress() as shown:
        manner = Manner(shown, asked.patience, asked.reason)
        result = workspace.apply(store, plan, approved, manner)
    return replace(result, resumed=result.resumed or settled)


def _tell(plan: Plan, workspace: Workspace, form: str) -> None:
    """The plan before anything is done; where there is nothing in it, what it warns of."""
    if form == "text" and plan.changes:
        echo_plan(plan, workspace)
    elif not plan.changes:
        echo_warnings(plan)


def _planned(workspace: Workspace, store: LiveStore, asked: _Asked) -> Plan:
    """What would be done now; of a saved plan, by its own clock. Raises PlanStale and PlanForeign."""
    saved, now = asked.saved, workspace.around.clock()
    plan = workspace.plan(store, saved.planned_at if saved else now, asked.allowed)
    if saved:
        check_fits(saved, plan.bound, workspace.spec_digest, now, workspace.valid_for)
    return plan


def _check_unblocked(
    workspace: Workspace, store: LiveStore, plan: Plan, approved: Approved | None, manner: Manner
) -> None:
    """Records that a plan is blocked, and raises PlanBlocked."""
    if plan.blocked and (approved is None or plan.digest == approved.digest):
        workspace.hold_back(store, plan, manner)
        raise PlanBlocked(f"the plan is blocked: {plan.blocked[0].message}", hint=plan.blocked[0].hint)


def _check_left(plan: Plan, given: Approved | None) -> None:
    """What was agreed to before and is not to be done any more was not done. Raises PlanStale."""
    if given and not plan.changes and plan.digest != given.digest:
        raise stale(plan, given)


def _allowed(saved: SavedPlan | None, overrides: Overrides) -> Overrides:
    """What is allowed; of a saved plan, what was when it was made: that was approved with it.

    Raises UsageError for more than that.
    """
    if saved is None:
        return overrides
    if overrides.given():
        raise UsageError(
            "a saved plan says what was allowed when it was planned, so no brake is let go now",
            hint="give these options to plan --out, or apply without FILE",
        )
    return saved.overridden()


def _settled(workspace: Workspace, store: LiveStore, patience: int) -> str | None:
    """What was begun and approved is finished before anything is planned: else it would stand in the plan."""
    with progress() as shown:
        return workspace.settle(store, Manner(shown, patience))


def _seconds(text: str) -> int:
    if text in ("0", "0s"):
        return 0
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError("--lock-timeout is not a duration", hint="write one such as 30s or 5m") from error


def _read(path: Path) -> SavedPlan:
    try:
        return read_plan(path.read_bytes())
    except OSError as error:
        raise PlanUnreadable(
            f"the plan {path} cannot be read: {error.strerror}",
            hint="make one with: reconcile plan --out FILE",
        ) from error


def _given(saved: SavedPlan | None, expect: str | None) -> Approved | None:
    """What was agreed to before: the file, or the digest. Raises UsageError where they are of two plans."""
    if saved is None:
        return None if expect is None else Approved(expect)
    if expect not in (None, saved.digest):
        raise UsageError(
            f"the file holds another plan than the one that is expected: {saved.digest}",
            hint="name the file of the plan that was approved, or only its digest",
        )
    return approval_of_saved(saved)


def _anything_to_do(store: LiveStore, plan: Plan) -> bool:
    return bool(plan.changes) or store.state().unsettled


def _ask(plan: Plan, *, yes: bool) -> None:
    if yes or not plan.changes:
        return
    if not interactive():
        raise UsageError(
            "there is nobody to ask whether to apply this",
            hint="pass --yes, or --expect with the digest of the plan that was approved",
        )
    gone = sum(change.action is Action.DELETE for change in plan.changes)
    if gone:
        it = "it" if gone == 1 else "one of them"
        click.echo(f"This deletes {counted(gone, 'token')}. {final(it)}", err=True)
    click.confirm("Apply this plan?", default=False, abort=True, err=True)


def _print(result: Result, form: str) -> int:
    """Prints what was done. Raises PartlyApplied where that was not all."""
    if form == "json":
        echo_json(result.to_json())
    else:
        _print_text(result)
    if result.of(FAILED) or result.waits:
        raise _in_part(result)
    return 0


def _in_part(result: Result) -> PartlyApplied:
    failed, untried = result.of(FAILED), result.of(UNTRIED)
    if not failed:
        return PartlyApplied(
            "what failed before waits for its next try",
            hint="see above when that is; once it is mended, pass --retry to try at once",
        )
    left = f", and {len(untried)} more were not tried" if untried else ""
    names = ", ".join(one.name for one in failed[:NAMED]) + (" …" * (len(failed) > NAMED))
    return PartlyApplied(
        f"{counted(len(failed), 'change')} could not be carried out ({names}){left}",
        hint="the rest is done; see why above, mend it, and run apply --retry",
    )


def _print_text(result: Result) -> None:
    if result.resumed:
        click.echo(f"Settled run {result.resumed}, which was interrupted.")
    if not result.done:
        click.echo(WAITING if result.waits else NOTHING)
        return
    kinds = max(len(done.kind) for done in result.done)
    names = max(len(done.name) for done in result.done)
    for done in result.done:
        place = done.path if done.staged else done.why or ""
        line = f"  {done.outcome}  {done.action:<6}  {done.kind:<{kinds}}  {done.name:<{names}}  {place}"
        click.echo(in_line(line).rstrip())
    carried_out = len(result.of(DONE))
    click.echo(f"{counted(carried_out, 'change')} applied by run {result.run}.")
    if result.published is not None:
        click.echo(_pushed(result.published))


def _pushed(published: Published) -> str:
    where = f"{published.remote}/{published.branch}"
    if published.into is None:
        return f"Published as {published.commit[:10]} on {where}."
    return f"Published as {published.commit[:10]} on {where}: open a pull request into {published.into}."
