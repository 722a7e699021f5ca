"""The record of one apply, chained to the one before by its digest."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence

from reconciler.artifacts.interface import Expected, Header
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
        artifact: dict[str, Json] = {"path": done.path, "digest": done.digest}
        if done.contents is not None:
            artifact["contents"] = done.contents
        change["artifact"] = artifact
    if done.removed is not None:
        change["removed"] = done.removed
    return change


def last_known(bodies: Iterable[str], names: Collection[str]) -> dict[str, Expected]:
    """What the artifacts of tokens hold, as the newest record says that tells of each.

    `bodies` are records, newest first; no more of them are read than it takes. A token that was deleted
    has no artifact. A file that is no record ends the search: who knows what it told.
    """
    wanted, found = set(names), dict[str, Expected]()
    for body in bodies:
        if not wanted:
            break
        try:
            told = _told(body)
        except (ValueError, KeyError, TypeError):
            break
        found.update({name: one for name, one in told.items() if name in wanted and one is not None})
        wanted.difference_update(told)
    return found


def _told(body: str) -> dict[str, Expected | None]:
    """What a record says of each artifact that it gave or took: the last word counts."""
    told: dict[str, Expected | None] = {}
    for change in json.loads(body)["changes"]:
        if change["action"] == "delete":
            told[change["name"]] = None
        elif change["action"] in ("issue", "rotate"):
            header = Header(str(change["kind"]), str(change["token"]), int(change["generation"]))
            contents = change["artifact"].get("contents")
            told[change["name"]] = Expected(header, None if contents is None else str(contents))
    return told
