"""The records of a clone, read in their order. What does not fit together tells nothing that is believed, and
neither does what is not signed where each is to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.audit.clocks import in_time, odd
from reconciler.errors import CannotOpen, RecordUnreadable
from reconciler.git.logs import LATEST
from reconciler.plan.change import Action
from reconciler.records.body import Body, Change
from reconciler.records.chain import FILE_NAME, RecordFile, linked
from reconciler.records.envelope import Signed
from reconciler.records.keys import PublicKey, signed_by

TAKING = (Action.DELETE, Action.RETIRE)
PROVE = "see what is wrong with: reconcile audit verify; restore the records from git, or ask with --declared"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a record says, and where it stands."""

    path: str
    body: Body
    at: int
    """When its run counts as made, in epoch seconds, whatever clock that read."""
    gave_at: int
    """When what it gave counts as live: later, where the run died and another settled it."""

    def when(self, change: Change) -> int:
        """When one of its changes took effect, in epoch seconds: what takes access away waits for nobody."""
        return self.at if change.action in TAKING else self.gave_at


def in_order(
    files: Iterable[RecordFile], keys: Sequence[PublicKey] | None = None, now: int = LATEST
) -> list[Recorded]:
    """Records from the first to the last. With `keys`, each is to be signed by one of these. No run was made
    later than `now`.

    Raises RecordUnreadable, naming the file that does not fit: one that is no record, is named for another,
    is missing, is not the one that the next follows, or is not signed so.
    """
    newest_first = sorted(files, key=lambda file: (_sequence(file), file.path), reverse=True)
    try:
        found = list(zip(newest_first, linked(newest_first), strict=True))[::-1]
    except CannotOpen as error:
        raise RecordUnreadable(error.message, hint=PROVE) from None
    if keys is not None:
        for file, signed in found:
            _check_signed(file, signed, keys)
    times = in_time([signed.body.at for _, signed in found], now)
    return [
        Recorded(file.path, signed.body, at, min(max(at, signed.body.gave_at), later))
        for (file, signed), at, later in zip(found, times, [*times, now][1:], strict=True)
    ]


def odd_times(records: Iterable[Recorded]) -> Iterator[str]:
    """What records say of their time that cannot be, for a reader."""
    ahead, back = list[str](), list[str]()
    for one in records:
        if one.body.at != one.at:
            (ahead if one.body.at > one.at else back).append(str(one.body.sequence))
    return odd("record", ahead, back)


def _check_signed(file: RecordFile, signed: Signed, keys: Sequence[PublicKey]) -> None:
    if signed_by(signed, keys) is not None:
        return
    why = "by none of the keys in spec.audit.keys" if signed.signatures else "by nobody"
    raise RecordUnreadable(f"{file.path} is signed {why}, and spec.audit.records is signed", hint=PROVE)


def _sequence(file: RecordFile) -> int:
    named = FILE_NAME.fullmatch(file.name)
    return 0 if named is None else int(named[1])
