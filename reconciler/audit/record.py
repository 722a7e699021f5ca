"""The record of one apply, chained to the one before by its digest."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from reconciler.artifacts.interface import Expected, Header
from reconciler.canonical import Json, canonical, digest
from reconciler.errors import CannotOpen
from reconciler.live.interface import Record, Run
from reconciler.plan.change import FAILED, UNTRIED, Done
from reconciler.times import timestamp

SCHEMA = "reconciler/record/v1"
FILE_NAME = re.compile(r"([0-9]{8})-([0-9a-f]+)\.json")
"""Sequence and run of the record in a file."""
SEALS = ("issue", "rotate")
"""Actions that put a newly sealed artifact into place."""


def record(run: Run, done: Sequence[Done], previous: Record | None) -> Record:
    """What a run did, as canonical JSON (RFC 8785) that names the digest of the record before.

    The same run gives the same bytes, so a run that was interrupted can be recorded by the next.
    """
    sequence = previous.sequence + 1 if previous else 1
    body: dict[str, Json] = {
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
    if run.overrides:
        body["overrides"] = dict(run.overrides)
    data = canonical(body)
    return Record(sequence, run.id, data.decode(), digest(data))


def _change(done: Done) -> Json:
    change: dict[str, Json] = {
        "action": done.action,
        "kind": done.kind,
        "name": done.name,
        "token": done.token_id or None,
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
    if done.previously is not None:
        change["previously"] = done.previously
    if done.error is not None:
        change["error"] = done.error
    return change


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A record as it stands in a clone. Whoever may write to the branch may have written it."""

    path: str
    """As messages name it, with `/`; the last part is of the form `FILE_NAME`."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """A record that is named as it should be. What it tells is not looked at yet."""

    path: str
    sequence: int
    previous: object
    changes: object


def last_known(files: Iterable[RecordFile], names: Collection[str]) -> dict[str, Expected]:
    """What the artifacts of tokens hold, as the newest record says that tells of each.

    `files` are records, newest first; no more of them are read than it takes. A token that was deleted
    has no artifact. Raises CannotOpen as `chained` does, and for a record that cannot be understood.
    """
    # The name that a token had when a record was written → the name that was asked for.
    sought, found = {name: name for name in names}, dict[str, Expected]()
    if not sought:
        return found
    for record_read in chained(files):
        told, renamed = _told(record_read)
        for name in sought.keys() & told.keys():
            asked, known = sought.pop(name), told[name]
            if known is not None:
                found[asked] = known
        for name in sought.keys() & renamed.keys():
            sought[renamed[name]] = sought.pop(name)
        if not sought:
            break
    return found


def chained(files: Iterable[RecordFile]) -> Iterator[Read]:
    """Each record, newest first, held against the one that follows it.

    Raises CannotOpen, naming the file, where a number is missing or there twice, where a file is named
    for another record, and where its bytes are not those that the next record gives the digest of.
    """
    newer: Read | None = None
    for file in files:
        found = _read(file)
        if newer is not None:
            _check_follows(file, found, newer)
        yield found
        newer = found
    if newer is not None and (newer.sequence != 1 or newer.previous is not None):
        raise broken(newer.path, "the record before it is not there")


def broken(path: str, why: str) -> CannotOpen:
    """The error for records of which one was lost, added or edited."""
    return CannotOpen(
        f"the records of this clone do not fit together at {path}: {why}",
        hint="pull the commit that apply published, or restore the records from git",
    )


def _read(file: RecordFile) -> Read:
    """A record whose name fits it. Raises CannotOpen: whatever stands in the file, it ends in no fault."""
    try:
        document: object = json.loads(file.data.decode())
    except (ValueError, RecursionError):
        raise broken(file.path, "it is not JSON that can be read") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise broken(file.path, "it is not a record")
    sequence, run = document.get("sequence"), document.get("run")
    named = FILE_NAME.fullmatch(PurePosixPath(file.path).name)
    # Not `isinstance`: true is an int to it.
    if named is None or type(sequence) is not int or (int(named[1]), named[2]) != (sequence, run):
        raise broken(file.path, "it is named for another record")
    return Read(file.path, sequence, document.get("previous"), document.get("changes"))


def _check_follows(file: RecordFile, older: Read, newer: Read) -> None:
    if older.sequence == newer.sequence:
        raise broken(file.path, f"there is another record {newer.sequence}")
    if older.sequence != newer.sequence - 1:
        raise broken(file.path, f"record {newer.sequence - 1} is not there")
    if newer.previous != digest(file.data):
        raise broken(file.path, f"record {newer.sequence} follows another")


def _told(found: Read) -> tuple[dict[str, Expected | None], dict[str, str]]:
    """What a record says of each artifact that it gave or took, the last word counts; and which tokens it
    renamed, from their new names to their old ones. Raises CannotOpen.
    """
    if not isinstance(found.changes, list):
        raise broken(found.path, "it has no list of changes")
    told: dict[str, Expected | None] = {}
    renamed: dict[str, str] = {}
    for number, change in enumerate(found.changes):
        try:
            _tell(change, told)
            if _value(change, "previously") is not None:
                renamed[_text(change, "name")] = _text(change, "previously")
        except TypeError:
            raise broken(found.path, f"its change {number} is none") from None
    return told, renamed


def _tell(change: object, told: dict[str, Expected | None]) -> None:
    """Adds what a change says. Raises TypeError for one that is none."""
    action, name = _text(change, "action"), _text(change, "name")
    if _value(change, "outcome") in (FAILED, UNTRIED):
        return
    if action == "delete":
        told[name] = None
    elif action in SEALS and isinstance(change, dict) and "artifact" not in change:
        told[name] = None  # its owner brought the key
    elif action in SEALS:
        generation, artifact = _value(change, "generation"), _value(change, "artifact")
        if type(generation) is not int:
            raise TypeError
        contents = None if _value(artifact, "contents") is None else _text(artifact, "contents")
        told[name] = Expected(Header(_text(change, "kind"), _text(change, "token"), generation), contents)


def _value(part: object, key: str) -> object:
    if not isinstance(part, dict):
        raise TypeError
    value: object = part.get(key)
    return value


def _text(part: object, key: str) -> str:
    value = _value(part, key)
    if not isinstance(value, str):
        raise TypeError
    return value
