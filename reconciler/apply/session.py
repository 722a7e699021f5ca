"""One apply from lease to lease: settle what was interrupted, check that the plan still fits, run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.apply.approval import (
    Approved,
    Begun,
    Settled,
    agreed,
    begun,
    carried_out,
    left_by,
    read_begun,
    stale,
)
from reconciler.apply.interface import Job, Ports, Result
from reconciler.apply.lease import Waiting, held
from reconciler.apply.recording import record_blocked, under
from reconciler.apply.resume import resume
from reconciler.apply.run import run
from reconciler.apply.stopping import partly
from reconciler.errors import PartlyApplied, PlanBlocked, PlanStale, StoreError
from reconciler.live.interface import Lease, Run, Workspace
from reconciler.plan.document import Plan
from reconciler.specs.load import Specs


@dataclass(frozen=True, slots=True)
class Session:
    """What one apply is made of."""

    specs: Specs
    ports: Ports
    approved: Approved | None
    """None where whatever is planned under the lease will do."""
    plan: Callable[[], Plan]
    """Plans from what is live now, with the approved plan's clock reading and overrides."""
    run: Run
    workers: int
    waiting: Waiting


def apply(session: Session) -> Result:
    """Applies the approved plan and nothing else; first, settles a run that was interrupted.

    Raises StoreLocked, PlanStale, PlanBlocked, PartlyApplied, or what stopped it before it had
    changed anything.
    """
    with held(session.ports.store, session.run.id, session.waiting) as lease:
        before = session.ports.store.state()
        try:
            return _under(session, lease)
        except (PartlyApplied, PlanStale, PlanBlocked):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if not _settled(session.ports, before):
                raise
            raise partly("a run that was interrupted is settled, and this one stopped", error) from error


def settle(ports: Ports, run: Run, waiting: Waiting) -> str | None:
    """Settles a run that was interrupted, and applies nothing; returns its id.

    Worth doing before a plan is made to be shown: what was published and is not yet live would
    stand in it as missing. Raises StoreLocked.
    """
    with held(ports.store, run.id, waiting) as lease:
        return resume(ports, lease, run)


def held_back(ports: Ports, run: Run, plan: Plan, waiting: Waiting) -> None:
    """Records that a plan is blocked, which nobody has taken the lease for.

    Raises StoreLocked, and what settling an interrupted run raises, which comes first.
    """
    with held(ports.store, run.id, waiting) as lease:
        resume(ports, lease, run)
        record_blocked(ports, lease, under(run, plan), plan)


def _under(session: Session, lease: Lease) -> Result:
    ports, approved = session.ports, session.approved
    resumed = resume(ports, lease, session.run)
    state = ports.store.state()
    kept, settled = state.approval, carried_out(resumed, state.head)
    planned = session.plan()
    this = under(session.run, planned, approved.digest if approved else None)
    try:
        plan = checked(planned, approved, read_begun(kept), settled)
    except PlanBlocked:
        record_blocked(ports, lease, this, planned)
        raise
    if not plan.changes:
        return Result(None, resumed=resumed, waits=plan.waits)
    names = {change.live_name for change in plan.changes}
    live = {token.name: token for token in ports.store.tokens() if token.name in names}
    keep = begun(plan, approved, read_begun(kept)).to_text() if approved else ""
    result = run(Job(plan, session.specs, this, session.workers, keep, kept), ports, lease, live)
    return replace(result, resumed=resumed, waits=plan.waits)


def _settled(ports: Ports, before: Workspace) -> bool:
    """Whether the run that was interrupted is settled by now; if the store is silent, it is."""
    if before.run is None:
        return False
    try:
        run = ports.store.state().run
    except StoreError:
        return True
    return run is None or run.id != before.run.id


def checked(
    plan: Plan, approved: Approved | None, before: Begun | None, settled: Settled = frozenset()
) -> Plan:
    """What of a plan that was made now is to be applied, when so much of it is settled.

    Raises PlanStale or PlanBlocked.
    """
    if approved is None or left_by(settled, plan, approved):
        chosen = plan
    elif (found := agreed(plan, approved, before)) is not None:
        chosen = found
    else:
        raise stale(plan, approved)
    if chosen.blocked:
        first = chosen.blocked[0]
        raise PlanBlocked(f"the plan is blocked: {first.message}", hint=first.hint)
    return chosen
