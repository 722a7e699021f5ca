"""Claim: a cold plan of 10,000 specs is 5 times faster than octoDNS with 10,000 records.

Ours is `reconcile plan` on 10,000 specs of all four kinds, with no live store; once with one file a spec,
and once with 100 documents a file. The peer is `octodns-sync` (without --doit) of 10,000 A records in one
zone, from YAML to an empty YAML folder. Both read their YAML, compare it with nothing, and print every
change; the output goes to /dev/null. octoDNS reads one file, which is the cheaper way for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import peers, trees
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import Run, alternate, environment, process
from tests.benchmarks.rows import Row, Target, compared

COUNT = 10_000
RUNS = 5
TARGET = Target(5, faster=True)


def measure(bench: Bench) -> Iterator[Row]:
    """A row for each way to lay out the files."""
    count = bench.scaled(COUNT)
    program = peers.found("octodns-sync")
    folder = trees.zone(bench.place("octodns"), count)

    def sync() -> Run:
        return _sync(bench, program or "", folder)

    for layout, per_file in (("one file each", 1), ("100 a file", 100)):
        root = trees.workspace(bench.folder / f"cold-{per_file}", count, per_file=per_file).root

        def plan(root: Path = root) -> Run:
            return bench.cold_plan(root)

        sides = alternate(bench.runs(RUNS), plan, sync if program else None)
        work = f"cold plan, {count:,} specs, {layout}"
        yield compared(work, "octodns-sync", sides, TARGET, missing=peers.BENCH)


def _sync(bench: Bench, program: str, folder: Path) -> Run:
    return process([program, "--config-file", "config.yaml"], folder, environment(bench.folder))
