"""How a comparison is printed: one file a format, found by itself."""

from __future__ import annotations

from functools import cache

from reconciler.cli.diffs.interface import DiffFormat
from reconciler.family import family


@cache
def all_formats() -> dict[str, DiffFormat]:
    """Every format, by its name."""
    return family(__name__, "FORMAT", DiffFormat)
