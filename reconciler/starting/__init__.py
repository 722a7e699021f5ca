"""What a new workspace starts with, and the pipelines that it may have: one file each, with a `PIPELINE`.

A new pipeline is one new file here, and its texts in `texts/`. Nothing else names the pipelines.
"""

from __future__ import annotations

from functools import cache

from reconciler.family import family
from reconciler.starting.interface import Pipeline


@cache
def all_pipelines() -> dict[str, Pipeline]:
    """Every pipeline by its name, in alphabetical order."""
    return family(__name__, "PIPELINE", Pipeline)
