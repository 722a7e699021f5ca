"""Differences in words. Text from specs stands in them as it is: whoever prints them makes it visible."""

from __future__ import annotations

from reconciler.canonical import Json
from reconciler.compare.side import Shift
from reconciler.plan.change import FieldChange

NAMED = 50
"""Names of a set that are shown."""
LONGEST = 160
"""Letters of a value that are shown."""


def shift_text(shift: Shift) -> str:
    """What differs, on one line."""
    return f"{shift.what} {field_text(shift.field)}"


def field_text(field: FieldChange) -> str:
    """One field: what comes and goes, or what it was and is."""
    name = field.field.removeprefix("spec.")
    if field.is_set:
        parts = [f"+ {added}" for added in field.added] + [f"- {removed}" for removed in field.removed]
        return f"{name}: {_some(parts)}"
    return f"{name}: {value_text(field.before)} → {value_text(field.after)}"


def said_text(field: FieldChange) -> str:
    """One field of a spec that is on one side only: what it says."""
    name = field.field.removeprefix("spec.").removeprefix("metadata.")
    names = [*field.added, *field.removed]
    value = field.before if field.after is None else field.after
    return f"{name}: {_some(names) if names else value_text(value)}"


def _some(parts: list[str]) -> str:
    more = len(parts) - NAMED
    return ", ".join(parts[:NAMED]) + (f" and {more} more" if more > 0 else "")


def value_text(value: Json) -> str:
    """A value as people write it, and not longer than a line has room for."""
    if value is None:
        return "none"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, (list, tuple)):
        text = ", ".join(map(value_text, value))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
