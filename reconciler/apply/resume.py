"""What an interrupted run left, settled: what was published becomes live, the rest is given up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from reconciler.apply.interface import Ports, Publication
from reconciler.apply.run import as_done
from reconciler.errors import PublishFailed
from reconciler.live.interface import Batch, Finish, Intent, Lease, Record, Run, Workspace
from reconciler.plan.change import Done


def resume(ports: Ports, lease: Lease) -> str | None:
    """Settles the run that was interrupted, if there is one, and returns its id.

    An artifact that is in place makes its token live. One that is not is given up, and the plan
    asks for it again. A record that could not be published so far is published.
    """
    state = ports.store.state()
    if state.run is not None:
        _settle(ports, lease, state, state.run)
    elif state.unpublished:
        _publish_late(ports, lease, state.unpublished)
    ports.publisher.discard()
    return state.run.id if state.run else None


def _settle(ports: Ports, lease: Lease, state: Workspace, run: Run) -> None:
    kept, dropped = decide(ports.store.intents(), ports.publisher.published)
    finish = Finish(run.id, frozenset(dropped))
    if not kept:
        ports.store.commit(lease, Batch(finish=finish))
        return
    record = ports.recorder(run, kept, state.head)
    removed = [one.path for one in kept if one.path and one.action == "delete"]
    records = (*state.unpublished, record)
    published = _published(ports, Publication(run.id, removed=removed, records=records))
    ports.store.commit(
        lease,
        Batch(
            finish=finish,
            record=replace(record, published=published),
            published=[one.sequence for one in state.unpublished] if published else (),
        ),
    )
    ports.progress.note(f"run {run.id} was interrupted; what it had published is live now")


def decide(intents: Iterable[Intent], published: Callable[[str], str | None]) -> tuple[list[Done], list[int]]:
    """What of an interrupted run is true or becomes true, and the numbers of what is given up."""
    kept: list[Done] = []
    dropped: list[int] = []
    for intent in intents:
        waits = intent.after is not None and intent.path is not None
        if waits and published(intent.path or "") != intent.digest:
            dropped.append(intent.number)
        else:
            kept.append(as_done(intent))
    return kept, dropped


def _publish_late(ports: Ports, lease: Lease, records: tuple[Record, ...]) -> None:
    if _published(ports, Publication(run="", records=records)):
        ports.store.commit(lease, Batch(published=[one.sequence for one in records]))


def _published(ports: Ports, publication: Publication) -> bool:
    """Whether it could be published. Settling a run waits for no disk: the record goes out later."""
    try:
        ports.publisher.publish(publication)
    except PublishFailed as error:
        ports.progress.note(f"records are not published yet: {error}")
        return False
    return True
