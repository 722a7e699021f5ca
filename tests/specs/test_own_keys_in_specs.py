"""`publicKey` in a spec: what it fits and contradicts, where it stands twice, how it is written."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.specs.assign import parse
from reconciler.specs.edit import formatted, with_fields
from reconciler.specs.export import exported
from reconciler.specs.faults import Fault
from reconciler.specs.load import examine
from reconciler.specs.reader import read_file
from reconciler.specs.write import new_document
from tests.kinds.odd_keys import close_primes, ec_pem, other_pem, pem, rsa_pem, rsa_private, spki

RSA = "kind: RSAToken\nmetadata: {name: NAME}\nspec:\n  apis: [x]\n  projects: [y]\n"
AUTH = "kind: TokenAuth\nmetadata: {name: NAME}\nspec:\n  name: ERP\n"


def block(key: str) -> str:
    """A key as a field of `spec`."""
    return "  publicKey: |\n" + "".join(f"    {line}\n" for line in key.splitlines())


def document(head: str, *more: str, name: str = "a") -> str:
    return "apiVersion: reconciler/v1\n" + head.replace("NAME", name) + "".join(more)


def faults(text: str) -> list[Fault]:
    return read_file("f", text.encode()).faults


MORE = "  keySize: 2048\n"
MAKE_RSA = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out key.pem"


@pytest.mark.parametrize(
    ("head", "more", "key"),
    [
        (RSA, MORE, "RSA 2048"),
        (RSA, "", "RSA 3072"),
        (RSA, MORE + "  algorithm: PS512\n", "RSA 3072"),
        (AUTH, "  algorithm: RS384\n", "RSA 2048"),
        (AUTH, "  algorithm: ES256\n", "secp256r1"),
        (AUTH, "  algorithm: ES384\n", "secp384r1"),
    ],
)
def test_a_key_that_fits_is_no_fault(head: str, more: str, key: str) -> None:
    """And the normal form holds it as one text, whatever the line ends of the file."""
    text = rsa_pem(0, int(key[4:])) if key.startswith("RSA") else ec_pem(key)
    plain = document(head, more, block(text))
    one, other = (read_file("f", file.encode()) for file in (plain, plain.replace("\n", "\r\n")))
    assert one.faults == other.faults == []
    (token,) = one.tokens
    assert other.tokens[0].normal == token.normal
    assert token.own_key == token.spec().own_key == text
    assert exported(token.normal).endswith(block(text))
    (again,) = read_file("g", exported(token.normal).encode()).tokens
    assert again.normal == token.normal


ES256, ES384 = "  algorithm: ES256\n", "  algorithm: ES384\n"
UNFIT = {
    "EC for RS": (RSA, "", "secp256r1", "is a P-256 key, and RS256 takes an RSA key", MAKE_RSA),
    "Ed25519": (RSA, "", "Ed25519", "is an Ed25519 key, and RS256 takes an RSA key", MAKE_RSA),
    "Ed448": (RSA, "", "Ed448", "is an Ed448 key, and RS256 takes an RSA key", MAKE_RSA),
    "X25519": (AUTH, ES256, "X25519", "is an X25519 key, and ES256 takes a P-256 key", "P-256"),
    "DSA": (RSA, "", "DSA", "is a DSA key, and RS256 takes an RSA key", MAKE_RSA),
    "P-256 for ES384": (
        AUTH, ES384, "secp256r1", "is a P-256 key, and ES384 takes a P-384 key",
        "set algorithm: ES256, or bring another: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-",
    ),
    "P-521": (AUTH, ES384, "secp521r1", "is a P-521 key, and ES384 takes a P-384", "bring another"),
    "secp256k1": (AUTH, ES256, "secp256k1", "is a secp256k1 key, and ES256 takes a P-256", "P-256"),
    "RSA for ES": (AUTH, ES256, "RSA", "is an RSA key of 2048 bits, and ES256", "algorithm: RS256"),
    "HS by default": (
        AUTH, "", "RSA", "is an RSA key of 2048 bits, and HS256 has no public key", "set algorithm: RS256",
    ),
    "HS and EC": (
        AUTH, "", "secp384r1", "is a P-384 key, and HS256 has no public key", "set algorithm: ES384",
    ),
    "shorter than keySize": (
        RSA, "", "RSA", "is an RSA key of 2048 bits, and keySize asks for 3072 at the least",
        "bring a longer key, or set keySize: 2048",
    ),
    "below 4096": (
        RSA, "  keySize: 4096\n", "RSA 3072", "is an RSA key of 3072 bits, and keySize asks for 4096",
        "bring a longer key, or set keySize: 3072",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_a_key_that_does_not_fit_says_what_would(case: str) -> None:
    """One fault, at the key."""
    head, more, key, why, hint = UNFIT[case]
    if key.startswith("RSA"):
        text = rsa_pem(0, int(key[4:] or 2048))
    else:
        text = ec_pem(key) if key.startswith("secp") else other_pem(key)
    (fault,) = faults(document(head, more, block(text)))
    kind = "rsatoken" if head == RSA else "tokenauth"
    line = 7 + more.count("\n") - (head == AUTH)
    assert (fault.rule, fault.line, fault.column) == (f"{kind}.publicKey", line, 14)
    assert fault.message.startswith(f"publicKey {why}")
    assert hint in fault.hint


def test_a_wrong_algorithm_is_one_fault_and_the_key_is_not_held_against_it() -> None:
    """What a key would have to fit is not known then."""
    (fault,) = faults(document(RSA, "  algorithm: HS1\n", block(ec_pem())))
    assert fault.rule == "rsatoken.algorithm"


def test_nothing_is_rotated_on_a_schedule_or_delivered_for_a_key_of_its_owners() -> None:
    """Each at its own place; a plain `deliver` says nothing, so it is no fault."""
    text = document(
        RSA, MORE, block(rsa_pem()), "lifecycle: {rotate: {every: 90d}}\ndeliver: {format: pem}\n"
    )
    first, second = sorted(faults(text))
    assert (first.rule, first.column) == ("lifecycle.rotate.every", 29)
    assert first.message == "a new key is to come every 90d, and nothing here makes one: its owner brings it"
    assert "puts a new key into publicKey, and the old one works on until the overlap ends" in first.hint
    assert (second.rule, second.column, second.hint) == ("deliver", 1, "remove it")
    assert faults(document(RSA, MORE, block(rsa_pem()), "deliver: {format: yaml}\n")) == []


@pytest.mark.parametrize("as_text", [True, False])
def test_a_private_key_is_one_fault_and_shows_nothing(*, as_text: bool) -> None:
    """Not one for the field and another for the text; a second key elsewhere is told all the same."""
    private = (
        rsa_private().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().splitlines()
    )
    field = '  publicKey: "' + "\\n".join(private) + '"\n' if as_text else block("\n".join(private))
    (fault,) = faults(document(RSA, field))
    assert (fault.rule, fault.line, fault.column, fault.source) == ("secret.literal", 7, 14, "")
    assert fault.message == "publicKey holds a private key or a secret"
    assert "openssl pkey -in key.pem -pubout" in fault.hint
    both = faults(document(RSA, field, f"# {private[0]}\n"))
    assert [one.rule for one in both] == ["secret.literal", "secret.literal"]
    assert not any(line in repr(both) for line in private if not line.startswith("-----"))


def test_a_private_jwk_written_as_yaml_shows_nothing() -> None:
    """It is a mapping, and the field takes text."""
    (fault,) = faults(document(RSA, "  publicKey: {kty: RSA, d: c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MQ}\n"))
    assert fault.message == "publicKey is a mapping; it takes text"
    assert fault.source == ""


def test_a_key_that_two_specs_bring_is_a_fault_at_the_second(tmp_path: Path) -> None:
    """In the order of files; it names the first, however differently the two are written."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/b.yaml").write_text(document(RSA, MORE, block(rsa_pem()), name="one"))
    (tmp_path / "specs/c.yaml").write_text(
        document(AUTH, "  algorithm: ES256\n", block(ec_pem()), name="other")
        + "---\n"
        + document(AUTH, "  algorithm: PS256\n", block(rsa_pem()).replace("\n", "\r\n"), name="aaa")
    )
    (fault,) = examine(tmp_path)[1]
    assert (fault.file, fault.line, fault.column) == ("specs/c.yaml", 19, 14)
    assert (fault.rule, fault.source) == ("publicKey.reused", "  publicKey: |")
    assert fault.message == "publicKey is the key of one too, at specs/b.yaml:3"
    assert "make a new key pair" in fault.hint


