"""Kinds of option values: what cannot be read is wrong usage, and says what to write."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Generic, TypeVar

import click

from reconciler.kinds.fields import AUDIENCE, ENTRY_NAME, SERVICE_URL, parse_duration
from reconciler.verify.http.listening import Place, place
from reconciler.verify.http.peers import Network, network

V = TypeVar("V")
HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,100}")


class Value(click.ParamType[V], Generic[V]):
    """What a function makes of a text; it raises ValueError."""

    def __init__(self, name: str, read: Callable[[str], V], says: str) -> None:
        self.name = name
        self._read = read
        self._says = says

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> V:
        """The value."""
        try:
            return self._read(str(value))
        except ValueError:
            self.fail(f"{value!r} is not {self._says}", param, ctx)


def _matching(pattern: str | re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(text)
        return text

    return read


def _header(text: str) -> bytes:
    return _matching(HEADER_NAME)(text).lower().encode()


PLACE: Value[Place] = Value("HOST:PORT", place, "HOST:PORT, such as 127.0.0.1:8400 or [::1]:8400")
NETWORK: Value[Network] = Value("CIDR", network, "a network such as 10.0.0.0/8, or an address")
SECONDS: Value[int] = Value("10s", parse_duration, "a duration such as 30s or 5m")
HEADER: Value[bytes] = Value("NAME", _header, "the name of a header: letters, digits and -")
URL: Value[str] = Value("URL", _matching(SERVICE_URL), "https://HOST, with a port and a path if need be")
NAME: Value[str] = Value("NAME", _matching(ENTRY_NAME), "1 to 128 letters, digits and . _ : / @ -")
REQUEST: Value[str] = Value(
    "REQUEST", _matching(r"[A-Z]+ /\S*"), 'a method and a path, such as "GET /v1/devices"'
)
TEXT: Value[str] = Value("TEXT", _matching(AUDIENCE), "1 to 200 letters of ASCII, without blanks")
