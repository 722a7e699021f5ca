"""The strict reader: a presented text to what it says and what was signed, before any key is looked up.

It stands in front of PyJWT, which checks signatures well and reads leniently: whatever two programs could
read differently is refused here (RFC 7515 §5.2, RFC 8725 §3). Pure, and bounded by the length of a token.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple, Never, TypeAlias, cast

from reconciler.kinds.checking import Reason

LONGEST = 8192
"""Characters of a token. Gateways and servers take headers of 8 KiB."""
MOST_BRACKETS = 64
"""Objects and lists in a header or in claims, however they are nested."""
LARGEST = 2**53
"""Numbers from here on are not the same in every language (RFC 8259 §6)."""
SHORT = 256
"""Characters of a header that is remembered."""
HEADERS_KEPT = 8192

HMAC = frozenset({"HS256", "HS384", "HS512"})
ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"},
)
KEY_MEMBERS = frozenset({"jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "use", "key_ops"})
KID = re.compile(r"[A-Za-z0-9_-]{1,64}")

_SHAPE = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_BLANKS = " \t\n\r"
_PADDING = (b"", b"", b"==", b"=")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ENDS = (b"", b"", _ALPHABET[::16], _ALPHABET[::4])
"""The last characters that leave no bits over, by the length of a part modulo 4 (RFC 4648 §3.5)."""

Members: TypeAlias = "dict[str, object]"


class Signed(NamedTuple):
    """A compact JWS that was read, and is not believed yet."""

    algorithm: str
    kid: str | None
    typ: str | None
    claims: Mapping[str, object]
    checked: tuple[bytes, bytes]
    """What the signature is over (RFC 7515 §5.1), and the signature."""


class _Refused(Exception):
    """Carries a reason out of a decoder's hook."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason


def read(text: str) -> Signed | Reason:
    """What a compact JWS says, or why it is not read. Raises nothing, whatever the text."""
    if len(text) > LONGEST:
        return Reason.TOO_LONG
    try:
        data = text.encode("ascii")
    except UnicodeEncodeError:
        return Reason.NOT_ASCII
    shape = _SHAPE.fullmatch(data)
    if shape is None:
        return _misshapen(data)
    try:
        header, claims, signature = shape.groups()
        algorithm, kid, typ = _known_header(header) if len(header) <= SHORT else _header(header)
        return Signed(
            algorithm, kid, typ, _claims(_decoded(claims)), (data[: shape.end(2)], _decoded(signature))
        )
    except _Refused as refused:
        return refused.reason


def _misshapen(data: bytes) -> Reason:
    if data.lstrip()[:1] == b"{":
        return Reason.NOT_COMPACT
    match data.count(b"."):
        case 4:
            return Reason.ENCRYPTED
        case 2 if all(data.split(b".")[:2]):
            return Reason.BASE64
        case _:
            return Reason.PARTS


def _decoded(part: bytes) -> bytes:
    over = len(part) & 3
    if over == 1 or (over and part[-1] not in _ENDS[over]):
        raise _Refused(Reason.BASE64)
    return a2b_base64(part.translate(_STANDARD) + _PADDING[over])


@lru_cache(maxsize=HEADERS_KEPT)
def _known_header(part: bytes) -> tuple[str, str | None, str | None]:
    """As `_header`, for one that was read before: an owner writes the same each time."""
    return _header(part)


def _header(part: bytes) -> tuple[str, str | None, str | None]:
    """`alg`, `kid` and `typ` of a header that asks for nothing else. Raises _Refused."""
    header = _object(_decoded(part))
    if len(header) > 1:
        _plain(header)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise _Refused(Reason.ALG_UNKNOWN)
    if algorithm not in ASYMMETRIC and algorithm not in HMAC:
        raise _Refused(Reason.ALG_NONE if algorithm.lower() == "none" else Reason.ALG_UNKNOWN)
    kid = _string(header, "kid", Reason.KID)
    if kid is not None and not KID.fullmatch(kid):
        raise _Refused(Reason.KID)
    return algorithm, kid, _string(header, "typ", Reason.TYP)


def _string(header: Members, name: str, otherwise: Reason) -> str | None:
    """A member that is a string, or is not there: `null` is neither. Raises _Refused."""
    found = header.get(name)
    if isinstance(found, str):
        return found
    if name in header:
        raise _Refused(otherwise)
    return None


def _plain(header: Members) -> None:
    """Nothing in it changes how the rest is to be read. Raises _Refused."""
    if "b64" in header:
        raise _Refused(Reason.UNENCODED)
    if "crit" in header:
        raise _Refused(Reason.CRITICAL)
    if not KEY_MEMBERS.isdisjoint(header):
        raise _Refused(Reason.KEY_INJECTED)
    if "enc" in header or "zip" in header:
        raise _Refused(Reason.ENCRYPTED)
    if "cty" in header:
        raise _Refused(Reason.NESTED)


def _claims(data: bytes) -> Members:
    if data[:3] == b"eyJ":
        raise _Refused(Reason.NESTED)
    return _object(data)


def _object(data: bytes) -> Members:
    """A JSON object that every reader takes for the same one. Raises _Refused."""
    if data.count(b"[") + data.count(b"{") > MOST_BRACKETS:
        raise _Refused(Reason.DEEP)
    try:
        text = data.decode().strip(_BLANKS)
    except UnicodeDecodeError:
        raise _Refused(Reason.NOT_UTF8) from None
    try:
        found, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError:
        raise _Refused(Reason.NOT_JSON) from None
    except ValueError:  # more digits than Python makes a number of
        raise _Refused(Reason.NUMBER) from None
    if not isinstance(found, dict) or end != len(text):
        raise _Refused(Reason.NOT_JSON)
    _small(found.values())
    if "\\u" in text:
        _without_surrogates(found)
    return found


def _without_surrogates(found: Members) -> None:
    """An escape may write half a character, which no text can hold (RFC 8259 §8.2)."""
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _Refused(Reason.NOT_UTF8) from None


def _distinct(pairs: list[tuple[str, object]]) -> Members:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Refused(Reason.DUPLICATE)
    return found


def _small(values: Iterable[object]) -> None:
    """No whole number in them is too large. Raises _Refused."""
    for value in values:
        kind = type(value)
        if kind is int:
            if not -LARGEST < cast("int", value) < LARGEST:
                raise _Refused(Reason.NUMBER)
        elif kind is list:
            _small(cast("list[object]", value))
        elif kind is dict:
            _small(cast("Members", value).values())


def _fraction(digits: str) -> float:
    number = float(digits)
    if not -LARGEST < number < LARGEST:
        raise _Refused(Reason.NUMBER)
    return number


def _not_a_number(_: str) -> Never:
    raise _Refused(Reason.NUMBER)


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_float=_fraction, parse_constant=_not_a_number)
