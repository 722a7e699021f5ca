"""Records made by hand, and what the records of a live store say."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.apply.recording import story_of
from reconciler.canonical import digest
from reconciler.live.interface import LiveStore, Record, Run
from reconciler.plan.change import Done
from reconciler.records.body import Body, to_json
from reconciler.records.envelope import read, statement
from reconciler.records.making import composed, written

PLAN = digest(b"plan")
RUN = Run("b1", PLAN, 1_800_000_000, "ci", "3f2c1a9")


def record(run: Run, done: Sequence[Done], previous: Record | None) -> Record:
    """The record of a run, which nobody signed."""
    body = composed(story_of(run, done, lambda _: None), previous)
    return written(body, statement(body), ())


def bodies(store: LiveStore) -> list[Body]:
    """What each record says, in order."""
    return [read(one.body).body for one in store.records()]


def documents(store: LiveStore) -> list[dict[str, object]]:
    """The same as JSON, as they are written: without what is empty."""
    return [dict(to_json(body)) for body in bodies(store)]
