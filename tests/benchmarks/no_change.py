"""Claim: a plan of 100,000 specs with nothing changed takes at most 3 times as long as `git status`.

The workspace is live as apply leaves it: 100,000 specs, one file each, 100,000 tokens in a SQLite store, and
100,000 sealed artifacts. The tree, specs and artifacts, is committed to git, and `git status` looks at
the same 200,000 files. Both have run once before, so the files are in memory, git's index is fresh and our
memo is there. Twice more: with one spec edited before each run, and with a tree whose files all look new, as
after a checkout: then git and we read every file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

from tests.benchmarks import peers
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import Measured, Run, alternate, environment, process
from tests.benchmarks.rows import Row, Target, compared

RUNS = 3
TARGET = Target(3)
SETTINGS = ("user.name=bench", "user.email=bench@example.com", "gc.auto=0", "maintenance.auto=false")


def measure(bench: Bench) -> Iterator[Row]:
    """A row for each state of the tree."""
    root = bench.large.root
    program = peers.found("git")
    (root / ".gitignore").write_text(".reconciler/\n")
    if program:
        for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "all of it"]):
            _git(bench, program, arguments)

    def plan() -> Run:
        return bench.warm_plan(root)

    def status() -> Run:
        return _git(bench, program or "", ["status"])

    for warming in (plan, status) if program else (plan,):
        warming()
    live = sum(1 for _ in _artifacts(root))
    notes = (f"the tree has {live:,} artifacts beside the specs",)
    work = f"plan of {live:,} specs"
    edits = _edits(root)
    plans: dict[str, tuple[Callable[[], object], Measured]] = {
        "nothing changed": (_nothing, plan),
        "one spec edited": (lambda: next(edits), lambda: bench.plan_of_a_change(root)),
        "all files look new": (lambda: _touch(root), lambda: bench.plan_of_a_change(root)),
    }
    for what, (before, ours) in plans.items():
        sides = alternate(bench.runs(RUNS), _after(before, ours), _after(before, status) if program else None)
        target = TARGET if before is _nothing else None
        yield compared(f"{work}, {what}", "git status", sides, target, missing=peers.GIT, notes=notes)


def _after(before: Callable[[], object], then: Measured) -> Measured:
    """What is measured, and what happens before it and is not."""

    def run() -> Run:
        before()
        return then()

    return run


def _nothing() -> None:
    """Nothing happens between two runs."""


def _edits(root: Path) -> Iterator[None]:
    """One spec gets another title each time."""
    spec = next((root / "specs" / "tokens").glob("*/*.yaml"))
    text = spec.read_text(encoding="utf-8")
    for number in count():
        spec.write_text(text.replace("title: ", f"title: {number} ", 1), encoding="utf-8")
        yield


def _touch(root: Path) -> None:
    """Every spec looks as if it had been written just now."""
    for spec in (root / "specs" / "tokens").glob("*/*.yaml"):
        spec.touch()


def _git(bench: Bench, program: str, arguments: Sequence[str]) -> Run:
    settings = [part for setting in SETTINGS for part in ("-c", setting)]
    return process([program, *settings, *arguments], bench.large.root, environment(bench.folder))


def _artifacts(root: Path) -> Iterator[Path]:
    return (root / "artifacts").glob("*/*.*")
