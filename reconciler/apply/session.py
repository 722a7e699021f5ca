"""One apply from lease to lease: settle what was interrupted, check that the plan still fits, run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.apply.interface import Job, Ports, Result
from reconciler.apply.lease import Waiting, held
from reconciler.apply.resume import resume
from reconciler.apply.run import run
from reconciler.errors import PartlyApplied, PlanBlocked, PlanStale, ReconcilerError
from reconciler.live.interface import Lease, Run
from reconciler.plan.document import Plan
from reconciler.specs.load import Specs


@dataclass(frozen=True, slots=True)
class Approved:
    """What somebody agreed to: a plan's digest, and what stands in it."""

    digest: str
    keys: frozenset[tuple[str, str, str]]
    """(action, kind, name) of every change."""


@dataclass(frozen=True, slots=True)
class Session:
    """What one apply is made of."""

    specs: Specs
    ports: Ports
    approved: Approved
    plan: Callable[[], Plan]
    """Plans from what is live now, with the approved plan's clock reading and overrides."""
    run: Run
    workers: int
    waiting: Waiting


def approval(plan: Plan) -> Approved:
    """Agreement to a plan as it is."""
    return Approved(plan.digest, keys_of(plan))


def keys_of(plan: Plan) -> frozenset[tuple[str, str, str]]:
    """What a plan does, to compare with what was approved."""
    return frozenset((change.action.value, change.kind, change.name) for change in plan.changes)


def apply(session: Session) -> Result:
    """Applies the approved plan and nothing else.

    Raises StoreLocked, PlanStale, PlanBlocked, PartlyApplied, or what stopped it before it had
    changed anything.
    """
    with held(session.ports.store, session.run.id, session.waiting) as lease:
        return _under(session, lease)


def _under(session: Session, lease: Lease) -> Result:
    ports = session.ports
    interrupted = ports.store.state().run
    resumed = resume(ports, lease)
    try:
        plan = session.plan()
        going_on = interrupted is not None and interrupted.plan_digest == session.approved.digest
        check_approved(plan, session.approved, going_on=going_on)
        if not plan.changes:
            return Result(None, resumed=resumed)
        names = {change.name for change in plan.changes}
        live = {token.name: token for token in ports.store.tokens() if token.name in names}
        done = run(Job(plan, session.specs, session.run, session.workers), ports, lease, live)
    except PartlyApplied:
        raise
    except ReconcilerError as error:
        if resumed is None or isinstance(error, (PlanStale, PlanBlocked)):
            raise
        raise PartlyApplied(
            f"run {resumed}, which was interrupted, is settled, and then: {error}", hint=error.hint
        ) from error
    return Result(session.run.id, done, resumed)


def check_approved(plan: Plan, approved: Approved, *, going_on: bool) -> None:
    """Whether a plan that was made now is what was approved.

    When an interrupted run of the same plan is gone on with, what is left of it will do.
    Raises PlanStale or PlanBlocked.
    """
    if plan.digest != approved.digest and not (going_on and keys_of(plan) <= approved.keys):
        raise PlanStale(
            "the live store moved since this plan was made", hint="plan again, look at it, and apply that"
        )
    if plan.blocked:
        first = plan.blocked[0]
        raise PlanBlocked(f"the plan is blocked: {first.message}", hint=first.hint)
