"""Claim: an apply that issues 1,000 RSA tokens takes at most 1.1 times as long as making the bare keys.

Ours is the whole of `reconcile apply --yes`: reading specs, planning, keys, sealing, writing and syncing
every artifact, and the live store. The peer is a Python process that only calls
`rsa.generate_private_key` as often, on as many threads as there are cores. Keys have 2048 bits, to keep
it short, which makes it harder for us: all else that we do is the same for longer keys (`--rsa-bits 3072`).

How long a key takes is random: one key varies by about half its mean, so a run of 1,000 by 2 %, and the
ratio of two runs by 3 %. The notes under the row tell how far the runs lay apart.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.benchmarks import trees
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import Run, Sample, alternate, environment, process
from tests.benchmarks.rows import Row, Target, compared, ratio

COUNT = 1000
RUNS = 3
TARGET = Target(1.1)
BARE = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from cryptography.hazmat.primitives.asymmetric import rsa
count, bits = map(int, sys.argv[1:])
with ThreadPoolExecutor(os.cpu_count()) as pool:
    for _ in pool.map(lambda _: rsa.generate_private_key(65537, bits), range(count)):
        pass
"""


def measure(bench: Bench) -> Iterator[Row]:
    """One row."""
    count, bits = bench.scaled(COUNT), bench.rsa_bits
    tree = trees.workspace(bench.folder / "rsa", count, make=lambda number: trees.rsa_document(number, bits))

    def bare() -> Run:
        return process(
            [sys.executable, "-c", BARE, str(count), str(bits)], tree.root, environment(bench.folder)
        )

    sides = alternate(bench.runs(RUNS), lambda: bench.apply(tree.root), bare)
    work = f"apply {count:,} RSA tokens, {bits} bits"
    yield compared(work, "bare keys", sides, TARGET, notes=(_pairs(*sides),))


def _pairs(ours: Sample, peer: Sample | None) -> str:
    """The ratio of each pair of runs: what is left of chance shows there."""
    pairs = zip(ours.runs, peer.runs if peer else (), strict=True)
    return f"each pair of runs by itself: {', '.join(ratio(one.wall, other.wall) for one, other in pairs)}"
