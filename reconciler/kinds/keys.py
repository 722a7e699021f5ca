"""Key pairs by JOSE algorithm, and the secret ids and token ids that are not keys."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from reconciler.errors import CannotOpen
from reconciler.kinds.interface import Entropy
from reconciler.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

# The libraries that make keys are imported where one is made: to read specs takes none of them.

PrivateKey: TypeAlias = "rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey"

DEFAULT_RSA_BITS = 3072
HASH_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""By HMAC algorithm: a shared secret is as long as the hash (RFC 7518 §3.2)."""
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_PREFIX = "rcn_"
SECRET_LENGTH = 43
"""43 characters of base62 hold 256 bits."""
CHECKSUM_LENGTH = 6

SECRET_ID = re.compile(rf"{SECRET_PREFIX}([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})")


def generate(algorithm: str, rsa_bits: int = DEFAULT_RSA_BITS) -> PrivateKey:
    """A new private key for a JOSE signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1)."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    match algorithm:
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ES384":
            return ec.generate_private_key(ec.SECP384R1())
        case _:
            return rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)


def private_pem(key: PrivateKey) -> Secret:
    """The private key as PKCS#8 PEM (RFC 5958)."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Secret(pem.decode())


def public_pem(key: PrivateKey) -> str:
    """The public key as SubjectPublicKeyInfo PEM (RFC 5280 §4.1)."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def sign(claims: Mapping[str, object], key: PrivateKey, algorithm: str, token_id: str) -> Secret:
    """A compact JWT (RFC 7519) whose `kid` is the token's id."""
    import jwt

    return Secret(jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": token_id}))


def private_key(pem: Secret) -> PrivateKey:
    """The key in a PEM, as `private_pem` writes it. Raises CannotOpen, which says nothing of the text."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.open().encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)):
        raise CannotOpen("the artifact holds no private key that can be read", hint="rotate the token")
    return key


def single_use(entropy: Entropy) -> str:
    """A new `jti` (RFC 7519 §4.1.7): 22 letters and digits, which hold 128 bits."""
    return base62(int.from_bytes(entropy(16)), 22)


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
    found = SECRET_ID.fullmatch(text)
    return found is not None and checksum(found[1]) == found[2]


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
