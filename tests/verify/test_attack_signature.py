"""A signature that is not one: of the wrong length, out of range, in another form, or of something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from reconciler.kinds.checking import Reason
from reconciler.verify.interface import Verdict
from reconciler.verify.signatures import ED25519_ORDER, ORDERS
from tests.verify.attacks import (
    claims_for,
    forged,
    hmac_signed,
    keyed,
    proper,
    refused,
    signature_of,
    token,
    with_signature,
)
from tests.verify.kit import Desk, Owned, rsa_key

LENGTHS = {
    "RS256": 256,
    "RS384": 256,
    "RS512": 256,
    "PS256": 256,
    "PS384": 256,
    "PS512": 256,
    "ES256": 64,
    "ES384": 96,
    "EdDSA": 64,
    "HS256": 32,
    "HS384": 48,
    "HS512": 64,
}
"""Bytes of a signature of each algorithm, with an RSA key of 2,048 bits (RFC 7518 §3, RFC 8037 §3.1)."""


def of_algorithm(algorithm: str) -> tuple[Owned, str]:
    """A token of a kind that has the algorithm, and what is right to present."""
    if algorithm[:2] == "HS":
        made = token("TokenAuth", algorithm)
        return made, made.sign_in()
    if algorithm[:2] in {"RS", "PS"}:
        made = token("RSAToken", algorithm)
        return made, made.signed()
    made = keyed("JWTToken", algorithm)
    return made, made.signed(proper(made))


def presented(of: Owned, text: str) -> Verdict:
    desk = Desk([of])
    return desk.sign_in(of.live.name, text) if of.live.kind == "TokenAuth" else desk.check(text)


@pytest.mark.parametrize("algorithm", LENGTHS)
def test_what_the_tests_spoil_is_right_before(algorithm: str) -> None:
    of, text = of_algorithm(algorithm)
    assert presented(of, text).reason is Reason.ACCEPTED
    assert len(signature_of(text)) == LENGTHS[algorithm]


LENGTHENED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "one byte": lambda found: found[:1],
    "truncated": lambda found: found[:-1],
    "its first half": lambda found: found[: len(found) // 2],
    "a zero behind": lambda found: found + b"\0",
    "a zero in front": lambda found: b"\0" + found,
    "twice": lambda found: found + found,
}


@pytest.mark.parametrize("case", LENGTHENED)
@pytest.mark.parametrize("algorithm", LENGTHS)
def test_a_signature_of_another_length_is_refused(algorithm: str, case: str) -> None:
    of, text = of_algorithm(algorithm)
    spoilt = with_signature(text, LENGTHENED[case](signature_of(text)))
    refused(presented(of, spoilt), Reason.SIGNATURE_LENGTH)


@pytest.mark.parametrize("algorithm", LENGTHS)
def test_a_signature_of_the_right_length_and_all_zero_is_refused(algorithm: str) -> None:
    """As psychic signatures were taken in 2022 (CVE-2022-21449)."""
    of, text = of_algorithm(algorithm)
    refused(presented(of, with_signature(text, bytes(LENGTHS[algorithm]))), Reason.SIGNATURE_RANGE)


@pytest.mark.parametrize("place", [5, 10, -1])
@pytest.mark.parametrize("algorithm", LENGTHS)
def test_a_signature_with_one_bit_turned_is_refused(algorithm: str, place: int) -> None:
    of, text = of_algorithm(algorithm)
    spoilt = bytearray(signature_of(text))
    spoilt[place] ^= 1
    refused(presented(of, with_signature(text, bytes(spoilt))), Reason.SIGNATURE)


@pytest.mark.parametrize("algorithm", LENGTHS)
def test_another_tokens_signature_is_refused(algorithm: str) -> None:
    """By the same key, over other claims; and by another key, over the same claims."""
    of, text = of_algorithm(algorithm)
    sign: Callable[..., str] = of.sign_in if of.live.kind == "TokenAuth" else of.signed
    other = sign({**({} if of.live.kind == "TokenAuth" else proper(of)), "note": "other"})
    refused(presented(of, with_signature(text, signature_of(other))), Reason.SIGNATURE)


def test_the_signature_of_another_key_over_the_same_text_is_refused() -> None:
    of, stranger = token("RSAToken"), rsa_key(1)
    refused(Desk([of]).check(forged(of, stranger)), Reason.SIGNATURE)
    of = token("TokenAuth")
    text = hmac_signed({"alg": "HS256"}, claims_for(of), b"an attacker's own secret, long enough")
    refused(Desk([of]).sign_in("tokenauth", text), Reason.SIGNATURE)


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("algorithm", LENGTHS)
def test_header_and_claims_are_signed(algorithm: str, part: int) -> None:
    of, text = of_algorithm(algorithm)
    parts = text.split(".")
    parts[part] = parts[part].replace("ey", "ew", 1)
    verdict = presented(of, ".".join(parts))
    assert verdict.reason is not Reason.ACCEPTED
    assert verdict.token is None


def halves(algorithm: str, r: int, s: int) -> bytes:
    size = LENGTHS[algorithm] // 2
    return r.to_bytes(size) + s.to_bytes(size)


def out_of_range(order: int, top: int) -> list[tuple[int, int]]:
    """r and s that are zero, the order, or above it, each beside one that is in range."""
    bad = [0, order, order + 1, top]
    return [pair for one in bad for pair in ((one, 1), (1, one), (one, order - 1), (one, one))]


@pytest.mark.parametrize("algorithm", ["ES256", "ES384"])
def test_r_or_s_out_of_range_is_refused_by_itself(algorithm: str) -> None:
    """RFC 7518 §3.4, SEC 1 §4.1.4: both are from 1 to one less than the order."""
    of, text = of_algorithm(algorithm)
    order = ORDERS[algorithm]
    for r, s in out_of_range(order, 2 ** (4 * LENGTHS[algorithm]) - 1):
        spoilt = with_signature(text, halves(algorithm, r, s))
        refused(presented(of, spoilt), Reason.SIGNATURE_RANGE)


@pytest.mark.parametrize("algorithm", ["ES256", "ES384"])
def test_r_and_s_at_the_edges_of_the_range_are_only_wrong(algorithm: str) -> None:
    of, text = of_algorithm(algorithm)
    last = ORDERS[algorithm] - 1
    for r, s in ((1, 1), (last, last), (1, last), (last, 1)):
        refused(presented(of, with_signature(text, halves(algorithm, r, s))), Reason.SIGNATURE)


def test_the_orders_are_those_of_the_curves() -> None:
    """A point times the order is nothing: so the private keys go up to one less, and `cryptography` knows."""
    for algorithm, curve in (("ES256", ec.SECP256R1()), ("ES384", ec.SECP384R1())):
        ec.derive_private_key(ORDERS[algorithm] - 1, curve)
        with pytest.raises(ValueError, match="out of range"):
            ec.derive_private_key(ORDERS[algorithm], curve)


@pytest.mark.parametrize("algorithm", ["ES256", "ES384"])
def test_an_ecdsa_signature_in_der_is_refused(algorithm: str) -> None:
    of, text = of_algorithm(algorithm)
    found, size = signature_of(text), LENGTHS[algorithm] // 2
    der = encode_dss_signature(int.from_bytes(found[:size]), int.from_bytes(found[size:]))
    refused(presented(of, with_signature(text, der)), Reason.SIGNATURE_LENGTH)


def test_an_ed25519_signature_with_the_order_added_to_s_is_refused() -> None:
    """It holds in a library that does not look (RFC 8032 §5.1.7); so one token would have two texts."""
    of, text = of_algorithm("EdDSA")
    found = signature_of(text)
    s = int.from_bytes(found[32:], "little") + ED25519_ORDER
    refused(
        presented(of, with_signature(text, found[:32] + s.to_bytes(32, "little"))), Reason.SIGNATURE_RANGE
    )


@pytest.mark.parametrize("s", [ED25519_ORDER, ED25519_ORDER + 1, 2**256 - 1])
def test_an_ed25519_s_out_of_range_is_refused(s: int) -> None:
    of, text = of_algorithm("EdDSA")
    found = signature_of(text)[:32] + s.to_bytes(32, "little")
    refused(presented(of, with_signature(text, found)), Reason.SIGNATURE_RANGE)


@pytest.mark.parametrize("r", [1, 2**255 - 20, 0, 2**255 - 19, 2**255 - 18, 2**256 - 1])
@pytest.mark.parametrize("s", [0, 1, ED25519_ORDER - 1])
def test_an_ed25519_r_of_small_order_or_not_canonical_is_refused(r: int, s: int) -> None:
    of, text = of_algorithm("EdDSA")
    found = r.to_bytes(32, "little") + s.to_bytes(32, "little")
    refused(
        presented(of, with_signature(text, found)), Reason.SIGNATURE if r or s else Reason.SIGNATURE_RANGE
    )


@pytest.mark.parametrize("add", [1, 0])
def test_an_rsa_signature_that_is_the_modulus_or_above_is_refused(add: int) -> None:
    """RFC 8017 §5.2.2: a representative is below the modulus. The same signature plus it is another text."""
    of, text = of_algorithm("RS256")
    key = of.key
    assert isinstance(key, rsa.RSAPrivateKey)
    n = key.public_key().public_numbers().n
    more = n + int.from_bytes(signature_of(text)) * add
    if more < 2**2048:
        refused(presented(of, with_signature(text, more.to_bytes(256))), Reason.SIGNATURE_RANGE)
    refused(presented(of, with_signature(text, n.to_bytes(256))), Reason.SIGNATURE_RANGE)
    refused(presented(of, with_signature(text, (n - 1).to_bytes(256))), Reason.SIGNATURE)


def rsa_resigned(algorithm: str, pad: Any, digest: Any) -> tuple[Owned, str]:
    """The same text under a signature with another padding or hash."""
    of, text = of_algorithm(algorithm)
    body = text.rsplit(".", 1)[0].encode()
    return of, with_signature(text, of.key.sign(body, pad, digest))


def pss(salt: int, mask: hashes.HashAlgorithm) -> padding.PSS:
    return padding.PSS(padding.MGF1(mask), salt)


@pytest.mark.parametrize("salt", [0, 1, 20, 31, 33, 64, 222])
def test_a_pss_signature_with_another_salt_length_is_refused(salt: int) -> None:
    """RFC 7518 §3.5: the salt is as long as the hash."""
    of, text = rsa_resigned("PS256", pss(salt, hashes.SHA256()), hashes.SHA256())
    refused(presented(of, text), Reason.SIGNATURE)
    of, text = rsa_resigned("PS256", pss(32, hashes.SHA256()), hashes.SHA256())
    assert presented(of, text).active


SHA1 = hashes.SHA1()  # noqa: S303 - it is what an attacker would use
PADDINGS: dict[str, tuple[str, Any, Any]] = {
    "another mask hash": ("PS256", pss(32, SHA1), hashes.SHA256()),
    "another hash": ("PS256", pss(32, hashes.SHA512()), hashes.SHA512()),
    "PKCS #1 for PSS": ("PS256", padding.PKCS1v15(), hashes.SHA256()),
    "PSS for PKCS #1": ("RS256", pss(32, hashes.SHA256()), hashes.SHA256()),
    "SHA-1": ("RS256", padding.PKCS1v15(), SHA1),
    "SHA-512": ("RS256", padding.PKCS1v15(), hashes.SHA512()),
}


@pytest.mark.parametrize("case", PADDINGS)
def test_an_rsa_signature_with_another_padding_or_hash_is_refused(case: str) -> None:
    of, text = rsa_resigned(*PADDINGS[case])
    refused(presented(of, text), Reason.SIGNATURE)


def test_an_rsa_signature_over_a_bare_hash_is_refused() -> None:
    """Without the name of the hash in front (RFC 8017 §9.2), as lax verifiers took it."""
    of, text = of_algorithm("RS256")
    key = of.key
    assert isinstance(key, rsa.RSAPrivateKey)
    hashing = hashes.Hash(hashes.SHA256())
    hashing.update(text.rsplit(".", 1)[0].encode())
    digest = hashing.finalize()
    named = key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
    assert presented(of, with_signature(text, named)).active
    numbers = key.private_numbers()
    padded = b"\0\1" + b"\xff" * 221 + b"\0" + digest
    bare = pow(int.from_bytes(padded), numbers.d, numbers.public_numbers.n).to_bytes(256)
    refused(presented(of, with_signature(text, bare)), Reason.SIGNATURE)
