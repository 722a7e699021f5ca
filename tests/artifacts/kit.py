"""What the tests share: keys, a workspace with rules, parcels, and the real sops program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from reconciler.artifacts import identities
from reconciler.artifacts.age import NativeSealer
from reconciler.artifacts.formats import all_formats
from reconciler.artifacts.identities import Identities
from reconciler.artifacts.interface import Expected, Header, Parcel
from reconciler.artifacts.opener import FileOpener
from reconciler.artifacts.packing import packed
from reconciler.artifacts.process import Program
from reconciler.artifacts.program import ProgramOpener, ProgramSealer
from reconciler.artifacts.rules import Config, load
from reconciler.artifacts.sealing import RuleSealer
from reconciler.secret import Secret

FORMATS = tuple(all_formats())
NOW = 1_790_000_000
HEADER = Header("RSAToken", "k7ylkf3mq2pzabcd2345", 3)
EXPECTED = Expected(HEADER)
PEM = (
    "-----BEGIN PRIVATE KEY-----\n" + ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 2 + "\n") * 4 + "-----END-----\n"
)
SOPS = shutil.which("sops") or str(Path(sys.executable).parent / "sops")

AWKWARD = (
    "",
    "plain",
    PEM,
    "工厂 ключ é 😀",
    "x" * 70_000,
    "12345",
    "1e5",
    "0x1F",
    "null",
    "true",
    "~",
    "2026-11-22",
    "ENC[AES256_GCM,data:aA==,iv:aA==,tag:aA==,type:str]",
    "ENC[",
    "  leading and trailing  ",
    "a\\nb",
    "tab\tbell\x07 del\x7f nel\x85 bom\ufeff",
    "'quotes\"` # : - {}[]&*!|>%@",
    "\n",
    "crlf\r\n",
    "KEY=value",
)


def values() -> st.SearchStrategy[str]:
    """Texts that a secret can be: the awkward ones more often than chance has them."""
    # The very long one is tried by itself: Hypothesis would print it.
    return st.sampled_from([text for text in AWKWARD if len(text) < 2000]) | st.text(max_size=40)


def fields() -> st.SearchStrategy[dict[str, str | Secret]]:
    """Fields of a parcel that has a private key, so that every format can carry it."""
    names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
        lambda name: name not in ("binding", "sops", "reconciler")
    )
    hidden: st.SearchStrategy[str | Secret] = values().map(Secret)
    return st.builds(
        lambda key, rest: {**rest, "private_key": Secret(key)},
        values(),
        st.dictionaries(names, hidden | values(), max_size=4),
    )


def parcel(
    form: str,
    contents: Mapping[str, str | Secret] | None = None,
    header: Header = HEADER,
    options: Mapping[str, str | Mapping[str, str]] | None = None,
) -> Parcel:
    """A parcel for a format, with the fields of an RSA token if none are given."""
    usual: dict[str, str | Secret] = {
        "token_id": header.token_id,
        "algorithm": "RS256",
        "private_key": Secret(PEM),
    }
    path = f"artifacts/rsatoken/plant-a.{all_formats()[form].extension}"
    return Parcel(header, contents or usual, path, form, NOW, options or {})


def opened_text(found: Mapping[str, str | Secret]) -> dict[str, str]:
    """Fields with every secret opened, to compare them."""
    return {name: one.open() if isinstance(one, Secret) else one for name, one in found.items()}


@cache
def key_pair(number: int = 0) -> tuple[str, Secret]:
    """The same age key pair for the same number, within one run."""
    del number
    return identities.generate()


@dataclass
class Bench:
    """A workspace folder with rules, and an owner who can open what is sealed there."""

    root: Path
    recipient: str
    identity: Secret
    environ: dict[str, str] = field(default_factory=dict)

    def rules(self, text: str) -> Config:
        """Writes `.sops.yaml` and reads it."""
        (self.root / ".sops.yaml").write_text(text, "utf-8")
        return load(self.root)

    def config(self) -> Config:
        """One rule with the owner as the one recipient."""
        return self.rules(f"creation_rules:\n    - age: {self.recipient}\n")

    def program(self) -> Program:
        """The real program, with the owner's environment."""
        return Program(SOPS, self.environ)

    def sealer(self) -> RuleSealer:
        """Seals natively."""
        return RuleSealer(self.config().match, NativeSealer(os.urandom), ProgramSealer(self.program()))

    def seal(self, one: Parcel) -> bytes:
        """The sealed bytes, which are written to their place too."""
        data = self.sealer().seal(one)
        self.write(one.path, data)
        return data

    def seal_by_program(self, one: Parcel) -> bytes:
        """The same through the program."""
        return ProgramSealer(self.program()).seal(packed(one), self.config().match(one.path))

    def write(self, path: str, data: bytes) -> Path:
        """A file in the workspace."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return place

    def opener(self) -> FileOpener:
        """The owner's: native."""
        return FileOpener(identities.parse(self.identity, "test"))

    def program_opener(self) -> FileOpener:
        """The owner's, with no identity of its own: the program opens everything."""
        return FileOpener(Identities(foreign=True), ProgramOpener(self.program()))

    def sops(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Runs the real program in the workspace."""
        return subprocess.run(
            [SOPS, *arguments],
            input=stdin,
            capture_output=True,
            cwd=self.root,
            env={**self.environ, "SOPS_DISABLE_VERSION_CHECK": "1"},
            check=False,
            timeout=30,
        )
