"""Follows a live store: keeps a book of it in memory, and knows how long ago the store last answered."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from threading import Event, Thread
from typing import TypeAlias

from reconciler.errors import ReconcilerError, StoreUnreadable
from reconciler.live.interface import LiveStore, Watch
from reconciler.verify.book import Book
from reconciler.verify.interface import Freshness

CHECK_SECONDS = 1.0
"""How often the store is asked where nothing tells of a change: the bound where a notice is lost."""
RETRY_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Waits between tries to reach a store that is lost; the last one for all further tries."""

OpenStore: TypeAlias = Callable[[], LiveStore]
Monotonic: TypeAlias = Callable[[], float]
"""Seconds on a clock that nobody sets."""


class Follower:
    """One thread that reads what changed whenever something did.

    A book is replaced as a whole: whoever took it sees one revision. Where the store is lost, the last book
    stays, and `age` grows.
    """

    def __init__(self, open_store: OpenStore, monotonic: Monotonic) -> None:
        self.book = Book()
        self._open_store = open_store
        self._monotonic = monotonic
        self._store_id: str | None = None
        self._mark: str | None = None
        """Who made the book's revision."""
        self._answered_at: float | None = None
        self._why = "the live store was not read yet"
        self._watch: Watch | None = None
        self._stopping = Event()
        self._tried = Event()
        self._thread = Thread(target=self._run, name="reconciler-follower", daemon=True)

    def start(self) -> None:
        """Begins to follow, and waits until the store was read or could not be."""
        self._thread.start()
        self._tried.wait()

    def stop(self) -> None:
        """Ends the thread. What was read stays."""
        self._stopping.set()
        if (watch := self._watch) is not None:
            watch.wake()
        if self._thread.is_alive():
            self._thread.join()

    def age(self) -> float:
        """Seconds since a read of the store that went well began; infinite where none did."""
        return float("inf") if self._answered_at is None else self._monotonic() - self._answered_at

    def freshness(self, max_stale: float) -> Freshness:
        """How well the book is known to be true. `max_stale` is in seconds."""
        age, book = self.age(), self.book
        ready = age <= max_stale and not self._stopping.is_set()
        return Freshness(ready, book.revision, book.live, age, "" if ready else self._why)

    def _run(self) -> None:
        failed = 0
        while not self._stopping.is_set():
            try:
                with closing(self._open_store()) as store, closing(store.watch()) as watch:
                    self._watch = watch
                    self._start_over(store)
                    failed = 0
                    self._tried.set()
                    self._keep_fresh(store, watch)
            except ReconcilerError as error:
                self._why = f"{error}; {error.hint}" if error.hint else str(error)
            except Exception as error:  # noqa: BLE001 - whatever it was, a later try may go well
                self._why = f"the live store cannot be followed: {type(error).__name__}"
            self._tried.set()
            self._stopping.wait(RETRY_SECONDS[min(failed, len(RETRY_SECONDS) - 1)])
            failed += 1

    def _keep_fresh(self, store: LiveStore, watch: Watch) -> None:
        while not self._stopping.is_set():
            watch.wait(CHECK_SECONDS)
            if not self._stopping.is_set():
                self._refresh(store)

    def _refresh(self, store: LiveStore) -> None:
        """Reads what changed since the book's revision; all, where the store is another or went back."""
        began = self._monotonic()
        found = store.since(self.book.revision)
        other = found.store_id != self._store_id or found.mark_before != self._mark
        if other or found.revision < self.book.revision:
            self._start_over(store)
            return
        if found.revision != self.book.revision:
            book = self.book.changed(found.tokens, found.revision)
            if book.live != found.token_count:
                self._start_over(store)
                return
            self.book, self._mark = book, found.mark
        self._answered_at = began

    def _start_over(self, store: LiveStore) -> None:
        """Reads all: what is true after a break may be another store's truth."""
        began = self._monotonic()
        found = store.since(0)
        if not found.store_id:
            raise StoreUnreadable(
                f"there is no live store at {store.url} yet", hint="run reconcile apply first"
            )
        if not found.revision:
            raise StoreUnreadable(
                f"the live store {store.url} has no workspace of this name",
                hint="see that the name is right, or run reconcile apply first",
            )
        self.book = self.book.restarted(found.tokens, found.revision)
        self._store_id, self._mark, self._answered_at = found.store_id, found.mark, began
