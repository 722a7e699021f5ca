"""A workspace with live tokens, and `reconcile serve` over it, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode

import jwt

from tests.gateways.recording import HOST
from tests.servers import free_port

PATIENCE = 30.0
CATALOG = """\
apiVersion: reconciler/v1
kind: Catalog
metadata: {name: platform}
spec:
  apis:
    - {name: device.list, routes: ["GET /v1/projects/{project}/devices"]}
    - {name: device.read, routes: ["GET /v1/projects/{project}/devices/{device}"]}
    - {name: device.write, routes: ["PATCH /v1/projects/{project}/devices/{device}"]}
    - {name: events.read, routes: ["GET /v1/events"]}
  projects: [plant-a, plant-b]
  users: [svc-mes]
---
apiVersion: reconciler/v1
kind: Workspace
metadata: {name: acme}
spec: {brakes: {delete: {count: 100, percent: 100}}}
"""
RSA = """\
apiVersion: reconciler/v1
kind: RSAToken
metadata: {name: historian, owner: team-historian}
spec: {apis: [device.list, device.read], projects: [plant-a], keySize: 2048}
deliver: {format: json}
"""
JWT = """\
apiVersion: reconciler/v1
kind: JWTToken
metadata: {name: NAME, owner: team-mes}
spec: {apis: [events.read], users: [svc-mes]}
deliver: {format: json}
"""
LOGIN = """\
apiVersion: reconciler/v1
kind: LoginToken
metadata: {name: NAME}
spec:
  {aud: AdmManHu, sap: "*", jti: JTI, ipm: [ADDRESSES], api: [events.read], shop: "*", role: "*", rule: "*"}
deliver: {format: json}
"""


@dataclass
class World:
    """The workspace."""

    root: Path

    def run(self, *arguments: str) -> str:
        """The command line, which must end well; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "reconciler.cli", *arguments],
            cwd=self.root,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, (arguments, done)
        return done.stdout

    @property
    def environ(self) -> dict[str, str]:
        """Of its processes."""
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        return {**kept, "HOME": str(self.root.parent)}

    def spec(self, name: str, text: str) -> None:
        """Declares a token."""
        (self.root / "specs" / f"{name}.yaml").write_text(text.replace("NAME", name))

    def held(self, name: str) -> dict[str, str]:
        """What the owner of a token got."""
        found: dict[str, str] = json.loads((self.root.parent / "held" / f"{name}.json").read_text())
        return found

    def signed(self, name: str) -> str:
        """A JWT as the owner of an RSA token signs it for a call."""
        held, now = self.held(name), int(time.time())
        claims = {"aud": "reconciler:acme", "iat": now, "exp": now + 300}
        return jwt.encode(
            claims, held["private_key"], algorithm=held["algorithm"], headers={"kid": held["token_id"]}
        )


def made(folder: Path) -> World:
    """A workspace in a new folder, with its tokens live."""
    world = World(folder / "acme")
    (world.root / "specs").mkdir(parents=True)
    (world.root / "specs" / "catalog.yaml").write_text(CATALOG)
    world.spec("historian", RSA)
    world.spec("here", LOGIN.replace("ADDRESSES", '"127.0.0.1"').replace("JTI", "a1"))
    world.spec("elsewhere", LOGIN.replace("ADDRESSES", '"10.0.0.0/8"').replace("JTI", "a2"))
    world.spec("bridge", JWT)
    world.spec("leaver", JWT)
    world.run("keygen")
    world.run("apply", "--yes")
    world.run("download", "--all", "--output", str(folder / "held"))
    return world


@dataclass(frozen=True)
class Serving:
    """A running verifier."""

    process: subprocess.Popen[bytes]
    port: int

    def exchange(self, held: dict[str, str]) -> str:
        """The `at+jwt` that it gives out for a secret id."""
        asked = {"client_id": held["token_id"], "client_secret": held["secret_id"]}
        body = urlencode({"grant_type": "client_credentials", **asked})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        with closing(HTTPConnection(HOST, self.port, timeout=PATIENCE)) as connection:
            connection.request("POST", "/oauth/token", body, headers)
            told: dict[str, str] = json.loads(connection.getresponse().read())
        return told["access_token"]


@contextmanager
def serving(world: World, *flags: str) -> Iterator[Serving]:
    """`reconcile serve`, ready; stopped at the end."""
    port = free_port()
    command = [sys.executable, "-m", "reconciler.cli", "serve", "--listen", f"{HOST}:{port}"]
    command += ["--issuer", f"http://{HOST}:{port}", *flags]
    with (world.root.parent / f"serve-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=world.root, env=world.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _ready(port):
            assert process.poll() is None, (world.root.parent / f"serve-{port}.log").read_text()
            assert time.monotonic() < deadline
        yield Serving(process, port)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _ready(port: int) -> bool:
    with (
        suppress(OSError, HTTPException),
        closing(HTTPConnection(HOST, port, timeout=PATIENCE)) as connection,
    ):
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    return False
