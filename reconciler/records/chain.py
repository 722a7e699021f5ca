"""The records of a clone, each held against the one that follows it. Whoever may write to the branch may have
written them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from reconciler.artifacts.interface import Expected, Header
from reconciler.canonical import digest
from reconciler.errors import CannotOpen, RecordUnreadable
from reconciler.records.body import MEND, Body, Change
from reconciler.records.envelope import Signed, read

FILE_NAME = re.compile(r"([0-9]{8,})-([0-9a-f]+)\.json")
"""Sequence and run of the record in a file."""
SEALS = ("issue", "rotate")
"""Actions that put a newly sealed artifact into place."""


def is_record(path: str, folder: str) -> bool:
    """Whether what stands at a path is among the records of a folder: right in it, and named as one."""
    above, _, name = path.rpartition("/")
    return above == folder and FILE_NAME.fullmatch(name) is not None


def file_name(sequence: int, run: str) -> str:
    """What the file of a record is called."""
    return f"{sequence:08d}-{run}.json"


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A record as it stands in a clone."""

    path: str
    """As messages name it, with `/`."""
    data: bytes

    @property
    def name(self) -> str:
        """The last part of its path, which is of the form `FILE_NAME` if it is a record."""
        return self.path.rpartition("/")[2]


def last_known(files: Iterable[RecordFile], names: Collection[str]) -> dict[str, Expected]:
    """What the artifacts of tokens hold, as the newest record says that tells of each.

    `files` are records, newest first; no more of them are read than it takes. A token that was deleted
    has no artifact. Raises CannotOpen as `linked` does.
    """
    # The name that a token had when a record was written → the name that was asked for.
    sought, found = {name: name for name in names}, dict[str, Expected]()
    if not sought:
        return found
    for signed in linked(files):
        told, renamed = _told(signed.body)
        for name in sought.keys() & told.keys():
            asked, known = sought.pop(name), told[name]
            if known is not None:
                found[asked] = known
        for name in sought.keys() & renamed.keys():
            sought[renamed[name]] = sought.pop(name)
        if not sought:
            break
    return found


def linked(files: Iterable[RecordFile]) -> Iterator[Signed]:
    """Each record, newest first, held against the one that follows it. Nobody has checked its signatures.

    Raises CannotOpen, naming the file, where it is no record, where a number is missing or there twice, where
    a file is named for another record, and where its bytes are not those that the next record gives the
    digest of.
    """
    newer: Body | None = None
    path = ""
    for file in files:
        found, path = _read(file), file.path
        if newer is not None:
            _check_follows(file, found.body, newer)
        yield found
        newer = found.body
    if newer is not None and (newer.sequence != 1 or newer.previous is not None):
        raise broken(path, "the record before it is not there")


def broken(path: str, why: str) -> CannotOpen:
    """The error for records of which one was lost, added or edited."""
    return CannotOpen(f"the records of this clone do not fit together at {path}: {why}", hint=MEND)


def _read(file: RecordFile) -> Signed:
    """A record whose name fits it. Raises CannotOpen, whatever stands there."""
    try:
        found = read(file.data)
    except RecordUnreadable as error:
        raise broken(file.path, error.message) from None
    if file.name != file_name(found.body.sequence, found.body.run):
        raise broken(file.path, "it is named for another record")
    return found


def _check_follows(file: RecordFile, older: Body, newer: Body) -> None:
    if older.sequence == newer.sequence:
        raise broken(file.path, f"there is another record {newer.sequence}")
    if older.sequence != newer.sequence - 1:
        raise broken(file.path, f"record {newer.sequence - 1} is not there")
    if newer.previous != digest(file.data):
        raise broken(file.path, f"record {newer.sequence} follows another")


def _told(body: Body) -> tuple[dict[str, Expected | None], dict[str, str]]:
    """What a record says of each artifact that it gave or took, the last word counts; and which tokens it
    renamed, from their new names to their old ones.
    """
    told = {one.name: _expected(one) for one in body.done if one.action in ("delete", *SEALS)}
    return told, {one.name: one.previously for one in body.done if one.previously is not None}


def _expected(change: Change) -> Expected | None:
    """What stands at the place of an artifact; None where it was deleted, or its owner brought the key."""
    if change.action not in SEALS or change.artifact is None:
        return None
    return Expected(Header(change.kind, change.token or "", change.generation), change.artifact.contents)
