"""A record as a file: an in-toto Statement v1 in a DSSE envelope v1, both as canonical JSON (RFC 8785).

The envelope may carry signatures over the statement, and none where no key is configured. Its subjects are
the artifacts that the run put in place, and the plan. Reading one trusts nothing of it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from pydantic_core import from_json

from reconciler.canonical import Json, canonical
from reconciler.errors import RecordUnreadable
from reconciler.records.body import MEND, Body, read_body, to_json

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:x-reconciler:record:v1"
PLAN = "plan"
"""Name of the subject that is the plan. No artifact is called so: theirs are paths."""
MEND_STORE = "restore the live store from a backup; rows in it are not edited by hand"
LARGEST = 1 << 28
"""Bytes of a record that is read."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A record that was read: what it says, and the signatures that nobody has checked yet."""

    body: Body
    payload: bytes
    """The statement, as it was signed."""
    signatures: tuple[tuple[str, bytes], ...]
    """(id of a key, signature) of each."""


def statement(body: Body) -> bytes:
    """The in-toto statement of a record: what is signed. The same body gives the same bytes."""
    return canonical(_statement(body))


def envelope(payload: bytes, signatures: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    """The file of a record."""
    return canonical(_envelope(payload, signatures))


def read(data: bytes | str) -> Signed:
    """A record out of a file's bytes. Raises RecordUnreadable where it is none, or not written as one is.

    One meaning has one form: what `statement` and `envelope` would not have written is refused, so no byte
    of a record can be changed without it being another record.
    """
    raw = data.encode() if isinstance(data, str) else data
    try:
        outer = json.loads(raw)
        payload = base64.b64decode(outer["payload"], validate=True)
        signatures = tuple(
            (_text(one["keyid"]), base64.b64decode(one["sig"], validate=True)) for one in outer["signatures"]
        )
        inner = json.loads(payload)
        predicate = inner["predicate"]
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise RecordUnreadable("it is not a record", hint=MEND) from None
    body = read_body(predicate)
    if not (
        _is(payload, inner, lambda: _statement(body))
        and _is(raw, outer, lambda: _envelope(payload, signatures))
    ):
        raise RecordUnreadable("it is not written as a record is", hint=MEND)
    return Signed(body, payload, signatures)


def payload_of(text: str) -> bytes:
    """The statement in a record of the live store, as an apply wrote it. Raises RecordUnreadable."""
    try:
        return base64.b64decode(from_json(text)["payload"])
    except (ValueError, KeyError, TypeError):
        raise RecordUnreadable("it is not a record", hint=MEND_STORE) from None


def body_of(text: str) -> Body:
    """What such a record says. That it is written as a record is, is not looked at: `read` takes much longer.

    Raises RecordUnreadable.
    """
    try:
        return Body.model_validate(from_json(payload_of(text))["predicate"])
    except (ValueError, KeyError, TypeError):
        raise RecordUnreadable("it is not a record", hint=MEND_STORE) from None


def _statement(body: Body) -> Json:
    subjects: list[Json] = [
        _subject(one.artifact.path, one.artifact.digest) for one in body.changes if one.artifact is not None
    ]
    return {
        "_type": STATEMENT,
        "subject": [*subjects, _subject(PLAN, body.plan)],
        "predicateType": PREDICATE,
        "predicate": to_json(body),
    }


def _envelope(payload: bytes, signatures: tuple[tuple[str, bytes], ...]) -> Json:
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key, "sig": base64.b64encode(made).decode()} for key, made in signatures],
    }


def _is(raw: bytes, read: Json, wanted: Callable[[], Json]) -> bool:
    """Whether bytes are the one form of a value that they were read as. That may be nested too deep."""
    try:
        return read == wanted() and canonical(read) == raw
    except (ValueError, RecursionError):
        return False


def _subject(name: str, digest: str) -> Json:
    return {"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
