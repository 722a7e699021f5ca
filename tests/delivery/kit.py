"""Tokens delivered through the command line, and opened again: by it, and by the sops program alone."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.artifacts.kit import SOPS
from tests.cli.kit import Ran, Shop

BRIDGE = """\
apiVersion: reconciler/v1
kind: JWTToken
metadata: {name: bridge}
spec: {apis: [device.read], users: [svc-mes]}
"""
ERP = """\
apiVersion: reconciler/v1
kind: TokenAuth
metadata: {name: erp}
spec: {name: ERP}
"""
LONGEST = 400
"""Characters that a message may take."""
OURS = ("reconciler", "binding")
"""What stands in an artifact beside the fields."""


@dataclass(frozen=True)
class Keys:
    """A creation rule, and what it takes to seal by it and to open what was sealed."""

    rule: str
    """As flow-style YAML."""
    reader: Mapping[str, str]
    """The environment of somebody who can open."""
    writer: Mapping[str, str] = field(default_factory=dict)
    """The environment of an apply, which can seal and not open."""
    native: bool = False
    """Whether the program is not needed."""


@dataclass
class Depot:
    """A workspace, with what stands around it."""

    shop: Shop
    patch: pytest.MonkeyPatch
    temporary: Path
    """TMPDIR."""
    log: Path
    """What every run of the program got, where that is watched."""

    @contextmanager
    def acting(self, *environs: Mapping[str, str]) -> Iterator[None]:
        """These variables, for as long as the block takes."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (item for environ in environs for item in environ.items()):
                patch.setenv(name, value)
            yield

    def rule(self, text: str) -> None:
        """Writes the one creation rule."""
        self.shop.write(".sops.yaml", f"creation_rules:\n  - {text}\n")

    def declare(self, *specs: str) -> None:
        """Writes these specs, and no others."""
        self.shop.spec("---\n".join(specs))

    def seal(self, keys: Keys, *specs: str) -> Ran:
        """Applies specs under a rule, with what an apply needs and nothing that opens."""
        self.rule(keys.rule)
        self.declare(*specs)
        with self.acting(keys.writer):
            return self.shop.ok("apply", "--yes")

    def live(self) -> dict[str, int]:
        """The tokens that are live, and the generation of each."""
        listed = self.shop.ok("list", "--format", "json").json["tokens"]
        return {token["name"]: token["generation"] for token in listed}

    def artifact(self, name: str) -> Path:
        """Where the artifact of a token is."""
        listed = self.shop.ok("list", "--format", "json").json["tokens"]
        return self.shop.root / str(next(token["artifact"] for token in listed if token["name"] == name))

    def downloaded(self, name: str) -> dict[str, object]:
        """The fields, as `reconcile download` gives them."""
        return tree(self.shop.ok("download", name, "--stdout").out)

    def decrypted(self, name: str) -> dict[str, object]:
        """The fields, as the real sops program gives them, with nothing of ours installed."""
        done = sops_decrypt(self.artifact(name))
        assert done.returncode == 0, done.stderr
        found = tree(done.stdout)
        return {key: value for key, value in found.items() if key not in OURS}

    def both(self, name: str, keys: Keys) -> dict[str, object]:
        """The fields as their owner reads them: both ways must give the same."""
        with self.acting(keys.reader):
            found = self.downloaded(name)
            assert self.decrypted(name) == found
        return found

    def refused(self, *arguments: str) -> Ran:
        """A command that must end with exit 1, what is wrong, and what to do."""
        ran = self.shop.run(*arguments)
        assert ran.code == 1, ran
        assert "error:" in ran.err
        assert "hint:" in ran.err
        assert "Traceback" not in ran.err
        return ran

    def _unrecorded(self) -> dict[str, bytes]:
        """All files but records and the live store: a run that failed is told there."""
        return {path: data for path, data in self.shop.tree().items() if "/records/" not in path}

    def fails(self, message: str, hint: str, *environs: Mapping[str, str]) -> Ran:
        """An apply that must fail with this message and this hint, and leave all but its record as it was."""
        live, files = self.live(), self._unrecorded()
        with self.acting(*environs):
            ran = self.refused("apply", "--yes")
        told, _, advice = ran.err.rpartition("error:")[2].partition("hint:")
        assert message in told
        assert hint in advice
        assert "[seal-failed, exit 1]" in advice
        assert len(told) < LONGEST
        assert (self.live(), self._unrecorded()) == (live, files)
        return ran

    def watch(self) -> None:
        """Has a wrapper stand in for the program: it notes what each run got, then becomes the program."""
        wrapper = self.log.with_name("watched-sops")
        log, temporary = shlex.quote(str(self.log)), shlex.quote(str(self.temporary))
        wrapper.write_text(
            "#!/bin/sh\n"
            f'{{ printf "argument %s\\n" "$@"; env | sed "s/^/variable /"; '
            f'grep -r "" {temporary} | sed "s/^/file /"; }} >> {log}\n'
            f'exec {shlex.quote(SOPS)} "$@"\n'
        )
        wrapper.chmod(0o700)
        self.patch.setenv("RECONCILER_SOPS", str(wrapper))

    def texts(self) -> Iterator[tuple[Path, bytes]]:
        """Every file of the workspace, of TMPDIR and of the home folder, the live store included."""
        for folder in (self.shop.root, self.temporary, self.shop.root.parent / "home"):
            for path in folder.rglob("*"):
                if path.is_file() and not path.is_socket():
                    yield path, path.read_bytes()


def tree(text: str) -> dict[str, object]:
    """A YAML document as plain values."""
    found = YAML(typ="safe", pure=True).load(text)
    assert isinstance(found, dict)
    return found


def sops_decrypt(path: Path) -> subprocess.CompletedProcess[str]:
    """Runs the real program on an artifact, with this process's environment."""
    return subprocess.run(
        [SOPS, "decrypt", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "SOPS_DISABLE_VERSION_CHECK": "1"},
    )


def run_gpg(environ: Mapping[str, str], *arguments: str, stdin: bytes = b"") -> bytes:
    """What gpg answers, asking nobody."""
    return subprocess.run(
        ["gpg", "--batch", "--quiet", *arguments],
        input=stdin,
        env=environ,
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout


def end_agents(home: str) -> None:
    """Ends what gpg started for a keyring, by the keyring."""
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True, timeout=60)


def secrets_of(fields: Mapping[str, object]) -> list[str]:
    """The parts of fields that nobody but the owner may see."""
    found = [str(fields[name]) for name in ("secret_id", "jwt", "secret") if name in fields]
    assert found
    return found
