"""One apply from lease to lease: settle what was interrupted, check that the plan still fits, run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.apply.interface import Job, Ports, Result
from reconciler.apply.lease import Waiting, held
from reconciler.apply.resume import resume
from reconciler.apply.run import partly, run
from reconciler.errors import PartlyApplied, PlanBlocked, PlanStale, StoreError
from reconciler.live.interface import Lease, Run, Workspace
from reconciler.plan.change import DONE
from reconciler.plan.document import Plan, SavedPlan
from reconciler.specs.load import Specs

Key = tuple[str, str, str, str | None]
"""(action, kind, name, id of the live token) of a change."""


@dataclass(frozen=True, slots=True)
class Approved:
    """What somebody agreed to: a plan's digest, and what stands in it."""

    digest: str
    keys: frozenset[Key]
    """Of every change."""


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


def approval(plan: Plan) -> Approved:
    """Agreement to a plan as it is."""
    return Approved(plan.digest, keys_of(plan))


def approval_of_saved(saved: SavedPlan) -> Approved:
    """Agreement to a plan that was read from a file."""
    keys = ((one.action, one.kind, one.name, one.live.id if one.live else None) for one in saved.changes)
    return Approved(saved.digest, frozenset(keys))


def keys_of(plan: Plan) -> frozenset[Key]:
    """What a plan does, to compare with what was approved."""
    return frozenset(
        (change.action.value, change.kind, change.name, change.token_id) for change in plan.changes
    )


def apply(session: Session) -> Result:
    """Applies the approved plan and nothing else; first, settles a run that was interrupted.

    Raises StoreLocked, PlanStale, PlanBlocked, PartlyApplied, or what stopped it before it had
    changed anything.
    """
    with held(session.ports.store, session.run.id, session.waiting) as lease:
        before = session.ports.store.state()
        try:
            return _under(session, lease, before)
        except (PartlyApplied, PlanStale, PlanBlocked):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if not _settled(session.ports, before):
                raise
            raise partly("a run that was interrupted is settled, and this one stopped", error) from error


def settle(ports: Ports, run: str, waiting: Waiting) -> str | None:
    """Settles a run that was interrupted, and applies nothing; returns its id.

    Worth doing before a plan is made to be shown: what was published and is not yet live would
    stand in it as missing. Raises StoreLocked.
    """
    with held(ports.store, run, waiting) as lease:
        return resume(ports, lease)


def _under(session: Session, lease: Lease, before: Workspace) -> Result:
    ports, approved = session.ports, session.approved
    resumed = resume(ports, lease)
    plan = session.plan()
    going_on = approved is not None and _goes_on(before, ports.store.state(), approved)
    check_approved(plan, approved, going_on=going_on)
    if not plan.changes:
        return Result(None, resumed=resumed, waits=plan.waits)
    names = {change.live_name for change in plan.changes}
    live = {token.name: token for token in ports.store.tokens() if token.name in names}
    this = replace(
        session.run,
        plan_digest=plan.digest if approved is None else approved.digest,
        overrides=plan.overrides.given(),
    )
    result = run(Job(plan, session.specs, this, session.workers), ports, lease, live)
    return replace(result, resumed=resumed, waits=plan.waits)


def _goes_on(before: Workspace, now: Workspace, approved: Approved) -> bool:
    """Whether this may be the rest of what was approved: a run of it was interrupted, or did part of it."""
    if before.run is not None and before.run.plan_digest == approved.digest:
        return True
    last = json.loads(now.head.body) if now.head else {}
    if last.get("plan") != approved.digest:
        return False
    done = [change for change in last["changes"] if change["outcome"] == DONE]
    return len(done) < len(approved.keys)


def _settled(ports: Ports, before: Workspace) -> bool:
    """Whether the run that was interrupted is settled by now; if the store is silent, it is."""
    if before.run is None:
        return False
    try:
        run = ports.store.state().run
    except StoreError:
        return True
    return run is None or run.id != before.run.id


def check_approved(plan: Plan, approved: Approved | None, *, going_on: bool) -> None:
    """Whether a plan that was made now is what was approved.

    Of a plan that was carried out in part, what is left of it will do.
    Raises PlanStale or PlanBlocked.
    """
    if (
        approved is not None
        and plan.digest != approved.digest
        and not (going_on and keys_of(plan) <= approved.keys)
    ):
        raise PlanStale(
            "the live store moved since this plan was made", hint="plan again, look at it, and apply that"
        )
    if plan.blocked:
        first = plan.blocked[0]
        raise PlanBlocked(f"the plan is blocked: {first.message}", hint=first.hint)
