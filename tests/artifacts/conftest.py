"""Fixtures of the artifact tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from .kit import Bench, key_pair

SHORT = tempfile.gettempdir()
"""Where a keyring is made: the agent's socket stands in it, and a socket's path has a limit. A test may set
another TMPDIR, so it is asked for here."""


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One workspace for all tests of a run: each writes what it needs."""
    root = tmp_path_factory.mktemp("workspace")
    recipient, identity = key_pair()
    environ = {"PATH": os.environ["PATH"], "HOME": str(root), "SOPS_AGE_KEY": identity.open()}
    return Bench(Path(root), recipient, identity, environ)


@pytest.fixture(scope="session")
def ssh_key(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """An SSH public key line, and the path of its private key."""
    place = tmp_path_factory.mktemp("ssh") / "id_ed25519"
    key = ed25519.Ed25519PrivateKey.generate()
    place.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return public.decode(), str(place)


@pytest.fixture(scope="session")
def pgp() -> Iterator[tuple[str, dict[str, str]]]:
    """A PGP fingerprint, and the environment in which its secret key is found.

    No wheel brings gpg. A newcomer's machine may lack it; CI installs it, and there it must be.
    """
    if shutil.which("gpg") is None and not os.environ.get("CI"):
        pytest.skip("gpg is not installed here")
    with tempfile.TemporaryDirectory(prefix="gpg", dir=SHORT, ignore_cleanup_errors=True) as home:
        environ = {"PATH": os.environ["PATH"], "GNUPGHOME": home}
        gpg = ["gpg", "--batch", "--quiet", "--passphrase", ""]
        make = [*gpg, "--quick-generate-key", "owner <owner@example.org>", "rsa2048", "encr", "never"]
        subprocess.run(make, env=environ, check=True, capture_output=True, timeout=60)
        listed = subprocess.run(
            [*gpg, "--list-keys", "--with-colons"], env=environ, check=True, capture_output=True, timeout=60
        )
        yield (
            next(line.split(":")[9] for line in listed.stdout.decode().splitlines() if line[:3] == "fpr"),
            environ,
        )
        subprocess.run(["gpgconf", "--kill", "all"], env=environ, check=False, timeout=60)


@pytest.fixture(autouse=True)
def usual_rules(bench: Bench) -> None:
    """Each test starts with the owner as the one recipient, whatever the one before wrote."""
    bench.config()
