"""Claim: opening an artifact that is on disk, with all checks on, is 100 times faster than `sops decrypt`.

10,000 files are read and opened, one after the other, in a process that is running already, as
`download --all` opens them: the file, the MAC, the header against the binding, the structure, and the
digest of the contents that was kept when it was sealed. The peer checks the MAC alone. It is a whole
process for each file, since it takes one file a call, and runs on as many of the same files as give a
steady time.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.artifacts import identities
from reconciler.artifacts.contents import contents_digest
from reconciler.artifacts.interface import Expected
from reconciler.artifacts.opener import FileOpener
from reconciler.artifacts.tree import MAX_BYTES
from reconciler.files import read_regular
from tests.benchmarks import artifacts, peers
from tests.benchmarks.artifacts import Work
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import Measured, Run, alternate, in_process
from tests.benchmarks.rows import Row, Target, compared

TARGET = Target(100, faster=True)


def measure(bench: Bench) -> Iterator[Row]:
    """One row."""
    work = artifacts.work(bench, "opening")
    sops = artifacts.sops(bench, work)
    sides = alternate(bench.runs(artifacts.RUNS), _opened(work), sops.decrypt if sops else None)
    name = f"open {len(work.parcels):,} artifacts"
    notes = (artifacts.said(len(sops.names)),) if sops else ()
    yield compared(name, "sops decrypt", sides, TARGET, missing=peers.SOPS, notes=notes)


def _opened(work: Work) -> Measured:
    """Reads and opens all of them, which were sealed and written before."""
    parcels = work.parcels
    work.start()
    for number in range(len(parcels)):
        work.seal(number, work.write)
    opener = FileOpener(identities.parse(work.tree.identity, "the benchmark"))
    expected = [Expected(one.header, contents_digest(one.header, one.fields)) for one in parcels]

    def open_one(number: int) -> None:
        path = parcels[number].path
        opener.open(read_regular(work.place(path), MAX_BYTES), path, expected[number])

    def run() -> Run:
        return in_process(open_one, len(parcels))

    return run