def test_a_layout_by_owner_asks_no_owner_of_a_token_without_an_artifact(tmp_path: Path) -> None:
    """It has no place, so it needs none."""
    workspace = "kind: Workspace\nmetadata: {name: w}\nspec: {deliver: {path: '{owner}/{name}'}}\n"
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/w.yaml").write_text(document(workspace))
    (tmp_path / "specs/a.yaml").write_text(document(RSA, MORE, block(rsa_pem())))
    specs, found = examine(tmp_path)
    assert found == []
    assert specs is not None
    assert specs.place("a") is None


def test_a_key_is_written_as_lines_that_a_person_reads() -> None:
    """As a shell gives it: without its last line end, or with those of Windows."""
    for given_key in (rsa_pem().strip(), rsa_pem(), rsa_pem().replace("\n", "\r\n")):
        words = ["apis=x", "projects=y", "keySize=2048", f"publicKey={given_key}"]
        text = new_document("RSAToken", "a", parse(words, "RSAToken"))
        assert text.endswith(block(rsa_pem()))
        assert faults(text) == []


def test_an_edit_of_the_key_touches_its_lines_and_no_other() -> None:
    """Comments around it stay; the same key again is no edit; without a value, it is gone."""
    before = document(
        RSA, MORE, "  # whose\n", block(rsa_pem()), "# behind\nlifecycle: {expires: 2030-01-01} # then\n"
    )
    after = with_fields(before, 3, parse([f"publicKey={rsa_pem(1).strip()}"], "RSAToken"))
    assert after == before.replace(block(rsa_pem()), block(rsa_pem(1)))
    assert with_fields(before, 3, parse([f"publicKey={rsa_pem()}"], "RSAToken")) == before
    assert with_fields(before, 3, parse(["publicKey="], "RSAToken")) == before.replace(block(rsa_pem()), "")
    assert with_fields(before, 3, parse(["apis=z"], "RSAToken")) == before.replace("[x]", "[z]")
    assert formatted(before) == before


