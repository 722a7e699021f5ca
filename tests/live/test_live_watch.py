"""Watching a store: a commit ends the wait, and so does whoever wakes or closes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread, Timer
from time import monotonic

import pytest

from reconciler.errors import StoreError, StoreUnreadable
from reconciler.live.empty import EmptyStore
from reconciler.live.interface import Batch, LiveStore, Watch
from tests.live.test_live_since import Follower, by_id
from tests.live.values import NOW, Opener, intent, lease_of, put, token, write

LONG = 60.0
"""Nobody waits this long, unless something is wrong."""
SOON = 20.0
"""Far less than that, and far more than a slow machine takes."""


@contextmanager
def watching(store: LiveStore) -> Iterator[Watch]:
    with closing(store.watch()) as watch:
        yield watch


def ended(watch: Watch) -> bool:
    """What a long wait says that ends soon."""
    start = monotonic()
    said = watch.wait(LONG)
    assert monotonic() - start < SOON
    return said


@contextmanager
def meanwhile(action: Callable[[], object]) -> Iterator[None]:
    """Does something on another thread, a little after the block began."""
    timer = Timer(0.1, action)
    timer.start()
    yield
    timer.join()


def settled(watch: Watch) -> None:
    """Until nothing is new any more."""
    deadline = monotonic() + SOON
    while watch.wait(0.1):
        assert monotonic() < deadline


def test_nothing_happens(store: LiveStore) -> None:
    """The time is over, again and again, also where there is no time at all."""
    with watching(store) as watch:
        settled(watch)
        for seconds in (0.05, 0, -1, 0.05):
            assert not watch.wait(seconds)


def test_a_commit_ends_the_wait(url: str, opener: Opener) -> None:
    """Of another process or of this one; and then what changed is there."""
    reader, writer = opener(url), opener(url)
    with watching(reader) as watch:
        for revision, store in enumerate((writer, reader), start=1):
            settled(watch)
            with meanwhile(lambda store=store: put(store, token("a"))):  # type: ignore[misc]
                while reader.since(revision - 1).revision < revision:
                    assert ended(watch)
        assert reader.since(1).revision == 2


def test_a_commit_before_the_wait_is_not_missed(url: str, opener: Opener) -> None:
    """Between the watch that was made and the first wait, and between two waits."""
    reader, writer = opener(url), opener(url)
    with watching(reader) as watch:
        put(writer, token("a"))
        assert ended(watch)
        settled(watch)
        put(writer, token("b"))
        assert ended(watch)


def test_what_is_not_committed_wakes_nobody(store: LiveStore) -> None:
    """A batch that was refused."""
    put(store, token("a"))
    lease = lease_of(store)
    with watching(store) as watch:
        settled(watch)
        with pytest.raises(StoreError, match="not open"):
            store.commit(lease, Batch(tokens=[token("b")], journal=[intent(0, None)]))
        assert not watch.wait(0.2)


def test_another_workspace(url: str, opener: Opener) -> None:
    """It wakes nobody in PostgreSQL, not with a name that is like ours either; it brings nothing anywhere."""
    mine = opener(url)
    others = [opener(url, name) for name in ("acm", "acme 1", "1 acme", "acme2", "ACME", "工厂")]
    put(mine, token("a"))
    with watching(mine) as watch:
        settled(watch)
        for number, other in enumerate(others):
            put(other, token("b", f"id-{number}"))
        if url.startswith("postgresql"):
            assert not watch.wait(0.2)
        assert mine.since(1).tokens == ()


def test_a_workspace_of_any_name(url: str, opener: Opener) -> None:
    """Spaces and letters of any script are no trouble."""
    for number, name in enumerate(("acme 1", "工厂", " ", "x" * 63)):
        store = opener(url, name)
        with watching(store) as watch:
            settled(watch)
            put(store, token("a", f"id-{number}"))
            assert ended(watch)


def test_somebody_wakes_it(store: LiveStore) -> None:
    """During a wait; before one, however often; and it was one wait that ended."""
    with watching(store) as watch:
        settled(watch)
        with meanwhile(watch.wake):
            assert ended(watch)
        for _ in range(10_000):
            watch.wake()
        assert ended(watch)
        assert not watch.wait(0.05)


def test_somebody_closes_it(store: LiveStore) -> None:
    """The wait ends; there is none after it; and nothing else may come of it."""
    watch = store.watch()
    settled(watch)
    with meanwhile(watch.close):
        assert ended(watch)
    for _ in range(2):
        watch.close()
        watch.wake()
        with pytest.raises(StoreUnreadable, match="any more") as raised:
            watch.wait(LONG)
        assert raised.value.hint
    assert store.url in repr(watch)


def test_closing_lets_the_connection_go(url: str, opener: Opener) -> None:
    """Whoever is the last, the closer or the waiter."""
    store = opener(url)
    for number in range(60):
        watch = store.watch()
        thread = Thread(target=lambda watch=watch: suppressed(watch))
        thread.start()
        if number % 2:
            watch.wake()
        watch.close()
        thread.join(SOON)
        assert not thread.is_alive()
    assert put(store, token("a")) == 1


def suppressed(watch: Watch) -> None:
    with suppress(StoreUnreadable):
        watch.wait(LONG)


WRITER = """
import sys
from reconciler.errors import StoreLocked
from reconciler.live.interface import Batch
from reconciler.live.opening import open_store
from tests.live.values import NOW, deleted, token
me, store = sys.argv[2], open_store(sys.argv[1], "acme")
for number in range(40):
    while True:
        try:
            lease = store.acquire(me, "run", NOW, 300)
            break
        except StoreLocked:
            pass
    gone = [deleted(f"{me}-{number - 1}")] if number % 3 == 2 else []
    store.commit(lease, Batch(tokens=[token(f"{me}-{number}"), *gone]))
    store.release(lease)
store.close()
"""


def test_nothing_is_missed_in_a_storm(url: str, opener: Opener) -> None:
    """Two processes commit as fast as they can; a follower who only reads when he is woken knows all."""
    store = opener(url)
    follower = Follower(store)
    with watching(store) as watch:
        writers = [subprocess.Popen([sys.executable, "-c", WRITER, url, name]) for name in ("one", "two")]
        while follower.revision < 80:
            assert ended(watch)
            follower.follow()
        assert [writer.wait(SOON) for writer in writers] == [0, 0]
        assert follower.tokens == by_id(store.since(0).tokens)
        assert (follower.follow().token_count, follower.follow().tombstone_count) == (54, 26)


def test_a_store_that_was_not_made_yet(tmp_path: Path) -> None:
    """Nobody can see it coming: the time is over, and then somebody may have made it."""
    with watching(EmptyStore(f"sqlite:///{tmp_path}/live.db")) as watch:
        assert watch.wait(0.05)
        with meanwhile(watch.wake):
            assert ended(watch)
    with pytest.raises(StoreUnreadable):
        watch.wait(LONG)


def test_what_a_verifier_writes_brings_nothing(url: str, opener: Opener) -> None:
    """A use that is remembered may wake others (SQLite); nothing changed for them."""
    store = opener(url)
    write(store, Batch(tokens=[token("a")]))
    with watching(opener(url)) as watch:
        settled(watch)
        store.first_use("sha256:1", NOW + 60, NOW)
        assert watch.wait(0.2) == url.startswith("sqlite")
        assert store.since(1).tokens == ()
