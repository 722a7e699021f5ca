"""Claim: sealing one artifact and writing it to disk is 100 times faster than `sops encrypt`.

The file is the artifact of an RSAToken for one age recipient. The peer is one `sops encrypt` of the same
plaintext into a file, as one would call it: a whole process. Ours comes in three rows. The first is what
the claim is about: a call in a process that is running already, as apply makes it for each token, with
the file written but not synced, as sops leaves it. The second goes on as apply does: it is synced and
renamed into place. The third is a whole `reconcile apply --yes` of one token, which makes its RSA key, the
live store and the record too.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from secrets import token_bytes

from reconciler.apply.folder import FolderPublisher, write_new
from reconciler.apply.interface import Publication
from reconciler.artifacts import age, rules
from reconciler.artifacts.interface import Header, Parcel
from reconciler.artifacts.sealing import RuleSealer
from reconciler.kinds.interface import Draft
from reconciler.kinds.rsa import RSASpec, mint
from tests.benchmarks import peers, trees
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import Measured, Run, alternate, environment, in_process, process
from tests.benchmarks.rows import Row, Target, compared
from tests.benchmarks.trees import Tree

COUNT = 1000
RUNS = 10
TARGET = Target(100, faster=True)
NOW = 1_800_000_000


def measure(bench: Bench) -> Iterator[Row]:
    """A row for each way to count."""
    tree = trees.workspace(bench.folder / "sealing", 1, make=lambda number: trees.rsa_document(number, 2048))
    program = peers.found("sops")
    encrypt = _sops(bench, program, tree) if program else None
    ways = {
        "seal one artifact and write it": (_written(bench, tree), TARGET),
        "the same, synced and renamed": (_published(bench, tree), None),
        "apply one token, the whole process": (lambda: bench.apply(tree.root), None),
    }
    for work, (ours, target) in ways.items():
        sides = alternate(bench.runs(RUNS), ours, encrypt)
        yield compared(work, "sops encrypt", sides, target, missing=peers.SOPS)


def _parcels(count: int) -> list[Parcel]:
    """Artifacts to be: one key, since making it is not what is measured, and a token id for each."""
    spec = RSASpec(apis=("device.read",), projects=("plant-a",), keySize=2048)
    secret = mint(spec, Draft("token", 1, NOW, None, token_bytes)).secret
    return [
        Parcel(
            Header("RSAToken", f"token{number}", 1),
            {**secret, "token_id": f"token{number}"},
            f"artifacts/RSAToken/token-{number}.yaml",
            "yaml",
            NOW,
        )
        for number in range(count)
    ]


def _written(bench: Bench, tree: Tree) -> Measured:
    """Seals into new files of an empty folder, so many in one run."""
    parcels = _parcels(bench.scaled(COUNT))
    sealer = RuleSealer(rules.load(tree.root), age.NativeSealer(token_bytes), age.NativeSealer(token_bytes))
    folder = tree.root / "written"

    def seal(number: int) -> None:
        write_new(folder / f"{number}.yaml", sealer.seal(parcels[number]))

    def run() -> Run:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return in_process(seal, len(parcels))

    return run


def _published(bench: Bench, tree: Tree) -> Measured:
    """Seals, stages and publishes all artifacts of one run together, as an apply does."""
    parcels = _parcels(bench.scaled(COUNT))
    sealer = RuleSealer(rules.load(tree.root), age.NativeSealer(token_bytes), age.NativeSealer(token_bytes))
    publisher = FolderPublisher(tree.root, "artifacts")

    def seal(number: int) -> None:
        parcel = parcels[number]
        publisher.stage("run", parcel.path, sealer.seal(parcel))
        if number == len(parcels) - 1:
            publisher.publish(Publication("run", [each.path for each in parcels]))

    def run() -> Run:
        shutil.rmtree(tree.root / "artifacts", ignore_errors=True)
        return in_process(seal, len(parcels))

    return run


def _sops(bench: Bench, program: str, tree: Tree) -> Measured:
    """`sops encrypt` of the plaintext of such an artifact; sops itself makes that plaintext first."""
    folder = bench.place("sops")
    sealed, plain = folder / "artifact.yaml", folder / "plain.yaml"
    sealer = age.NativeSealer(token_bytes)
    sealed.write_bytes(RuleSealer(rules.load(tree.root), sealer, sealer).seal(_parcels(1)[0]))
    environ = environment(bench.folder, SOPS_AGE_KEY=tree.identity.open())
    process([program, "decrypt", "--output", plain, sealed], folder, environ)
    to = ["--age", tree.recipient, "--unencrypted-regex", "^reconciler$"]

    def run() -> Run:
        sealed.unlink()
        return process(
            [program, "encrypt", *to, "--output", sealed, plain], folder, environment(bench.folder)
        )

    return run
