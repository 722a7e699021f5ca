"""Where in a text to look closer: one pass of RE2 for all formats, and for what base64 makes of them."""

from __future__ import annotations

import base64
import re
from functools import cache

from reconciler.audit.leaks import all_detectors
from reconciler.audit.leaks.linear import Pattern, compiled

SHIFTS = 3
"""Base64 writes three bytes as four letters, so a text looks in it one of three ways."""


def encodings(literal: bytes) -> dict[bytes, int]:
    """What base64 makes of a text inside of a longer one → how many letters of its group come before that."""
    found = {}
    for shift in range(SHIFTS):
        first, last = -(-shift * 8 // 6), (shift + len(literal)) * 8 // 6
        found[base64.b64encode(b"\0" * shift + literal)[first:last]] = first
    return found


@cache
def literals() -> tuple[bytes, ...]:
    """What stands in a secret as it is."""
    return tuple(literal for one in all_detectors().values() for literal in one.literals)


@cache
def encoded() -> dict[bytes, int]:
    """The same for what is in base64."""
    return {form: before for literal in literals() for form, before in encodings(literal).items()}


@cache
def anywhere() -> Pattern:
    """Something of which stands in every text that is worth a closer look."""
    escaped = [re.escape(text) for text in (*literals(), *encoded())]
    own = [one.needle for one in all_detectors().values() if one.needle is not None]
    return compiled(b"|".join((*escaped, *own)))


@cache
def in_base64() -> Pattern:
    """Where base64 of a literal stands."""
    return compiled(b"|".join(map(re.escape, encoded())))
