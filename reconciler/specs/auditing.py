"""What an audit is held against: who may sign records, and what must be signed at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, Strict
from pydantic_core import PydanticCustomError

from reconciler.kinds.fields import Model, Moment
from reconciler.kinds.pasted import LONGEST, WHOLE, is_private
from reconciler.kinds.weakness import weakness

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    CheckingKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

# As in `kinds.ownkeys`, what reads keys is imported where there is one to read.

SSH_LINE = re.compile(r"((?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]+=*)( .*)?")
CURVES = ("secp256r1", "secp384r1", "secp521r1")
TAKES = (
    "write a line as ssh-keygen prints it, ssh-ed25519 AAAA… NAME, or a public key in PEM, of type Ed25519,"
    " ECDSA or RSA"
)


def checking_key(text: str) -> CheckingKey | None:
    """The public key in a line of an SSH key file, or in PEM; None where there is none that signs records."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key, load_ssh_public_key

    line = SSH_LINE.fullmatch(text)
    try:
        key = load_ssh_public_key(line[1].encode()) if line else load_pem_public_key(text.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm, Warning):
        return None
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key if key.curve.name in CURVES else None
    return key if isinstance(key, (rsa.RSAPublicKey, ed25519.Ed25519PublicKey)) else None


def weak(key: CheckingKey) -> str | None:
    """Why a signature by a key proves nothing; None where nothing speaks against it."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    if not isinstance(key, rsa.RSAPublicKey):
        return None
    numbers = key.public_numbers()
    found = weakness(numbers.n, numbers.e)
    return None if found is None else found[0]


def _key(text: str) -> str:
    """The one text for a key. Raises PydanticCustomError, which never repeats the text."""
    if is_private(text):
        hint = (
            "take it out of this file and make a new key, for others may have seen this one; then write the"
        )
        hint += " public line of that one"
        raise PydanticCustomError("literal_secret", hint, {"what": "a private key or a secret"})
    line = text.strip()
    if WHOLE.fullmatch(line) is None:
        line = " ".join(line.split())
    if len(line) > LONGEST or not line.replace("\n", "").isprintable():
        raise _refused("holds what is no public key")
    key = checking_key(line)
    if key is None:
        raise _refused("holds what is no public key that signs records")
    if (why := weak(key)) is not None:
        raise _refused(f"holds one that {why}")
    return line


def _refused(why: str) -> PydanticCustomError:
    return PydanticCustomError("own_key", "{hint}", {"why": why, "hint": TAKES})


AuditKey: TypeAlias = Annotated[
    str,
    AfterValidator(_key),
    Field(json_schema_extra={"pattern": "^\\s*(ssh-|ecdsa-sha2-|-----BEGIN (RSA )?PUBLIC KEY-----)"}),
]
Asked: TypeAlias = Literal["any", "signed"]


class AuditSettings(Model):
    """What an audit is held against."""

    keys: Annotated[tuple[AuditKey, ...], Strict(strict=False), Field(max_length=64)] = ()
    """Public keys that may sign records, those that did earlier too: lines such as `ssh-ed25519 AAAA… NAME`,
    or PEM."""
    records: Asked = "any"
    """Which records are taken: `signed`, by one of the keys, or any. With `signed`, an apply without a
    signing key changes nothing."""
    commits: Asked = "any"
    """Which commits to specs are taken: those that git finds well `signed`, or any."""
    commitsSince: Moment | None = None
    """The time from which on `commits` holds. Without: always."""
