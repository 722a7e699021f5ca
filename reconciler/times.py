"""Epoch seconds as people and JSON write them. No clock is read here."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def timestamp(seconds: int) -> str:
    """RFC 3339 in UTC, whole seconds: `2026-11-22T12:40:00Z`."""
    # Not by strftime, which writes the first years without zeros.
    return f"{datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def day(seconds: int) -> str:
    """The day in UTC: `2026-11-22`."""
    return timestamp(seconds)[:10]


def minute(seconds: int) -> str:
    """The time of day in UTC: `12:40`."""
    return timestamp(seconds)[11:16]


@lru_cache(maxsize=4096)
def seconds_of(text: str) -> int:
    """What `timestamp` was given. Raises ValueError."""
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