PIECES = [
    "-----BEGIN ",
    "PUBLIC KEY-----",
    "-----END ",
    "RSA ",
    "MIIB",
    "\n",
    "\r",
    "=",
    "{",
    '"d":',
    "\0",
    "\u2028",
    "ssh-rsa ",
]
KEYS: tuple[Callable[[], str], ...] = (
    rsa_pem,
    ec_pem,
    lambda: pem(spki(close_primes())),
    lambda: other_pem("Ed25519"),
)


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A key with pieces cut out, doubled and put in, or text made of such pieces."""
    text = draw(st.sampled_from(KEYS))() if draw(st.booleans()) else ""
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, 600)) % (len(text) + 1)
        end = at + draw(st.integers(0, 80))
        put = draw(st.sampled_from(PIECES) | st.text(max_size=4))
        text = text[:at] + put * draw(st.integers(1, 3)) + text[draw(st.sampled_from((at, end))) :]
    return text


@settings(max_examples=400, deadline=None)
@given(text=mangled() | st.binary(max_size=300).map(pem), head=st.sampled_from([RSA, AUTH]))
def test_whatever_stands_there_is_a_key_or_a_fault(text: str, head: str) -> None:
    """Nothing else is raised, and what is taken has one form, which is taken again as it is."""
    spec = (
        {"name": "E", "algorithm": "ES256"}
        if head == AUTH
        else {"apis": ["x"], "projects": ["y"], "keySize": 2048}
    )
    kind = "TokenAuth" if head == AUTH else "RSAToken"
    whole = {
        "apiVersion": "reconciler/v1",
        "kind": kind,
        "metadata": {"name": "a"},
        "spec": {**spec, "publicKey": text},
    }
    start = time.process_time()
    found = read_file("f", json.dumps(whole).encode())
    assert time.process_time() - start < 1
    assert all(one.message.isprintable() and one.hint.isprintable() and one.rule for one in found.faults)
    for token in [] if found.faults else found.tokens:
        assert token.spec().normal_form() == token.normal
        assert (token.own_key or "").startswith("-----BEGIN PUBLIC KEY-----\n")


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PUBLIC KEY-----" * 30_000,
        "-----BEGIN PUBLIC KEY-----" + "A" * 900_000,
        "-----BEGIN PUBLIC KEY-----" + " " * 900_000 + "-----END",
        "A" * 900_000,
        '{"kty": ' * 100_000,
        pem(b"\x30\x84\xff\xff\xff\xff" * 500),
        pem(spki((1 << 30_000) + 1)),
    ],
)
def test_large_texts_are_refused_in_no_time(text: str) -> None:
    """As large as a file may be; the bound is generous, for a machine that others use."""
    start = time.process_time()
    found = read_file("f", document(RSA, f"  publicKey: '{text}'\n").encode())
    assert [one.rule for one in found.faults] == ["rsatoken.publicKey"]
    assert time.process_time() - start < 2
