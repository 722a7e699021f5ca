"""Private keys as bytes (ASN.1 DER): which of them is one, told by what it is made of."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from reconciler.audit.leaks.interface import LONGEST, Detector, Leak, same
from reconciler.audit.leaks.linear import compiled

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
NEEDLE = rb"MI[IJKL][A-Za-z0-9+/]{2}[AQgw]IB[AQ]|MI[EFGH][A-Za-z0-9+/]AgE[AB]|M[A-H][AEIMQUYcgkosw048]CAQ[AB]"
"""How base64 writes the start of a sequence that begins with a version, by the form of its length."""
START = re.compile(
    rb"\x30(?:[\x00-\x7f]|\x81.|\x82..)\x02\x01[\x00-\x03](?:\x30.\x06|\x02[\x20-\x7f\x81\x82]|\x04[\x10-\x7f])",
    re.DOTALL,
)
"""A version, and behind it the name of an algorithm, a number or a key that is long enough."""
LETTERS = rb"(?:[A-Za-z0-9+/=]|\\[nr]|\s)"
HEAD = re.compile(LETTERS + rb"{24}")
BODY = re.compile(LETTERS + rb"+")
"""Base64, over several lines perhaps, whose ends may be written as in JSON."""


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


def find(text: bytes) -> Iterator[Leak]:
    """A text that is a private key as a whole, and those that stand in it as bare base64."""
    if len(text) <= LONGEST and is_private(text):
        yield Leak(0, len(text), same(text), public=public_half(text))
    over = 0
    for found in compiled(NEEDLE).finditer(text):
        if found.start() >= over and (body := _body(text, found.start())) is not None:
            data = decoded(body)
            if is_private(data):
                over = found.start() + len(body)
                yield Leak(found.start(), over, same(data), public=public_half(data))


def _body(text: bytes, start: int) -> bytes | None:
    """As many letters as the key that seems to begin there has, and some for ends of lines; else None."""
    head = HEAD.match(text, start)
    begun = decoded(head[0]) if head else b""
    if not START.match(begun):
        return None
    outer = _element(begun + bytes(LONGEST), 0)
    if outer is None:
        return None
    letters = -(-outer[1] // 3) * 4
    body = BODY.match(text, start, start + letters + letters // 16 + len(b"padding"))
    return body[0] if body else None


def decoded(body: bytes) -> bytes:
    """What base64 stands for; ends of lines may be written as in JSON."""
    return filled(re.sub(rb"\\[nr]|[^A-Za-z0-9+/]", b"", body))


def filled(letters: bytes) -> bytes:
    """What letters of base64 stand for, as far as they go: one alone at the end says nothing."""
    rest = len(letters) % 4
    return base64.b64decode(letters[:-1] if rest == 1 else letters + b"=" * (-rest % 4))


DETECTOR = Detector(
    name="bare-key",
    what="a private key without a heading (DER, or base64 of it)",
    remedy="put another key in its place wherever it is used; for the key of a token: reconcile rotate NAME",
    find=find,
    needle=NEEDLE,
)
