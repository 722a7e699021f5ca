"""An HTTP server that writes down, byte for byte, what reached it, and answers as it is told.

It reads requests itself: a library would tidy the path and fold the headers, and those are what is looked at.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO

HOST = "127.0.0.1"
BROKEN = 599
"""The status of an answer after which the connection ends."""


@dataclass(frozen=True)
class Request:
    """One request, as it came."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        """The value of a header that stands there once, or nothing."""
        values = self.all(name)
        assert len(values) <= 1, (name, values)
        return values[0] if values else ""


@dataclass(frozen=True)
class Answer:
    """What it says."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def encoded(self) -> bytes:
        """As it goes out."""
        fields = (
            (*self.headers, ("Content-Length", str(len(self.body)))) if self.status != 101 else self.headers
        )
        lines = [f"HTTP/1.1 {self.status} Said", *(f"{name}: {value}" for name, value in fields), "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


@dataclass
class Recorder:
    """A server on loopback; `seen` holds what reached it."""

    answer: Callable[[Request], Answer]
    port: int = 0
    seen: list[Request] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    trickle: tuple[bytes, threading.Event, bytes] | None = None
    """Said instead of an answer: the first part, and the second when the event comes."""
    _free: threading.Event = field(default_factory=threading.Event)
    _open: set[socket.socket] = field(default_factory=set)
    _listener: socket.socket | None = None

    def start(self) -> None:
        """Listens, on the port that it had before if there was one."""
        self._free.set()
        self._listener = socket.create_server((HOST, self.port), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Ends all that is open, as a process does that dies; nothing that waits is answered any more."""
        assert self._listener is not None
        for one in (self._listener, *list(self._open)):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._free.set()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nobody listens, for as long as the block takes."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """It takes requests and answers none of them until the block ends."""
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()

    @contextmanager
    def saying(self, answer: Callable[[Request], Answer]) -> Iterator[None]:
        """It answers otherwise, for as long as the block takes."""
        usual, self.answer = self.answer, answer
        try:
            yield
        finally:
            self.answer = usual

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        if self.tls is not None:
            with suppress(OSError), self.tls.wrap_socket(connection, server_side=True) as secured:
                self._talk(secured)
        else:
            self._talk(connection)
        self._open.discard(connection)

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection, connection.makefile("rb") as stream:
            while (request := read_request(stream)) is not None:
                self.seen.append(request)
                answer = self.answer(request)
                self._free.wait()
                if not self._say(connection, answer):
                    break

    def _say(self, connection: socket.socket, answer: Answer) -> bool:
        """Answers; whether another request may follow."""
        if self.trickle is not None:
            first, more, second = self.trickle
            connection.sendall(b"HTTP/1.1 200 Said\r\nContent-Type: application/x-ndjson\r\n\r\n" + first)
            more.wait()
            connection.sendall(second)
            return False
        connection.sendall(answer.encoded())
        if answer.status == 101:
            while data := connection.recv(1024):
                connection.sendall(data)
        return answer.status not in (101, BROKEN)


def read_request(stream: BinaryIO) -> Request | None:
    """The next request; None where the other end closed."""
    line = stream.readline().decode("latin-1").rstrip("\r\n")
    if not line:
        return None
    method, target, _ = line.split(" ")
    headers: list[tuple[str, str]] = []
    while field_line := stream.readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = field_line.partition(":")
        headers.append((name, value.strip()))
    head = Request(method, target, tuple(headers))
    return Request(method, target, head.headers, _body(stream, head))


def _body(stream: BinaryIO, head: Request) -> bytes:
    if "chunked" in head.one("Transfer-Encoding"):
        body = b""
        while size := int(stream.readline().split(b";")[0], 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
        return body
    return stream.read(int(head.one("Content-Length") or 0))
