"""What is good for one use: remembered by the live store, for all verifiers, and never taken on trust."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum

from reconciler.canonical import canonical, digest
from reconciler.errors import ReconcilerError
from reconciler.live.interface import LiveStore

PATIENCE = 5.0
"""Seconds that a request waits for the store."""
MOST_WAITING = 32
"""Requests that wait for the store at once; who comes then is told to come again."""
MOST_OF_ONE = 4
"""Of these, how many with the same token: it alone holds up nobody else."""
RETRY = (b"retry-after", b"1")
"""Sent wherever nobody could tell."""


class Use(Enum):
    """Whether something was used before."""

    FIRST = "first"
    AGAIN = "again"
    UNKNOWN = "unknown"
    """Nobody can tell now: not accepted."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Something that is good for one use."""

    digest: str
    expires_at: int
    """Epoch seconds until which it must be remembered."""
    token_id: str
    """Whose it is; the store is not told."""


def ticket(token_id: str, jti: str, expires_at: int) -> Ticket:
    """Of one signed claim set, by the token that signed it. The store learns neither of the two."""
    return Ticket(digest(canonical(["reconciler/once/v1", token_id, jti])), expires_at, token_id)


@dataclass(slots=True)
class Once:
    """Asks the store, in a thread of its own, so that a slow store holds up nobody else."""

    open: Callable[[], LiveStore]
    clock: Callable[[], float]
    patience: float = PATIENCE
    trouble: str = ""
    """What the store said when it could not be asked last; for the log, which empties it."""
    _memory: LiveStore | None = None
    _waiting: Counter[str] = field(default_factory=Counter)
    """By token."""
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "once"))

    async def use(self, wanted: Ticket) -> Use:
        """Whether this is its first use; not known at once where too many wait for that already."""
        mine = wanted.token_id
        if self._waiting.total() >= MOST_WAITING or self._waiting[mine] >= MOST_OF_ONE:
            return Use.UNKNOWN
        loop = asyncio.get_running_loop()
        self._waiting[mine] += 1
        asked = loop.run_in_executor(self._thread, self._ask, wanted)
        try:
            return await asyncio.wait_for(asked, self.patience)
        except TimeoutError:
            return Use.UNKNOWN
        finally:
            self._waiting -= Counter((mine,))

    def _ask(self, wanted: Ticket) -> Use:
        now = int(self.clock())
        if wanted.expires_at <= now:
            return Use.AGAIN  # its end came while it waited, and what is past need not be remembered
        try:
            if self._memory is None:
                self._memory = self.open()
            first = self._memory.first_use(wanted.digest, wanted.expires_at, now)
        except (ReconcilerError, OSError) as error:
            self.trouble = str(error) if isinstance(error, ReconcilerError) else type(error).__name__
            self._drop()
            return Use.UNKNOWN
        return Use.FIRST if first else Use.AGAIN

    def _drop(self) -> None:
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()

    def close(self) -> None:
        """Lets the store go."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._drop()
