"""Watching a PostgreSQL database: the server tells of each commit, and is asked whether it is there."""

from __future__ import annotations

import socket
from contextlib import suppress
from enum import Enum, auto
from selectors import EVENT_READ, DefaultSelector
from time import monotonic

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn
from sqlalchemy import Engine

from reconciler.live.faults import unusable, what_it_said
from reconciler.live.watching import Waiting
from reconciler.live.writing import CHANNEL

ANSWER_SECONDS = 5.0
"""How long the server may take to say that it is there."""


class Heard(Enum):
    """What ended a wait for the server."""

    SERVER = auto()
    BELL = auto()
    NOTHING = auto()


class PostgresWatch(Waiting):
    """Listens on a connection of its own. It waits on the socket itself, so that others can wake it."""

    def __init__(self, engine: Engine, shown: str, workspace: str) -> None:
        super().__init__(shown)
        self._engine = engine
        self._workspace = workspace.encode()
        self._bell, self._rope = socket.socketpair()
        self._bell.settimeout(0)
        self._rope.settimeout(0)
        self._connection: psycopg.Connection | None = None
        try:
            self._reach()
        except BaseException:
            self._let_go()
            raise

    def _wait(self, seconds: float) -> bool:
        if self._connection is None:
            self._reach()
            return True
        try:
            return self._listen(self._connection.pgconn, monotonic() + seconds)
        except (psycopg.Error, OSError) as error:
            self._hang_up()
            raise unusable(what_it_said(error), self._shown) from error

    def _reach(self) -> None:
        """Connects and listens. Raises StoreUnreadable."""
        plain, named = self._engine.dialect.create_connect_args(self._engine.url)
        try:
            self._connection = psycopg.connect(*plain, **named, autocommit=True)
            self._connection.execute(f"LISTEN {CHANNEL}".encode())
        except (psycopg.Error, OSError) as error:
            self._hang_up()
            raise unusable(what_it_said(error), self._shown) from error

    def _listen(self, server: PGconn, deadline: float) -> bool:
        """Whether there was news before the deadline; if not, the server was asked whether it is there."""
        while not self._news(server):
            if deadline <= monotonic():
                return self._ask(server) or self._news(server)
            match self._hear(server, deadline):
                case Heard.SERVER:
                    server.consume_input()
                case Heard.BELL:
                    return True
                case Heard.NOTHING:
                    """The time is over."""
        return True

    def _news(self, server: PGconn) -> bool:
        """Whether one of the messages that came in tells of this workspace."""
        news = False
        while (message := server.notifies()) is not None:
            news |= message.extra.rpartition(b" ")[0] == self._workspace
        return news

    def _ask(self, server: PGconn) -> bool:
        """Asks for a sign of life; whether the bell rang meanwhile. Messages that wait come in with it."""
        server.send_query(b"SELECT 1")
        deadline = monotonic() + ANSWER_SECONDS
        while True:
            server.consume_input()
            while server.is_busy():
                heard = self._hear(server, deadline)
                if heard is Heard.BELL:  # somebody is in a hurry: the answer is not waited for
                    self._hang_up()
                    return True
                if heard is Heard.NOTHING:
                    raise psycopg.OperationalError("timeout: the server does not answer")
                server.consume_input()
            answer = server.get_result()
            if answer is None:
                return False
            if answer.status != ExecStatus.TUPLES_OK:
                raise psycopg.OperationalError(answer.get_error_message())

    def _hear(self, server: PGconn, deadline: float) -> Heard:
        with DefaultSelector() as selector:
            selector.register(self._bell, EVENT_READ)
            selector.register(server.socket, EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select(max(0.0, deadline - monotonic()))}
        if self._bell in ready:
            with suppress(BlockingIOError):
                while self._bell.recv(4096):
                    """Takes what was rung."""
            return Heard.BELL
        return Heard.SERVER if ready else Heard.NOTHING

    def _ring(self) -> None:
        with suppress(OSError):  # full: it rings already; closed: nobody waits
            self._rope.send(b"!")

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _let_go(self) -> None:
        self._hang_up()
        self._bell.close()
        self._rope.close()
