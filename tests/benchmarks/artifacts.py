"""Artifacts to seal and to open, and the sops program that does the same with some of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from statistics import mean

from reconciler.artifacts import age, rules
from reconciler.artifacts.contents import contents_digest
from reconciler.artifacts.interface import Header, Parcel
from reconciler.artifacts.sealing import RuleSealer
from reconciler.canonical import digest
from reconciler.kinds.interface import Draft
from reconciler.kinds.rsa import RSASpec, mint
from reconciler.plan.transition import SealedArtifact
from tests.benchmarks import peers, trees
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import Run, environment, process
from tests.benchmarks.trees import Tree

COUNT = 10_000
PEERS = 100
"""So many of the same files the program takes in each turn, in a process each."""
RUNS = 5
NOW = 1_800_000_000


@dataclass(frozen=True, slots=True)
class Work:
    """A workspace with the artifacts that are to be: all are of RSATokens, for one age recipient."""

    tree: Tree
    parcels: list[Parcel]
    sealer: RuleSealer

    def seal(self, number: int, write: Callable[[str, bytes], None]) -> SealedArtifact:
        """Seals one and writes it; with all that an apply asks and keeps of an artifact that it sealed."""
        parcel = self.parcels[number]
        data = self.sealer.seal(parcel)
        write(parcel.path, data)
        recipients = self.sealer.recipients(parcel.path).names
        contents = contents_digest(parcel.header, parcel.fields)
        return SealedArtifact(parcel.path, digest(data), recipients, contents)

    def place(self, path: str) -> Path:
        """Where an artifact stands."""
        return self.tree.root / path

    def start(self) -> None:
        """An empty folder for the artifacts of a run.

        Those of the run before are moved, not removed: ext4 makes new files at a tenth of its speed for as
        long as it remembers that many were just deleted.
        """
        folder = self.place("artifacts")
        if folder.exists():
            folder.rename(Path(tempfile.mkdtemp(dir=self.tree.root)) / "artifacts")
        folder.mkdir()

    def write(self, path: str, data: bytes) -> None:
        """A new file, not synced: the sops program syncs none either."""
        with self.place(path).open("xb") as file:
            file.write(data)


def work(bench: Bench, name: str) -> Work:
    """So many artifacts at this scale, in a new workspace of that name."""
    tree = trees.workspace(bench.folder / name, 1, make=lambda number: trees.rsa_document(number, 2048))
    native = age.NativeSealer(token_bytes)
    return Work(tree, _parcels(bench.scaled(COUNT)), RuleSealer(rules.load(tree.root).match, native, native))


def _parcels(count: int) -> list[Parcel]:
    """One key, since making it is not what is measured, and a token id for each."""
    spec = RSASpec(apis=("device.read",), projects=("plant-a",), keySize=2048)
    secret = mint(spec, Draft("token", 1, NOW, None, token_bytes)).secret
    return [
        Parcel(
            Header("RSAToken", f"token{number}", 1),
            {**secret, "token_id": f"token{number}"},
            f"artifacts/token-{number}.yaml",
            "yaml",
            NOW,
        )
        for number in range(count)
    ]


@dataclass(frozen=True, slots=True)
class Sops:
    """The sops program, on the first of the artifacts."""

    program: str
    folder: Path
    names: list[str]
    bench: Bench
    tree: Tree

    def encrypt(self) -> Run:
        """`sops encrypt` of each plaintext into a new file."""
        to = ["--age", self.tree.recipient, "--unencrypted-regex", "^reconciler$"]
        environ = environment(self.bench.folder)

        def one(name: str) -> Run:
            sealed, plain = self.folder / name, self.folder / f"plain-{name}"
            sealed.unlink()
            return process([self.program, "encrypt", *to, "--output", sealed, plain], self.folder, environ)

        return _each(one, self.names)

    def decrypt(self) -> Run:
        """`sops decrypt` of each artifact, to nowhere."""
        return _each(self._decrypted, self.names)

    def make_plain(self) -> None:
        """The plaintext of each, as sops itself makes it."""
        for name in self.names:
            self._decrypted(name, "--output", self.folder / f"plain-{name}")

    def _decrypted(self, name: str, *options: str | Path) -> Run:
        environ = environment(self.bench.folder, SOPS_AGE_KEY=self.tree.identity.open())
        return process([self.program, "decrypt", *options, self.folder / name], self.folder, environ)


def sops(bench: Bench, work: Work) -> Sops | None:
    """The program with its own copies of the first artifacts; None where it is not installed."""
    program = peers.found("sops")
    if program is None:
        return None
    folder = bench.place(f"{work.tree.root.name}-sops")
    parcels = work.parcels[: bench.scaled(PEERS)]
    names = [Path(parcel.path).name for parcel in parcels]
    for name, parcel in zip(names, parcels, strict=True):
        (folder / name).write_bytes(work.sealer.seal(parcel))
    return Sops(program, folder, names, bench, work.tree)


def said(count: int) -> str:
    """What is to be said of the peer below a row."""
    return f"both are the time of one artifact; sops took {count:,} of the same in each run, a process each"


def _each(measured: Callable[[str], Run], names: list[str]) -> Run:
    """One call a name; the seconds are those of one call, as for ours."""
    runs = [measured(name) for name in names]
    return Run(mean(one.wall for one in runs), mean(one.cpu for one in runs), max(one.peak for one in runs))
