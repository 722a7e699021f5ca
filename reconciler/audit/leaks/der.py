"""Private keys as bytes (ASN.1 DER): which of them is one, told by what it is made of."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from reconciler.audit.leaks.interface import LONGEST

INTEGER, OCTETS, SEQUENCE = 0x02, 0x04, 0x30
LONG_FORM = 0x80
MOST_VERSION = 3
FORMS = re.compile(
    rb"\x02\x30\x04[\xa0\x81\xa1]*"  # PKCS #8: version, algorithm, key (RFC 5958)
    rb"|\x02{9}\x30?"  # PKCS #1: version, and eight numbers (RFC 8017)
    rb"|\x02{6}"  # DSA, as OpenSSL writes it
    rb"|\x02\x04[\xa0\xa1]*"  # SEC 1: version, key (RFC 5915)
)
"""The types of the elements of a private key."""


def is_private(data: bytes) -> bool:
    """Whether bytes begin with a private key that no password protects, and that is whole."""
    types = bytes(_types(data))
    return FORMS.fullmatch(types) is not None


def _types(data: bytes) -> Iterator[int]:
    """The types of the elements of the outermost sequence; none where it is no sequence, or cut off."""
    outer = _element(data, 0)
    if outer is None or data[0] != SEQUENCE:
        return
    place, end = outer
    while place < end:
        inner = _element(data, place)
        if inner is None or inner[1] > end:
            yield 0  # of no private key
            return
        if data[place] == INTEGER and place == outer[0] and _number(data, inner) > MOST_VERSION:
            yield 0
            return
        yield data[place]
        place = inner[1]


def _number(data: bytes, place: tuple[int, int]) -> int:
    return int.from_bytes(data[slice(*place)], "big")


def _element(data: bytes, place: int) -> tuple[int, int] | None:
    """Where the content of an element begins and ends; None where it is not all there."""
    if len(data) < place + 2:
        return None
    length, start = data[place + 1], place + 2
    if length >= LONG_FORM:
        digits = length - LONG_FORM
        length, start = int.from_bytes(data[start : start + digits], "big"), start + digits
        if not 1 <= digits <= len(b"1234"):
            return None
    return (start, start + length) if start + length <= len(data) else None


def outer_end(begun: bytes) -> int | None:
    """Where the sequence that bytes begin with would end, if all of it is as long as it may be there."""
    outer = _element(begun + bytes(LONGEST), 0)
    return None if outer is None else outer[1]


def public_half(data: bytes) -> str | None:
    """Fingerprint of the public key that belongs to a private key; None for one that cannot be told."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_der_private_key,
    )

    from reconciler.kinds.ownkeys import fingerprint

    try:
        key = load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True).public_key()
        form = PublicFormat.SubjectPublicKeyInfo
        return fingerprint(key.public_bytes(Encoding.PEM, form).decode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def decoded(body: bytes) -> bytes:
    """What base64 stands for; ends of lines may be written as in JSON."""
    return filled(re.sub(rb"\\[nr]|[^A-Za-z0-9+/]", b"", body))


def filled(letters: bytes) -> bytes:
    """What letters of base64 stand for, as far as they go: one alone at the end says nothing."""
    rest = len(letters) % 4
    return base64.b64decode(letters[:-1] if rest == 1 else letters + b"=" * (-rest % 4))
