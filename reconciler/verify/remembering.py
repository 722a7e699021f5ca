"""Signatures that hold, remembered: the same token is presented many times, and its signature stays true.

What is remembered is that these bytes were signed with this key, and nothing else. Which key is the one on
record, whether token and credential live, what the claims say and what is granted is asked anew each time.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TypeAlias

from reconciler.kinds.checking import Reason
from reconciler.verify.reading import HMAC
from reconciler.verify.signatures import Key, refused

Holds: TypeAlias = Callable[[Key, bytes, bytes], "Reason | None"]
"""Key, signing input and signature → why the signature does not hold, if it does not."""

KEPT = 16_384
"""Signatures in memory, twice at the most."""


def remembering(kept: int = KEPT) -> Holds:
    """`signatures.refused` that checks each good signature once, as long as it is in use."""
    young: dict[bytes, Key] = {}
    old: dict[bytes, Key] = {}

    def holds(key: Key, signing_input: bytes, signature: bytes) -> Reason | None:
        nonlocal young, old
        # A shared secret stays nowhere longer than it must; and to check one is as quick as to remember it.
        if key.algorithm in HMAC:
            return refused(key, signing_input, signature)
        known = sha256(b"%d.%b.%b" % (len(signing_input), signing_input, signature)).digest()
        if young.get(known) is key:
            return None
        against = None if old.get(known) is key else refused(key, signing_input, signature)
        if against is None:
            if len(young) >= kept:
                old, young = young, {}
            young[known] = key
        return against

    return holds
