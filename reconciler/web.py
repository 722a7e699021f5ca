"""What is sent with a credential, and where it may go: by https, or by http within this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeAlias
from urllib.parse import urlsplit

from reconciler.errors import ReconcilerError
from reconciler.secret import Secret

ADDRESS = re.compile(
    r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where something is, without user, query and blanks."""

    url: str
    """Without a slash at its end."""
    loopback: bool
    """Whether it is on this machine."""

    @property
    def private(self) -> bool:
        """Whether nobody on the way sees what is sent there."""
        return self.loopback or self.url.casefold().startswith("https:")


def address_of(url: str) -> Address | None:
    """The address that a text is; None where it is none, or holds more than one."""
    try:
        parts = urlsplit(url)
        sound = ADDRESS.fullmatch(url) is not None and parts.port != 0
    except ValueError:  # a port that is too large, or brackets around what is no address
        return None
    host = parts.hostname if sound else None
    return None if host is None else Address(url.rstrip("/"), _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class Request:
    """One request that carries a credential."""

    method: str
    url: str
    headers: Mapping[str, Secret]
    body: Secret | None
    loopback: bool
    """Whether it goes to this machine."""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes


Exchange: TypeAlias = Callable[[Request, int, Callable[[str], ReconcilerError]], Response]
"""Sends a request and gives so many bytes of what is answered. Raises what is made of the reason why nothing
came."""
