"""Fixtures: one site that tests only ask, and the signing key of its verifier."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from reconciler.kinds import keys
from tests.apply.kit import quick_generate
from tests.verify.http.kit import Site, documents, site


def key_file(folder: Path, key: keys.PrivateKey, name: str = "signing.pem") -> Path:
    """A signing key as an operator keeps one."""
    file = folder / name
    file.touch(0o600)
    file.write_text(keys.private_pem(key).open())
    return file


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key for issued tokens."""
    return key_file(tmp_path_factory.mktemp("key"), ed25519.Ed25519PrivateKey.generate())


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, signing_key: Path) -> Iterator[Site]:
    """A site that nobody changes. What makes it quick ends when it is made: other tests share the process."""
    root = tmp_path_factory.mktemp("site") / "house"
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(keys, "generate", quick_generate)
            patched.setattr(os, "fsync", lambda _: None)
            made = stack.enter_context(site(root, documents(), signing_keys=(signing_key,)))
        yield made


@pytest.fixture
def asked(shared: Site) -> Site:
    """The shared site with nothing in its log."""
    shared.log()
    return shared


@pytest.fixture
def own(tmp_path: Path, signing_key: Path, quick: None) -> Iterator[Site]:
    """A site of this test's own, to apply to."""
    with site(tmp_path / "house", documents(), signing_keys=(signing_key,)) as made:
        yield made
