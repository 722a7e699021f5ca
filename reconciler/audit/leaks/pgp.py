"""OpenPGP secret keys: whether one is protected by a password (RFC 4880 §5.5.3, RFC 9580 §5.5.3)."""

from __future__ import annotations

NEW_FORMAT, ANY_PACKET = 0x40, 0x80
SECRET_KEY = 5
V4 = 4
MPIS = {1: 2, 2: 2, 3: 2, 16: 3, 17: 4}
"""Numbers in the public half, by algorithm; the others are on curves."""
ON_CURVES, ECDH = (18, 19, 22), 18
FIXED = {25: 32, 26: 56, 27: 32, 28: 57}
"""Bytes of the public half, by newer algorithm."""
CLEAR = 0
"""How a secret key that nothing protects says so."""


def is_private(data: bytes) -> bool:
    """Whether bytes begin with a secret key that is not protected; of what cannot be followed, yes."""
    body = _body(data)
    if body is None:
        return False
    usage = _usage(body)
    return usage is None or usage == CLEAR


def _body(data: bytes) -> bytes | None:
    """The content of a first packet that is a secret key; None where it is none."""
    if len(data) < len(b"1234567") or not data[0] & ANY_PACKET:
        return None
    if data[0] & NEW_FORMAT:
        tag, size = data[0] & 0x3F, 1 if data[1] < 192 else 2 if data[1] < 224 else 5  # noqa: PLR2004
    else:
        tag, size = data[0] >> 2 & 0x0F, (1, 2, 4, 0)[data[0] & 3]
    return data[1 + size :] if tag == SECRET_KEY else None


def _usage(body: bytes) -> int | None:
    """The octet that says how the secret half is protected; None where this cannot follow."""
    if len(body) < len(b"123456") or body[0] != V4:
        return None
    algorithm, place = body[5], 6
    if algorithm in FIXED:
        place += FIXED[algorithm]
    elif algorithm in ON_CURVES:
        place = _after_number(body, place + 1 + body[place]) if len(body) > place else place
        if algorithm == ECDH and len(body) > place:
            place += 1 + body[place]
    else:
        for _ in range(MPIS.get(algorithm, 0)):
            place = _after_number(body, place)
    return body[place] if len(body) > place else None


def _after_number(body: bytes, place: int) -> int:
    return place + 2 + (int.from_bytes(body[place : place + 2], "big") + 7) // 8
