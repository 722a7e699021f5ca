"""Measures what the design promises, side by side with its peers, and prints a table.

    pip install -e '.[test,bench]'
    python -m tests.benchmarks
    python -m tests.benchmarks --only cold_plan --only startup --scale 0.1 --runs 3

Peers run in turns with ours, in the same call; a peer that is not installed leaves its row without a ratio,
and the row says how to install it. A target that is missed is shown and is no failure: the exit code is 0
whenever everything could be measured. At full scale it takes about 20 minutes and 2 GiB of disk.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from reconciler import __version__
from tests.benchmarks import (
    audit_access,
    audit_verify,
    checking,
    cold_plan,
    freshness,
    memory,
    no_change,
    opening,
    rsa_apply,
    sealing,
    serving,
    startup,
)
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import MeasurementError
from tests.benchmarks.rows import Row, table

MEASUREMENTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "cold_plan": cold_plan.measure,
    "no_change": no_change.measure,
    "rsa_apply": rsa_apply.measure,
    "sealing": sealing.measure,
    "opening": opening.measure,
    "checking": checking.measure,
    "freshness": freshness.measure,
    "serving": serving.measure,
    "audit_access": audit_access.measure,
    "memory": memory.measure,
    "startup": startup.measure,
    "audit_verify": audit_verify.measure,
}


def main(arguments: Sequence[str]) -> int:
    """Measures what was asked for and prints the table. Returns the exit code."""
    options = _options(arguments)
    print(machine())
    rows: list[Row] = []
    try:
        with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=options.folder) as folder:
            bench = Bench(Path(folder), options.scale, options.runs, options.rsa_bits)
            for name in options.only or MEASUREMENTS:
                print(f"measuring {name} …", file=sys.stderr)
                rows.extend(MEASUREMENTS[name](bench))
    except MeasurementError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        for line in table(rows):
            print(line)
    return 0


def machine() -> str:
    """What the numbers were measured on, as far as a ratio depends on it."""
    load = os.getloadavg()[0]
    return (
        f"reconciler {__version__}, Python {platform.python_version()}, {platform.system()}"
        f" {platform.machine()}, {os.cpu_count()} cores, load {load:.1f} at the start"
    )


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    words = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__, formatter_class=words)
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, help="measure this; may be repeated")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full counts, such as 0.1")
    parser.add_argument("--runs", type=int, help="runs of each side; by default as each measurement needs")
    parser.add_argument("--rsa-bits", type=int, choices=(2048, 3072, 4096), default=2048)
    parser.add_argument("--folder", help="make the trees below this folder; by default the temporary one")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
