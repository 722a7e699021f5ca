"""Breaks any effect of an apply: before it happens, after it happened, or by dying there."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import PurePosixPath
from typing import ParamSpec, TypeVar

import pytest

from reconciler.apply.interface import Ports, Publication, Published
from reconciler.artifacts.interface import Parcel, Recipients, Sealer
from reconciler.errors import PublishFailed, SealFailed, StoreUnreadable
from reconciler.live.interface import (
    Batch,
    Holder,
    Intent,
    Lease,
    LiveStore,
    LiveToken,
    Record,
    Since,
    Watch,
    Workspace,
)
from reconciler.records.envelope import Signed
from reconciler.records.making import Signatures

P = ParamSpec("P")
R = TypeVar("R")

DIED = 9
SYSTEM = ("fsync", "replace", "unlink", "mkdir", "rmdir")
"""What `os` does to a disk."""


class How(Enum):
    """What goes wrong at the n-th effect."""

    BEFORE = "it fails, and did not happen"
    AFTER = "it fails, and did happen"
    DEATH = "the process dies instead"
    INTERRUPT = "somebody presses Ctrl-C"


@dataclass
class Fuse:
    """Counts effects, and blows at the n-th."""

    at: int
    how: How
    seen: int = 0
    blown: str | None = None
    """The effect that it blew at."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def through(
        self, name: str, error: Callable[[], BaseException], effect: Callable[P, R]
    ) -> Callable[P, R]:
        """The effect, which may blow."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._lock:
                self.seen += 1
                now = self.seen == self.at
                self.blown = name if now else self.blown
            if now and self.how is How.DEATH:
                os._exit(DIED)
            if now and self.how is How.BEFORE:
                raise error()
            result = effect(*args, **kwargs)
            if now and self.how is How.AFTER:
                raise error()
            if now and threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt
            return result

        return guarded

    def wrapped(self, ports: Ports) -> Ports:
        """Ports of which every one may blow."""
        return replace(
            ports,
            store=BreakingStore(ports.store, self),
            sealer=BreakingSealer(ports.sealer, self),
            publisher=BreakingPublisher(ports, self),
            seal_for_verifier=self.through("seal_for_verifier", _unsealed, ports.seal_for_verifier),
            entropy=self.through("entropy", _no_disk, ports.entropy),
            signer=BreakingSigner(ports, self),
        )

    def only_seal(self, ports: Ports) -> Ports:
        """Ports of which only the sealer may blow."""
        return replace(ports, sealer=BreakingSealer(ports.sealer, self))

    def only_stage(self, ports: Ports) -> Ports:
        """Ports of which only staging may blow, as on a full disk: that ends a run."""
        return replace(ports, publisher=_BreakingStage(ports, self))


class BrokenFor:
    """A sealer that seals for all tokens but those named, as when a key server is down."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: list[str] = []

    def __call__(self, ports: Ports) -> Ports:
        self._sealer = ports.sealer
        return replace(ports, sealer=self)

    def recipients(self, path: str) -> Recipients:
        return self._sealer.recipients(path)

    def seal(self, parcel: Parcel) -> bytes:
        name = PurePosixPath(parcel.path).stem
        self.asked.append(name)
        if name in self.names:
            raise SealFailed(f"the key server of {name} is down", hint="start it")
        return self._sealer.seal(parcel)


def _unsealed() -> SealFailed:
    return SealFailed("broken here")


def _no_disk() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _store_gone() -> StoreUnreadable:
    return StoreUnreadable("broken here")


def _unpublished() -> PublishFailed:
    return PublishFailed("broken here")


