"""The public key that an owner brings: judged, and put into one form, so that equal keys are equal texts.

The owner keeps the private half: nothing secret travels, and there is no artifact.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_args

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from reconciler.canonical import digest
from reconciler.kinds.fields import Model
from reconciler.kinds.pasted import COPY, PUBLIC, Unfit, der_of, is_private
from reconciler.kinds.weakness import weakness

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

# As in `keys`, what reads keys is imported where there is one to read: most specs bring none.

FIELD = "publicKey"
"""What the field is called, in every kind that has it."""
RSA = "RSA"
FAMILIES = {"RS": RSA, "PS": RSA, "ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}
"""Start of a JOSE algorithm → the family of keys that it takes; one that takes none has a shared secret."""
CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
MAKING = {
    RSA: "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out key.pem",
    "P-256": "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem",
    "P-384": "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out key.pem",
}
SIZES = (4096, 3072, 2048)
"""What `keySize` may be."""
PRIVATE_HINT = (
    "take it out of this file and make a new key pair, for others may have seen this one; then put in what"
    f" this prints: {PUBLIC}"
)


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A public key that may be used."""

    pem: str
    """SubjectPublicKeyInfo (RFC 5280 §4.1), as `keys.public_pem` writes it."""
    family: str
    """`RSA`, the curve as in `P-256`, or what it is else."""
    bits: int = 0
    """Of an RSA modulus."""

    def __str__(self) -> str:
        if self.family == RSA:
            return f"an RSA key of {self.bits} bits"
        return f"{'an' if self.family[0] in 'AEIOX' else 'a'} {self.family} key"


def normalised(text: str) -> str:
    """The one text for the key in a text. Raises PydanticCustomError, which never repeats the text."""
    if is_private(text):
        raise PydanticCustomError("literal_secret", PRIVATE_HINT, {"what": "a private key or a secret"})
    found = _judged(text)
    if isinstance(found, Unfit):
        raise _refused(found.why, found.hint)
    return found.pem


PublicKey: TypeAlias = Annotated[
    str,
    AfterValidator(normalised),
    Field(json_schema_extra={"pattern": "-----BEGIN (RSA )?PUBLIC KEY-----"}),
]


def fitting(model: type[Model], key: str | None, fields: Mapping[str, Any]) -> str | None:
    """The key, if it fits the algorithm and the size that stand beside it. Raises PydanticCustomError.

    What stands beside it and is wrong itself is not in `fields`.
    """
    algorithm = fields.get("algorithm")
    found = _judged(key) if key is not None else None
    if algorithm is None or found is None or isinstance(found, Unfit):
        return key
    family = family_of(algorithm)
    if found.family != family:
        choices = get_args(model.model_fields["algorithm"].annotation)
        takes = f"takes {OwnKey('', family)}".removesuffix(" of 0 bits") if family else "has no public key"
        raise _refused(f"is {found}, and {algorithm} {takes}", _other_algorithm(found, family, choices))
    least = fields.get("keySize", 0)
    if found.bits < least:
        size = next((size for size in SIZES if size <= found.bits), SIZES[-1])
        raise _refused(
            f"is {found}, and keySize asks for {least} at the least",
            f"bring a longer key, or set keySize: {size}",
        )
    return key


def _other_algorithm(found: OwnKey, family: str | None, choices: tuple[str, ...]) -> str:
    fit = next((choice for choice in choices if family_of(choice) == found.family), None)
    wanted = family or next(filter(None, map(family_of, choices)), RSA)
    make = f"bring another: {MAKING.get(wanted, MAKING[RSA])} && {PUBLIC}"
    return f"set algorithm: {fit}, or {make}" if fit else make


def family_of(algorithm: str) -> str | None:
    """The family of keys that a JOSE algorithm takes; None for one with a shared secret."""
    return FAMILIES.get(algorithm) or FAMILIES.get(algorithm[:2])


def fingerprint(public_key: str) -> str:
    """What people compare keys by: the digest of the key's DER bytes; of the text, where that is no PEM.

    `openssl pkey -pubin -in key.pub -outform DER | sha256sum` prints the same.
    """
    body = "".join(line for line in public_key.splitlines() if not line.startswith("-----"))
    try:
        return digest(base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError):
        return digest(public_key.encode())


def _refused(why: str, hint: str) -> PydanticCustomError:
    return PydanticCustomError("own_key", "{hint}", {"why": why, "hint": hint})


@lru_cache(maxsize=4096)
def _judged(text: str) -> OwnKey | Unfit:
    """A text with no private key in it: that would be kept here."""
    der = der_of(text)
    if isinstance(der, Unfit):
        return der
    numbers = _rsa_numbers(der)
    if numbers is not None and (weak := weakness(*numbers)) is not None:
        return Unfit(*weak)
    return _loaded(der)


def _loaded(der: bytes) -> OwnKey | Unfit:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    try:
        key = load_der_public_key(der)
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    except (ValueError, TypeError, UnsupportedAlgorithm, Warning):
        return Unfit(
            "is no key that can be read: damaged, with a point that is not on its curve, or of a rare type",
            COPY,
        )
    return _described(key, pem)


def _described(key: PublicKeyTypes, pem: str) -> OwnKey:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, rsa.RSAPublicKey):
        return OwnKey(pem, RSA, key.key_size)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return OwnKey(pem, CURVES.get(key.curve.name, key.curve.name))
    return OwnKey(pem, type(key).__name__.removeprefix("_").removesuffix("PublicKey"))


def _rsa_numbers(der: bytes) -> tuple[int, int] | None:
    """Modulus and exponent of an RSA key (RFC 8017 §A.1.1), in a SubjectPublicKeyInfo or bare."""
    whole = _parts(der)
    if [tag for tag, _ in whole] != [0x30]:
        return None
    inner = _parts(whole[0][1])
    if [tag for tag, _ in inner] == [0x30, 0x03] and inner[1][1][:1] == b"\0":
        bare = _parts(inner[1][1][1:])
        inner = _parts(bare[0][1]) if [tag for tag, _ in bare] == [0x30] else []
    if [tag for tag, _ in inner] != [0x02, 0x02]:
        return None
    modulus, exponent = (int.from_bytes(value, signed=True) for _, value in inner)
    return (modulus, exponent) if modulus > 0 else None


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each DER value that stands in a row; none, where the lengths do not fit."""
    found: list[tuple[int, bytes]] = []
    while data:
        tag, length, start = data[0], int.from_bytes(data[1:2]), 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start])
        if len(data) < start + length:
            return []
        found.append((tag, data[start : start + length]))
        data = data[start + length :]
    return found
