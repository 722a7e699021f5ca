"""Claim: sealing an artifact and writing it to disk, all checks on, is 100 times faster than `sops encrypt`.

The files are the artifacts of RSATokens for one age recipient. The peer is `sops encrypt` of the same
plaintext into a file: a whole process for each, since it takes one file a call, on as many of the same
files as give a steady time. Ours comes in three rows. The first is what the claim is about: 10,000 of them
in a process that is running already, as an apply seals them, with the digests of file and contents and the
recipients that it keeps of each; the files are written and not synced, as sops leaves them. The second goes
on as an apply does: each file is synced, and all are renamed into place. The third is a whole `reconcile
apply --yes` of one token, which makes its RSA key, the live store and the record too.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.apply.folder import FolderPublisher
from reconciler.apply.interface import Publication
from tests.benchmarks import artifacts, peers
from tests.benchmarks.artifacts import Work
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import Measured, Run, alternate, in_process
from tests.benchmarks.rows import Row, Target, compared

TARGET = Target(100, faster=True)


def measure(bench: Bench) -> Iterator[Row]:
    """A row for each way to count."""
    work = artifacts.work(bench, "sealing")
    sops = artifacts.sops(bench, work)
    if sops:
        sops.make_plain()
    ways = {
        f"seal {len(work.parcels):,} artifacts and write them": (_written(work), TARGET),
        "the same, synced and renamed": (_published(work), None),
        "apply one token, the whole process": (lambda: bench.apply(work.tree.root), None),
    }
    notes = (artifacts.said(len(sops.names)),) if sops else ()
    for name, (ours, target) in ways.items():
        sides = alternate(bench.runs(artifacts.RUNS), ours, sops.encrypt if sops else None)
        yield compared(name, "sops encrypt", sides, target, missing=peers.SOPS, notes=notes)


def _written(work: Work) -> Measured:
    """Seals into new files of an empty folder, all of them in one run."""

    def run() -> Run:
        work.start()
        return in_process(lambda number: work.seal(number, work.write), len(work.parcels))

    return run


def _published(work: Work) -> Measured:
    """Seals, stages and publishes all artifacts of one run together, as an apply does."""
    publisher = FolderPublisher(work.tree.root, "artifacts")
    paths = [parcel.path for parcel in work.parcels]

    def seal(number: int) -> None:
        work.seal(number, lambda path, data: publisher.stage("run", path, data))
        if number == len(paths) - 1:
            publisher.publish(Publication("run", paths))

    def run() -> Run:
        work.start()
        return in_process(seal, len(paths))

    return run
