"""Watching a SQLite file: SQLite counts, for each connection, what all the others commit."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Event
from time import monotonic

from reconciler.live.engine import Identity, file_uri, identity
from reconciler.live.faults import unusable, what_it_said
from reconciler.live.watching import Waiting

LOOK_SECONDS = 0.02
"""How often it looks: two reads of shared memory and a `stat`."""

BUSY_SECONDS = 1
"""How long a look waits where somebody has the whole file locked."""


class SqliteWatch(Waiting):
    """Looks fifty times a second whether the file changed, or another one has its name."""

    def __init__(self, file: Path, shown: str) -> None:
        super().__init__(shown)
        self._file = file
        self._bell = Event()
        self._connection: sqlite3.Connection | None = None
        self._identity: Identity = None
        self._version = 0
        self._changed()

    def _wait(self, seconds: float) -> bool:
        deadline = monotonic() + seconds
        while not self._changed():
            left = deadline - monotonic()
            if left <= 0:
                return False
            if self._bell.wait(min(left, LOOK_SECONDS)):
                break
        self._bell.clear()
        return True

    def _changed(self) -> bool:
        """Whether it is not what it was at the last look. Raises StoreUnreadable; then the next finds out."""
        try:
            return self._look()
        except (sqlite3.Error, OSError) as error:
            self._let_go()
            raise unusable(what_it_said(error), self._shown) from error

    def _look(self) -> bool:
        # Asked for before the file is opened: one that is replaced in between is opened once more, later.
        there = identity(self._file)
        if self._connection is None or there != self._identity:
            self._let_go()
            self._connection = sqlite3.connect(
                f"{file_uri(self._file)}?mode=ro", uri=True, timeout=BUSY_SECONDS, check_same_thread=False
            )
            self._identity, self._version = there, _version(self._connection)
            return True
        before, self._version = self._version, _version(self._connection)
        return before != self._version

    def _ring(self) -> None:
        self._bell.set()

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _version(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("PRAGMA data_version").fetchone()
    return int(found)
