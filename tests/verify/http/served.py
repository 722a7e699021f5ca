"""`reconcile serve` as a process of its own, and what clients of it do."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from reconciler.secret import Secret
from tests.apply.kit import House, verifier

DEADLINE = 60
"""Seconds for what takes one: the machine may be busy."""


@dataclass
class Served:
    """A running `reconcile serve`."""

    process: subprocess.Popen[bytes]
    folder: Path
    tls: ssl.SSLContext | None = None
    port: int = 0
    ended: int | None = field(default=None)

    @property
    def out(self) -> str:
        """What it wrote to stdout: the log."""
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        """What it wrote to stderr."""
        return (self.folder / "err").read_text()

    def log(self) -> list[dict[str, Any]]:
        """The lines of the log."""
        return [json.loads(line) for line in self.out.splitlines()]

    def connect(self) -> http.client.HTTPConnection:
        """A connection that stays."""
        if self.tls is not None:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=DEADLINE, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one GET, on a connection of its own."""
        connection = self.connect()
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, told, answer.read()
        finally:
            connection.close()

    def post(self, path: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of one POST, on a connection of its own."""
        connection = self.connect()
        try:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, urlencode(form), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def verify(self, token: str, uri: str = "/v1/projects/plant-a/devices/d1") -> int:
        """The status for a GET of a gateway's client."""
        forwarded = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": uri}
        return self.get("/verify", {"Authorization": f"Bearer {token}", **forwarded})[0]

    def ready(self) -> bool:
        """Whether it says that it is ready."""
        return self.get("/readyz")[0] == 200

    def raw(self, data: bytes) -> bytes:
        """All that comes back for these bytes, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as connection:
            connection.sendall(data)
            return received(connection)

    def signal(self, number: int) -> None:
        """Sends a signal to the process, and to no other."""
        os.kill(self.process.pid, number)

    def stop(self) -> int:
        """Ends it as an operator does; its exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)


def received(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = b""
    while data := connection.recv(65_536):
        found += data
    return found


def until(condition: Callable[[], bool], what: str) -> None:
    """Polls until something is so."""
    over = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < over, what
        time.sleep(0.02)


def environ(house: House) -> dict[str, str]:
    """A clean environment, in which the verifier's identity is where sops looks for it."""
    home = house.root / "home"
    keys = home / ".config" / "sops" / "age" / "keys.txt"
    keys.parent.mkdir(parents=True, exist_ok=True)
    identity: Secret = verifier()[1]
    keys.write_text(identity.open())
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "COVERAGE_PROCESS_START")}
    return {**kept, "HOME": str(home), "RECONCILER_STORE": house.url, "LANG": "C.UTF-8"}


def start(
    house: House, *arguments: str, out: int | None = None, folder: str = "served", **more: str
) -> subprocess.Popen[bytes]:
    """The process, started; output goes to files below the workspace, unless a descriptor is named."""
    below = house.root / folder
    below.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "reconciler.cli", "-C", str(house.root), "serve"]
    with (below / "out").open("wb") as to_file, (below / "err").open("wb") as err:
        return subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=to_file if out is None else out,
            stderr=err,
            env={**environ(house), **more},
        )


@contextmanager
def served(
    house: House,
    *arguments: str,
    tls: ssl.SSLContext | None = None,
    out: int | None = None,
    folder: str = "served",
    **more: str,
) -> Iterator[Served]:
    """A server on a free port, that listens; stopped at the end, if it still runs."""
    process = start(house, "--listen", "127.0.0.1:0", *arguments, out=out, folder=folder, **more)
    made = Served(process, house.root / folder, tls)
    try:
        until(lambda: "listening on" in made.err or process.poll() is not None, "it does not listen")
        found = re.search(r"listening on https?://127\.0\.0\.1:(\d+)", made.err)
        assert found is not None, made.err
        made.port = int(found[1])
        yield made
        assert made.stop() == 0, made.err
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(DEADLINE)
