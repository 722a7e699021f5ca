"""Claim: `audit access` of 10,000 specs over 5,000 commits answers in seconds.

The first commit brings all specs. Each of the others edits two, every tenth deletes one and declares another,
and every hundredth edits the catalog that an eighth of the specs names a group of. Against `git log --raw` of
the same history, which lists what changed and reads no spec. Once with nothing known from before, and once
with the memo.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from typing import TypeAlias

from reconciler import memo
from tests.benchmarks import peers, trees
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import Run, alternate, environment, process
from tests.benchmarks.rows import Row, compared
from tests.git.kit import made

SPECS, COMMITS = 10_000, 5_000
RUNS = 3
START, STEP = 1_600_000_000, 30_000
WHO = "Bench <bench@example.org>"
GROUP = "@readers"
Edits: TypeAlias = "list[tuple[str, str | None]]"


def measure(bench: Bench) -> Iterator[Row]:
    """A row with nothing known, and one with the memo."""
    specs, commits = bench.scaled(SPECS), bench.scaled(COMMITS)
    root = bench.place("history")
    made(root).git("fast-import", "--quiet", given=b"".join(_stream(specs, commits)))
    made(root).git("reset", "--quiet", "--hard")
    environ = environment(bench.folder)
    program = peers.found("git") or "git"

    def ours() -> Run:
        asked = ["audit", "access", "--api", "device.write", "--at", "2022-01-01", "--declared"]
        return process([peers.reconcile(), *asked], root, environ)

    def cold() -> Run:
        shutil.rmtree(root / memo.FOLDER, ignore_errors=True)
        return ours()

    def log() -> Run:
        return process([program, "log", "--first-parent", "--raw", "--no-renames"], root, environ)

    work = f"audit access, {specs:,} specs over {commits:,} commits"
    for what, run in (("nothing known", cold), ("with the memo", ours)):
        yield compared(f"{work}, {what}", "git log --raw", alternate(bench.runs(RUNS), run, log), None)


def _stream(specs: int, commits: int) -> Iterator[bytes]:
    """What `git fast-import` makes the history of."""
    chance = random.Random(7)
    there = list(range(specs))
    yield _commit(0, [("specs/catalog.yaml", _catalog(0)), *((_path(one), _spec(one, 0)) for one in there)])
    new = specs
    for number in range(1, commits):
        edits: Edits = [(_path(one), _spec(one, number)) for one in chance.sample(there, min(2, len(there)))]
        if number % 10 == 0:
            place = chance.randrange(len(there))
            edits = [(path, text) for path, text in edits if path != _path(there[place])]
            edits += [(_path(there[place]), None), (_path(new), _spec(new, number))]
            there[place], new = new, new + 1
        if number % 100 == 0:
            edits.append(("specs/catalog.yaml", _catalog(number)))
        yield _commit(number, edits)


def _commit(number: int, edits: Edits) -> bytes:
    at = START + number * STEP
    head = f"commit refs/heads/main\nauthor {WHO} {at} +0000\ncommitter {WHO} {at} +0000\n"
    return f"{head}data 1\nm\n".encode() + b"".join(_edit(path, text) for path, text in edits)


def _edit(path: str, text: str | None) -> bytes:
    if text is None:
        return f"D {path}\n".encode()
    data = text.encode()
    return f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n"


def _path(number: int) -> str:
    return f"specs/tokens/{number // trees.PER_FOLDER:03d}/token-{number:06d}.yaml"


def _spec(number: int, commit: int) -> str:
    """The spec with this number, as a commit has it: every edit gives it another meaning."""
    text = trees.document(number).replace("title: ", f"title: {commit} ", 1)
    third = (
        ("device.list", GROUP, "device.write")[(number + commit) % 3] if number % 8 == 0 else "device.list"
    )
    return text.replace("device.list", f'"{third}"')


def _catalog(number: int) -> str:
    names = ["device.read", "device.list", "device.write", "telemetry.read", "telemetry.write"]
    lines = "".join(f"    - {name}\n" for name in (*names, f"extra.{number}", '"*"'))
    members = ", ".join((*names[:2], f"extra.{number}"))
    group = f'    - {{name: "{GROUP}", members: [{members}]}}\n'
    return f"apiVersion: reconciler/v1\nkind: Catalog\nmetadata: {{name: c}}\nspec:\n  apis:\n{lines}{group}"
