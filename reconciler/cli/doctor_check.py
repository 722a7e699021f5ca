"""One thing that doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NAMED = 5
"""Names that a line has room for."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was found."""

    name: str
    state: Literal["ok", "note", "fault"]
    message: str
    hint: str = ""
