"""The formats in which a plan is printed: one file each, found by their `FORMAT`.

A new format is one new file here. Nothing else names the formats.
"""

from __future__ import annotations

from functools import cache

from reconciler.cli.plans.interface import PlanFormat
from reconciler.family import family


@cache
def all_formats() -> dict[str, PlanFormat]:
    """Every format by its name, in alphabetical order."""
    return family(__name__, "FORMAT", PlanFormat)
