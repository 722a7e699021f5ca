"""Claim: `reconcile --help` takes at most twice as long as `python -c "import click"`.

Both are whole processes of the same Python.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import Run, alternate, environment, process
from tests.benchmarks.peers import reconcile
from tests.benchmarks.rows import Row, Target, compared

RUNS = 30
TARGET = Target(2)


def measure(bench: Bench) -> Iterator[Row]:
    """One row."""
    environ = environment(bench.folder)

    def ours() -> Run:
        return process([reconcile(), "--help"], bench.folder, environ)

    def click() -> Run:
        return process([sys.executable, "-c", "import click"], bench.folder, environ)

    sides = alternate(bench.runs(RUNS), ours, click)
    yield compared("reconcile --help", "import click", sides, TARGET)
