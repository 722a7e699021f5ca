"""Informs: how long `audit verify` takes for 10,000 records, beside `git fsck` and the bare signature checks.

Each record is signed (Ed25519) and stands in a commit of its own, after the commit of the spec that it
applied: 20,000 commits. Every fifth put an artifact into place. `git fsck` reads every object of the same
repository, and checks that each is what its id says, and nothing else. The bare checks are those of
`cryptography`, over the same bytes with a key that is parsed already.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks import peers
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import Run, alternate, environment, in_process, process
from tests.benchmarks.recorded import recorded
from tests.benchmarks.rows import Row, compared

RECORDS, RUNS = 10_000, 3


def measure(bench: Bench) -> Iterator[Row]:
    """A row for each peer."""
    count = bench.scaled(RECORDS)
    root = bench.folder / "recorded"
    made = recorded(root, count)
    program, environ = peers.found("git"), environment(bench.folder)
    work = f"audit verify of {count:,} records"

    def ours() -> Run:
        return process([peers.reconcile(), "audit", "verify"], root, environ)

    def fsck() -> Run:
        return process([program or "git", "fsck", "--no-progress"], root, environ)

    yield compared(work, "git fsck", alternate(bench.runs(RUNS), ours, fsck), None)
    public = made.key.public_key()

    def bare(_: int) -> None:
        for signed, signature in made.payloads:
            public.verify(signature, signed)

    sides = alternate(bench.runs(RUNS), ours, partial(in_process, bare, 1))
    yield compared(work, "bare Ed25519 verify", sides, None)
