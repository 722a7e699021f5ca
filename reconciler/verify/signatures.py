"""Whether a signature holds: the key on record first, then the signature's form, then PyJWT's check of it.

RFC 7518 §3, RFC 8037 §3.1. What PyJWT takes and RFC 7518 or RFC 8725 do not is refused before it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import Algorithm, get_default_algorithms

from reconciler.kinds.checking import Reason
from reconciler.kinds.keys import HASH_BYTES
from reconciler.kinds.weakness import EXPONENT, LEAST_BITS, MOST_BITS

KEYS_KEPT = 16_384
"""Parsed keys in memory, those that were used last."""

CURVES = {"ES256": "secp256r1", "ES384": "secp384r1"}
ORDERS = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES384": 2**384 - 1388124618062372383947042015309946732620727252194336364173,
}
"""Of the groups of P-256 and P-384 (SEC 2 §2.4.2 and §2.5.1): r and s are from 1 to one less."""
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
"""RFC 8032 §5.1: S is below it."""
ED25519_FIELD = 2**255 - 19
ED25519_EIGHTH = 2707385501144840649318225287225658788936804267575313519463743609750303402022
"""The height of a point of order eight: twice it has the height 0 (RFC 8032 §5.1.4)."""

ALGORITHMS: dict[str, Algorithm] = get_default_algorithms()


@dataclass(frozen=True, slots=True)
class Key:
    """A key that fits its algorithm."""

    algorithm: str
    key: object
    checker: Algorithm
    length: int
    """Bytes of a signature."""
    order: int
    """A signature, or each half of one, is below it; 0 where any is possible."""


@lru_cache(maxsize=KEYS_KEPT)
def public(algorithm: str, pem: str) -> Key | Reason:
    """The public key of a credential, or why it must not be used."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return Reason.KEY_UNFIT
    checker = ALGORITHMS[algorithm]
    match key:
        case rsa.RSAPublicKey() if algorithm[:2] in {"RS", "PS"}:
            numbers = key.public_numbers()
            if not LEAST_BITS <= key.key_size <= MOST_BITS or numbers.e < EXPONENT:
                return Reason.KEY_WEAK
            return Key(algorithm, key, checker, (key.key_size + 7) // 8, numbers.n)
        case ec.EllipticCurvePublicKey() if key.curve.name == CURVES.get(algorithm):
            return Key(algorithm, key, checker, 2 * ((key.key_size + 7) // 8), ORDERS[algorithm])
        case ed25519.Ed25519PublicKey() if algorithm == "EdDSA":
            if _of_small_order(key.public_bytes_raw()):
                return Reason.KEY_WEAK
            return Key(algorithm, key, checker, 64, 0)
        case _:
            return Reason.KEY_UNFIT


def _of_small_order(point: bytes) -> bool:
    """Whether eight times the point is nothing: by such a key, anybody can sign."""
    y = int.from_bytes(point, "little") % 2**255 % ED25519_FIELD
    return y in {0, 1, ED25519_FIELD - 1, ED25519_EIGHTH, ED25519_FIELD - ED25519_EIGHTH}


def shared(algorithm: str, secret: bytes) -> Key | Reason:
    """A shared secret, or why it must not be used (RFC 7518 §3.2: as long as the hash)."""
    length = HASH_BYTES[algorithm]
    if len(secret) < length:
        return Reason.KEY_WEAK
    return Key(algorithm, secret, ALGORITHMS[algorithm], length, 0)


def refused(key: Key, signing_input: bytes, signature: bytes) -> Reason | None:
    """Why a signature does not hold; None where it does."""
    if len(signature) != key.length:
        return Reason.SIGNATURE_LENGTH
    if not _in_range(key, signature):
        return Reason.SIGNATURE_RANGE
    return None if key.checker.verify(signing_input, key.key, signature) else Reason.SIGNATURE


def _in_range(key: Key, signature: bytes) -> bool:
    if not any(signature):
        return False
    if key.algorithm[:2] == "ES":
        half = key.length // 2
        parts = (signature[:half], signature[half:])
        return all(0 < int.from_bytes(part) < key.order for part in parts)
    if key.algorithm == "EdDSA":
        return int.from_bytes(signature[32:], "little") < ED25519_ORDER
    return not key.order or int.from_bytes(signature) < key.order
