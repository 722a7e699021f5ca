"""Gateways for tests, from wheels, on loopback: each in a folder of its own, stopped by its process id."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.servers.openbao import ATTEMPTS, HOST, PATIENCE, free_port

Configure = Callable[[int], str]
"""The port to listen on → the configuration, as `reconcile gateway` prints it."""

Command = Callable[[Path, str], list[str | Path]]
"""The file that the configuration stands in, and its text → the command that starts the gateway."""


@dataclass(frozen=True, slots=True)
class Front:
    """A running gateway."""

    port: int
    log: Path = field(repr=False)
    """All that it printed."""


@contextmanager
def front(name: str, command: Command, configure: Configure) -> Iterator[Front]:
    """A gateway that listens; gone at the end, with all that it kept."""
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix=f"{name}-"))
        stack.callback(shutil.rmtree, home)
        yield _started(stack, home, command, configure)


def _started(stack: ExitStack, home: Path, command: Command, configure: Configure) -> Front:
    running = Front(0, home / "log")
    for _ in range(ATTEMPTS):
        running = Front(free_port(), home / "log")
        config = home / "config"
        config.write_text(configure(running.port), encoding="utf-8")
        process = _start(running, home, command(config, config.read_text(encoding="utf-8")))
        if _ready(process, running.port):
            stack.callback(_stop, process)
            return running
        _stop(process)
    raise AssertionError(running.log.read_text("utf-8"))


def _start(running: Front, home: Path, command: list[str | Path]) -> subprocess.Popen[bytes]:
    environ: Mapping[str, str] = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_DATA_HOME": str(home),
    }
    with running.log.open("wb") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=home, env=environ
        )


def _ready(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether it answers by its configuration before it ends, and before patience does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if _answers(port):
            return process.poll() is None
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
            return False
    return False


def _answers(port: int) -> bool:
    """Traefik listens before it has read its routes, and knows no path until then."""
    with (
        suppress(OSError, HTTPException),
        closing(HTTPConnection(HOST, port, timeout=PATIENCE)) as connection,
    ):
        connection.request("GET", "/ready")
        return connection.getresponse().status != HTTPStatus.NOT_FOUND
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
