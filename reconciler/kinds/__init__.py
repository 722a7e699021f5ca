"""The kinds of token: one file each, found by their `KIND`.

A new kind is one new file here. Nothing else names the kinds.
"""

from __future__ import annotations

from functools import cache

from reconciler.family import family
from reconciler.kinds.interface import AnyKind, Kind


@cache
def all_kinds() -> dict[str, AnyKind]:
    """Every kind by its name, in alphabetical order."""
    return family(__name__, "KIND", Kind)
