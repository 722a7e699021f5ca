"""How stories of tokens are printed: one file a format, found by itself."""

from __future__ import annotations

from functools import cache

from reconciler.cli.stories.interface import StoryFormat
from reconciler.family import family


@cache
def all_formats() -> dict[str, StoryFormat]:
    """Every format, by its name."""
    return family(__name__, "FORMAT", StoryFormat)
