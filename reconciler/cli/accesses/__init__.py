"""How the answer of `reconcile audit access` is printed: one file a format, found by itself."""

from __future__ import annotations

from functools import cache

from reconciler.cli.accesses.interface import AccessFormat
from reconciler.family import family


@cache
def all_formats() -> dict[str, AccessFormat]:
    """Every format, by its name."""
    return family(__name__, "FORMAT", AccessFormat)
