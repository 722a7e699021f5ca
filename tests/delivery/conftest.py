"""Fixtures: keys of every type that can be used on one machine, and a workspace to deliver from."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.artifacts import conftest as artifacts
from tests.artifacts.kit import key_pair
from tests.cli.kit import Shop
from tests.delivery.kit import Depot, Keys, end_agents, run_gpg
from tests.servers import OpenBao, openbao

FOREIGN = ("RECONCILER_", "SOPS_", "XDG_", "GITHUB_", "VAULT_", "BAO_", "GNUPG", "AWS_")
pgp = artifacts.pgp
ssh_key = artifacts.ssh_key


@pytest.fixture
def depot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Depot:
    """An empty workspace, with a home and a TMPDIR of its own, and no key in sight."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    home, root, temporary = (tmp_path / name for name in ("home", "acme", "tmp"))
    for folder in (home, root, temporary):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(temporary))
    # Python looks at TMPDIR once in a process, and this one has looked.
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.chdir(root)
    return Depot(Shop(root, capsys), monkeypatch, temporary, tmp_path / "seen")


@pytest.fixture(scope="session")
def bao() -> Iterator[OpenBao]:
    """An OpenBao server with the transit key `tokens`."""
    with openbao() as running:
        yield running


@pytest.fixture(scope="session")
def age() -> Keys:
    """A classic age key."""
    recipient, identity = key_pair()
    return Keys(f"{{age: {recipient}}}", {"SOPS_AGE_KEY": identity.open()}, native=True)


@pytest.fixture(scope="session")
def ssh_ed25519(ssh_key: tuple[str, str]) -> Keys:
    """An SSH key as an age recipient."""
    public, place = ssh_key
    return Keys(f'{{age: "{public}"}}', {"SOPS_AGE_SSH_PRIVATE_KEY_FILE": place}, native=True)


@pytest.fixture(scope="session")
def ssh_rsa(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The same with an RSA key."""
    place = tmp_path_factory.mktemp("ssh") / "id_rsa"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    place.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return Keys(f'{{age: "{public}"}}', {"SOPS_AGE_SSH_PRIVATE_KEY_FILE": str(place)}, native=True)


@pytest.fixture(scope="session")
def gpg(pgp: tuple[str, dict[str, str]]) -> Iterator[Keys]:
    """A PGP key; the keyring of the apply holds the public half of it alone."""
    fingerprint, environ = pgp
    with tempfile.TemporaryDirectory(prefix="gpg", dir=artifacts.SHORT, ignore_cleanup_errors=True) as home:
        public = run_gpg(environ, "--export", fingerprint)
        run_gpg({**environ, "GNUPGHOME": home}, "--import", stdin=public)
        yield Keys(f"{{pgp: {fingerprint}}}", {"GNUPGHOME": environ["GNUPGHOME"]}, {"GNUPGHOME": home})
        end_agents(home)


@pytest.fixture(scope="session")
def transit(bao: OpenBao) -> Keys:
    """A transit key: the apply's token may encrypt with it, the owner's may decrypt."""
    able = {
        way: bao.environ(bao.token(way, f'path "transit/{way}/tokens" {{ capabilities = ["update"] }}'))
        for way in ("encrypt", "decrypt")
    }
    return Keys(f'{{hc_vault_transit_uri: "{bao.uri()}"}}', able["decrypt"], able["encrypt"])


@pytest.fixture(scope="session")
def mixed(age: Keys, gpg: Keys) -> Keys:
    """An age key and a PGP key in one group: either opens."""
    rule = f"{age.rule[:-1]}, {gpg.rule[1:]}"
    return Keys(rule, gpg.reader, gpg.writer)


@pytest.fixture(scope="session")
def shamir(age: Keys, gpg: Keys, transit: Keys) -> Keys:
    """An age key, a PGP key and a transit key, in a group each: any two of them open."""
    values = [keys.rule.strip("{}").partition(": ")[2] for keys in (age, gpg, transit)]
    groups = ", ".join(
        f"{{{kind}: [{value}]}}" for kind, value in zip(("age", "pgp", "hc_vault"), values, strict=True)
    )
    rule = f"{{shamir_threshold: 2, key_groups: [{groups}]}}"
    return Keys(rule, {**age.reader, **gpg.reader}, {**gpg.writer, **transit.writer})


@pytest.fixture(params=["age", "ssh_ed25519", "ssh_rsa", "gpg", "transit", "mixed", "shamir"])
def keys(request: pytest.FixtureRequest) -> Keys:
    """Keys of each type that can be used on one machine."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Keys)
    return found
