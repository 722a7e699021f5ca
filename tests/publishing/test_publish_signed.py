"""Commits are signed as git is configured, and carry the identity that it is configured to."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.errors import PartlyApplied
from tests.apply.kit import jwt_token
from tests.publishing.kit import GitHouse, Hub


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """An SSH key without a passphrase."""
    place = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place)], check=True)
    return place


def signing(hub: Hub, key: Path) -> GitHouse:
    """A clone whose user signs commits."""
    house = hub.clone()
    allowed = hub.folder / "allowed"
    allowed.write_text(f"bot@example.com {key.with_suffix('.pub').read_text()}")
    for name, value in {
        "user.name": "bot",
        "user.email": "bot@example.com",
        "gpg.format": "ssh",
        "user.signingKey": str(key),
        "commit.gpgSign": "true",
        "gpg.ssh.allowedSignersFile": str(allowed),
    }.items():
        house.git("config", name, value)
    return house


def test_a_commit_is_signed_by_the_key_that_git_names(hub: Hub, key: Path) -> None:
    """git itself verifies it."""
    house = signing(hub, key)
    house.propose(jwt_token("one"))
    house.apply()
    house.git("verify-commit", "HEAD")
    assert house.git("log", "-1", "--format=%an <%ae> %cn <%ce> %G? %GS") == (
        "bot <bot@example.com> bot <bot@example.com> G bot@example.com"
    )
    assert house.git("rev-parse", "HEAD") == hub.head()
    house.close()


def test_a_key_that_is_not_there_is_said(hub: Hub, key: Path) -> None:
    """Nothing is pushed unsigned, and nothing is live."""
    house = signing(hub, key)
    house.propose(jwt_token("one"))
    before = hub.head()
    key.unlink()
    with pytest.raises(PartlyApplied, match=r"the commit could not be signed as commit\.gpgSign asks"):
        house.apply()
    assert (house.live(), hub.head()) == ({}, before)
    house.git("config", "commit.gpgSign", "false")
    house.apply()
    assert house.git("log", "-1", "--format=%an %G?") == "bot N"
    house.close()
