"""One process that serves: uvicorn, the verifier's thread, and an end in which what has begun is answered."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn

from reconciler.errors import ReconcilerError
from reconciler.verify.http.accesslog import Libraries, Log, Writer, to_descriptor, where
from reconciler.verify.http.app import App
from reconciler.verify.http.listening import BACKLOG
from reconciler.verify.http.metrics import Metrics
from reconciler.verify.http.once import Once
from reconciler.verify.http.protocol import Guarded
from reconciler.verify.http.service import Service, kept_routes
from reconciler.verify.http.setup import Setup
from reconciler.verify.verifier import Clocks, Verifier

GRACE_SECONDS = 1.0
"""From the signal to the end of listening: `/readyz` says so, and every answer ends its connection."""
END_SECONDS = 30
"""After which requests that do not end are dropped."""
IDLE_SECONDS = 75
"""Longer than gateways keep a connection that nobody uses, so that they end it and not we."""
MOST_CONNECTIONS = 10_000
"""Beyond which a request is answered with 503."""
OTHER_FILES = 64
"""That a process has open besides: of the store, the log, the metrics."""
FIRST_READ_SECONDS = 10.0
"""That a worker may wait for its first look at the store: another answers meanwhile."""


class _Server(uvicorn.Server):
    """uvicorn, with signals that are ours."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: uvicorn would end the process by the signal that it got."""
        yield


class Serving:
    """The parts of one process."""

    def __init__(self, setup: Setup, log: Log) -> None:
        self.setup = setup
        self.log = log
        self._ready = False
        """Whether it was at the last look."""
        clocks = Clocks(now=setup.clock)
        self.verifier = Verifier(setup.store, setup.rules, max_stale=setup.max_stale, clocks=clocks)
        self.service = Service(setup, self.verifier, kept_routes(setup.match), Once(setup.store, setup.clock))
        self.metrics = Metrics(self.verifier.freshness, lambda: log.dropped, setup.metrics_folder)
        self.app = App(self.service, self.metrics, log)
        self.server = _Server(_config(self.app, setup))

    async def run(self, listening: socket.socket) -> None:
        """Serves until `stop`."""
        loop = asyncio.get_running_loop()
        reading = loop.run_in_executor(None, self.verifier.started)
        await asyncio.wait([reading], timeout=FIRST_READ_SECONDS)
        # What is here now stays, so it need not be looked through again and again.
        gc.freeze()
        if not (found := self.verifier.freshness()).ready:
            self.log.event("warning", f"not ready: {found.why}")
        sweeping = asyncio.create_task(self._sweep())
        try:
            await self.server.serve([listening])
        finally:
            sweeping.cancel()
            self.metrics.settle()
            self.close()

    def close(self) -> None:
        """Lets the store go."""
        self.verifier.close()
        self.service.once.close()

    def stop(self) -> None:
        """Ends it: at once where this is said twice."""
        if self.service.stopping:
            self.server.should_exit = self.server.force_exit = True
            return
        self.service.stopping = True
        self.log.event("info", "stopping: what has begun is answered")
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._end)

    def _end(self) -> None:
        self.server.should_exit = True

    async def reload(self) -> None:
        """Reads the routes again; those that were there stay where the specs are broken."""
        try:
            self.service.match = kept_routes(await asyncio.to_thread(self.setup.read_routes))
        except ReconcilerError as error:
            self.log.event("error", f"the routes stay as they were: {error}")
        else:
            self.log.event("info", "the routes were read again")

    async def _sweep(self) -> None:
        """Once a second: drops clients that take too long, counts together, and says how the store is."""
        loop = asyncio.get_running_loop()
        self._ready = self.verifier.freshness().ready
        while True:
            await asyncio.sleep(1)
            self.metrics.settle()
            self._tell()
            for connection in list(self.server.server_state.connections):
                if isinstance(connection, Guarded):
                    connection.drop_if_late(loop.time())

    def _tell(self) -> None:
        """Logs what changed of the store, and what it said."""
        found, once = self.verifier.freshness(), self.service.once
        if found.ready != self._ready:
            self._ready = found.ready
            level, message = ("info", "ready") if found.ready else ("error", f"not ready: {found.why}")
            self.log.event(level, message)
        if once.trouble:
            self.log.event("error", f"what is for one use cannot be remembered: {once.trouble}")
            once.trouble = ""


def most_connections(files: int) -> int:
    """How many are served where a process may open so many files: beyond that nobody could be answered."""
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, max(files - OTHER_FILES, files // 2))


def _config(app: App, setup: Setup) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=Guarded,
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=END_SECONDS,
        backlog=BACKLOG,
        limit_concurrency=most_connections(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
    )
    config.load()
    config.ssl = setup.tls
    return config


def serve(
    setup: Setup, listening: socket.socket, *, begun: Callable[[], None], lifeline: int | None = None
) -> None:
    """Serves until a signal says to stop, or until the other end of `lifeline` is gone.

    `begun` is called when a signal ends it well.
    """
    writer = Writer()
    out = partial(to_descriptor, sys.stdout.fileno())
    log = Log(out, setup.clock, writer.soon, requests=setup.access_log)
    writer.start()
    try:
        with asyncio.Runner(loop_factory=_new_loop()) as runner:
            runner.run(_serve(setup, log, listening, begun, lifeline))
    finally:
        writer.close()


def _new_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where there is one."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(
    setup: Setup, log: Log, listening: socket.socket, begun: Callable[[], None], lifeline: int | None
) -> None:
    loop = asyncio.get_running_loop()
    logging.getLogger().addHandler(Libraries(log))
    loop.set_exception_handler(lambda _, context: _say(log, context))
    serving = Serving(setup, log)
    tasks: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = asyncio.create_task(serving.reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.stop)
    loop.add_signal_handler(signal.SIGHUP, reload)
    if lifeline is not None:
        loop.add_reader(lifeline, _orphaned, loop, lifeline, serving)
    begun()
    await serving.run(listening)


def _orphaned(loop: asyncio.AbstractEventLoop, lifeline: int, serving: Serving) -> None:
    loop.remove_reader(lifeline)
    serving.stop()


def _say(log: Log, context: dict[str, object]) -> None:
    """What went wrong outside of any request."""
    error = context.get("exception")
    log.event("error", where(error) if isinstance(error, BaseException) else "a fault that was not foreseen")
