"""What an interrupted run left, settled: what was published becomes live, the rest is given up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.apply.approval import undone
from reconciler.apply.interface import Ports, Publication
from reconciler.apply.leaving import leaving
from reconciler.apply.outcome import as_done, left
from reconciler.errors import PublishFailed
from reconciler.live.interface import Batch, Finish, Intent, Lease, LiveToken, Record, Run, Workspace
from reconciler.plan.change import Action, Done


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is to be written down: of the run that was interrupted, or of none."""

    done: Sequence[Done] = ()
    record: Record | None = None
    finish: Finish | None = None


def resume(ports: Ports, lease: Lease) -> str | None:
    """Settles the run that was interrupted, if there is one, and returns its id.

    An artifact that is in place makes its token live. One that is not is given up, and the plan
    asks for it again. A record that could not be published so far is published.

    What is staged goes first: if the run that was taken for dead still lives, it can publish no more.
    """
    ports.publisher.discard()
    state = ports.store.state()
    if state.run is not None:
        _settle(ports, lease, state, state.run)
    elif state.unpublished:
        _publish(ports, lease, state, _Outcome())
    return state.run.id if state.run else None


def _settle(ports: Ports, lease: Lease, state: Workspace, run: Run) -> None:
    kept, dropped = _decided(ports, run)
    finish = Finish(run.id, frozenset(dropped))
    if not kept:
        ports.store.commit(lease, Batch(finish=finish))
        return
    done = _moved(ports, kept)
    _publish(ports, lease, state, _Outcome(done, ports.recorder(run, done, state.head), finish))
    ports.progress.note(f"run {run.id} was interrupted; what it had published is live now")


def _decided(ports: Ports, run: Run) -> tuple[list[Done], list[int]]:
    """As `decide`, once what is given up can come no more."""
    kept, dropped = decide(ports.store.intents(), ports.publisher.published)
    if dropped:
        ports.publisher.fence(run.id)
        kept, dropped = decide(ports.store.intents(), ports.publisher.published)
    return kept, dropped


def decide(intents: Iterable[Intent], published: Callable[[str], str | None]) -> tuple[list[Done], list[int]]:
    """What of an interrupted run is true or becomes true, and the numbers of what is given up.

    What waits for no artifact becomes true: a change of the spec alone, or a key that its owner brought.
    """
    kept: list[Done] = []
    dropped: list[int] = []
    for intent in intents:
        waits = intent.after is not None and intent.path is not None
        if waits and published(intent.path or "") != intent.digest:
            dropped.append(intent.number)
        else:
            kept.append(as_done(intent))
    return kept, dropped


def _moved(ports: Ports, kept: Sequence[Done]) -> list[Done]:
    """The changes as the run itself would have recorded them: with the names and places that were left."""
    ids = {one.token_id for one in kept if one.action not in (Action.ISSUE, Action.DELETE)}
    before: Mapping[str, LiveToken] = {}
    if ids:
        before = {token.id: token for token in ports.store.tokens() if token.id in ids}
    return [left(one, before.get(one.token_id)) for one in kept]


def _publish(ports: Ports, lease: Lease, state: Workspace, outcome: _Outcome) -> None:
    """Publishes records, takes artifacts out of the tree, and ends the run.

    Settling a run waits for no disk: if that fails, the records go out with the next publish, and
    what they say has left the tree leaves it then.
    """
    staying = {one.path for one in outcome.done if one.path is not None}
    removed = leaving(outcome.done, state.unpublished, staying, ports.store.token)
    records = state.unpublished if outcome.record is None else (*state.unpublished, outcome.record)
    out = _published(ports, Publication("", removed=removed, staying=staying, records=records))
    ports.publisher.discard()
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


def _published(ports: Ports, publication: Publication) -> bool:
    try:
        ports.publisher.publish(publication)
    except PublishFailed as error:
        ports.progress.note(f"records are not published yet: {error}")
        return False
    return True
