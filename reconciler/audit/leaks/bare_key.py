"""Private keys without a heading: as bytes, and as bare base64 of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.audit.leaks.der import decoded, is_private, outer_end, public_half
from reconciler.audit.leaks.interface import LONGEST, Detector, Leak, same
from reconciler.audit.leaks.linear import compiled

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


def find(text: bytes) -> Iterator[Leak]:
    """A text that is a private key as a whole, and those that stand in it as bare base64."""
    if len(text) <= LONGEST and is_private(text):
        yield Leak(0, len(text), same(text), public=public_half(text))
    over = 0
    for found in compiled(NEEDLE).finditer(text):
        if found.start() >= over and (body := _body(text, found.start())) is not None:
            data = decoded(body)
            data = data[: outer_end(data)]  # the letters that follow a key are not its own
            if is_private(data):
                over = found.start() + len(body)
                yield Leak(found.start(), over, same(data), public=public_half(data))


def _body(text: bytes, start: int) -> bytes | None:
    """As many letters as the key that seems to begin there has, and some for ends of lines; else None."""
    head = HEAD.match(text, start)
    begun = decoded(head[0]) if head else b""
    if not START.match(begun):
        return None
    end = outer_end(begun)
    if end is None:
        return None
    letters = -(-end // 3) * 4
    body = BODY.match(text, start, start + letters + letters // 16 + len(b"padding"))
    return body[0] if body else None


DETECTOR = Detector(
    name="bare-key",
    what="a private key without a heading (DER, or base64 of it)",
    remedy="put another key in its place wherever it is used; for the key of a token: reconcile rotate NAME",
    find=find,
    needle=NEEDLE,
)
