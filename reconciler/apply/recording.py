"""Making the record of a run: what it did as values, signed, and told to whoever reads the branch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from reconciler.apply.interface import Ports, Publication
from reconciler.apply.leaving import leaving
from reconciler.apply.obstacles import ARTIFACTS_LOST, SPECS_UNCOMMITTED, STORE_LOST
from reconciler.apply.outcome import all_left, as_done, as_recorded, cut_off
from reconciler.errors import PlanBlocked, PublishFailed, ReconcilerError, RecordUnreadable
from reconciler.live.interface import Batch, Lease, LiveToken, Record, Run, Workspace
from reconciler.plan.change import Done
from reconciler.plan.document import Plan
from reconciler.records.body import BLOCKED, FAILED, Body, Held
from reconciler.records.chain import file_name
from reconciler.records.envelope import Signed, read, statement
from reconciler.records.making import Account, composed, error_of, outcome_of, written

NOT_RECORDED = "that this was blocked is not recorded"


def story_of(run: Run, done: Iterable[Done], token: Callable[[str], LiveToken | None]) -> Account:
    """What there is to tell of a run that did, or tried, all of this.

    `token` gives a token by its id, as it is when all is taken away that the run takes.
    """
    done = sorted(done, key=lambda one: one.number)
    ends = all_left(done, token)
    changes = tuple(as_recorded(one, ends) for one in done)
    live = {ident: one.digest for ident, one in ends.items()}
    return Account(run, outcome_of(changes), changes, live, error=error_of(changes))


def given_up(ports: Ports, run: Run, error: str) -> Account:
    """What there is to tell of a run of which nothing becomes true: all that was journaled is cut off."""
    done = [as_done(cut_off(one), None) for one in ports.store.intents()]
    story = story_of(run, done, ports.store.token_by_id)
    return replace(story, outcome=FAILED, error=error)


def under(run: Run, plan: Plan, approved: str | None = None) -> Run:
    """A run of a plan, or of what is left of the one that was approved, with what was let go for it."""
    released = tuple((one.rule, one.message) for one in plan.released)
    digest = approved or plan.digest
    return replace(run, plan_digest=digest, overrides=plan.overrides.given(), released=released)


def record_blocked(ports: Ports, lease: Lease, run: Run, plan: Plan) -> None:
    """Records that a run of a plan did not begin, because of what stands against that.

    What stands in the way of that is told, and changes nothing about why the run ends. A store that is not
    the one that was applied to is left as it is, and so is a folder of artifacts that is not there: what
    holds the plan would hold no more. Of specs that no commit has, a record could name none.
    """
    if any(one.rule in (STORE_LOST, ARTIFACTS_LOST, SPECS_UNCOMMITTED) for one in plan.blocked):
        return
    held = tuple(Held(rule=one.rule, message=one.message) for one in plan.blocked)
    story = Account(run, BLOCKED, held=held, error=PlanBlocked.code)
    try:
        kept(ports, lease, story, Batch())
    except ReconcilerError as error:
        ports.progress.note(f"{NOT_RECORDED}: {error}")


def recorded(ports: Ports, story: Account, previous: Record | None) -> Record:
    """The record of a run, signed. Raises SignFailed."""
    body = composed(story, previous)
    payload = statement(body)
    return written(body, payload, ports.signer.sign(payload))


def recorded_again(ports: Ports, story: Account, previous: Record | None) -> Record:
    """The same of a run that is settled. It may have published its record before it died, or who settled it
    before may have: then it is that, whoever signed.

    Raises SignFailed.
    """
    signed = _published(ports, composed(story, previous))
    if signed is not None and ports.signer.accepts(signed):
        told = replace(story, settled=signed.body.settled)
        if signed.payload == statement(composed(told, previous)):
            return written(signed.body, signed.payload, signed.signatures)
    return recorded(ports, story, previous)


def _published(ports: Ports, body: Body) -> Signed | None:
    """The record that is published in the place of another; None where none is, or nobody can tell now."""
    try:
        found = ports.publisher.record(file_name(body.sequence, body.run))
        return None if found is None else read(found)
    except (PublishFailed, RecordUnreadable):
        return None


def kept(ports: Ports, lease: Lease, story: Account, batch: Batch) -> None:
    """Writes a record down, with what else is to be written, and publishes what can be.

    The live store has it first: no run is open any more that would make the same record again, so one that
    was published alone would stand in the way of the next. Raises StoreError and SignFailed.
    """
    state = ports.store.state()
    ports.store.commit(lease, replace(batch, record=recorded(ports, story, state.head)))
    after = ports.store.state()
    if published(ports, Publication("", removed=_leaving(ports, after), records=after.unpublished)):
        ports.store.commit(lease, Batch(published=[one.sequence for one in after.unpublished]))


def _leaving(ports: Ports, state: Workspace) -> tuple[str, ...]:
    return leaving((), state.unpublished, (), ports.store.token)


def published(ports: Ports, publication: Publication) -> bool:
    """Whether records could be published. If not, they go out with the next publish: nothing waits for it."""
    try:
        ports.publisher.publish(publication)
    except PublishFailed as error:
        ports.progress.note(f"records are not published yet: {error}")
        return False
    finally:
        ports.publisher.discard()
    return True
