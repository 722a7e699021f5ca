"""Records: canonical, chained, and the same for the same run."""

from __future__ import annotations

import json

from reconciler.audit.record import record
from reconciler.canonical import canonical, digest
from reconciler.live.interface import Run
from reconciler.plan.change import Done

RUN = Run("run-1", "sha256:plan", 1_800_000_000, "ci", "3f2c1a9")
DONE = (
    Done(0, "delete", "JWTToken", "old", "id-old", 2, removed="artifacts/JWTToken/old.yaml"),
    Done(1, "issue", "RSAToken", "new", "id-new", 1, "artifacts/RSAToken/new.yaml", "sha256:file"),
    Done(2, "modify", "RSAToken", "mod", "id-mod", 1),
)


def test_a_record_says_who_did_what_when_and_by_which_plan() -> None:
    """All of it, and nothing that is empty."""
    first = record(RUN, DONE, None)
    assert json.loads(first.body) == {
        "schema": "reconciler/record/v1",
        "sequence": 1,
        "previous": None,
        "run": "run-1",
        "time": "2027-01-15T08:00:00Z",
        "actor": "ci",
        "commit": "3f2c1a9",
        "plan": "sha256:plan",
        "changes": [
            {
                "action": "delete", "kind": "JWTToken", "name": "old", "token": "id-old",
                "generation": 2, "outcome": "done", "removed": "artifacts/JWTToken/old.yaml",
            },
            {
                "action": "issue", "kind": "RSAToken", "name": "new", "token": "id-new", "generation": 1,
                "outcome": "done",
                "artifact": {"path": "artifacts/RSAToken/new.yaml", "digest": "sha256:file"},
            },
            {
                "action": "modify", "kind": "RSAToken", "name": "mod", "token": "id-mod",
                "generation": 1, "outcome": "done",
            },
        ],
    }  # fmt: skip


def test_a_record_is_canonical_and_the_same_each_time() -> None:
    """So that the next run can write the record of one that died."""
    first = record(RUN, DONE, None)
    assert first == record(RUN, DONE, None)
    assert first.body.encode() == canonical(json.loads(first.body))
    assert first.digest == digest(first.body.encode())
    assert not first.published


def test_each_record_names_the_one_before() -> None:
    """By its digest."""
    first = record(RUN, DONE, None)
    second = record(RUN, (), first)
    assert (second.sequence, json.loads(second.body)["previous"]) == (2, first.digest)
