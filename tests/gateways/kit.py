"""What the tests of gateways say to them, and the stand-in that shows what a gateway asks."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

from reconciler.verify.gateways.interface import IDENTITY
from tests.gateways.recording import HOST, Answer, Recorder, Request

PATIENCE = 20.0
GOOD, NARROW = "good-token", "narrow-token"
DENIED = {"error": "insufficient_scope", "reason": "api-denied"}
UNKNOWN = {"error": "invalid_token"}
MISSING = {"error": "unauthorized", "reason": "token-missing"}
WHO = dict(
    zip(
        IDENTITY,
        ("xmuvvorpcf3urllehbkr", "bridge", "JWTToken", "team", "3", "device.read", "", ""),
        strict=True,
    )
)


def judge(request: Request) -> Answer:
    """As `/verify` answers: `good-token` may do all, `narrow-token` nothing, others are unknown."""
    tokens = request.all("Authorization")
    if len(tokens) == 1 and tokens[0] == f"Bearer {GOOD}":
        return Answer(200, tuple(WHO.items()))
    if tokens == [f"Bearer {NARROW}"]:
        return _refusal(403, ', error="insufficient_scope"', DENIED)
    if not any(tokens):
        return _refusal(401, "", MISSING)
    return _refusal(401, ', error="invalid_token"', UNKNOWN)


def _refusal(status: int, challenge: str, body: dict[str, str]) -> Answer:
    headers = (
        ("WWW-Authenticate", f'Bearer realm="acme"{challenge}'),
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        ("X-Reconciler-Reason", body.get("reason", "")),
    )
    return Answer(status, headers, json.dumps(body).encode())


def asked_for(check: Request) -> tuple[str, str, str]:
    """Method, URI and client address in a check request, in whichever of the two forms it came."""
    if check.target.startswith("/verify/path"):
        return check.method, check.target.removeprefix("/verify/path"), check.one("X-Forwarded-For")
    # Nothing of the client's query: what stands there is the gateway's own word.
    assert check.target.removesuffix("?") == "/verify"
    return check.one("X-Forwarded-Method"), check.one("X-Forwarded-Uri"), check.one("X-Forwarded-For")


@dataclass(frozen=True)
class Reply:
    """What a client got."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Speaks to a gateway byte for byte, so that nothing is tidied on the way."""

    port: int

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        """A connection."""
        with closing(socket.create_connection((HOST, self.port), timeout=PATIENCE)) as connection:
            yield connection

    def raw(self, data: bytes, method: str = "GET") -> Reply:
        """Sends bytes; the first reply to them. Status 0 where the gateway only closes."""
        with self.connected() as connection:
            connection.sendall(data)
            return receive(connection, method)

    def ask(
        self,
        target: str = "/v1/devices",
        *headers: tuple[str, str],
        token: str | None = GOOD,
        method: str = "GET",
        body: bytes = b"",
    ) -> Reply:
        """One request, on a connection of its own."""
        return self.raw(written(target, *headers, token=token, method=method, body=body), method)


def written(
    target: str, *headers: tuple[str, str], token: str | None = GOOD, method: str = "GET", body: bytes = b""
) -> bytes:
    """A request as it goes over the wire."""
    names = {name.lower() for name, _ in headers}
    fields = [("Host", "api.example"), *headers]
    if token is not None:
        fields.append(("Authorization", f"Bearer {token}"))
    if "connection" not in names:
        fields.append(("Connection", "close"))
    if body:
        fields.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def receive(connection: socket.socket, method: str = "GET") -> Reply:
    """The next reply on a connection."""
    response = HTTPResponse(connection, method=method)
    try:
        response.begin()
    except (ConnectionError, ValueError):
        return Reply(0, (), b"")
    body = b"" if response.status == 101 else response.read()
    return Reply(response.status, tuple(response.getheaders()), body)


def echo(request: Request) -> Answer:
    """What the upstream says: what it got. A request for a web socket becomes one that echoes."""
    if request.one("Upgrade").lower() == "websocket":
        return Answer(101, (("Upgrade", "websocket"), ("Connection", "Upgrade")))
    said = {"method": request.method, "target": request.target, "headers": request.headers}
    return Answer(200, (("Content-Type", "application/json"),), json.dumps(said).encode())


@dataclass(frozen=True)
class Bench:
    """One gateway between a client, a stand-in verifier and an upstream."""

    name: str
    client: Client
    verifier: Recorder
    upstream: Recorder
    log: Path
    """What the gateway printed."""

    def reached(self) -> Request:
        """The one request that the upstream got."""
        (found,) = self.upstream.seen
        return found

    def check(self) -> Request:
        """The one request that the verifier got."""
        (found,) = self.verifier.seen
        return found
