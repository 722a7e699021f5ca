"""From what a run did to the record of it, chained to the one before. Pure: the same run, the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.canonical import digest
from reconciler.live.interface import Record, Run
from reconciler.records.body import (
    DONE,
    FAILED,
    INTERRUPTED,
    PARTLY,
    SCHEMA,
    Body,
    Change,
    Held,
    Outcome,
    Settled,
)
from reconciler.records.envelope import envelope
from reconciler.times import timestamp

Signatures = tuple[tuple[str, bytes], ...]
"""(id of a key, signature) of each."""
CUT_OFF = "interrupted"
"""The error of a change that its run did not come to, because it died or was stopped."""


@dataclass(frozen=True, slots=True)
class Account:
    """What there is to tell of a run."""

    run: Run
    outcome: Outcome
    changes: Sequence[Change] = ()
    live: Mapping[str, str] = field(default_factory=dict)
    """Id of each token that it touched → `live_digest` of what it leaves of that."""
    held: Sequence[Held] = ()
    error: str | None = None
    settled: Settled | None = None


def outcome_of(changes: Sequence[Change]) -> Outcome:
    """How a run ended, by what became of its changes."""
    if any(one.error == CUT_OFF for one in changes):
        return INTERRUPTED
    done = sum(one.is_done for one in changes)
    if done == len(changes):
        return DONE
    return PARTLY if done else FAILED


def error_of(changes: Sequence[Change]) -> str | None:
    """What ended a run, where it is a change that failed: the first one's code."""
    return next((one.error for one in changes if one.outcome == "failed"), None)


def composed(story: Account, previous: Record | None) -> Body:
    """What the record of a run says, when it follows another."""
    run = story.run
    return Body.model_validate(
        {
            "schema": SCHEMA,
            "sequence": previous.sequence + 1 if previous else 1,
            "previous": previous.digest if previous else None,
            "run": run.id,
            "time": timestamp(run.started_at),
            "actor": run.actor,
            "commit": run.commit,
            "plan": run.plan_digest,
            "outcome": story.outcome,
            "changes": tuple(story.changes),
            "live": dict(story.live),
            "overrides": dict(run.overrides),
            "released": tuple(Held(rule=rule, message=message) for rule, message in run.released),
            "held": tuple(story.held),
            "reason": run.reason,
            "error": story.error,
            "settled": story.settled,
        }
    )


def written(body: Body, payload: bytes, signatures: Signatures) -> Record:
    """A record as the live store keeps it: the text of its file, and the digest of that."""
    data = envelope(payload, signatures)
    return Record(body.sequence, body.run, data.decode(), digest(data))
