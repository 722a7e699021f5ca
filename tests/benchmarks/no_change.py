"""Claim: a plan of 100,000 specs with nothing changed takes at most 3 times as long as `git status`.

The workspace is live as apply leaves it: 100,000 specs, one file each, 100,000 tokens in a SQLite store, and
100,000 sealed artifacts. The tree, specs and artifacts, is committed to git, and `git status` looks at
the same 200,000 files. Both have run once before, so the files are in memory and git's index is fresh.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks import peers
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import Run, alternate, environment, process
from tests.benchmarks.rows import Row, Target, compared

RUNS = 3
TARGET = Target(3)
SETTINGS = ("user.name=bench", "user.email=bench@example.com", "gc.auto=0", "maintenance.auto=false")


def measure(bench: Bench) -> Iterator[Row]:
    """One row."""
    root = bench.large.root
    program = peers.found("git")
    if program:
        for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "all of it"]):
            _git(bench, program, arguments)

    def plan() -> Run:
        return bench.warm_plan(root)

    def status() -> Run:
        return _git(bench, program or "", ["status"])

    for warming in (plan, status) if program else (plan,):
        warming()
    sides = alternate(bench.runs(RUNS), plan, status if program else None)
    count = sum(1 for _ in _artifacts(root))
    notes = (f"the tree has {count:,} artifacts beside the specs",)
    work = f"plan with nothing changed, {count:,} specs"
    yield compared(work, "git status", sides, TARGET, missing=peers.GIT, notes=notes)


def _git(bench: Bench, program: str, arguments: Sequence[str]) -> Run:
    settings = [part for setting in SETTINGS for part in ("-c", setting)]
    return process([program, *settings, *arguments], bench.large.root, environment(bench.folder))


def _artifacts(root: Path) -> Iterator[Path]:
    return (root / "artifacts").glob("*/*.*")
