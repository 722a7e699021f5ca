"""Addresses as they are typed, read so strictly that they are safe in any configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from reconciler.errors import UsageError

LAST_PORT = 65_535
PORTS = {"http": 80, "https": 443}
_URL = re.compile(
    r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?((?:/[A-Za-z0-9._~-]+)*)/?"
)
_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9.]+):([0-9]{1,5})")
_WORD = re.compile(r"[!-~]{1,200}")
_FILE = re.compile(r"[A-Za-z0-9._/+-]{1,200}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server answers."""

    scheme: str
    host: str
    """A name or an address; IPv6 without brackets."""
    port: int
    path: str = ""
    """A prefix without a slash at its end; empty for the root."""

    @property
    def tls(self) -> bool:
        """Whether it speaks TLS."""
        return self.scheme == "https"

    @property
    def is_address(self) -> bool:
        """Whether the host is an address and no name."""
        return _address(self.host) is not None

    @property
    def at(self) -> str:
        """`HOST:PORT`."""
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def origin(self) -> str:
        """`SCHEME://HOST:PORT`."""
        return f"{self.scheme}://{self.at}"

    @property
    def url(self) -> str:
        """The origin and the path."""
        return self.origin + self.path


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the gateway itself listens."""

    host: str
    """An address; IPv6 without brackets."""
    port: int

    @property
    def at(self) -> str:
        """`HOST:PORT`."""
        return f"{_bracketed(self.host)}:{self.port}"


def read_endpoint(text: str, flag: str) -> Endpoint:
    """An http or https address. Raises UsageError."""
    match = _URL.fullmatch(text)
    if match is None:
        raise _wrong(flag, text, "http://HOST:PORT")
    scheme, host, port, path = match[1], match[2], match[3], match[4]
    host = host.removeprefix("[").removesuffix("]").lower()
    parts = path.split("/")
    good = (_address(host) or _NAME.fullmatch(host)) and "." not in parts and ".." not in parts
    if not good or (match[2].startswith("[") and _address(host) is None):
        raise _wrong(flag, text, "http://HOST:PORT")
    return Endpoint(scheme, host, _port(port or str(PORTS[scheme]), flag, text), path)


def read_upstream(text: str, flag: str) -> Endpoint:
    """As `read_endpoint`, without a path: the upstream gets the one that the verifier checked."""
    found = read_endpoint(text, flag)
    if found.path:
        raise UsageError(
            f"{flag} has a path, {found.path}",
            hint="leave the path out: the upstream gets the path that the verifier checked, unchanged",
        )
    return found


def read_listen(text: str, flag: str) -> Listen:
    """An address and a port. Raises UsageError."""
    match = _LISTEN.fullmatch(text)
    host = match[1].removeprefix("[").removesuffix("]") if match else ""
    if match is None or _address(host) is None or match[1].startswith("[") != (":" in host):
        raise _wrong(flag, text, "ADDRESS:PORT, such as 127.0.0.1:8080 or [::]:8080")
    return Listen(host, _port(match[2], flag, text))


def read_word(text: str, flag: str) -> str:
    """An issuer or an audience, to be quoted where it is written. Raises UsageError."""
    if not _WORD.fullmatch(text):
        raise _wrong(flag, text, "up to 200 visible ASCII characters without a space")
    return text


def read_file(text: str, flag: str) -> str:
    """The path of a file on the gateway's machine. Raises UsageError."""
    if not _FILE.fullmatch(text):
        raise _wrong(flag, text, "a path of letters, digits and . _ / + -")
    return text


def _port(text: str, flag: str, whole: str) -> int:
    port = int(text)
    if not 1 <= port <= LAST_PORT:
        raise _wrong(flag, whole, "a port from 1 to 65535")
    return port


def _wrong(flag: str, text: str, form: str) -> UsageError:
    return UsageError(f"{flag} cannot be {text!r}", hint=f"write {form}")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
