"""Age identities: what opens every artifact that was sealed to them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.artifacts.rules.bech32 import is_whole
from reconciler.audit.leaks.interface import Detector, Leak, same

IDENTITY = re.compile(rb"AGE-SECRET-KEY-(?:PQ-)?1([02-9AC-HJ-NP-Z]{58,4096})")
USUAL = 58
"""Letters behind the 1 of one that is not of the post-quantum kind."""


def find(text: bytes) -> Iterator[Leak]:
    """Those whose checksum is that of the rest (Bech32)."""
    for found in IDENTITY.finditer(text):
        for end in dict.fromkeys((found.start(1) + USUAL, found.end())):
            identity = text[found.start() : end]
            if is_whole(identity.decode().lower()):
                yield Leak(found.start(), end, same(identity))
                break


DETECTOR = Detector(
    name="age-key",
    what="an age identity (AGE-SECRET-KEY-…)",
    remedy="make another with reconcile keygen, put its recipient in the place of the old one in .sops.yaml,"
    " and rotate every token that was ever sealed to the old one: reconcile rotate NAME",
    find=find,
    literals=(b"AGE-SECRET-KEY-",),
)
