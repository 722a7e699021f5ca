"""Claim: `/verify` answers at least half as many requests a second as the same server answers a constant.

Both are processes with one worker; ours keeps its access log, in a file. The constant is answered by an app
that looks at nothing. The load of 16 connections comes from this machine and takes its time from both alike.
The same question in the same second is answered once, so the last row asks another one each time.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from reconciler.artifacts.identities import parse
from reconciler.artifacts.interface import Expected, Header
from reconciler.artifacts.opener import FileOpener
from reconciler.live.opening import open_store
from reconciler.secret import Secret
from tests.apply.kit import text
from tests.benchmarks.bench import Bench
from tests.benchmarks.load import Load, load
from tests.benchmarks.measure import MeasurementError, Sample, environment, process
from tests.benchmarks.peers import reconcile
from tests.benchmarks.rows import Row, Target, compared, seconds
from tests.verify.kit import signed

TARGET = Target(2)
TIMES, RUNS = 10_000, 5
WAIT_SECONDS = 60
STORE = "sqlite:///.reconciler/live.db"
URI = "/v1/projects/plant-a/devices/d1"
OTHERS = "/v1/projects/plant-a/devices/d%NUMBER%"
"""With a number that is another one each time."""
ONE = "a JWT, EdDSA"
SPECS = """\
apiVersion: reconciler/v1
kind: Catalog
metadata: {name: platform}
spec: {apis: [{name: device.read, routes: ["GET /v1/projects/{project}/devices/{device}"]}]}
---
apiVersion: reconciler/v1
kind: JWTToken
metadata: {name: bridge, owner: team-mes}
spec: {apis: [device.read], users: ["*"]}
---
apiVersion: reconciler/v1
kind: RSAToken
metadata: {name: historian, owner: team-historian}
spec: {apis: [device.read], projects: [plant-a], keySize: 2048}
"""


def measure(bench: Bench) -> Iterator[Row]:
    """A row for each form of token."""
    root = bench.place("serving")
    environ = environment(root)
    _prepare(root, environ)
    tokens = _tokens(root, environ)
    serve = [reconcile(), "--store", STORE, "serve", "--listen", "127.0.0.1:0"]
    constant = [sys.executable, "-m", "tests.benchmarks.constant"]
    here = {**environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with _running(serve, root, environ, "ours") as ours, _running(constant, root, here, "peer") as peer:
        questions = [(f"{name}, a request", _request(token, URI)) for name, token in tokens.items()]
        other = _request(tokens[ONE], OTHERS)
        for name, request in (*questions, (f"{ONE}, each request another", other)):
            mine, theirs = _in_turns(bench, ours, peer, request)
            notes = (
                f"99 of 100 wait no longer than {seconds(_p99(mine))}; {seconds(_p99(theirs))} constant",
            )
            sides = Sample([one.run for one in mine]), Sample([one.run for one in theirs])
            yield compared(f"/verify, {name}", "constant", sides, TARGET, notes=notes)


def _in_turns(
    bench: Bench, ours: tuple[int, int], peer: tuple[int, int], request: bytes
) -> tuple[list[Load], list[Load]]:
    times, mine, theirs = bench.scaled(TIMES), list[Load](), list[Load]()
    for _ in range(bench.runs(RUNS)):
        mine.append(load(*ours, request, times))
        theirs.append(load(*peer, request, times))
    return mine, theirs


def _p99(loads: list[Load]) -> float:
    return sorted(one.p99 for one in loads)[len(loads) // 2]


def _prepare(root: Path, environ: Mapping[str, str]) -> None:
    """A workspace that was applied."""
    (root / "specs").mkdir()
    (root / "specs" / "all.yaml").write_text(SPECS)
    process([reconcile(), "keygen"], root, environ)
    process([reconcile(), "--store", STORE, "apply", "--yes"], root, environ)


def _tokens(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What owners present, by what it is."""
    keys = Path(environ["HOME"]) / ".config" / "sops" / "age" / "keys.txt"
    opener = FileOpener(parse(Secret(keys.read_text()), "the benchmark"))
    found: dict[str, dict[str, str]] = {}
    store = open_store(f"sqlite:///{root}/.reconciler/live.db", "default", create=False)
    for token in store.tokens():
        path = str(token.artifact_path)
        expected = Expected(Header(token.kind, token.id, token.generation), token.artifact_contents)
        fields = opener.open((root / path).read_bytes(), path, expected).fields
        found[token.name] = {name: text(value) for name, value in fields.items()}
    store.close()
    return {
        "a secret id": found["bridge"]["secret_id"],
        "a JWT, EdDSA": found["bridge"]["jwt"],
        "a JWT, RS256": _signed(found["historian"]),
    }


def _signed(fields: Mapping[str, str]) -> str:
    now = int(time.time())
    key = load_pem_private_key(fields["private_key"].encode(), None)
    claims = {"aud": "reconciler:default", "iat": now, "exp": now + 600}
    return signed(claims, key, fields["algorithm"], {"kid": fields["token_id"]})


def _request(token: str, uri: str) -> bytes:
    lines = (
        "GET /verify HTTP/1.1",
        "Host: verifier",
        "X-Forwarded-Method: GET",
        f"X-Forwarded-Uri: {uri}",
        "X-Forwarded-For: 192.0.2.9",
        f"Authorization: Bearer {token}",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


@contextmanager
def _running(
    command: list[str], folder: Path, environ: Mapping[str, str], name: str
) -> Iterator[tuple[int, int]]:
    """Port and process id of a server that answers; it is ended afterwards."""
    said = folder / f"{name}.err"
    with said.open("wb") as err, (folder / f"{name}.out").open("wb") as out:
        started = subprocess.Popen(command, cwd=folder, env=environ, stdout=out, stderr=err)
    try:
        over = time.monotonic() + WAIT_SECONDS
        while (found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", said.read_text())) is None:
            if started.poll() is not None or time.monotonic() > over:
                raise MeasurementError(f"{command[0]} does not listen: {said.read_text()[-2000:]}")
            time.sleep(0.05)
        yield int(found[1]), started.pid
    finally:
        started.terminate()
        started.wait(WAIT_SECONDS)
