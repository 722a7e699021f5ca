"""A request and an answer as values: what every handler takes and gives."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from urllib.parse import quote

from reconciler.canonical import Json

if TYPE_CHECKING:
    from reconciler.verify.interface import Verdict

Headers: TypeAlias = "Iterable[tuple[bytes, bytes]]"

NO_STORE = (b"cache-control", b"no-store")
JSON = (b"content-type", b"application/json")
KEPT = "!#$&'()*+,/:;=?@[]~<>^`{|}\"\\-._ "


class Request(NamedTuple):
    """One request."""

    method: str
    path: str
    """As it was sent: nothing is decoded."""
    query: str
    """Without `?`."""
    headers: Headers
    """Names in lower case, in the order in which they came."""
    peer: str | None
    """Address of whoever is connected."""
    body: bytes = b""

    def all(self, name: bytes) -> list[str]:
        """Every value of a header; its name in lower case."""
        return [value.decode("latin-1") for key, value in self.headers if key == name]


class Noted(NamedTuple):
    """What the log and the metrics may know of an answer."""

    reason: str = ""
    token: str | None = None
    """Id of a token that is on record."""
    name: str | None = None
    kind: str | None = None
    api: str | None = None
    client: str | None = None
    """Address of the client behind the gateway."""
    called: str | None = None
    """Method and path that a gateway asked about, where it was refused."""

    @staticmethod
    def of(verdict: Verdict) -> Noted:
        """Of a verdict."""
        token, call = verdict.token, verdict.call
        if token is None:
            return Noted(verdict.reason.value, verdict.claimed, None, None, call.api, call.address)
        return Noted(verdict.reason.value, token.id, token.name, token.kind, call.api, call.address)


NOTHING = Noted()


class Answer(NamedTuple):
    """One answer."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    noted: Noted = NOTHING

    def with_headers(self, *more: tuple[bytes, bytes]) -> Answer:
        """The same with more headers."""
        return self._replace(headers=(*self.headers, *more))


def length(body: bytes) -> tuple[bytes, bytes]:
    """`Content-Length`, which every answer has."""
    return b"content-length", b"%d" % len(body)


def json_answer(status: int, document: Mapping[str, Json], *, noted: Noted = NOTHING) -> Answer:
    """An answer in JSON that nobody caches."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, (length(body), JSON, NO_STORE), body, noted)


def problem(status: int, error: str, says: str = "", *, noted: Noted = NOTHING) -> Answer:
    """An error as OAuth writes them (RFC 6749 §5.2)."""
    told = {"error": error, "error_description": says} if says else {"error": error}
    return json_answer(status, told, noted=noted)


def header_text(value: str | None) -> bytes:
    """A value that fits in a header, and on one line of it.

    What is not printable ASCII, and `%`, is percent-encoded as UTF-8, so that it can be decoded again.
    """
    if value is None:
        return b""
    if value.isascii() and value.isprintable() and "%" not in value:
        return value.encode("ascii")
    return quote(value, safe=KEPT).encode("ascii")
