"""Public keys that owners bring: right ones become one text, and all others are refused with the reason."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic_core import PydanticCustomError

from reconciler.kinds import ownkeys, weakness
from reconciler.kinds.ownkeys import fingerprint, normalised
from reconciler.kinds.pasted import LONGEST
from tests.kinds import odd_keys
from tests.kinds.odd_keys import bare, ec_pem, ec_private, integer, pem, rsa_pem, rsa_private, spki, tlv


def refused(text: str) -> tuple[str, str]:
    """Why a text is refused, and what to do instead."""
    with pytest.raises(PydanticCustomError) as raised:
        normalised(text)
    context = raised.value.context or {}
    return str(context.get("why", context.get("what"))), raised.value.message()


@pytest.mark.parametrize("bits", [2048, 3072])
def test_a_right_key_becomes_the_text_that_openssl_prints(bits: int) -> None:
    """However it was written: the same key is the same text."""
    key = rsa_pem(0, bits)
    der = rsa_private(0, bits).public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    spellings = (
        key,
        key.strip(),
        f"\n\n  {key}\n",
        key.replace("\n", "\r\n"),
        key.replace("\n", " "),
        key.replace("\n", "\n    "),
        key.replace("\n", ""),
        pem(der, "RSA PUBLIC KEY"),
        pem(der, "PUBLIC KEY"),
    )
    assert {normalised(one) for one in spellings} == {key}


@pytest.mark.parametrize("curve", ["secp256r1", "secp384r1", "secp521r1", "secp256k1"])
def test_a_point_that_is_compressed_is_the_same_key(curve: str) -> None:
    """Both spellings of a point are one text."""
    public = ec_private(curve).public_key()
    whole = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    algorithm = whole[whole.index(b"\x30", 1) :][: 2 + whole[whole.index(b"\x30", 1) + 1]]
    compressed = pem(tlv(0x30, algorithm + tlv(3, b"\0" + point)))
    assert normalised(compressed) == normalised(ec_pem(curve)) == ec_pem(curve)


def test_the_largest_exponent_and_sizes_that_are_no_power_of_two_are_taken() -> None:
    """2,049 to 8,192 bits, 65,537 to 2^64."""
    modulus = rsa_private(0, 2048).public_key().public_numbers().n
    assert normalised(pem(spki(modulus, 2**64 - 1)))
    assert normalised(pem(spki(modulus, 65539)))
    assert normalised(rsa_pem(0, 2056))


def _private(form: PrivateFormat) -> str:
    return rsa_private().private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def _der(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


PRIVATE: dict[str, Callable[[], str]] = {
    "PKCS8": lambda: _private(PrivateFormat.PKCS8),
    "PKCS1": lambda: _private(PrivateFormat.TraditionalOpenSSL),
    "OpenSSH": lambda: _private(PrivateFormat.OpenSSH),
    "SEC1": lambda: (
        ec_private().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    ),
    "relabelled": lambda: pem(_der(rsa_private())),
    "relabelled EC": lambda: pem(_der(ec_private())),
    "bare base64": lambda: "".join(pem(_der(rsa_private())).splitlines()[1:-1]),
    "bare OpenSSH": lambda: "".join(_private(PrivateFormat.OpenSSH).splitlines()[1:-1]),
    "lower case": lambda: _private(PrivateFormat.PKCS8).replace("BEGIN PRIVATE KEY", "begin private key"),
    "both halves": lambda: rsa_pem() + _private(PrivateFormat.PKCS8),
    "encrypted": lambda: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII\n-----END ENCRYPTED PRIVATE KEY-----",
    "encrypted, relabelled": lambda: pem(
        tlv(0x30, tlv(0x30, bytes.fromhex("06092a864886f70d01050d")) + tlv(4, bytes(64)))
    ),
    "JWK": lambda: '{"kty":"RSA","n":"AQAB","e":"AQAB","d":"c2VjcmV0"}',
    "JWK of an HS secret": lambda: '{"kty": "oct", "k": "c2VjcmV0"}',
    "JWK set": lambda: '{"keys": [{"kty":"EC","d" : "c2VjcmV0"}]}',
    "PuTTY": lambda: "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n",
    "age": lambda: f"AGE-SECRET-KEY-1{'Q' * 58}",
    "a secret id": lambda: f"rcn_{'a' * 49}",
}


@pytest.mark.parametrize("form", PRIVATE)
def test_a_private_key_is_refused_in_every_form_and_never_repeated(form: str) -> None:
    """Not in the message, nor in the hint; and it is not kept in any cache."""
    text = PRIVATE[form]()
    ownkeys._judged.cache_clear()
    why, hint = refused(text)
    assert why == "a private key or a secret"
    assert "make a new key pair" in hint
    assert not any(part in why + hint for part in text.split() if len(part) > 20)
    assert ownkeys._judged.cache_info().currsize == 0


def numbers() -> int:
    """The modulus of a right key."""
    return rsa_private().public_key().public_numbers().n


DAMAGED = "is damaged: what stands between its first line and its last is no base64"
UNREADABLE = "is no key that can be read: damaged, with a point that is not on its curve, or of a rare type"
P256 = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")

REFUSED: dict[str, tuple[Callable[[], str], str, str]] = {
    "a certificate": (
        lambda: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "is a certificate, and takes the public key in it",
        "openssl x509 -in cert.pem -noout -pubkey",
    ),
    "a certificate request": (
        lambda: "-----BEGIN NEW CERTIFICATE REQUEST-----\nMIIB\n-----END NEW CERTIFICATE REQUEST-----\n",
        "is a certificate request, and takes the public key in it",
        "openssl req",
    ),
    "an OpenPGP key": (
        lambda: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQEN\n-----END PGP PUBLIC KEY BLOCK-----",
        "is an OpenPGP key, and takes one in PEM",
        "make a key pair",
    ),
    "parameters": (
        lambda: "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + ec_pem(),
        "is the name of a curve, and no key on it",
        "openssl pkey",
    ),
    "another block": (
        lambda: "-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----",
        "is a PEM block of another type, CRL",
        "it takes PUBLIC KEY",
    ),
    "an SSH key": (
        lambda: (
            rsa_private().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
            + " me@host"
        ),
        "is an SSH public key",
        "ssh-keygen -e -m PKCS8 -f key.pub",
    ),
    "an SSH2 key": (
        lambda: "---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3\n---- END SSH2 PUBLIC KEY ----",
        "is an SSH public key",
        "ssh-keygen",
    ),
    "a JWK": (
        lambda: '{"kty": "RSA", "n": "AQAB", "e": "AQAB"}',
        "is a JWK",
        "write it as PEM, from the private key (as PEM) that it belongs to: openssl pkey",
    ),
    "an age recipient": (lambda: f"age1{'q' * 58}", "is an age recipient", "make a key pair"),
    "base64 alone": (
        lambda: "".join(rsa_pem().splitlines()[1:-1]),
        "has no first and last line",
        "put -----BEGIN PUBLIC KEY-----",
    ),
    "words": (lambda: "see the wiki", "is no PEM text", "openssl pkey -in key.pem -pubout"),
    "nothing": (lambda: "  \n", "is no PEM text", "openssl pkey"),
    "two blocks": (lambda: rsa_pem() + rsa_pem(1), "holds 2 PEM blocks", "keep one key"),
    "cut off": (
        lambda: rsa_pem()[:200],
        "is cut off, or its last line is not -----END PUBLIC KEY-----",
        "copy it whole",
    ),
    "other last line": (
        lambda: rsa_pem().replace("END PUBLIC", "END RSA PUBLIC"),
        "is cut off, or its last line is not -----END PUBLIC KEY-----",
        "copy it whole",
    ),
    "text before": (lambda: f"# mine\n{rsa_pem()}", "has other text beside the key", "keep only"),
    "text behind": (lambda: f"{rsa_pem()}\nthanks", "has other text beside the key", "keep only"),
    "escaped line ends": (
        lambda: rsa_pem().replace("\n", "\\n"),
        r"has \n where lines should end",
        "write each on a line of its own",
    ),
    "no base64": (lambda: rsa_pem().replace("\nMII", "\nM_I"), DAMAGED, "copy it whole"),
    "short base64": (lambda: rsa_pem().replace("\nMII", "\nMI"), DAMAGED, "copy it whole"),
    "no body": (lambda: "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", DAMAGED, "copy it whole"),
    "oversize": (
        lambda: pem(bytes(LONGEST)),
        f"has {len(pem(bytes(LONGEST))) - 1} letters, and {LONGEST} are the most",
        "copy it whole",
    ),
    "bytes behind the key": (lambda: pem(spki(numbers()) + b"x"), UNREADABLE, "copy it whole"),
    "truncated bytes": (lambda: pem(spki(numbers())[:-9]), UNREADABLE, "copy it whole"),
    "a point beside the curve": (
        lambda: pem(tlv(0x30, P256 + tlv(3, b"\0\4" + b"\1" * 64))),
        UNREADABLE,
        "copy it whole",
    ),
    "the point at infinity": (lambda: pem(tlv(0x30, P256 + tlv(3, b"\0\0"))), UNREADABLE, "copy it whole"),
    "a modulus below zero": (
        lambda: pem(tlv(0x30, integer(-numbers()) + integer(65537))),
        UNREADABLE,
        "copy it whole",
    ),
    "1024 bits": (
        lambda: pem(spki(rsa_private(0, 1024).public_key().public_numbers().n)),
        "is an RSA key of 1024 bits, and 2048 are the least",
        "rsa_keygen_bits:3072",
    ),
    "2047 bits": (
        lambda: pem(spki((1 << 2046) + 1)),
        "is an RSA key of 2047 bits, and 2048 are the least",
        "rsa_keygen_bits:3072",
    ),
    "8193 bits": (
        lambda: pem(spki((1 << 8192) + 1)),
        "is an RSA key of 8193 bits, and 8192 are the most",
        "each check of a signature",
    ),
    "exponent 1": (lambda: pem(spki(numbers(), 1)), "is an RSA key with the exponent 1", "65537"),
    "exponent 3": (lambda: pem(spki(numbers(), 3)), "is an RSA key with the exponent 3", "65537"),
    "exponent 0": (lambda: pem(spki(numbers(), 0)), "is an RSA key with the exponent 0", "65537"),
    "exponent below zero": (lambda: pem(spki(numbers(), -3)), "is an RSA key with the exponent -3", "65537"),
    "even exponent": (lambda: pem(spki(numbers(), 65538)), "is an RSA key with the exponent 65538", "odd"),
    "huge exponent": (
        lambda: pem(spki(numbers(), numbers() - 2)),
        "is an RSA key with the exponent of 2048 bits",
        "64 bits or fewer",
    ),
    "even modulus": (
        lambda: pem(spki(numbers() + 1)),
        "is an RSA key whose modulus has a small factor, so anybody can compute its private half",
        "what made it is broken",
    ),
    "small factor": (
        lambda: pem(spki(9973 * numbers())),
        "is an RSA key whose modulus has a small factor, so anybody can compute its private half",
        "what made it is broken",
    ),
    "close primes": (
        lambda: pem(spki(odd_keys.close_primes())),
        "is an RSA key whose primes are so close that anybody can find them (Fermat, CVE-2022-26320)",
        "what made it is broken",
    ),
    "a square": (
        lambda: pem(spki(odd_keys.next_prime(3 << 1022) ** 2)),
        "is an RSA key whose primes are so close that anybody can find them (Fermat, CVE-2022-26320)",
        "what made it is broken",
    ),
    "ROCA": (
        lambda: pem(spki(odd_keys.roca())),
        "is an RSA key of an Infineon chip or library whose keys can be factored (ROCA, CVE-2017-15361)",
        "make it outside that chip",
    ),
    "ROCA, bare": (
        lambda: pem(bare(odd_keys.roca()), "RSA PUBLIC KEY"),
        "is an RSA key of an Infineon chip or library whose keys can be factored (ROCA, CVE-2017-15361)",
        "make it outside that chip",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_key_to_rely_on_is_refused_with_the_reason(what: str) -> None:
    """One reason, the precise one, and what to do."""
    text, why, hint = REFUSED[what]
    said, advised = refused(text())
    assert said.startswith(why)
    assert hint in advised
    assert advised.isprintable()


def test_no_right_key_looks_like_a_broken_one() -> None:
    """Two hundred right moduli: by products of pairs of a few dozen primes."""
    primes = [rsa_private(number).private_numbers() for number in range(15)]
    halves = [half for key in primes for half in (key.p, key.q)]
    pairs = [(one, other) for at, one in enumerate(halves) for other in halves[:at]][:200]
    moduli = [one * other for one, other in pairs if (one * other).bit_length() == 2048]
    assert len(moduli) > 100
    assert [weakness.weakness(modulus, 65537) for modulus in moduli] == [None] * len(moduli)


@pytest.mark.parametrize("text", [pem(spki((1 << 8191) + 2 * 10_007)), rsa_pem(), pem(spki(3**5167))])
def test_a_judgement_takes_milliseconds(text: str) -> None:
    """Whatever the modulus is; the bound is generous, for a machine that others use."""
    refused_or_not(text)  # what is computed once for all keys
    ownkeys._judged.cache_clear()
    start = time.process_time()
    refused_or_not(text)
    assert time.process_time() - start < 0.25


def refused_or_not(text: str) -> None:
    try:
        normalised(text)
    except PydanticCustomError:
        return


def test_the_fingerprint_is_what_openssl_and_sha256sum_print() -> None:
    """And any text has one: hands may have written it into a store."""
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "DER"],
        input=rsa_pem().encode(),
        capture_output=True,
        check=True,
    ).stdout
    digest = subprocess.run(["sha256sum"], input=der, capture_output=True, check=True).stdout.split()[0]
    assert fingerprint(rsa_pem()) == f"sha256:{digest.decode()}"
    assert fingerprint("public 1").startswith("sha256:")


def test_reading_specs_without_such_a_key_loads_no_cryptography() -> None:
    """Start-up time is what most runs are."""
    text = r"apiVersion: reconciler/v1\nkind: RSAToken\nmetadata: {name: a}\nspec: {apis: [x], projects: [y]}"
    program = (
        "import sys; from reconciler.specs.reader import read_file; "
        f"found = read_file('f', b'{text}'); assert not found.faults and found.tokens; "
        "assert not [name for name in sys.modules if name.startswith('cryptography')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
