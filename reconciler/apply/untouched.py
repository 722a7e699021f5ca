"""Artifacts that look as they did when they were read: their digests are known, and they stay closed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pydantic_core import from_json, to_json

from reconciler.files import Stamp, stamp_of
from reconciler.memo import MOMENT, Memo

ABOUT = "artifacts 1"
"""What stands in the memo: path, stamp and digest of each."""
CHUNK = 5000
"""Artifacts in one chunk of a memo."""
WORTH_KEEPING = 200
"""Artifacts from which on it saves time to keep what they looked like."""


class Untouched:
    """What a memo knows of the files of a work tree. Without a memo, nothing."""

    def __init__(self, root: Path, memo: Memo | None) -> None:
        self._root = root
        self._memo = memo
        self._began = memo.moment() if memo else None
        self._known = dict(_entries(memo)) if memo else {}
        self._seen: dict[str, tuple[Stamp, str]] = {}
        self._again = 0
        """How many of them were known."""

    def stamp(self, path: str) -> Stamp | None:
        """How a file looks now; None where nobody keeps that."""
        return None if self._began is None else stamp_of(f"{self._root}/{path}")

    def has(self, path: str, stamp: Stamp | None, digest: str | None) -> bool:
        """Whether a file that looks so had this digest when it was read."""
        found = stamp is not None and self._known.get(path) == (stamp, digest)
        self._again += found
        return found

    def saw(self, path: str, stamp: Stamp | None, digest: str | None) -> None:
        """A file that looked so before it was read has this digest."""
        if stamp is not None and digest is not None:
            self._seen[path] = (stamp, digest)

    def keep(self) -> None:
        """Keeps what was seen for the next time, where any of it is new."""
        if self._memo is None or self._began is None or len(self._seen) < WORTH_KEEPING:
            return
        if self._again < len(self._seen):
            self._memo.write(_chunks(self._seen, self._began - MOMENT))


def _entries(memo: Memo) -> Iterator[tuple[str, tuple[Stamp, str]]]:
    for chunk in memo.read():
        for path, stamp, digest in from_json(chunk):
            yield path, (Stamp(*stamp), digest)


def _chunks(seen: dict[str, tuple[Stamp, str]], before: int) -> Iterator[bytes]:
    entries = ((path, stamp, digest) for path, (stamp, digest) in seen.items() if stamp.is_older_than(before))
    while part := list(islice(entries, CHUNK)):
        yield to_json(part)
