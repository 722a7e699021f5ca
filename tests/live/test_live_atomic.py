"""A batch happens or does not, wherever it is broken off; and two processes are one too many."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, event

from reconciler.errors import LeaseLost, StoreLocked
from reconciler.live.interface import Batch, Finish, LiveStore
from reconciler.live.sql import SqlStore
from tests.live.values import (
    NOW,
    Opener,
    deleted,
    everything,
    intent,
    lease_of,
    put,
    record,
    run,
    token,
    write,
)


class BrokenError(Exception):
    """What the test breaks a statement with."""


def engine_of(store: LiveStore) -> Engine:
    assert isinstance(store, SqlStore)
    return store._engines.writer


@contextmanager
def breaking(store: LiveStore, at: int) -> Iterator[list[str]]:
    """Breaks the statement number `at` (from 0) after it ran; gives all that ran."""
    ran: list[str] = []

    def after(*arguments: object) -> None:
        ran.append(str(arguments[2]))
        if len(ran) == at + 1:
            raise BrokenError

    engine = engine_of(store)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield ran
    finally:
        event.remove(engine, "after_cursor_execute", after)


BIG = Batch(
    tokens=[token("a", "id-b"), deleted("b", "id-a"), token("c")],
    journal=[intent(2, token("d")), intent(3, None)],
    finish=Finish("run-1", frozenset({1})),
    record=record(2),
    published=[1, 2],
)


def prepared(store: LiveStore) -> None:
    entries = [intent(0, token("x")), intent(1, token("y"))]
    write(
        store,
        Batch(begin=run(), tokens=[token("a"), token("b")], journal=entries, record=record(1)),
    )


def test_a_batch_is_all_or_nothing(store: LiveStore) -> None:
    """Broken after any of its statements, it leaves no trace; then it goes through whole."""
    prepared(store)
    lease = lease_of(store)
    before = everything(store)
    statements = 0
    while True:
        with breaking(store, statements) as ran:
            try:
                store.commit(lease, BIG)
                break
            except BrokenError:
                pass
        assert everything(store) == before
        assert store.tombstones("b") == ()
        statements += 1
    assert statements == len(ran) > 15
    assert store.state().revision == 2
    assert [each.name for each in store.tokens()] == ["a", "c", "d", "x"]
    assert store.state().unpublished == ()


RACER = """
import sys
from reconciler.errors import StoreLocked
from reconciler.live.opening import open_store
print("ready", flush=True)
sys.stdin.readline()
store = open_store(sys.argv[1], "acme")
try:
    store.acquire(sys.argv[2], "run", 1_800_000_000, 300)
    print("won")
except StoreLocked:
    print("locked")
print(store.state().store_id)
store.close()
"""


def race(url: str) -> list[list[str]]:
    """What two processes say that open a store and take the lease at the same time."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", RACER, url, f"racer-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return [racer.communicate()[0].split() for racer in racers]


def test_two_processes_race_for_the_lease(url: str) -> None:
    """Exactly one gets it."""
    assert sorted(said[0] for said in race(url)) == ["locked", "won"]


def test_two_processes_make_the_store_at_once(new_url: str, opener: Opener) -> None:
    """One store comes of it, and exactly one lease."""
    said = race(new_url)
    assert sorted(each[0] for each in said) == ["locked", "won"]
    assert {each[1] for each in said} == {opener(new_url).state().store_id}


def test_threads_race_for_the_lease(store: LiveStore) -> None:
    """Over and over; a release in between lets the next one win."""
    for turn in range(5):
        barrier = Barrier(4)
        won: list[int] = []

        def compete(barrier: Barrier = barrier, won: list[int] = won) -> None:
            barrier.wait()
            with suppress(StoreLocked):
                won.append(store.acquire("x", "run", NOW, 300).fence)

        threads = [Thread(target=compete) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won == [turn + 1]
        lease = store.state().lease
        assert lease is not None
        store.release(lease)


def test_a_takeover_waits_for_a_commit_under_way(url: str, opener: Opener) -> None:
    """Commits of an old holder and takeovers interleave so that each commit is whole or refused."""
    old, new = opener(url), opener(url)
    lease = lease_of(old)
    done: list[str] = []

    def commit_until_lost() -> None:
        try:
            for number in range(1000):
                old.commit(lease, Batch(tokens=[token(f"t{number}")]))
                done.append("commit")
        except LeaseLost:
            done.append("lost")

    thread = Thread(target=commit_until_lost)
    thread.start()
    lease_of(new, "laptop", lease.expires_at)
    seen = new.state().revision
    thread.join()
    assert done[-1] == "lost"
    assert new.state().revision == seen == len(done) - 1 == len(list(new.tokens()))


@pytest.mark.parametrize("at", range(4))
def test_a_lease_is_taken_whole_or_not(store: LiveStore, at: int) -> None:
    """Broken after any of its statements, acquiring leaves the lease free."""
    with breaking(store, at) as ran:
        try:
            store.acquire("x", "run", NOW, 300)
        except BrokenError:
            assert store.state().lease is None
        else:
            assert len(ran) <= at
    put_after = store.state().lease
    if put_after is not None:
        store.release(put_after)
    assert put(store, token("a")) == 1
