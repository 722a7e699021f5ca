"""A repository with many records, as applies leave them: signed, chained, each in a commit of its own."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic_core import from_json

from reconciler.canonical import digest
from reconciler.records.body import SCHEMA, read_body
from reconciler.records.envelope import envelope, statement
from reconciler.records.keys import pae, read_keys
from reconciler.specs.reader import Declared, read_file
from reconciler.times import timestamp
from tests.benchmarks.measure import environment

START = 1_700_000_000
TOKENS, WAYS = 100, 20
"""Tokens, and specs that each of them has in turn."""
ROTATED = 5
"""Every so many records put an artifact into place."""
WHO = "c <c@example.org>"


@dataclass
class Recorded:
    """A repository in the making, by `git fast-import`."""

    put: Callable[[str], None]
    put_data: Callable[[bytes], None]
    ask: Callable[[str], str]
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    previous: str | None = None
    at: int = START
    generations: dict[int, int] = field(default_factory=dict)
    payloads: list[tuple[bytes, bytes]] = field(default_factory=list)
    """(what was signed, signature) of each record."""

    @cached_property
    def line(self) -> str:
        """The public key, as spec.audit.keys has it."""
        return self.key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    @cached_property
    def key_id(self) -> str:
        """As it stands beside a signature."""
        return read_keys([self.line])[0].id

    def commit(self, *files: tuple[str, bytes]) -> str:
        """A commit that puts files into place; returns its id."""
        self.at += 60
        self.put(f"commit refs/heads/main\nmark :1\ncommitter {WHO} {self.at} +0000\n")
        self.put_data(b"m")
        for path, data in files:
            self.put(f"M 100644 inline {path}\n")
            self.put_data(data)
        self.put("\n")
        return self.ask("get-mark :1\n")

    def record(self, number: int) -> None:
        """One change of a spec, and the record of its apply."""
        token, way = number % TOKENS, (number // TOKENS) % WAYS
        data = text(token, way)
        asked = self.commit((f"specs/tokens/t{token}.yaml", data))
        change, artifact = self._change(number, token, declared(token, way))
        body = {
            "schema": SCHEMA,
            "sequence": number + 1,
            "previous": self.previous,
            "run": f"{number:016x}",
            "time": timestamp(self.at),
            "actor": "bench",
            "commit": asked,
            "plan": digest(b"plan"),
            "outcome": "done",
            "changes": [change],
            "live": {f"id{token}": digest(data)},
        }
        payload = statement(read_body(body))
        signature = self.key.sign(pae(payload))
        self.payloads.append((pae(payload), signature))
        file = envelope(payload, ((self.key_id, signature),))
        self.previous = digest(file)
        self.commit((f"artifacts/records/{number + 1:08d}-{number:016x}.json", file), *artifact)

    def _change(
        self, number: int, token: int, spec: Declared
    ) -> tuple[dict[str, object], list[tuple[str, bytes]]]:
        new = token not in self.generations
        mints = new or number % ROTATED == 0
        self.generations[token] = self.generations.get(token, 0) + mints
        change: dict[str, object] = {
            "action": "issue" if new else "rotate" if mints else "modify",
            "kind": "JWTToken",
            "name": f"t{token}",
            "token": f"id{token}",
            "generation": self.generations[token],
            "outcome": "done",
            "spec": spec.digest,
            "declared": from_json(spec.normal),
        }
        if not mints:
            return change, []
        path, data = (
            f"artifacts/JWTToken/t{token}.yaml",
            hashlib.sha512(b"%d" % number).hexdigest().encode() * 16,
        )
        change["artifact"] = {"path": path, "digest": digest(data), "contents": digest(b"c")}
        return change, [(path, data)]


def text(token: int, way: int) -> bytes:
    """A spec."""
    return json.dumps(
        {
            "apiVersion": "reconciler/v1",
            "kind": "JWTToken",
            "metadata": {"name": f"t{token}"},
            "spec": {"apis": ["a", f"a{way}"], "users": ["u"]},
        }
    ).encode()


_declared: dict[tuple[int, int], Declared] = {}


def declared(token: int, way: int) -> Declared:
    """The same as it is read."""
    if (token, way) not in _declared:
        _declared[token, way] = read_file("x", text(token, way)).tokens[0]
    return _declared[token, way]


def recorded(root: Path, count: int) -> Recorded:
    """A repository with so many records, checked out."""
    root.mkdir(parents=True)
    environ = environment(root.parent)
    subprocess.run(["git", "init", "--quiet", "-b", "main"], cwd=root, env=environ, check=True)
    with _importing(root, environ) as made:
        settings = {"audit": {"keys": [made.line], "records": "signed"}}
        document = {
            "apiVersion": "reconciler/v1",
            "kind": "Workspace",
            "metadata": {"name": "bench"},
            "spec": settings,
        }
        made.commit(("specs/workspace.yaml", json.dumps(document).encode()))
        for number in range(count):
            made.record(number)
    for command in (["checkout", "--quiet", "main"], ["gc", "--quiet"]):
        subprocess.run(["git", *command], cwd=root, env=environ, check=True)
    return made


@contextmanager
def _importing(root: Path, environ: Mapping[str, str]) -> Iterator[Recorded]:
    command = ["git", "fast-import", "--quiet", "--done"]
    with subprocess.Popen(
        command, cwd=root, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        into, out = process.stdin, process.stdout
        assert into is not None
        assert out is not None

        def put(text: str) -> None:
            into.write(text.encode())

        def put_data(data: bytes) -> None:
            into.write(b"data %d\n" % len(data) + data + b"\n")

        def ask(text: str) -> str:
            put(text)
            into.flush()
            return out.readline().decode().strip()

        yield Recorded(put, put_data, ask)
        put("done\n")
