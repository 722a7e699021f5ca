"""Key pairs by JOSE algorithm, and the secret ids and token ids that are not keys."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from reconciler.kinds.interface import Entropy
from reconciler.secret import Secret

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

DEFAULT_RSA_BITS = 3072
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_PREFIX = "rcn_"
SECRET_LENGTH = 43
"""43 characters of base62 hold 256 bits."""
CHECKSUM_LENGTH = 6

_CURVES: Mapping[str, Callable[[], PrivateKey]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def generate(algorithm: str, rsa_bits: int = DEFAULT_RSA_BITS) -> PrivateKey:
    """A new private key for a JOSE signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1)."""
    if algorithm[:2] in ("RS", "PS"):
        return rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)
    return _CURVES[algorithm]()


def private_pem(key: PrivateKey) -> Secret:
    """The private key as PKCS#8 PEM (RFC 5958)."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Secret(pem.decode())


def public_pem(key: PrivateKey) -> str:
    """The public key as SubjectPublicKeyInfo PEM (RFC 5280 §4.1)."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def sign(claims: Mapping[str, object], key: PrivateKey, algorithm: str, token_id: str) -> Secret:
    """A compact JWT (RFC 7519) whose `kid` is the token's id."""
    return Secret(jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": token_id}))


def token_id(entropy: Entropy) -> str:
    """A new token id: 20 characters of lower-case base32, which hold 100 bits."""
    return base64.b32encode(entropy(13)).decode().lower()[:20]


def short_id(entropy: Entropy) -> str:
    """A new login token id: 8 letters and digits, as the platform makes them."""
    return base62(int.from_bytes(entropy(8)) % 62**8, 8)


def secret_id(entropy: Entropy) -> Secret:
    """A new secret id: prefix, 256 random bits, and a checksum that a scanner can test offline."""
    body = base62(int.from_bytes(entropy(32)), SECRET_LENGTH)
    return Secret(SECRET_PREFIX + body + checksum(body))


def checksum(body: str) -> str:
    """CRC-32 of the random part of a secret id, in base62."""
    return base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH)


def is_secret_id(text: str) -> bool:
    """Whether a text is a real secret id, by prefix, length and checksum."""
    body = text[len(SECRET_PREFIX) : -CHECKSUM_LENGTH]
    return text.startswith(SECRET_PREFIX) and len(body) == SECRET_LENGTH and text.endswith(checksum(body))


def hash_of(secret: Secret) -> str:
    """What the live store keeps of a secret id. It has 256 random bits, so a plain SHA-256 will do."""
    return "sha256:" + hashlib.sha256(secret.open().encode()).hexdigest()


def base62(number: int, length: int) -> str:
    """The lowest `length` base62 digits of a number, padded with zeros."""
    digits: list[str] = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        digits.append(BASE62[rest])
    return "".join(reversed(digits))
