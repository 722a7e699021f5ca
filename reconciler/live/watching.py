"""Waiting for a store to change: what every watch has in common, and the one that sees nothing."""

from __future__ import annotations

from abc import abstractmethod
from threading import Event, Lock
from typing import TYPE_CHECKING

from reconciler.errors import StoreUnreadable
from reconciler.live.interface import Watch

if TYPE_CHECKING:
    from reconciler.live.engine import Engines


class Waiting(Watch):
    """One thread waits; whoever wakes or closes never waits for that thread."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._turn = Lock()
        self._closed = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown!r})"

    def wait(self, seconds: float) -> bool:
        """As `Watch` says."""
        try:
            with self._turn:
                if self._closed:
                    raise StoreUnreadable(
                        f"nobody watches the live store {self._shown} any more", hint="watch it anew"
                    )
                return self._wait(seconds)
        finally:
            self._tidy()

    def wake(self) -> None:
        """As `Watch` says."""
        self._ring()

    def close(self) -> None:
        """As `Watch` says."""
        self._closed = True
        self._ring()
        self._tidy()

    def _tidy(self) -> None:
        """Lets go of everything once it is closed. Of a closer and a waiter, the last one does it."""
        if self._closed and self._turn.acquire(blocking=False):
            try:
                self._let_go()
            finally:
                self._turn.release()

    @abstractmethod
    def _wait(self, seconds: float) -> bool:
        """Waits, in the turn of this thread."""

    @abstractmethod
    def _ring(self) -> None:
        """Wakes whoever waits, or waits next. From any thread, at any time, closed or not."""

    @abstractmethod
    def _let_go(self) -> None:
        """Closes what is open. May come twice."""


class BlindWatch(Waiting):
    """For a store that was not made yet: it cannot be seen, so all that it knows is that time passed."""

    def __init__(self, shown: str) -> None:
        super().__init__(shown)
        self._bell = Event()

    def _wait(self, seconds: float) -> bool:
        self._bell.wait(seconds)
        self._bell.clear()
        return True

    def _ring(self) -> None:
        self._bell.set()

    def _let_go(self) -> None:
        """Nothing is open."""


def open_watch(engines: Engines, shown: str, workspace: str) -> Watch:
    """A watch on the store that the engines are for. Raises StoreUnreadable where it is out of reach."""
    if engines.file is not None:
        from reconciler.live.watching_sqlite import SqliteWatch

        return SqliteWatch(engines.file, shown)
    from reconciler.live.watching_postgres import PostgresWatch

    return PostgresWatch(engines.reader, shown, workspace)
