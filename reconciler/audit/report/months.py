"""Months as they stand below charts."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.times import day

BEFORE = "before"
SHOWN = 24
"""Months that are told one by one, up to the moment of the report."""


def month(seconds: int) -> str:
    """The month of a moment in UTC: `2026-11`."""
    return day(seconds)[:7]


def after(text: str, months: int) -> str:
    """The month so many months later; earlier, for a negative number."""
    year, number = map(int, text.split("-"))
    count = year * 12 + number - 1 + months
    return f"{count // 12:04}-{count % 12 + 1:02}"


def shown(times: Sequence[int], at: int) -> list[str]:
    """The labels of a chart of what happened at times: from the first of them, `before` for the oldest."""
    last = month(at)
    first = after(last, 1 - SHOWN)
    begun = month(min(times)) if times else last
    labels = [BEFORE] if begun < first else []
    here = max(begun, first)
    while here <= last:
        labels.append(here)
        here = after(here, 1)
    return labels


def label(seconds: int, labels: Sequence[str]) -> str:
    """Where in a chart a moment belongs."""
    found = month(seconds)
    return found if found in labels else BEFORE
