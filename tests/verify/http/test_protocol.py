"""What a client can hold of a verifier by being slow, or by wanting too much: for so long, and no longer."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from reconciler.verify.http.protocol import LONGEST_HEAD, LONGEST_PIPELINE, REQUEST_SECONDS, Guarded
from reconciler.verify.http.server import MOST_CONNECTIONS, most_connections

SECONDS = 30
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LATE = REQUEST_SECONDS + 1
BIG = 32 * 1024 * 1024


class Bench:
    """One connection to an app whose answers are as long as is said, and come when `go` is set."""

    def __init__(self, length: int) -> None:
        self.length, self.answered = length, 0
        self.go = asyncio.Event()
        self.state = ServerState()
        self.made: list[Guarded] = []

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await self.go.wait()
        headers = [(b"content-length", b"%d" % self.length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"x" * self.length})
        self.answered += 1

    def protocol(self) -> Guarded:
        config = uvicorn.Config(
            self.app, interface="asgi3", lifespan="off", log_config=None, access_log=False
        )
        config.load()
        self.made.append(Guarded(config, self.state, {}))
        return self.made[-1]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not condition():  # noqa: ASYNC110 - what is polled has no event
                await asyncio.sleep(0.005)

    @property
    def gone(self) -> bool:
        """Whether nothing of the connection is left here."""
        return not self.state.connections


def run(act: Callable[[Bench, socket.socket], Awaitable[None]], length: int = 2) -> None:
    """Runs it with one client that is connected."""

    async def main() -> None:
        bench, loop = Bench(length), asyncio.get_running_loop()
        server = await loop.create_server(bench.protocol, "127.0.0.1", 0)
        with socket.socket() as client:
            client.setblocking(False)  # noqa: FBT003 - its name says what
            await loop.sock_connect(client, server.sockets[0].getsockname())
            await bench.until(lambda: not bench.gone)
            await act(bench, client)
        server.close()
        await bench.until(lambda: bench.gone)
        await server.wait_closed()

    asyncio.run(main())


def test_who_says_nothing_or_half_of_it_is_dropped() -> None:
    async def act(bench: Bench, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        (connection,) = bench.made
        bench.go.set()
        await loop.sock_sendall(client, GET)
        await bench.until(lambda: bench.answered == 1)
        connection.drop_if_late(loop.time() + LATE)
        assert not connection.transport.is_closing()  # a whole request came: it may stay
        await loop.sock_sendall(client, GET[:9])
        await bench.until(lambda: connection.since is not None)
        connection.drop_if_late(loop.time() + REQUEST_SECONDS / 2)
        assert not connection.transport.is_closing()
        connection.drop_if_late(loop.time() + LATE)
        await bench.until(lambda: bench.gone)

    run(act)


def test_who_does_not_read_the_answer_is_dropped() -> None:
    """Also where the connection would be closed when all is read, which is never."""

    async def act(bench: Bench, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        (connection,) = bench.made
        bench.go.set()
        await loop.sock_sendall(client, GET)
        await bench.until(lambda: connection.transport.get_write_buffer_size() > 0)
        now = loop.time()
        connection.drop_if_late(now)
        connection.drop_if_late(now + REQUEST_SECONDS / 2)
        connection.transport.close()
        assert not bench.gone
        connection.drop_if_late(now + LATE)
        await bench.until(lambda: bench.gone)

    run(act, BIG)


def test_who_reads_late_and_then_all_of_it_stays() -> None:
    async def act(bench: Bench, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        (connection,) = bench.made
        bench.go.set()
        await loop.sock_sendall(client, GET)
        await bench.until(lambda: connection.transport.get_write_buffer_size() > 0)
        now = loop.time()
        connection.drop_if_late(now)
        got = 0
        while got < BIG:
            got += len(await loop.sock_recv(client, 1_000_000))
        await bench.until(lambda: bench.answered == 1)
        connection.drop_if_late(now + LATE)
        assert not connection.transport.is_closing()

    run(act, BIG)


def test_who_asks_on_and_on_without_an_answer_is_dropped() -> None:
    async def act(bench: Bench, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        (connection,) = bench.made
        await loop.sock_sendall(client, GET)
        await bench.until(lambda: connection.cycle is not None)
        connection.data_received(GET * LONGEST_PIPELINE)
        assert not connection.transport.is_closing()
        connection.data_received(GET * 1000)
        assert len(connection.pipeline) <= LONGEST_PIPELINE + 1
        await bench.until(lambda: bench.gone)
        bench.go.set()

    run(act)


def test_a_head_that_is_too_long_is_refused_also_where_it_ends_in_the_same_read() -> None:
    async def act(bench: Bench, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        (connection,) = bench.made
        bench.go.set()
        fits = b"GET / HTTP/1.1\r\nX-Long: " + b"a" * (LONGEST_HEAD - 100) + b"\r\n\r\n"
        connection.data_received(fits + GET)  # two requests, and neither is too long
        await bench.until(lambda: bench.answered == 2)
        connection.data_received(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * LONGEST_HEAD + b"\r\n\r\n" + GET)
        await bench.until(lambda: bench.gone)
        got = b""
        while more := await loop.sock_recv(client, 65_536):
            got += more
        assert got.count(b"HTTP/1.1 200 ") == 2
        assert got.count(b"HTTP/1.1 431 ") == 1
        assert bench.answered == 2

    run(act)


def test_there_are_never_more_connections_than_files() -> None:
    for files in (64, 100, 128, 1024, 1_000_000):
        assert files // 2 <= most_connections(files) or most_connections(files) == MOST_CONNECTIONS
        assert most_connections(files) < files
    assert most_connections(resource.RLIM_INFINITY) == MOST_CONNECTIONS
