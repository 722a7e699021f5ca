"""A load on a server of this machine: so many connections, each of which asks again when it was answered."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop

from tests.benchmarks.measure import MeasurementError, Run

CONNECTIONS = 16
PATIENCE = 300.0
WARMING = 0.2
"""Part of the requests that are not measured: they come first."""
NUMBER = b"%NUMBER%"
"""Stands in a request for a number that is another one each time."""
END = b"\r\n\r\n"
GOOD = b"HTTP/1.1 200 "


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured."""

    run: Run
    """Seconds a request, of the clock and of the server's processor time."""
    p99: float
    """Seconds that the slowest hundredth waited at the least."""


@dataclass
class _Asking:
    """What all connections share."""

    request: bytes
    left: int
    done: asyncio.Future[None]
    waits: list[float] = field(default_factory=list)


class _Client(asyncio.Protocol):
    """One connection. Answers have no body, so an answer is a head."""

    def __init__(self, asking: _Asking) -> None:
        self._asking = asking
        self._transport: asyncio.Transport | None = None
        self._began = 0.0
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not self._got.endswith(END):
            return
        if not self._got.startswith(GOOD):
            self._end(MeasurementError(f"the server answers {self._got[:200]!r}"))
            return
        self._asking.waits.append(time.perf_counter() - self._began)
        self._got = b""
        self._ask()

    def connection_lost(self, _: Exception | None) -> None:
        self._end(MeasurementError("the server closed a connection"))

    def _ask(self) -> None:
        asking = self._asking
        if asking.left <= 0 or self._transport is None:
            self._end(None)
            return
        asking.left -= 1
        self._began = time.perf_counter()
        self._transport.write(asking.request.replace(NUMBER, b"%d" % asking.left))

    def _end(self, error: MeasurementError | None) -> None:
        done = self._asking.done
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        elif len(self._asking.waits) >= CONNECTIONS:
            done.set_result(None)


def load(port: int, pid: int, request: bytes, times: int) -> Load:
    """Sends so many requests and waits for each answer. Raises MeasurementError for one that is not 200."""
    uvloop.run(_asked(port, request, max(CONNECTIONS, round(times * WARMING))))
    began, used = time.perf_counter(), processor_seconds(pid)
    waits = uvloop.run(_asked(port, request, max(CONNECTIONS, times)))
    wall, cpu = time.perf_counter() - began, processor_seconds(pid) - used
    p99 = statistics.quantiles(waits, n=100)[-1]
    return Load(Run(wall / len(waits), max(cpu, 1e-9) / len(waits)), p99)


async def _asked(port: int, request: bytes, times: int) -> list[float]:
    loop = asyncio.get_running_loop()
    asking = _Asking(request, times, loop.create_future())
    clients = [
        (await loop.create_connection(lambda: _Client(asking), "127.0.0.1", port))[0]
        for _ in range(CONNECTIONS)
    ]
    try:
        await asyncio.wait_for(asking.done, PATIENCE)
    except TimeoutError:
        raise MeasurementError("the server does not answer") from None
    finally:
        for client in clients:
            client.close()
    return asking.waits


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
