"""How faults are reported: one file each, found by its `REPORT`.

A new format is one new file here. Nothing else names the formats.
"""

from __future__ import annotations

from functools import cache

from reconciler.cli.reports.interface import Report
from reconciler.family import family


@cache
def all_reports() -> dict[str, Report]:
    """Every format by its name, in alphabetical order."""
    return family(__name__, "REPORT", Report)
