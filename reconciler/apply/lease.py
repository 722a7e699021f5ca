"""The lease around an apply: taken, kept alive while it runs, and given back."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import LeaseLost, StoreError, StoreLocked
from reconciler.live.interface import Lease, LiveStore

TTL = 300
"""Seconds after which a lease that nobody renews ends by itself."""
HOLDER = re.compile(r".* pid (?P<pid>[0-9]+) #(?P<machine>[0-9a-f]{8})\.(?P<started>[0-9]+)")


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to get the lease: the clock in epoch seconds, how long to wait, and how to sleep."""

    clock: Callable[[], int]
    patience: int
    """Seconds to wait for another holder."""
    sleep: Callable[[float], None]
    holder: str
    ttl: int = TTL


@contextmanager
def held(store: LiveStore, run: str, waiting: Waiting) -> Iterator[Lease]:
    """The lease of the workspace for the length of a block, renewed in the background.

    Raises StoreLocked when somebody else holds it for longer than there is patience.
    """
    lease = _acquired(store, run, waiting)
    ended = threading.Event()
    beat = threading.Thread(target=_renew, args=(store, lease, waiting, ended), name="lease", daemon=True)
    try:
        beat.start()
        yield lease
    finally:
        ended.set()
        if beat.is_alive():
            beat.join()
        _release(store, lease)


def _release(store: LiveStore, lease: Lease) -> None:
    """Gives the lease up. One that cannot be given up ends by itself; what was done is done."""
    with suppress(StoreError):
        store.release(lease)


def _acquired(store: LiveStore, run: str, waiting: Waiting) -> Lease:
    deadline = waiting.clock() + waiting.patience
    while True:
        try:
            return store.acquire(waiting.holder, run, waiting.clock(), waiting.ttl)
        except StoreLocked:
            if _freed(store):
                continue
            if waiting.clock() >= deadline:
                raise
        waiting.sleep(1.0)


def _freed(store: LiveStore) -> bool:
    """Whether the lease was that of a dead process, and is free now."""
    try:
        other = store.state().lease
        if other is None or not is_dead(other.holder):
            return False
        store.release(other)
    except StoreLocked:
        return False
    return True


def _renew(store: LiveStore, lease: Lease, waiting: Waiting, ended: threading.Event) -> None:
    """Renews until the block ends. A lost lease needs no word here: the next commit is refused."""
    while not ended.wait(waiting.ttl / 3):
        try:
            store.renew(lease, waiting.clock(), waiting.ttl)
        except LeaseLost:
            return
        except StoreError:
            continue


def holder() -> str:
    """This process, as the lease names it: host and pid for people, and what tells a dead one."""
    pid = os.getpid()
    return f"{socket.gethostname()} pid {pid} #{_machine()}.{_started(pid) or 0}"


def is_dead(name: str) -> bool:
    """Whether the process that a holder names certainly no longer runs: same machine, and it is gone.

    The fencing number keeps even a wrong answer from doing harm.
    """
    found = HOLDER.fullmatch(name)
    if found is None or found["machine"] != _machine() or found["started"] == "0":
        return False
    pid = int(found["pid"])
    if not _exists(pid):
        return True
    started = _started(pid)
    # Without a start it runs, and belongs to somebody whose processes are hidden from us.
    return started is not None and (started != int(found["started"]) or _is_zombie(pid))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _machine() -> str:
    """This boot of this machine, and this process namespace of it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        space = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return "00000000"
    return hashlib.sha256(f"{boot} {space}".encode()).hexdigest()[:8]


def _started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None where that cannot be told."""
    stat = _stat(pid)
    return None if stat is None else int(stat[19])


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended, every thread of it, and nobody has taken note."""
    stat = _stat(pid)
    return stat is not None and stat[0] in ("Z", "X") and int(stat[17]) <= 1


def _stat(pid: int) -> list[str] | None:
    """The fields of proc_pid_stat(5) from the third on: the second may hold blanks."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()
