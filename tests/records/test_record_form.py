"""A record has one form: what it says can be read back, and no byte of it can be another."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.canonical import digest
from reconciler.errors import RecordUnreadable
from reconciler.records.body import Body, read_body, to_json
from reconciler.records.envelope import PAYLOAD_TYPE, STATEMENT, envelope, read, statement

HEX = digest(b"")
BODY: dict[str, object] = {
    "schema": "reconciler/record/v1",
    "sequence": 2,
    "previous": HEX,
    "run": "ab12",
    "time": "2026-11-26T10:00:00Z",
    "actor": "ci",
    "commit": None,
    "plan": HEX,
    "outcome": "partly",
    "changes": [
        {
            "action": "issue",
            "kind": "JWTToken",
            "name": "one",
            "token": "t1",
            "generation": 1,
            "outcome": "done",
            "artifact": {"path": "artifacts/JWTToken/one.yaml", "digest": HEX, "contents": HEX},
            "spec": HEX,
            "declared": {"kind": "JWTToken", "spec": {"users": [], "end": None, "more": {}}},
        },
        {
            "action": "issue",
            "kind": "JWTToken",
            "name": "two",
            "token": None,
            "generation": 0,
            "outcome": "failed",
            "error": "seal-failed",
        },
    ],
    "live": {"t1": HEX},
}


def body() -> Body:
    """One of an apply that did something."""
    return read_body(BODY)


def test_a_body_is_written_as_it_was_read() -> None:
    """Nothing is added, nothing is lost."""
    assert to_json(body()) == BODY


def test_a_record_is_an_in_toto_statement_in_a_dsse_envelope() -> None:
    """Its subjects are the artifacts and the plan."""
    outer = json.loads(envelope(statement(body()), (("key", b"signature"),)))
    assert outer.keys() == {"payload", "payloadType", "signatures"}
    assert outer["payloadType"] == PAYLOAD_TYPE
    inner = json.loads(read(envelope(statement(body()))).payload)
    assert inner["_type"] == STATEMENT
    assert [one["name"] for one in inner["subject"]] == ["artifacts/JWTToken/one.yaml", "plan"]


def test_what_is_read_is_what_was_written() -> None:
    """Body and signatures."""
    signed = read(envelope(statement(body()), (("key", b"signature"),)))
    assert signed.body == body()
    assert signed.signatures == (("key", b"signature"),)


@given(st.data())
def test_no_byte_of_a_record_can_be_changed_without_its_being_another(data: st.DataObject) -> None:
    """It is refused, or says something else, or is signed by something else."""
    raw = envelope(statement(body()), (("key", b"signature"),))
    place = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:place] + bytes([data.draw(st.integers(0, 255))]) + raw[place + 1 :]
    try:
        found = read(changed)
    except RecordUnreadable:
        return
    assert (found == read(raw)) == (changed == raw)


@pytest.mark.parametrize(
    "wrong", [b"", b"{}", b"[]", b"null", b'{"payload": 1}', b"\xff", b"[" * 100_000], ids=range(7)
)
def test_what_is_no_record_is_told_as_such(wrong: bytes) -> None:
    """Whatever stands there."""
    with pytest.raises(RecordUnreadable):
        read(wrong)


@pytest.mark.parametrize("depth", [100, 400, 800, 990, 5000])
def test_what_is_nested_too_deep_is_told_as_no_record(depth: int) -> None:
    """Where the one who reads gives up differs by how it is read; it is never a fault of the tool."""
    declared = '{"a": ' + "[" * depth + "]" * depth + "}"
    text = json.dumps(BODY).replace('{"kind": "JWTToken"', f'{{"deep": {declared}, "kind": "JWTToken"')
    payload = f'{{"predicate": {text}}}'.encode()
    with pytest.raises(RecordUnreadable):
        read(envelope(payload))


def test_a_field_that_nobody_knows_is_no_part_of_a_record() -> None:
    """Nor is one of another type."""
    for wrong in ({**BODY, "more": 1}, {**BODY, "sequence": True}, {**BODY, "plan": "sha256:"}):
        with pytest.raises(RecordUnreadable):
            read_body(wrong)
