"""A workspace in a temporary folder, and the command line run in it."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.exits import run
from reconciler.cli.main import cli

RSA = """\
apiVersion: reconciler/v1
kind: RSAToken
metadata: {name: historian, title: 工厂 A 历史库, owner: team-historian, labels: {env: prod}}
spec: {apis: [device.read, device.list], projects: [plant-a], keySize: 2048}
"""
JWT = """\
apiVersion: reconciler/v1
kind: JWTToken
metadata: {name: bridge, owner: team-mes}
spec: {apis: [device.read], users: [svc-mes]}
lifecycle: {expires: 20d}
"""
LOGIN = """\
apiVersion: reconciler/v1
kind: LoginToken
metadata: {name: console, title: Admin console}
spec: {aud: AdmManHu, sap: SvKerneL, jti: "12345678", api: "*", shop: EldrCaRE, role: "*", rule: "*"}
"""
AUTH = """\
apiVersion: reconciler/v1
kind: TokenAuth
metadata: {name: erp}
spec: {name: ERP, initroles: [SYS_Reader]}
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """What stands on stdout, which must be one JSON document."""
        document: dict[str, Any] = json.loads(self.out)
        return document


@dataclass
class Shop:
    """A workspace to try commands in."""

    root: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Ran:
        """The command line, in this process."""
        self.capture.readouterr()
        code = run(cli, arguments)
        out, err = self.capture.readouterr()
        return Ran(code, out, err)

    def ok(self, *arguments: str) -> Ran:
        """The command line, which must end well."""
        ran = self.run(*arguments)
        assert ran.code == 0, (arguments, ran)
        return ran

    def write(self, file: str, text: str) -> Path:
        """A file of the workspace."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def spec(self, text: str, file: str = "tokens.yaml") -> Path:
        """A spec file."""
        return self.write(f"specs/{file}", text)

    def tree(self) -> dict[str, bytes]:
        """Every file of the workspace but the live store."""
        files = (path for path in sorted(self.root.rglob("*")) if path.is_file())
        kept = (path for path in files if ".reconciler" not in path.parts and ".git" not in path.parts)
        return {str(path.relative_to(self.root)): path.read_bytes() for path in kept}


def spawn(arguments: Sequence[str], **settings: Any) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own."""
    command = [sys.executable, "-m", "reconciler.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **settings)


def on_terminal(
    arguments: Sequence[str], answer: str = "", environ: dict[str, str] | None = None
) -> tuple[int, str]:
    """The command line with a terminal of its own: its exit code and all that the terminal showed."""
    return _on_terminal([sys.executable, "-m", "reconciler.cli", *arguments], answer, environ or {})


def on_terminal_shell(script: str, environ: dict[str, str]) -> tuple[int, str]:
    """The same for a line of shell, where not all that is read and written is the terminal."""
    return _on_terminal(["/bin/sh", "-c", script], "", environ)


def asked_on_terminal(arguments: Sequence[str], replies: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """The same for a command that asks several things: the end of each question, and what is typed then."""
    return _on_terminal([sys.executable, "-m", "reconciler.cli", *arguments], "", {}, replies)


def _on_terminal(
    command: list[str], answer: str, environ: dict[str, str], replies: Sequence[tuple[str, str]] = ()
) -> tuple[int, str]:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, {**os.environ, **environ})
    waiting = [(question.encode(), reply.encode()) for question, reply in replies]
    shown, read, sent = b"", 0, not answer
    while True:
        ready, _, _ = select.select([terminal], [], [], 30)
        if not ready:
            break
        try:
            data = os.read(terminal, 65_536)
        except OSError:
            break
        shown += data
        if waiting and waiting[0][0] in shown[read:]:
            read = len(shown)
            os.write(terminal, waiting.pop(0)[1])
        if not sent and b"[y/N]" in shown:
            os.write(terminal, answer.encode())
            sent = True
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode()
