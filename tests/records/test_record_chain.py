"""Records: canonical, chained, and the same for the same run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from reconciler.audit.record import RecordFile, chained, last_known, record

from reconciler.artifacts.interface import Expected, Header
from reconciler.canonical import canonical, digest
from reconciler.errors import CannotOpen
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


def test_a_record_tells_what_was_overridden() -> None:
    """Where something was; a record of any other run has the bytes that it always had."""
    given = {"max_delete": 12, "allow_empty": True}
    lifted = record(replace(RUN, overrides=given), DONE, None)
    plain = json.loads(record(RUN, DONE, None).body)
    assert json.loads(lifted.body) == {**plain, "overrides": given}
    assert "overrides" not in plain
    always = "sha256:e867d0d70dba42919f71af4686b0b82e13ba1affc4fb5cd3debc98b52775196a"
    assert record(RUN, (), None).digest == always
    first = record(replace(RUN, id="a1", overrides=given), DONE, None)
    assert [one.sequence for one in chained([file(first.run, first.body, 1)])] == [1]


def test_each_record_names_the_one_before() -> None:
    """By its digest."""
    first = record(RUN, DONE, None)
    second = record(RUN, (), first)
    assert (second.sequence, json.loads(second.body)["previous"]) == (2, first.digest)


def issued(name: str, number: int = 0, contents: str | None = "sha256:held") -> Done:
    path = f"artifacts/RSAToken/{name}.yaml"
    return Done(number, "issue", "RSAToken", name, f"id-{name}", 1, path, "sha256:file", contents)


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
    return replace(one, data=canonical({**json.loads(one.data), **parts}))  # type: ignore[dict-item]


THREE = clone([issued("one")], [issued("two")], [issued("three")])


def test_the_newest_record_that_tells_of_a_token_counts() -> None:
    """A deleted token has no artifact; no more is read than it takes."""
    gone = Done(0, "delete", "RSAToken", "one", "id-one", 1)
    again = replace(issued("two"), action="rotate", generation=2, contents="sha256:new")
    files = clone([issued("one"), issued("two", 1)], [again], [gone])
    known = last_known(files, {"one", "two", "none"})
    assert known == {"two": Expected(Header("RSAToken", "id-two", 2), "sha256:new")}
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
    again = Done(0, "rotate", "RSAToken", "a", "id-a", 3, "p", "sha256:f", "sha256:held")
    found = last_known(clone([issued("a")], [own], [again]), {"a"})
    assert found["a"].header.generation == 3


def test_records_that_fit_together_are_read_to_the_first() -> None:
    assert [one.sequence for one in chained(THREE)] == [3, 2, 1]
    assert list(chained([])) == []


@pytest.mark.parametrize(
    ("forge", "at", "why"),
    [
        (lambda new, _, old: [new, old], 1, "record 2 is not there"),
        (lambda new, mid, _: [new, mid], 2, "the record before it is not there"),
        (lambda new, mid, old: [new, mid, mid, old], 2, "there is another record 2"),
        (lambda new, mid, old: [new, changed(mid, actor="eve"), old], 2, "record 3 follows another"),
        (lambda new, mid, old: [new, mid, changed(old, changes=[])], 1, "record 2 follows another"),
        (lambda new, mid, old: [new, mid, changed(old, previous="sha256:0")], 1, "record 2 follows another"),
        (lambda new, mid, old: [changed(new, sequence=4), mid, old], 3, "it is named for another record"),
        (lambda new, mid, old: [changed(new, run="eve"), mid, old], 3, "it is named for another record"),
        (lambda new, mid, old: [changed(new, schema="x"), mid, old], 3, "it is not a record"),
        (lambda new, mid, old: [replace(new, data=b"[]"), mid, old], 3, "it is not a record"),
        (lambda new, mid, old: [replace(new, data=b""), mid, old], 3, "it is not JSON"),
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


GOOD: dict[str, Any] = json.loads(THREE[2].data)["changes"][0]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({**GOOD, "artifact": []}),
        json.dumps({**GOOD, "artifact": None}),
        json.dumps({**GOOD, "artifact": {"contents": 1}}),
        json.dumps({**GOOD, "generation": True}),
        json.dumps({**GOOD, "generation": "1"}),
        json.dumps({**GOOD, "generation": 1}).replace('"generation": 1', '"generation": 1e999'),
        json.dumps({**GOOD, "name": []}),
        json.dumps({**GOOD, "action": {}}),
        json.dumps({**GOOD, "token": None}),
        "[" * 200_000,
        "[]",
        "null",
        "1" * 10_000,
        "\udcff",
    ],
)
def test_no_record_crashes_a_reader(text: str) -> None:
    """Whatever stands in one: an error that names the file."""
    (one,) = clone([])
    body = one.data.decode().replace('"changes":[]', f'"changes":[{text}]')
    with pytest.raises(CannotOpen, match=r"do not fit together at artifacts/records/00000001-a1\.json"):
        last_known([replace(one, data=body.encode(errors="surrogateescape"))], {"one"})


@pytest.mark.parametrize("changes", [None, 1, {}, "x"])
def test_a_record_without_a_list_of_changes_is_an_error(changes: object) -> None:
    """As are all others that are none."""
    with pytest.raises(CannotOpen, match="it has no list of changes"):
        last_known([changed(clone([])[0], changes=changes)], {"one"})
