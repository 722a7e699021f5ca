"""What an interrupted run left, settled: what was published becomes live, the rest is given up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from reconciler.apply.approval import undone
from reconciler.apply.interface import Ports, Publication
from reconciler.apply.leaving import leaving
from reconciler.apply.outcome import as_done, cut_off
from reconciler.apply.recording import published, recorded_again, story_of
from reconciler.live.interface import Batch, Finish, Intent, Lease, LiveToken, Record, Run, Workspace
from reconciler.plan.change import DONE, Action, Done
from reconciler.records.body import INTERRUPTED, Settled
from reconciler.times import timestamp


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is to be written down: of the run that was interrupted, or of none."""

    done: Sequence[Done] = ()
    record: Record | None = None
    finish: Finish | None = None


def resume(ports: Ports, lease: Lease, by: Run) -> str | None:
    """Settles the run that was interrupted, if there is one, and returns its id. `by` is the one that does.

    An artifact that is in place makes its token live. One that is not is given up, and the plan
    asks for it again. Either way a record tells of the run. One that could not be published so far is.

    What is staged goes first: if the run that was taken for dead still lives, it can publish no more.
    Raises SignFailed.
    """
    ports.publisher.discard()
    state = ports.store.state()
    if state.run is not None:
        _settle(ports, lease, state, state.run, Settled(time=timestamp(by.started_at), actor=by.actor))
    elif state.unpublished:
        _publish(ports, lease, state, _Outcome())
    return state.run.id if state.run else None


def _settle(ports: Ports, lease: Lease, state: Workspace, run: Run, by: Settled) -> None:
    ports.signer.ready()
    intents, dropped = _decided(ports, run)
    before = _tokens(ports, intents)
    done = [as_done(one, before(one.token_id)) for one in intents]
    story = replace(story_of(run, done, before), settled=by)
    if story.outcome == INTERRUPTED:
        story = replace(story, error=run.stopped)
    record = recorded_again(ports, story, state.head)
    carried_out = [one for one in done if one.outcome == DONE]
    _publish(ports, lease, state, _Outcome(carried_out, record, Finish(run.id, frozenset(dropped))))
    if carried_out:
        ports.progress.note(f"run {run.id} was interrupted; what it had published is live now")


def _decided(ports: Ports, run: Run) -> tuple[list[Intent], list[int]]:
    """As `decide`, once what is given up can come no more."""
    intents, dropped = decide(ports.store.intents(), ports.publisher.published)
    if dropped:
        ports.publisher.fence(run.id)
        intents, dropped = decide(ports.store.intents(), ports.publisher.published)
    return intents, dropped


def decide(
    intents: Iterable[Intent], published: Callable[[str], str | None]
) -> tuple[list[Intent], list[int]]:
    """What of an interrupted run is true or becomes true, and what is cut off; and the numbers of what is
    given up.

    What waits for no artifact becomes true: a change of the spec alone, or a key that its owner brought.
    """
    found: list[Intent] = []
    dropped: list[int] = []
    for intent in intents:
        waits = intent.after is not None and intent.path is not None
        if waits and published(intent.path or "") != intent.digest:
            dropped.append(intent.number)
            found.append(cut_off(intent))
        else:
            found.append(intent)
    return found, dropped


def _tokens(ports: Ports, intents: Iterable[Intent]) -> Callable[[str], LiveToken | None]:
    """The tokens that a run touched, by id, as they are before it is settled; not those that it issues."""
    ids = {one.token_id for one in intents if one.action != Action.ISSUE}
    found = {token.id: token for token in ports.store.tokens() if token.id in ids} if ids else {}
    gone = (ports.store.token_by_id(ident) for ident in ids - found.keys())
    found |= {token.id: token for token in gone if token is not None}
    return found.get


def _publish(ports: Ports, lease: Lease, state: Workspace, outcome: _Outcome) -> None:
    """Publishes records, takes artifacts out of the tree, and ends the run.

    Settling a run waits for no disk: if that fails, the records go out with the next publish, and
    what they say has left the tree leaves it then.
    """
    staying = {one.path for one in outcome.done if one.path is not None}
    removed = leaving(outcome.done, state.unpublished, staying, ports.store.token)
    records = state.unpublished if outcome.record is None else (*state.unpublished, outcome.record)
    out = published(ports, Publication("", removed=removed, staying=staying, records=records))
    if outcome.finish is None and not out:
        return
    ports.store.commit(
        lease,
        Batch(
            finish=outcome.finish,
            record=outcome.record and replace(outcome.record, published=out),
            published=[one.sequence for one in state.unpublished] if out else (),
            approval=undone(state.approval, outcome.done),
        ),
    )
