"""The lease around an apply: kept alive, taken from the dead, and lost only to be noticed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.apply import lease as leases
from reconciler.apply.lease import Waiting, held, holder, is_dead
from reconciler.errors import LeaseLost, StoreError, StoreLocked, StoreUnreadable
from reconciler.live.empty import EmptyStore
from reconciler.live.interface import Batch, Lease, LiveStore, Run
from reconciler.live.opening import open_store
from tests.apply.kit import T0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LiveStore]:
    made = open_store(f"sqlite:///{tmp_path}/live.db", "acme")
    yield made
    made.close()


def waiting(patience: int = 0, ttl: int = 300, clock: list[int] | None = None) -> Waiting:
    """A clock that each sleep moves on by its seconds."""
    times = clock or [T0]

    def sleep(seconds: float) -> None:
        times[0] += int(seconds)

    return Waiting(lambda: times[0], patience, sleep, holder(), ttl)


def dead_pid() -> int:
    """A process that has ended, and whose end was taken note of."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def named(pid: int, started: int | None = None, machine: str | None = None) -> str:
    """As `holder` names another process."""
    own = leases.HOLDER.fullmatch(holder())
    assert own is not None
    return f"host pid {pid} #{machine or own['machine']}.{started if started is not None else own['started']}"


def test_the_lease_is_held_inside_and_free_after(store: LiveStore) -> None:
    """Also when the block raises."""
    with held(store, "run-1", waiting()) as lease:
        assert store.state().lease == lease
        assert lease.run == "run-1"
    assert store.state().lease is None
    with pytest.raises(ZeroDivisionError), held(store, "run-1", waiting()):
        raise ZeroDivisionError
    assert store.state().lease is None


class Heartbeats(EmptyStore):
    """A store that answers each renewal as the test wants."""

    def __init__(self, answers: list[StoreError | None]) -> None:
        super().__init__("test")
        self.answers = answers
        self.all_given = threading.Event()
        self.released: list[Lease] = []

    def acquire(self, holder: str, run: str, now: int, ttl: int) -> Lease:
        return Lease("acme", holder, run, 1, now, now + ttl)

    def renew(self, lease: Lease, _: int, __: int) -> Lease:
        answer = self.answers.pop(0) if self.answers else None
        if not self.answers:
            self.all_given.set()
        if answer is not None:
            raise answer
        return lease

    def release(self, lease: Lease) -> None:
        self.released.append(lease)
        raise StoreUnreadable("gone")


def test_the_lease_is_renewed_in_the_background() -> None:
    """Over an outage of the store; and a release that fails costs nothing: a lease ends by itself."""
    store = Heartbeats([None, StoreUnreadable("for a moment"), None])
    with held(store, "run-1", waiting(ttl=0)) as lease:
        assert store.all_given.wait(30)
    assert store.released == [lease]


def test_a_lost_lease_is_renewed_no_more() -> None:
    """The thread ends; the next commit tells the run."""
    store = Heartbeats([LeaseLost("gone")])
    with held(store, "run-1", waiting(ttl=0)):
        assert store.all_given.wait(30)
        beat = [one for one in threading.enumerate() if one.name == "lease"]
        for one in beat:
            one.join(30)
        assert not any(one.is_alive() for one in beat)


def test_a_commit_under_a_lost_lease_is_refused(store: LiveStore) -> None:
    """Somebody took over after the end of the lease: the one before may write no more."""
    with held(store, "run-1", waiting(ttl=10)) as lease:
        other = store.acquire("other", "run-2", T0 + 11, 300)
        with pytest.raises(LeaseLost):
            store.commit(lease, Batch(begin=Run("run-1", "", T0, "me", None)))
        assert store.state().lease == other
    assert store.state().lease == other


def test_without_patience_a_held_lease_is_an_error_at_once(store: LiveStore) -> None:
    """And it names the holder."""
    store.acquire("ci-runner-7", "run-1", T0, 300)
    with pytest.raises(StoreLocked, match="ci-runner-7"), held(store, "run-2", waiting()):
        raise AssertionError


def test_with_patience_one_waits(store: LiveStore) -> None:
    """Until the other's lease ends, or until the patience does."""
    store.acquire("ci-runner-7", "run-1", T0, 60)
    clock = [T0]
    with held(store, "run-2", waiting(patience=120, clock=clock)):
        assert clock[0] == T0 + 60
    store.acquire("ci-runner-7", "run-1", clock[0], 600)
    start = clock[0]
    with pytest.raises(StoreLocked), held(store, "run-2", waiting(patience=30, clock=clock)):
        raise AssertionError
    assert clock[0] == start + 30


def test_the_lease_of_a_dead_process_is_taken_over_at_once(store: LiveStore) -> None:
    """No waiting, and a higher fencing number."""
    dead = store.acquire(named(dead_pid()), "run-1", T0, 300)
    with held(store, "run-2", waiting()) as lease:
        assert lease.fence > dead.fence


def test_a_store_that_is_busy_while_one_looks_is_waited_for(
    store: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A locked database is no reason to fail before the patience ends."""
    store.acquire("other", "run-1", T0, 5)

    def busy() -> None:
        raise StoreLocked("busy")

    monkeypatch.setattr(store, "state", busy)
    with held(store, "run-2", waiting(patience=10)) as lease:
        assert lease.fence == 2


def test_this_process_is_not_dead() -> None:
    """Its own name says so."""
    assert not is_dead(holder())


def test_a_process_that_is_gone_is_dead() -> None:
    """Its number belongs to nobody."""
    assert is_dead(named(dead_pid()))


def test_a_number_that_was_given_to_another_process_is_dead() -> None:
    """The start differs."""
    assert is_dead(named(os.getpid(), started=1))


def test_a_process_that_ended_and_was_not_waited_for_is_dead() -> None:
    """In a container nobody may take note of an end."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = leases._started(child.pid)
    name = named(child.pid, started)
    assert not is_dead(name)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    try:
        assert is_dead(name)
    finally:
        child.communicate()


def test_a_number_that_no_process_can_have_is_dead() -> None:
    """Not a crash."""
    assert is_dead(named(10**30))


@pytest.mark.parametrize("name", ["", "ci-runner-7", "host pid 1", "host pid 1 #zz.1"])
def test_a_name_that_says_nothing_is_not_taken_for_dead(name: str) -> None:
    """Another tool, or another version, may have written it."""
    assert not is_dead(name)


def test_on_another_machine_nothing_is_known() -> None:
    """Not even of a number that is free here."""
    assert not is_dead(named(dead_pid(), machine="0123abcd"))


def test_without_a_start_nothing_is_known() -> None:
    """A machine without /proc writes 0."""
    assert not is_dead(named(dead_pid(), started=0))


def test_a_process_that_is_hidden_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs as somebody else: it may not be signalled, and its start cannot be read."""
    name = named(1, started=5)

    def forbidden(_: int, __: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    monkeypatch.setattr(leases, "_stat", lambda _: None)
    assert not is_dead(name)


def test_a_machine_without_proc_has_a_name_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """And claims nothing that could be taken for knowledge."""

    def nothing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", nothing)
    name = holder()
    assert name.endswith(" #00000000.0")
    assert not is_dead(name)
