"""The keys that may sign records: which texts are some, and what it takes to have been signed by one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError
from securesystemslib.signer import CryptoSigner

from reconciler.errors import SettingsError
from reconciler.kinds import keys as pairs
from reconciler.records.envelope import Signed, envelope, read, statement
from reconciler.records.keys import pae, read_keys, signed_by
from reconciler.specs.auditing import AuditSettings
from tests.records.test_record_form import body

PAYLOAD = statement(body())


def ssh_line(folder: Path, *options: str) -> str:
    """The public line of a new key, as ssh-keygen makes it."""
    file = folder / "-".join(("key", *options))
    made = ["ssh-keygen", "-q", "-N", "", "-C", "ci of acme", *options, "-f", str(file)]
    subprocess.run(made, check=True, timeout=60)
    return file.with_suffix(".pub").read_text("utf-8")


def signed(*signers: CryptoSigner) -> Signed:
    """A record that these keys signed."""
    made = [signer.sign(pae(PAYLOAD)) for signer in signers]
    return read(envelope(PAYLOAD, tuple((one.keyid, bytes.fromhex(one.signature)) for one in made)))


@pytest.mark.parametrize(
    "options",
    [
        ("-t", "ed25519"),
        ("-t", "ecdsa", "-b", "256"),
        ("-t", "ecdsa", "-b", "384"),
        ("-t", "rsa", "-b", "2048"),
    ],
    ids=["ed25519", "p256", "p384", "rsa"],
)
def test_a_line_of_ssh_keygen_is_a_key(tmp_path: Path, options: tuple[str, ...]) -> None:
    """With its comment, by which messages name it, and a line end."""
    settings = AuditSettings(keys=(ssh_line(tmp_path, *options),))
    (key,) = read_keys(settings.keys)
    assert key.shown == f"ci of acme {key.id[:12]}"
    assert len(key.id) == 64


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "ES384", "RS256"])
def test_a_public_key_in_pem_is_a_key(algorithm: str) -> None:
    """What it signed is found to be its own, and nothing else."""
    mine, other = pairs.generate(algorithm, 2048), pairs.generate(algorithm, 2048)
    (key,) = read_keys(AuditSettings(keys=(pairs.public_pem(mine),)).keys)
    assert signed_by(signed(CryptoSigner(mine)), (key,)) == key
    assert signed_by(signed(CryptoSigner(other)), (key,)) is None
    assert signed_by(signed(), (key,)) is None
    assert signed_by(signed(CryptoSigner(other), CryptoSigner(mine)), (key,)) == key


def test_a_signature_under_the_id_of_another_key_is_none() -> None:
    """Nor is one over another record, and a false one beside the true one takes nothing from that."""
    mine, other = pairs.generate("EdDSA"), pairs.generate("EdDSA")
    (key,) = read_keys([pairs.public_pem(mine)])
    forged = bytes.fromhex(CryptoSigner(other).sign(pae(PAYLOAD)).signature)
    replayed = bytes.fromhex(CryptoSigner(mine).sign(pae(b"{}")).signature)
    true = bytes.fromhex(CryptoSigner(mine).sign(pae(PAYLOAD)).signature)
    for wrong in (forged, replayed, b"", b"\0" * 64):
        assert signed_by(Signed(body(), PAYLOAD, ((key.id, wrong),)), [key]) is None
        assert signed_by(Signed(body(), PAYLOAD, ((key.id, wrong), (key.id, true))), [key]) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-dss AAAAB3NzaC1kc3MAAACBAP",
        'command="x" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea',
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea \x1b[31mred",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "age1abc",
    ],
)
def test_another_text_is_refused(text: str) -> None:
    """In the settings, and where keys are read without them."""
    with pytest.raises(ValidationError):
        AuditSettings(keys=(text,))
    if "\x1b" not in text:
        with pytest.raises(SettingsError):
            read_keys([text])


def test_a_weak_key_is_refused() -> None:
    """Anybody could sign by it one day."""
    with pytest.raises(ValidationError) as refused:
        AuditSettings(keys=(pairs.public_pem(pairs.generate("RS256", 1024)),))
    assert refused.value.errors()[0]["ctx"]["why"].startswith("holds one that is an RSA key of 1024 bits")


def test_a_private_key_is_refused_and_not_repeated(tmp_path: Path) -> None:
    """It is in git, so it is known."""
    ssh_line(tmp_path, "-t", "ed25519")
    text = (tmp_path / "key--t-ed25519").read_text("utf-8")
    with pytest.raises(ValidationError) as refused:
        AuditSettings(keys=(text,))
    (error,) = refused.value.errors(include_input=False)
    assert error["type"] == "literal_secret"
    assert text[60:90] not in str(error)
