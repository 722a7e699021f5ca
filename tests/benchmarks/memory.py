"""Claim: a plan of 100,000 specs stays under 400 MiB of resident memory.

The peak is what the kernel counts for the whole process of `reconcile plan`. Twice: with no live store, so
that the plan holds 100,000 changes and prints them, and with every token live and nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import alternate
from tests.benchmarks.rows import MIB, Row, bounded

COUNT = 100_000
RUNS = 1
MOST = 400 * MIB


def measure(bench: Bench) -> Iterator[Row]:
    """A row for each."""
    root, runs, count = bench.large.root, bench.runs(RUNS), bench.scaled(COUNT)
    cold, _ = alternate(runs, lambda: bench.cold_plan(root), None)
    yield bounded(f"memory, plan of {count:,} specs, all to issue", cold, MOST)
    warm, _ = alternate(runs, lambda: bench.warm_plan(root), None)
    yield bounded(f"memory, plan of {count:,} specs, nothing changed", warm, MOST)
