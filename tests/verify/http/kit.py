"""A verifier that is asked over ASGI, in this process, over a store that was applied to for real."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from starlette.types import Message

from reconciler.readers.serving import Flags, setup
from reconciler.verify.http.accesslog import Log
from reconciler.verify.http.app import App
from reconciler.verify.http.server import Serving
from reconciler.verify.http.setup import Setup
from tests.apply.kit import House, jwt_token, rsa_token, spec, verifier
from tests.verify.follow import caught_up, held
from tests.verify.kit import signed

ISSUER = "https://verifier.example"
TOKEN_URL = f"{ISSUER}/oauth/token"
PLANT = "/v1/projects/plant-a/devices/d1"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

CATALOG = spec(
    "Catalog",
    "platform",
    spec={
        "apis": [
            {"name": "device.read", "routes": ["GET /v1/projects/{project}/devices/{device}"]},
            {"name": "device.list", "routes": ["GET /v1/projects/{project}/devices"]},
            {"name": "user.read", "routes": ["GET /v1/users/{user}"]},
            {"name": "shop.read"},
            {"name": "reconciler.introspect"},
        ]
    },
)
HISTORIAN = spec(
    "RSAToken",
    "historian",
    spec={"apis": ["device.read", "device.list"], "projects": ["plant-a"], "keySize": 2048},
)
LOGIN = spec(
    "LoginToken",
    "console",
    spec={
        "aud": "AdmManHu",
        "sap": "SvKerneL",
        "jti": "1234",
        "ipm": ["10.1.0.0/16", "2001:db8::/32"],
        "dvm": ["scanner-1"],
        "api": ["shop.read"],
        "shop": "*",
        "role": "*",
        "rule": "*",
    },
)
ERP = spec(
    "TokenAuth",
    "erp",
    spec={"name": "ERP", "token_name": "ticket", "inituser": True, "initroles": ["SYS_Reader", "SYS_Author"]},
)


def documents() -> list[Mapping[str, object]]:
    """What is declared, unless a test says otherwise."""
    bridge = jwt_token("bridge", ["device.read"], ["*"])
    bridge["metadata"] = {"name": "bridge", "owner": "团队 MES"}
    caller = jwt_token("caller", ["reconciler.introspect"], ["*"])
    return [CATALOG, HISTORIAN, bridge, caller, LOGIN, ERP, rsa_token("spare", ["device.list"])]


def flags(**changes: Any) -> Flags:
    """The flags of `serve`, as they are where nobody gives one."""
    plain = Flags(
        trust=(),
        max_stale=10,
        leeway=30,
        audience=None,
        issuer=None,
        app=None,
        device_header=None,
        user_header=None,
        introspect_api="reconciler.introspect",
        token_ttl=300,
        signing_keys=(),
        tls=(None, None, None),
        access_log=True,
    )
    return replace(plain, **changes)


def network(text: str) -> Any:
    """A network for `--trust`."""
    return ip_network(text)


@dataclass(frozen=True)
class Told:
    """What came back."""

    status: int
    raw: Sequence[tuple[str, str]]
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """By name; no name comes twice."""
        found = dict(self.raw)
        assert len(found) == len(self.raw), self.raw
        return found

    @property
    def json(self) -> dict[str, Any]:
        """The body."""
        document: dict[str, Any] = json.loads(self.body)
        return document


@dataclass
class Site:
    """A workspace, and a verifier over it that answers."""

    house: House
    serving: Serving
    app: App
    setup: Setup
    lines: io.StringIO
    secrets: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def ask(
        self,
        method: str,
        target: str,
        *headers: tuple[str, str],
        form: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        body: bytes = b"",
        peer: str = "127.0.0.1",
    ) -> Told:
        """One request."""
        path, _, query = target.partition("?")
        sent = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        if form is not None:
            body = urlencode(form).encode()
            sent.append((b"content-type", b"application/x-www-form-urlencoded"))
        scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": sent,
            "client": (peer, 50_000),
            "server": ("127.0.0.1", 8400),
            "scheme": "http",
            "root_path": "",
            "http_version": "1.1",
        }
        return asyncio.run(_asked(self.app, scope, body))

    def verify(self, token: str | None, *headers: tuple[str, str], uri: str = PLANT, **options: Any) -> Told:
        """One question of a gateway about a GET, by X-Forwarded headers."""
        sent = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", uri), *headers]
        if token is not None:
            sent.append(("Authorization", f"Bearer {token}"))
        return self.ask(options.pop("method", "GET"), options.pop("target", "/verify"), *sent, **options)

    def fields(self, name: str) -> dict[str, str]:
        """What the owner of a token holds."""
        if name not in self.secrets:
            self.secrets[name] = held(self.house, name)
        return self.secrets[name]

    def id(self, name: str) -> str:
        """The id of a token."""
        return self.fields(name)["token_id"]

    def jwt(self, name: str) -> str:
        """The token that was signed for its owner."""
        found = self.fields(name)
        return found.get("jwt") or found["login_token"]

    def signed(self, name: str, **changes: Any) -> str:
        """A JWT as its owner signs it; a claim that is changed to None is left out."""
        found, now = self.fields(name), self.house.now
        key = load_pem_private_key(found["private_key"].encode(), None)
        claims = {
            "iss": found["token_id"],
            "sub": found["token_id"],
            "aud": ISSUER,
            "iat": now,
            "exp": now + 300,
            **changes,
        }
        kept = {claim: value for claim, value in claims.items() if value is not None}
        return signed(kept, key, found["algorithm"], {"kid": found["token_id"]})

    def ticket(self, **changes: Any) -> str:
        """A sign-in JWT of the application ERP."""
        now = self.house.now
        claims = {"username": "li.wei", "name": "李伟", "email": "li.wei@example.com", "iat": now}
        kept = {
            claim: value
            for claim, value in {**claims, "exp": now + 60, **changes}.items()
            if value is not None
        }
        return signed(kept, self.fields("erp")["secret"].encode(), "HS256", {})

    def log(self) -> list[dict[str, Any]]:
        """The lines of the log, as far as they were not read yet."""
        found = [json.loads(line) for line in self.lines.getvalue().splitlines()]
        self.lines.seek(0)
        self.lines.truncate()
        return found

    def apply(self, *declared: Mapping[str, object]) -> None:
        """Applies other documents, and waits until the verifier knows."""
        self.house.declare(*declared)
        self.house.apply()
        caught_up(self.house, self.serving.verifier)


async def _asked(app: App, scope: dict[str, Any], body: bytes) -> Told:
    said: list[Message] = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        said.append(message)

    await app(scope, receive, send)
    start, *rest = said
    assert start["type"] == "http.response.start"
    raw = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
    return Told(start["status"], raw, b"".join(message.get("body", b"") for message in rest))


@contextmanager
def site(root: Path, declared: Sequence[Mapping[str, object]], **changes: Any) -> Iterator[Site]:
    """A workspace that was applied, and a verifier that has read its store."""
    house = House(root, f"sqlite:///{root}/.reconciler/live.db")
    house.settings = {"verifier": {"recipients": [verifier()[0]], "url": ISSUER}}
    keys_file = root / "home" / ".config" / "sops" / "age" / "keys.txt"
    keys_file.parent.mkdir(parents=True)
    keys_file.write_text(verifier()[1].open())
    house.declare(*declared)
    house.apply()
    with serving(house, **changes) as made:
        yield made
    house.close()


@contextmanager
def serving(house: House, **changes: Any) -> Iterator[Site]:
    """A verifier over a workspace, with the workspace's clock."""
    lines = io.StringIO()
    ready = setup(house.workspace(), flags(**changes), lambda: float(house.now))
    serving = Serving(ready, Log(lines.write, ready.clock, lambda flush: flush()))
    serving.verifier.started()
    try:
        yield Site(house, serving, serving.app, ready, lines)
    finally:
        serving.close()
