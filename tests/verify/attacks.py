"""What an attacker has: tokens and their parts, keys in every form, and a pen."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from reconciler.kinds import keys
from reconciler.kinds.checking import Reason
from reconciler.live.interface import Credential, CredentialState
from reconciler.verify.interface import Verdict
from reconciler.verify.signatures import ALGORITHMS
from tests.verify.kit import AUDIENCE, NOW, Owned, owned, signed

HMACS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


@cache
def token(kind: str, algorithm: str = "") -> Owned:
    """One live token of a kind, made once."""
    return owned(kind, algorithm=algorithm) if algorithm else owned(kind)


@cache
def keyed(kind: str, algorithm: str = "EdDSA") -> Owned:
    """One of a kind that signs once, with a private key that was not dropped: to sign it otherwise."""
    made = owned(kind)
    key = keys.generate(algorithm, 2048)
    held = Owned(made.live, {**made.secret, "private_key": keys.private_pem(key).open()})
    return held.with_credential(algorithm=algorithm, public_key=keys.public_pem(key))


def proper(of: Owned) -> dict[str, Any]:
    """The claims of a kind that signs once, beside those that `Owned.signed` gives."""
    if of.live.kind != "LoginToken":
        return {"gen": 1}
    claims = {
        "typ": "L",
        "aud": "AdmManHu",
        "sap": "SvKerneL",
        "jti": "12345678",
        "gen": 1,
        "iss": None,
        "sub": None,
    }
    return {
        **claims,
        "ipm": "*",
        "dvm": "*",
        "tag": "*",
        "api": "*",
        "bug": "*",
        "shop": "*",
        "role": "*",
        "rule": "*",
    }


def with_own_grants(of: Owned, **grants: tuple[str, ...]) -> Owned:
    """The same, with other live grants."""
    return of.with_(grants={**of.live.grants, **grants})


def rotated(of: Owned, state: CredentialState = CredentialState.RETIRING, **changes: Any) -> Owned:
    """The same after a rotation: `of`'s credential is generation 1, behind a new one of another key."""
    other = (
        owned(of.live.kind, algorithm=of.live.credentials[0].algorithm)
        if has_algorithm(of)
        else owned(of.live.kind)
    )
    new: Credential = replace(other.live.credentials[0], generation=2)
    old = replace(of.live.credentials[0], state=state, **changes)
    return of.with_(credentials=(new, old), last_generation=2)


def has_algorithm(of: Owned) -> bool:
    """Whether a spec of its kind names an algorithm."""
    return of.live.kind != "LoginToken"


def refused(verdict: Verdict, reason: Reason, *, proven: bool = False) -> None:
    """It is refused for this reason; and it names the token only where that was proven."""
    assert (verdict.reason, verdict.active, verdict.user) == (reason, False, None)
    assert (verdict.token is not None) == proven


def b64(data: bytes) -> str:
    """base64url as RFC 7515 writes it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def exactly(of: Owned, header: bytes, claims: bytes) -> str:
    """These very bytes, under a good signature."""
    algorithm = ALGORITHMS[of.live.credentials[0].algorithm]
    text = f"{b64(header)}.{b64(claims)}"
    return f"{text}.{b64(algorithm.sign(text.encode(), _private(of.secret.get('private_key')) or of.key))}"


@cache
def _private(pem: str | None) -> Any:
    """Read once: to read an RSA key is to prove its primes."""
    return pem and load_pem_private_key(pem.encode(), None)


def forged(of: Owned, key: rsa.RSAPrivateKey, header: Mapping[str, Any] | None = None) -> str:
    """Right in all, but signed with another RSA key: so that the number is below the right key's modulus."""
    pem = of.live.credentials[0].public_key
    right = load_pem_public_key((pem or "").encode())
    assert isinstance(right, rsa.RSAPublicKey)
    texts = (
        signed(
            {**claims_for(of), "number": number},
            key,
            of.live.credentials[0].algorithm,
            {"kid": of.id, **(header or {})},
        )
        for number in count()
    )
    n = right.public_numbers().n
    return next(text for text in texts if int.from_bytes(signature_of(text)) < n)


def signature_of(text: str) -> bytes:
    return unb64(text.split(".")[2])


def with_signature(text: str, signature: bytes) -> str:
    """The same token under another signature."""
    return text.rsplit(".", 1)[0] + "." + b64(signature)


def hmac_signed(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes) -> str:
    """Signed with a shared secret that no sound library would take."""
    body = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    return f"{body}.{b64(hmac.new(secret, body.encode(), HMACS[header['alg']]).digest())}"


def claims_for(of: Owned) -> dict[str, Any]:
    """Claims that are right for a call, or for a sign-in."""
    times = {"iat": NOW, "exp": NOW + 300}
    if of.live.kind == "TokenAuth":
        return {"loginname": "li.wei", **times}
    return {"iss": of.id, "sub": of.id, "aud": AUDIENCE, "gen": 1, **times}


FORMS = ("pem", "pkcs1-pem", "der", "pkcs1-der", "ssh", "jwk", "raw")
"""How a public key may be written down, and so be taken for a shared secret."""


def written(pem: str, form: str) -> bytes:
    """A public key in a form; one that has no such form, in the nearest."""
    key = load_pem_public_key(pem.encode())
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey)
    own = PublicFormat.PKCS1 if isinstance(key, rsa.RSAPublicKey) else PublicFormat.SubjectPublicKeyInfo
    match form:
        case "pem":
            return pem.encode()
        case "pkcs1-pem":
            return key.public_bytes(Encoding.PEM, own).strip()
        case "der":
            return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        case "pkcs1-der":
            return key.public_bytes(Encoding.DER, own)
        case "ssh":
            return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        case "jwk":
            return _jwk(key).encode()
        case _:
            return _raw(key)


def _jwk(key: PublicKeyTypes) -> str:
    match key:
        case rsa.RSAPublicKey():
            return RSAAlgorithm.to_jwk(key)
        case ec.EllipticCurvePublicKey():
            return ECAlgorithm.to_jwk(key)
        case _:
            assert isinstance(key, ed25519.Ed25519PublicKey)
            return OKPAlgorithm.to_jwk(key)


def _raw(key: PublicKeyTypes) -> bytes:
    match key:
        case rsa.RSAPublicKey():
            return key.public_numbers().n.to_bytes(key.key_size // 8)
        case ec.EllipticCurvePublicKey():
            return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        case _:
            assert isinstance(key, ed25519.Ed25519PublicKey)
            return key.public_bytes_raw()
