"""uvicorn's HTTP protocol, with limits that it does not have, and a short way for `/verify`.

The limits: how long a request's head may be, how long a request may take to come and its answer to be read,
and how many may wait for one before them. The short way: a check waits for nothing, so its answer is written
as soon as the head is read, with no task and no second look at each header. Whatever is out of the ordinary
(HTTP/1.0, an upgrade, an answer that is still to come, a client that does not read) takes uvicorn's own way,
to the same app.
"""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from reconciler.verify.http.message import Answer

LONGEST_HEAD = 32 * 1024
"""Bytes of a head."""
LONGEST_PIPELINE = 16
"""Requests that may wait for the answer to one before them."""
REQUEST_SECONDS = 15.0
"""From the first byte of a request, or from the connection, to the request's end; and that an answer may lie
here because its client does not read."""
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
    b"content-length: 27\r\nconnection: close\r\n\r\n"
    b'{"error":"invalid_request"}'
)
VERIFY = re.compile(rb"/verify(\?|/path/|\Z)")
CLOSE = b"connection: close\r\n"


class Quick(Protocol):
    """An app that answers `/verify` without waiting."""

    def verified(self, scope: Scope, raw: bytes) -> Answer:
        """The answer, counted and logged."""

    @property
    def stopping(self) -> bool:
        """Whether each answer is the last one of its connection."""


class Guarded(HttpToolsProtocol):
    """One connection."""

    _head = 0
    _read = 0
    """Bytes of what is being read."""
    _in_head = False
    _quick = False
    """Whether the request was answered when its head was read."""
    since: float | None = None
    """When what is still to come began, by the loop's clock; None where a request is whole."""
    unread: float | None = None
    """Since when there is something that the client has not read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        super().connection_made(cast("asyncio.Transport", transport))
        self.since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Some bytes of it."""
        self._read = len(data)
        super().data_received(data)
        if self._in_head:
            self._head += len(data)
            if self._head > LONGEST_HEAD:
                self._too_large()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._head, self._quick, self.since = True, 0, False, self.loop.time()

    def on_headers_complete(self) -> None:
        """It ends, and a body may follow."""
        if self._head + self._read > LONGEST_HEAD and self._length() > LONGEST_HEAD:
            self._too_large()
        self._in_head, self._head = False, 0
        if self.transport.is_closing():
            self._quick = True  # nobody waits for an answer
        elif self._is_ordinary_check():
            self._quick = True
            self._answer()
        else:
            super().on_headers_complete()
            if len(self.pipeline) > LONGEST_PIPELINE:
                self.transport.abort()

    def on_body(self, body: bytes) -> None:
        """A part of a body; a check has no use for one."""
        if not self._quick:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self._quick:
            super().on_message_complete()
        self._in_head, self.since = False, None

    def drop_if_late(self, now: float) -> None:
        """Closes a connection whose request does not come, or whose answers nobody reads."""
        if self.transport.get_write_buffer_size() == 0:
            self.unread = None
        elif self.unread is None:
            self.unread = now
        if self.unread is not None and now - self.unread > REQUEST_SECONDS:
            self.transport.abort()  # to close it would be to wait for the client
        elif self.since is not None and now - self.since > REQUEST_SECONDS:
            self.transport.close()

    def _length(self) -> int:
        """Bytes of the head that has ended, as it may be written at the shortest."""
        return len(self.url) + sum(len(name) + len(value) + len(b":\r\n") for name, value in self.headers)

    def _too_large(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def _is_ordinary_check(self) -> bool:
        if VERIFY.match(self.url) is None:
            return False
        before: RequestResponseCycle | None = self.cycle
        return not (
            (before is not None and not before.response_complete)
            or self.pipeline
            or self.flow.write_paused
            or self.expect_100_continue
            or b"#" in self.url
            or self.transport.is_closing()
            or self.parser.should_upgrade()
            or self.parser.get_http_version() != "1.1"
            or not hasattr(self.app, "verified")
        )

    def _answer(self) -> None:
        app = cast("Quick", self.app)
        scope = cast("Scope", self.scope)
        raw, _, scope["query_string"] = self.url.partition(b"?")
        scope["method"], scope["raw_path"] = self.parser.get_method().decode("ascii"), raw
        answer = app.verified(scope, raw)
        close = app.stopping or not self.parser.should_keep_alive()
        parts = [_status_line(answer.status)]
        for name, value in (*self.server_state.default_headers, *answer.headers):
            parts += (name, b": ", value, b"\r\n")
        parts += (CLOSE if close else b"", b"\r\n", b"" if scope["method"] == "HEAD" else answer.body)
        self.transport.write(b"".join(parts))
        if close:
            self.transport.close()
        self.on_response_complete()


@lru_cache
def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
