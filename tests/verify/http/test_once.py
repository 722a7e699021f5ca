"""What is good for one use: asked of the store in time, or not at all."""

from __future__ import annotations

import asyncio

from reconciler.verify.http.once import Once, Use, ticket


class Memory:
    """A store that says that nobody asked before."""

    def __init__(self) -> None:
        self.asked = 0

    def first_use(self, digest: str, expires_at: int, now: int) -> bool:
        del digest, expires_at, now
        self.asked += 1
        return True

    def close(self) -> None:
        pass


def test_what_is_past_by_the_time_that_the_store_would_be_asked_is_used() -> None:
    """Its check was in its last second; the store may have forgotten it since."""
    memory = Memory()
    once = Once(lambda: memory, lambda: 100.0)
    assert asyncio.run(once.use(ticket("t", "j", 100))) is Use.AGAIN
    assert memory.asked == 0
    assert asyncio.run(once.use(ticket("t", "j", 101))) is Use.FIRST
    once.close()
