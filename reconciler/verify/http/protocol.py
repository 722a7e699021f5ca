"""uvicorn's HTTP protocol, with the limits that it does not have: how long a request's head may be, and how
long a request may take to come."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 32 * 1024
"""Bytes of a head that has not ended."""
REQUEST_SECONDS = 15.0
"""From the first byte of a request, or from the connection, to the request's end."""
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
    b"content-length: 27\r\nconnection: close\r\n\r\n"
    b'{"error":"invalid_request"}'
)


class Guarded(HttpToolsProtocol):
    """One connection."""

    _head = 0
    _in_head = False
    since: float | None = None
    """When what is still to come began, by the loop's clock; None where a request is whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        super().connection_made(cast("asyncio.Transport", transport))
        self.since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Some bytes of it."""
        super().data_received(data)
        if self._in_head:
            self._head += len(data)
            if self._head > LONGEST_HEAD and not self.transport.is_closing():
                self.transport.write(TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._head, self.since = True, 0, self.loop.time()

    def on_headers_complete(self) -> None:
        """It ends, and a body may follow."""
        super().on_headers_complete()
        self._in_head, self._head = False, 0

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        self._in_head, self.since = False, None

    def drop_if_late(self, now: float) -> None:
        """Closes a connection whose request does not come."""
        if self.since is not None and now - self.since > REQUEST_SECONDS:
            self.transport.close()