@contextmanager
def breaking_system(fuse: Fuse) -> Iterator[None]:
    """What `os` does to the disk may blow too, while the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in SYSTEM:
            patch.setattr(os, name, fuse.through(f"os.{name}", _no_disk, getattr(os, name)))
        yield


class BreakingStore(LiveStore):
    """A live store of which every call may blow; a read may also break off at its end."""

    def __init__(self, store: LiveStore, fuse: Fuse) -> None:
        self.url = store.url
        self._store, self._fuse = store, fuse

    def _do(self, name: str, effect: Callable[P, R]) -> Callable[P, R]:
        return self._fuse.through(f"store.{name}", _store_gone, effect)

    def _read(self, name: str, items: Iterator[R]) -> Iterator[R]:
        self._do(f"{name} begins", lambda: None)()
        yield from items
        self._do(f"{name} ends", lambda: None)()

    def workspaces(self) -> Sequence[str]:
        return self._store.workspaces()

    def state(self) -> Workspace:
        return self._do("state", self._store.state)()

    def tokens(self) -> Iterator[LiveToken]:
        return self._read("tokens", self._store.tokens())

    def token(self, name: str) -> LiveToken | None:
        return self._do("token", self._store.token)(name)

    def tombstones(self, name: str) -> Sequence[LiveToken]:
        return self._store.tombstones(name)

    def token_by_id(self, token_id: str) -> LiveToken | None:
        return self._store.token_by_id(token_id)

    def graveyard(self) -> Iterator[LiveToken]:
        return self._store.graveyard()

    def holders(self, public_keys: Collection[str]) -> Sequence[Holder]:
        return self._do("holders", self._store.holders)(public_keys)

    def since(self, revision: int) -> Since:
        return self._store.since(revision)

    def watch(self) -> Watch:
        return self._store.watch()

    def first_use(self, digest: str, expires_at: int, now: int) -> bool:
        return self._store.first_use(digest, expires_at, now)

    def intents(self) -> Iterator[Intent]:
        return self._read("intents", self._store.intents())

    def records(self) -> Iterator[Record]:
        return self._store.records()

    def records_of(self, plan_digest: str) -> Sequence[Record]:
        return self._store.records_of(plan_digest)

    def acquire(self, holder: str, run: str, now: int, ttl: int) -> Lease:
        return self._do("acquire", self._store.acquire)(holder, run, now, ttl)

    def renew(self, lease: Lease, now: int, ttl: int) -> Lease:
        return self._store.renew(lease, now, ttl)

    def release(self, lease: Lease) -> None:
        self._do("release", self._store.release)(lease)

    def commit(self, lease: Lease, batch: Batch) -> int:
        return self._do("commit", self._store.commit)(lease, batch)

    def close(self) -> None:
        self._store.close()


class BreakingSealer:
    """A sealer that may blow."""

    def __init__(self, sealer: Sealer, fuse: Fuse) -> None:
        self._sealer, self._fuse = sealer, fuse

    def recipients(self, path: str) -> Recipients:
        return self._sealer.recipients(path)

    def seal(self, parcel: Parcel) -> bytes:
        return self._fuse.through("seal", _unsealed, self._sealer.seal)(parcel)


class BreakingPublisher:
    """A publisher that may blow."""

    def __init__(self, ports: Ports, fuse: Fuse) -> None:
        self._publisher, self._fuse = ports.publisher, fuse

    def ready(self) -> None:
        self._publisher.ready()

    def stage(self, run: str, path: str, data: bytes) -> None:
        self._fuse.through("stage", _unpublished, self._publisher.stage)(run, path, data)

    def take(self, path: str) -> bytes | None:
        return self._fuse.through("take", _unpublished, self._publisher.take)(path)

    def publish(self, publication: Publication) -> Published | None:
        return self._fuse.through("publish", _unpublished, self._publisher.publish)(publication)

    def record(self, name: str) -> bytes | None:
        return self._fuse.through("record", _unpublished, self._publisher.record)(name)

    def fence(self, run: str) -> None:
        self._fuse.through("fence", _unpublished, self._publisher.fence)(run)

    def published(self, path: str) -> str | None:
        return self._fuse.through("published", _unpublished, self._publisher.published)(path)

    def discard(self) -> None:
        self._fuse.through("discard", _unpublished, self._publisher.discard)()


class _BreakingStage(BreakingPublisher):
    """A publisher that may blow where an artifact is staged."""

    def take(self, path: str) -> bytes | None:
        return self._publisher.take(path)

    def publish(self, publication: Publication) -> Published | None:
        return self._publisher.publish(publication)

    def record(self, name: str) -> bytes | None:
        return self._publisher.record(name)

    def fence(self, run: str) -> None:
        self._publisher.fence(run)

    def published(self, path: str) -> str | None:
        return self._publisher.published(path)

    def discard(self) -> None:
        self._publisher.discard()


class BreakingSigner:
    """A signer that may blow, and not as one of our errors."""

    def __init__(self, ports: Ports, fuse: Fuse) -> None:
        self._signer, self._fuse = ports.signer, fuse

    def ready(self) -> None:
        self._fuse.through("ready", RuntimeError, self._signer.ready)()

    def sign(self, payload: bytes) -> Signatures:
        return self._fuse.through("sign", RuntimeError, self._signer.sign)(payload)

    def accepts(self, signed: Signed) -> bool:
        return self._signer.accepts(signed)
