"""What nobody may find in a history: one file each, found by its `DETECTOR`.

A new format is one new file here. Nothing else names the formats. Pure: bytes go in, and what comes out says
where something stands, and never what.
"""

from __future__ import annotations

from functools import cache

from reconciler.audit.leaks.interface import Detector
from reconciler.family import family


@cache
def all_detectors() -> dict[str, Detector]:
    """Every format by its name, in alphabetical order."""
    return family(__name__, "DETECTOR", Detector)
