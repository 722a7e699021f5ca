"""The socket that requests come in by: bound before anything is started, so that a port that is taken is told
at once."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from reconciler.errors import SettingsError

LAST_PORT = 65_535
BACKLOG = 2048
"""Connections that may wait to be accepted."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def place(text: str) -> Place:
    """The place that a text such as `127.0.0.1:8400` or `[::1]:8400` names. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address stands in brackets")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > LAST_PORT:
        raise ValueError("not HOST:PORT")
    return Place(host, int(port))


def bound(where: Place) -> socket.socket:
    """A socket that listens. Raises SettingsError."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            where.host, where.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, number)
    except OSError as error:
        raise _cannot(where, error) from None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
        made.settimeout(0)  # an event loop waits for it, and nothing else does
    except OSError as error:
        made.close()
        raise _cannot(where, error) from None
    return made


def bound_to(made: socket.socket) -> Place:
    """Where a socket listens: the port is known now, if it was 0."""
    host, port = made.getsockname()[:2]
    return Place(host, port)


def _cannot(where: Place, error: OSError) -> SettingsError:
    why = (error.strerror or str(error)).lower()
    return SettingsError(
        f"nothing can listen on {where}: {why}",
        hint="stop what listens there, or name another place with --listen HOST:PORT",
    )
