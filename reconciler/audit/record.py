"""The record of one apply, chained to the one before by its digest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from reconciler.artifacts.interface import Header
from reconciler.canonical import Json, canonical, digest
from reconciler.live.interface import Record, Run
from reconciler.plan.change import Done
from reconciler.times import timestamp

SCHEMA = "reconciler/record/v1"


def record(run: Run, done: Sequence[Done], previous: Record | None) -> Record:
    """What a run did, as canonical JSON (RFC 8785) that names the digest of the record before.

    The same run gives the same bytes, so a run that was interrupted can be recorded by the next.
    """
    sequence = previous.sequence + 1 if previous else 1
    body: Json = {
        "schema": SCHEMA,
        "sequence": sequence,
        "previous": previous.digest if previous else None,
        "run": run.id,
        "time": timestamp(run.started_at),
        "actor": run.actor,
        "commit": run.commit,
        "plan": run.plan_digest,
        "changes": [_change(one) for one in done],
    }
    data = canonical(body)
    return Record(sequence, run.id, data.decode(), digest(data))


def _change(done: Done) -> Json:
    change: dict[str, Json] = {
        "action": done.action,
        "kind": done.kind,
        "name": done.name,
        "token": done.token_id,
        "generation": done.generation,
        "outcome": done.outcome,
    }
    if done.path is not None:
        change["artifact"] = {"path": done.path, "digest": done.digest}
    if done.removed is not None:
        change["removed"] = done.removed
    return change


def last_known(bodies: Iterable[str], name: str) -> Header | None:
    """Whose artifact a name has, as the newest record says that speaks of it; None where none does.

    `bodies` are records, newest first. A deletion, or a file that is no record, ends the search: nothing
    is known then.
    """
    for body in bodies:
        try:
            changes = json.loads(body)["changes"]
            found = [change for change in changes if change["name"] == name]
        except (ValueError, KeyError, TypeError):
            return None
        for change in reversed(found):
            if change["action"] == "delete":
                return None
            if change["action"] in ("issue", "rotate"):
                return Header(str(change["kind"]), str(change["token"]), int(change["generation"]))
    return None
