"""The records of a clone, read in their order. What does not fit together tells nothing that is believed."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.audit.record import FILE_NAME, RecordFile
from reconciler.canonical import digest
from reconciler.errors import RecordUnreadable
from reconciler.records.body import Body
from reconciler.records.envelope import read

PROVE = "see what is wrong with: reconcile audit verify; restore the records from git, or ask with --declared"


def bodies(files: Iterable[RecordFile]) -> list[Body]:
    """What records say, from the first to the last. Raises RecordUnreadable, naming the file that does not
    fit: one that is no record, is named for another, is missing, or is not the one that the next follows.
    """
    found: list[Body] = []
    before: str | None = None
    for file in sorted(files, key=lambda one: one.path):
        body = _body(file)
        if body.sequence != len(found) + 1:
            raise _broken(file.path, f"record {len(found) + 1} is not there")
        if body.previous != before:
            raise _broken(file.path, "it follows another record than the one before it")
        found.append(body)
        before = digest(file.data)
    return found


def _body(file: RecordFile) -> Body:
    named = FILE_NAME.fullmatch(file.path.rpartition("/")[2])
    if named is None:
        raise _broken(file.path, "a record is not called so")
    try:
        body = read(file.data).body
    except RecordUnreadable as error:
        raise _broken(file.path, error.message) from None
    if (int(named[1]), named[2]) != (body.sequence, body.run):
        raise _broken(file.path, "it is named for another record")
    return body


def _broken(path: str, why: str) -> RecordUnreadable:
    return RecordUnreadable(f"the records do not fit together at {path}: {why}", hint=PROVE)
