"""What signs records: keys in files as people have them, keys in OpenBao, and what is said where none can."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from reconciler.children import environment
from reconciler.cli.sending import exchange
from reconciler.errors import SignFailed
from reconciler.kinds.keys import generate, private_pem, public_pem
from reconciler.records.envelope import Signed, envelope, read, statement
from reconciler.records.keys import read_keys, signed_by
from reconciler.records.signing import VARIABLE, signer
from reconciler.records.signing.interface import Signer
from reconciler.specs.auditing import AuditSettings
from tests.records.test_record_form import body
from tests.servers import OpenBao, openbao

PAYLOAD = statement(body())
ANY = AuditSettings()


@pytest.fixture(scope="module")
def bao() -> Iterator[OpenBao]:
    """A server with an Ed25519 key `records`."""
    with openbao() as running:
        running.call("POST", "transit/keys/records", {"type": "ed25519"})
        yield running


def made(named: str, environ: Mapping[str, str] | None = None, audit: AuditSettings = ANY) -> Signer:
    """What signs with the key that is named."""
    return signer({VARIABLE: named, **(environ or {})}, exchange, audit)


def kept(folder: Path, text: str, mode: int = 0o600) -> str:
    """A file with a key in it."""
    file = folder / "key"
    file.write_text(text)
    file.chmod(mode)
    return str(file)


def signed(by: Signer) -> Signed:
    """A record that was signed."""
    by.ready()
    return read(envelope(PAYLOAD, by.sign(PAYLOAD)))


@pytest.mark.parametrize("options", ["-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t rsa -b 2048"])
def test_a_key_of_ssh_keygen_signs(tmp_path: Path, options: str) -> None:
    """As `ssh-keygen -y` gives its public line, it is found again."""
    file = str(tmp_path / "key")
    subprocess.run(["ssh-keygen", "-q", "-N", "", *options.split(), "-f", file], check=True, timeout=60)
    asked = subprocess.run(
        ["ssh-keygen", "-y", "-f", file], check=True, capture_output=True, text=True, timeout=60
    )
    keys = read_keys(AuditSettings(keys=(asked.stdout,)).keys)
    assert signed_by(signed(made(file)), keys) == keys[0]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_key_in_the_environment_signs(tmp_path: Path, end: str) -> None:
    """As the secrets of a pipeline give it, and no child is shown it; a text that is no key is not told."""
    ssh = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ssh], check=True, timeout=60)
    for text in (ssh.read_text(), private_pem(generate("EdDSA")).open()):
        assert signed(made(text.strip() + end)).signatures
        assert environment({VARIABLE: text, "HOME": "/"}) == {"HOME": "/"}
        with pytest.raises(SignFailed, match="the signing key in the environment holds no") as refused:
            made(text[:-60] + "x" * 30).ready()
        assert text[40:60] not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "ES384", "RS256"])
def test_a_key_in_pem_signs(tmp_path: Path, algorithm: str) -> None:
    """And other tools find the signature good, by the same public key."""
    key = generate(algorithm, 2048)
    found = signed(made(kept(tmp_path, private_pem(key).open())))
    (mine,) = read_keys([public_pem(key)])
    assert signed_by(found, [mine]) == mine
    other = Envelope.from_dict(
        {
            "payload": "",
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"keyid": ident, "sig": ""} for ident, _ in found.signatures],
        }
    )
    assert other.signatures.keys() == {SSlibKey.from_crypto(key.public_key()).keyid}


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_signs_nothing(tmp_path: Path, mode: int) -> None:
    """As with ssh."""
    file = kept(tmp_path, private_pem(generate("EdDSA")).open(), mode)
    with pytest.raises(SignFailed, match="others than its owner can read the signing key") as refused:
        made(file).ready()
    assert f"chmod 600 {file}" in refused.value.hint


def test_a_key_behind_a_password_is_told_as_one(tmp_path: Path) -> None:
    """In both forms: nobody is there to type it."""
    ssh, pem = str(tmp_path / "ssh"), str(tmp_path / "pem")
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "tellnobody", "-f", ssh], check=True, timeout=60
    )
    command = [
        "openssl",
        "genpkey",
        "-algorithm",
        "ed25519",
        "-aes256",
        "-pass",
        "pass:tellnobody",
        "-out",
        pem,
    ]
    subprocess.run(command, check=True, timeout=60)
    Path(pem).chmod(0o600)
    for file in (ssh, pem):
        with pytest.raises(SignFailed, match="is encrypted by a password"):
            made(file).ready()


@pytest.mark.parametrize(
    "text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_without_a_key_is_told_as_one(tmp_path: Path, text: str) -> None:
    """And what stands in it is not repeated."""
    with pytest.raises(SignFailed, match="holds no private key that can be read") as refused:
        made(kept(tmp_path, text)).ready()
    assert "AAAA" not in f"{refused.value} {refused.value.hint}"


def test_a_file_that_is_not_there_and_a_place_that_is_none(tmp_path: Path) -> None:
    """Each says what to do."""
    with pytest.raises(SignFailed, match="cannot be read: No such file"):
        made(str(tmp_path / "none")).ready()
    with pytest.raises(SignFailed, match="names no place where keys are kept"):
        made("https://keys.example/1").ready()
    with pytest.raises(SignFailed, match="an RSA key of 1024 bits"):
        made(kept(tmp_path, private_pem(generate("RS256", 1024)).open())).ready()


def test_signed_records_take_a_key_and_one_that_may_sign(tmp_path: Path) -> None:
    """Without one nothing begins; with another, neither, and the line to add is said."""
    mine, other = generate("EdDSA"), generate("EdDSA")
    audit = AuditSettings(keys=(public_pem(mine),), records="signed")
    with pytest.raises(SignFailed, match="asks for signed records"):
        signer({}, exchange, audit).ready()
    assert signer({}, exchange, ANY).sign(PAYLOAD) == ()
    with pytest.raises(SignFailed, match=r"is none of spec\.audit\.keys") as refused:
        made(kept(tmp_path, private_pem(other).open()), audit=audit).ready()
    line = refused.value.hint.removeprefix("add this line there: ")
    assert read_keys([line])[0].key.keyval == read_keys([public_pem(other)])[0].key.keyval
    made(kept(tmp_path, private_pem(mine).open()), audit=audit).ready()


def test_a_key_in_openbao_signs_and_goes_on_after_it_was_rotated_there(bao: OpenBao) -> None:
    """Each record by the version that was the newest."""
    first = made("openbao://transit/records", bao.environ())
    one = signed(first)
    bao.call("POST", "transit/keys/records/rotate")
    again = read(envelope(PAYLOAD, first.sign(PAYLOAD)))
    assert again.signatures == one.signatures
    assert signed(made("openbao://transit/records", bao.environ())).signatures != one.signatures


def test_what_openbao_refuses_says_what_to_do(bao: OpenBao) -> None:
    """In our words; the token is in none of them."""
    environ = bao.environ()
    weak = bao.environ(bao.token("nothing", 'path "secret/x" { capabilities = ["read"] }'))
    bao.call("POST", "transit/keys/rsa", {"type": "rsa-2048"})
    cases = [
        ("openbao://transit/none", environ, "OpenBao has no key none in transit", "bao write -f"),
        ("openbao://transit/rsa", environ, "of type rsa-2048, which signs no records", "type=ed25519"),
        ("openbao://transit/records", weak, "does not let this token sign", "update transit/sign/records"),
        ("openbao://records", environ, "is not of the form openbao://MOUNT/KEY", "write openbao://"),
        ("openbao://../sys/records", environ, "is not of the form", "write openbao://"),
        ("openbao://transit/records", {}, "it is not said where that is", "BAO_ADDR"),
        ("openbao://transit/records", {**environ, "BAO_ADDR": "http://bao.example"}, "not private", "https"),
        (
            "openbao://transit/records",
            {**environ, "BAO_ADDR": "http://127.0.0.1:1"},
            "cannot be reached",
            "runs",
        ),
    ]
    for named, given, why, hint in cases:
        with pytest.raises(SignFailed, match=why) as refused:
            made(named, given).ready()
        assert hint in refused.value.hint
        assert given.get("VAULT_TOKEN", "none") not in f"{refused.value} {refused.value.hint}"
    with bao.sealed(), pytest.raises(SignFailed, match="OpenBao answers 503"):
        made("openbao://transit/records", environ).ready()
