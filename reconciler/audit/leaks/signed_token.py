"""JWTs that are signed once and delivered: who has one may use it until it ends."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator

from reconciler.audit.leaks.interface import Detector, Leak, same
from reconciler.audit.leaks.linear import compiled

COMPACT = rb"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43,}"
"""Header, claims and signature (RFC 7515 §7.1); the first two begin with `{"`."""
LONGEST_HEADER = 1024
TOKEN_ID = re.compile(r"[0-9A-Za-z]{1,64}")
TIMES = ("iat", "nbf")


def find(text: bytes) -> Iterator[Leak]:
    """Those that carry what every token carries which is delivered signed: whose they are, and which one."""
    for found in compiled(COMPACT).finditer(text):
        before, claims, signature = found.group().split(b".")
        carried = _json(claims)
        whole = all(type(carried.get(name)) is int for name in (*TIMES, "gen"))
        if not whole or carried["iat"] != carried["nbf"]:
            continue
        # Other letters may stand right before it, such as the n of an end of line in JSON.
        for header in _ends(before):
            token, ends = _json(header).get("kid"), carried.get("exp")
            if isinstance(token, str) and TOKEN_ID.fullmatch(token):
                start = found.start() + len(before) - len(header)
                until = ends if type(ends) is int else None
                signed = b".".join((header, claims, signature))
                yield Leak(start, found.start() + len(found.group()), same(signed), token, until)
                break


def _ends(before: bytes) -> Iterator[bytes]:
    """What may be a header, of letters that end with one: the longest first."""
    place = before.find(b"eyJ", max(0, len(before) - LONGEST_HEADER))
    while place >= 0:
        yield before[place:]
        place = before.find(b"eyJ", place + 1)


def _json(part: bytes) -> dict[str, object]:
    """The object that a part of a JWT is; empty where it is none."""
    try:
        document = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return {}
    return document if isinstance(document, dict) else {}


DETECTOR = Detector(
    name="signed-token",
    what="a signed token, ready to be used",
    remedy="find the token with reconcile list; then reconcile rotate NAME, commit, and apply",
    find=find,
    literals=(b"eyJ",),
)
