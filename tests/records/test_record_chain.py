"""Records: canonical, chained, and the same for the same run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.artifacts.interface import Expected, Header
from reconciler.canonical import digest
from reconciler.errors import CannotOpen
from reconciler.plan.change import Done
from reconciler.records.body import read_body, to_json
from reconciler.records.chain import RecordFile, last_known, linked
from reconciler.records.envelope import envelope, read, statement
from tests.records.kit import PLAN, RUN, record

FILE, HELD, NEW = digest(b"file"), digest(b"held"), digest(b"new")
DONE = (
    Done(0, "delete", "JWTToken", "old", "id-old", 2, removed="artifacts/JWTToken/old.yaml"),
    Done(1, "issue", "RSAToken", "new", "id-new", 1, "artifacts/RSAToken/new.yaml", FILE),
    Done(2, "modify", "RSAToken", "mod", "id-mod", 1),
)


def test_a_record_says_who_did_what_when_and_by_which_plan() -> None:
    """All of it, and nothing that is empty."""
    (first,) = (to_json(read(record(RUN, DONE, None).body).body),)
    assert first == {
        "schema": "reconciler/record/v1",
        "sequence": 1,
        "previous": None,
        "run": "b1",
        "time": "2027-01-15T08:00:00Z",
        "actor": "ci",
        "commit": "3f2c1a9",
        "plan": PLAN,
        "outcome": "done",
        "changes": [
            {
                "action": "delete", "kind": "JWTToken", "name": "old", "token": "id-old",
                "generation": 2, "outcome": "done", "removed": "artifacts/JWTToken/old.yaml",
            },
            {
                "action": "issue", "kind": "RSAToken", "name": "new", "token": "id-new", "generation": 1,
                "outcome": "done",
                "artifact": {"path": "artifacts/RSAToken/new.yaml", "digest": FILE},
            },
            {
                "action": "modify", "kind": "RSAToken", "name": "mod", "token": "id-mod",
                "generation": 1, "outcome": "done",
            },
        ],
    }  # fmt: skip


def test_a_record_is_the_same_each_time() -> None:
    """So that the next run can write the record of one that died."""
    first = record(RUN, DONE, None)
    assert first == record(RUN, DONE, None)
    assert first.digest == digest(first.body.encode())
    assert not first.published


def test_a_record_tells_what_was_overridden_and_what_would_have_held_it() -> None:
    """Where something was, and why it was said to be."""
    given: dict[str, int | bool] = {"max_delete": 12, "allow_empty": True}
    run = replace(RUN, overrides=given, released=(("brake-delete", "too many"),), reason="the fair is over")
    told = read(record(run, DONE, None).body).body
    assert (told.overrides, told.reason) == (given, "the fair is over")
    assert [(one.rule, one.message) for one in told.released] == [("brake-delete", "too many")]
    plain = to_json(read(record(RUN, DONE, None).body).body)
    assert not plain.keys() & {"overrides", "released", "reason", "held", "error"}


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (("done", "done"), "done"),
        (("done", "failed"), "partly"),
        (("failed", "untried"), "failed"),
        (("done", "interrupted"), "interrupted"),
    ],
)
def test_a_run_ends_as_its_changes_do(outcomes: tuple[str, ...], expected: str) -> None:
    """A change that its run did not come to makes it one that was interrupted."""
    codes = {"done": None, "failed": "seal-failed", "untried": "not-tried", "interrupted": "interrupted"}
    kinds = {"interrupted": "untried"}
    done = [
        replace(DONE[2], number=number, outcome=kinds.get(one, one), error=codes[one])
        for number, one in enumerate(outcomes)
    ]
    told = read(record(RUN, done, None).body).body
    assert told.outcome == expected
    assert told.error == ("seal-failed" if "failed" in outcomes else None)


def test_each_record_names_the_one_before() -> None:
    """By its digest."""
    first = record(RUN, DONE, None)
    second = record(RUN, (), first)
    told = read(second.body).body
    assert (told.sequence, told.previous) == (2, first.digest)


def issued(name: str, number: int = 0, contents: str | None = HELD) -> Done:
    path = f"artifacts/RSAToken/{name}.yaml"
    return Done(number, "issue", "RSAToken", name, f"id-{name}", 1, path, FILE, contents)


def file(run: str, body: str, sequence: int) -> RecordFile:
    return RecordFile(f"artifacts/records/{sequence:08d}-{run}.json", body.encode())


def clone(*runs: Sequence[Done]) -> list[RecordFile]:
    """The records of several applies as they stand in a clone, newest first."""
    files: list[RecordFile] = []
    previous = None
    for number, done in enumerate(runs, 1):
        previous = record(replace(RUN, id=f"a{number}"), done, previous)
        files.insert(0, file(previous.run, previous.body, number))
    return files


def changed(one: RecordFile, **parts: object) -> RecordFile:
    """The record with other values in it."""
    body = read_body({**to_json(read(one.data).body), **parts})
    return replace(one, data=envelope(statement(body)))


THREE = clone([issued("one")], [issued("two")], [issued("three")])


def test_the_newest_record_that_tells_of_a_token_counts() -> None:
    """A deleted token has no artifact; no more is read than it takes."""
    gone = Done(0, "delete", "RSAToken", "one", "id-one", 1)
    again = replace(issued("two"), action="rotate", generation=2, contents=NEW)
    files = clone([issued("one"), issued("two", 1)], [again], [gone])
    known = last_known(files, {"one", "two", "none"})
    assert known == {"two": Expected(Header("RSAToken", "id-two", 2), NEW)}
    unread = (*files[:2], RecordFile("never read", b""))
    assert last_known(unread, {"two"}) == known
    assert last_known([RecordFile("never read", b"")], ()) == {}


def test_a_record_that_does_not_say_what_was_sealed_says_so() -> None:
    """It is for the caller to refuse."""
    (known,) = last_known(clone([issued("one", contents=None)]), {"one"}).values()
    assert not known.vouched


def test_a_token_whose_owner_brought_the_key_has_no_artifact_from_then_on() -> None:
    """What an older record says of its artifact is over."""
    own = Done(0, "rotate", "RSAToken", "a", "id-a", 2)
    assert last_known(clone([issued("a")], [own]), {"a"}) == {}
    again = Done(0, "rotate", "RSAToken", "a", "id-a", 3, "p", FILE, HELD)
    found = last_known(clone([issued("a")], [own], [again]), {"a"})
    assert found["a"].header.generation == 3


def test_records_that_fit_together_are_read_to_the_first() -> None:
    assert [one.body.sequence for one in linked(THREE)] == [3, 2, 1]
    assert list(linked([])) == []


@pytest.mark.parametrize(
    ("forge", "at", "why"),
    [
        (lambda new, _, old: [new, old], 1, "record 2 is not there"),
        (lambda new, mid, _: [new, mid], 2, "the record before it is not there"),
        (lambda new, mid, old: [new, mid, mid, old], 2, "there is another record 2"),
        (lambda new, mid, old: [new, changed(mid, actor="eve"), old], 2, "record 3 follows another"),
        (lambda new, mid, old: [new, mid, changed(old, changes=[])], 1, "record 2 follows another"),
        (lambda new, mid, old: [new, mid, changed(old, previous=NEW)], 1, "record 2 follows another"),
        (lambda new, mid, old: [changed(new, sequence=4), mid, old], 3, "it is named for another record"),
        (lambda new, mid, old: [changed(new, run="eeee"), mid, old], 3, "it is named for another record"),
        (lambda new, mid, old: [replace(new, data=b"[]"), mid, old], 3, "it is not a record"),
        (lambda new, mid, old: [replace(new, data=b""), mid, old], 3, "it is not a record"),
    ],
)
def test_records_that_were_lost_added_or_edited_are_an_error(
    forge: Callable[..., list[RecordFile]], at: int, why: str
) -> None:
    """It names the file, and is no silent end: an attacker who breaks the chain hides nothing."""
    with pytest.raises(CannotOpen) as caught:
        last_known(forge(*THREE), {"never issued"})
    assert str(caught.value).startswith(
        f"the records of this clone do not fit together at artifacts/records/{at:08d}-a{at}.json: {why}"
    )
    assert "git" in caught.value.hint


GOOD: dict[str, Any] = {**to_json(read(THREE[2].data).body)}
WRONG = [
    {"changes": None},
    {"changes": {}},
    {"changes": [{**GOOD["changes"][0], "artifact": []}]},
    {"changes": [{**GOOD["changes"][0], "generation": True}]},
    {"changes": [{**GOOD["changes"][0], "generation": 2**60}]},
    {"changes": [{**GOOD["changes"][0], "declared": {"a": float("inf")}}]},
    {"changes": [{**GOOD["changes"][0], "declared": {"a": "\udcff"}}]},
    {"changes": [{**GOOD["changes"][0], "name": []}]},
    {"sequence": 2**60},
    {"time": "yesterday"},
    {"schema": "reconciler/record/v2"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
def test_no_record_crashes_a_reader(wrong: dict[str, object]) -> None:
    """Whatever stands in one: an error that names the file."""
    payload = json.dumps({"predicate": {**GOOD, **wrong}}).encode()
    one = replace(THREE[2], data=envelope(payload))
    with pytest.raises(CannotOpen, match=r"do not fit together at artifacts/records/00000001-a1\.json"):
        last_known([one], {"one"})


@pytest.mark.parametrize("data", [b"[" * 200_000, b"1" * 10_000, b"\xff", b'{"payload": "AA=="}'])
def test_nor_does_what_is_none(data: bytes) -> None:
    """It ends in the same error."""
    with pytest.raises(CannotOpen, match="it is not a record"):
        last_known([replace(THREE[2], data=data)], {"one"})
