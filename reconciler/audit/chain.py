"""The records of a clone, read in their order. What does not fit together tells nothing that is believed."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.errors import CannotOpen, RecordUnreadable
from reconciler.records.body import Body
from reconciler.records.chain import FILE_NAME, RecordFile, chained

PROVE = "see what is wrong with: reconcile audit verify; restore the records from git, or ask with --declared"


def bodies(files: Iterable[RecordFile]) -> list[Body]:
    """What records say, from the first to the last. Raises RecordUnreadable, naming the file that does not
    fit: one that is no record, is named for another, is missing, or is not the one that the next follows.
    """
    newest_first = sorted(files, key=lambda file: (_sequence(file), file.path), reverse=True)
    try:
        return list(chained(newest_first))[::-1]
    except CannotOpen as error:
        raise RecordUnreadable(error.message, hint=PROVE) from None


def _sequence(file: RecordFile) -> int:
    named = FILE_NAME.fullmatch(file.path.rpartition("/")[2])
    return 0 if named is None else int(named[1])
