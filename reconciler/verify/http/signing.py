"""The verifier's own signing keys: read from files, published as JWKs, and used for `at+jwt` alone."""

from __future__ import annotations

import hashlib
import stat
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from reconciler.canonical import Json, canonical
from reconciler.errors import SettingsError
from reconciler.files import read_regular
from reconciler.kinds import keys
from reconciler.kinds.keys import PrivateKey
from reconciler.kinds.weakness import weakness
from reconciler.secret import Secret
from reconciler.verify.check import ISSUED_TYPE

LONGEST = 64 * 1024
PKCS8 = b"-----BEGIN PRIVATE KEY-----"
CURVES = {"secp256r1": "ES256", "secp384r1": "ES384"}
REQUIRED = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}
"""Members that a thumbprint is over (RFC 7638 §3.2, RFC 8037 §2)."""
MAKE = "make one: openssl genpkey -algorithm ed25519 -out key.pem && chmod 600 key.pem"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key of the verifier."""

    kid: str
    """RFC 7638 thumbprint."""
    algorithm: str
    public_pem: str
    jwk: Mapping[str, Json]
    """The public half, as published."""
    private: PrivateKey = field(repr=False)

    def sign(self, claims: Mapping[str, Json]) -> Secret:
        """An `at+jwt` with these claims."""
        headers = {"kid": self.kid, "typ": ISSUED_TYPE}
        return Secret(jwt.encode(dict(claims), self.private, algorithm=self.algorithm, headers=headers))


def load(files: Sequence[Path]) -> tuple[SigningKey, ...]:
    """The keys in files; the first signs. Raises SettingsError."""
    found = tuple(_load(file) for file in files)
    if len({key.kid for key in found}) < len(found):
        raise SettingsError("a signing key is named twice", hint="name each file with --signing-key once")
    return found


def _load(file: Path) -> SigningKey:
    try:
        data = read_regular(file, LONGEST)
        mode = file.stat().st_mode
    except OSError as error:
        raise SettingsError(
            f"the signing key {file} cannot be read: {error.strerror or error}", hint=MAKE
        ) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(
            f"the signing key {file} may be read by others than its owner", hint=f"chmod 600 {file}"
        )
    if not data.lstrip().startswith(PKCS8):
        raise _unfit(file, "is not a private key in PKCS#8 PEM")
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unfit(file, "cannot be read as a private key") from None
    return _judged(file, key)


def _judged(file: Path, key: object) -> SigningKey:
    match key:
        case ed25519.Ed25519PrivateKey():
            return _made(key, "EdDSA", OKPAlgorithm.to_jwk(key.public_key(), as_dict=True))
        case ec.EllipticCurvePrivateKey() if key.curve.name in CURVES:
            return _made(key, CURVES[key.curve.name], ECAlgorithm.to_jwk(key.public_key(), as_dict=True))
        case rsa.RSAPrivateKey():
            numbers = key.public_key().public_numbers()
            if (weak := weakness(numbers.n, numbers.e)) is not None:
                raise SettingsError(f"the signing key {file} {weak[0]}", hint=weak[1])
            return _made(key, "RS256", RSAAlgorithm.to_jwk(key.public_key(), as_dict=True))
        case _:
            raise _unfit(file, "is of a type that is not used here: Ed25519, P-256, P-384 or RSA")


def _made(key: PrivateKey, algorithm: str, published: Mapping[str, object]) -> SigningKey:
    wanted = REQUIRED[str(published["kty"])]
    members: dict[str, Json] = {name: str(published[name]) for name in wanted}
    kid = urlsafe_b64encode(hashlib.sha256(canonical(members)).digest()).rstrip(b"=").decode()
    jwk: dict[str, Json] = {**members, "kid": kid, "alg": algorithm, "use": "sig", "key_ops": ["verify"]}
    return SigningKey(kid, algorithm, keys.public_pem(key), jwk, key)


def _unfit(file: Path, what: str) -> SettingsError:
    return SettingsError(f"the signing key {file} {what}", hint=MAKE)
