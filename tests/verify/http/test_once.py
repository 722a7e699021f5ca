"""What is good for one use: asked of the store in time, or not at all."""

from __future__ import annotations

import asyncio
import threading

from reconciler.live.empty import EmptyStore
from reconciler.verify.http.once import MOST_OF_ONE, MOST_WAITING, Once, Use, ticket


class Memory(EmptyStore):
    """A store that says that nobody asked before, as soon as it goes on."""

    def __init__(self) -> None:
        super().__init__("sqlite:///none")
        self.asked = 0
        self.goes_on = threading.Event()
        self.goes_on.set()

    def first_use(self, digest: str, expires_at: int, now: int) -> bool:
        del digest, expires_at, now
        assert self.goes_on.wait(60)
        self.asked += 1
        return True


def test_what_is_past_by_the_time_that_the_store_would_be_asked_is_used() -> None:
    """Its check was in its last second; the store may have forgotten it since."""
    memory = Memory()
    once = Once(lambda: memory, lambda: 100.0)
    assert asyncio.run(once.use(ticket("t", "j", 100))) is Use.AGAIN
    assert memory.asked == 0
    assert asyncio.run(once.use(ticket("t", "j", 101))) is Use.FIRST
    once.close()


def test_one_token_cannot_hold_up_the_others_and_all_together_wait_no_longer_than_bounded() -> None:
    """One too many is told at once while the store is stuck; what waited is answered when it goes on."""
    memory = Memory()
    once = Once(lambda: memory, lambda: 100.0, patience=60)

    async def asked(token: str, count: int) -> list[asyncio.Task[Use]]:
        found = [asyncio.create_task(once.use(ticket(token, str(n), 900))) for n in range(count)]
        await asyncio.sleep(0)
        return found

    async def main() -> None:
        memory.goes_on.clear()
        greedy = await asked("greedy", 300)
        assert all(one.done() and one.result() is Use.UNKNOWN for one in greedy[MOST_OF_ONE:])
        others = [task for n in range(MOST_WAITING) for task in await asked(f"t{n}", 1)]
        room = MOST_WAITING - MOST_OF_ONE
        assert all(one.done() and one.result() is Use.UNKNOWN for one in others[room:])
        waiting = greedy[:MOST_OF_ONE] + others[:room]
        assert not any(one.done() for one in waiting)
        memory.goes_on.set()
        assert {await one for one in waiting} == {Use.FIRST}
        (again,) = await asked("greedy", 1)
        assert await again is Use.FIRST

    asyncio.run(main())
    assert memory.asked == MOST_WAITING + 1
    once.close()
