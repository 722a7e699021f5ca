"""What a leak is, and what finds one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

LONGEST = 1 << 16
"""Bytes that one secret may take, with all that is written around it."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret that stands in a text in the clear. It does not hold the secret."""

    start: int
    """Offset of its first byte."""
    end: int
    same: bytes
    """A digest: the same for the same secret, wherever it stands."""
    token: str | None = None
    """Id of the token that it says it belongs to."""
    ends: int | None = None
    """When it ends by itself, in epoch seconds, where it says so."""
    public: str | None = None
    """Fingerprint of the public key that belongs to it."""


@dataclass(frozen=True, slots=True)
class Detector:
    """One format of secrets. Its file is its only home: `leaks/` is searched for it."""

    name: str
    what: str
    """As in `FILE:LINE holds …`."""
    remedy: str
    """What to do where nobody can tell the token that it is of."""
    find: Callable[[bytes], Iterator[Leak]]
    """Each of them in a text, in the order in which they stand there."""
    literals: tuple[bytes, ...] = ()
    """One of these stands in every secret of this format; they are looked for in base64, too."""
    needle: bytes | None = None
    """A pattern (RE2) that stands in every one, where no literal does."""


def same(secret: bytes) -> bytes:
    """What tells a secret from others: for this process, and not to be shown."""
    return hashlib.sha256(secret).digest()
