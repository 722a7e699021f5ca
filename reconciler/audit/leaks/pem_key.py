"""Private keys in PEM and in what looks like it: PKCS #8, PKCS #1, SEC 1, OpenSSH, OpenPGP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

from reconciler.audit.leaks import der, pgp
from reconciler.audit.leaks.interface import LONGEST, Detector, Leak, same

BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{0,40})PRIVATE KEY( BLOCK)?-----")
OPENSSH = b"openssh-key-v1\0"
CIPHER_NONE = b"\0\0\0\x04none"
ESCAPED = re.compile(rb"(?:\\[nr])+")
QUOTED = b" \t\r\"'`,;\\"


def find(text: bytes) -> Iterator[Leak]:
    """Those that no password protects, and of which all is there: an example with dots in it is none."""
    for found in BEGIN.finditer(text):
        end = text.find(b"-----", found.end(), found.end() + LONGEST)
        body = text[found.end() : end if end >= 0 else found.end() + LONGEST]
        for data in _readings(body):
            if _in_the_clear(found[1].strip(), data, block=found[2] is not None):
                last = found.end() + len(body)
                yield Leak(found.start(), last, same(data), public=der.public_half(data))
                break


def _in_the_clear(label: bytes, data: bytes, *, block: bool) -> bool:
    if block:
        return pgp.is_private(data)
    if label == b"OPENSSH":
        return data.startswith(OPENSSH + CIPHER_NONE)
    return der.is_private(data)


def _readings(body: bytes) -> Iterator[bytes]:
    """What stands between the first line and the last: as it is, and without what stands before each line."""
    if b"ENCRYPTED" in body:
        return
    lines = [line.strip(QUOTED) for line in ESCAPED.sub(b"\n", body).split(b"\n")]
    # Headings have colons, and a line that begins with = is the checksum of OpenPGP.
    kept = [line for line in lines if line and b":" not in line and not line.startswith(b"=")]
    for skipped in {0, _common(kept)}:
        if data := der.decoded(b"".join(line[skipped:] for line in kept)):
            yield data


def _common(lines: list[bytes]) -> int:
    """Length of what all lines begin with that is no letter."""
    pairs = zip(min(lines), max(lines), strict=False) if lines else ()
    same_letters = takewhile(lambda pair: pair[0] == pair[1] and not chr(pair[0]).isalnum(), pairs)
    return len(list(same_letters))


DETECTOR = Detector(
    name="private-key",
    what="a private key in PEM",
    remedy="put another key in its place wherever it is used; for the key of a token: reconcile rotate NAME",
    find=find,
    literals=(b"PRIVATE KEY",),
)
