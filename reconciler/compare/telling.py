"""Differences in words, none of them longer than a line has room for."""

from __future__ import annotations

from reconciler.compare.side import Shift
from reconciler.plan import words
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
    return words.field_text(field, NAMED, LONGEST)


def said_text(field: FieldChange) -> str:
    """One field of a spec that is on one side only: what it says."""
    name = words.field_name(field.field).removeprefix("metadata.")
    names = [*field.added, *field.removed]
    value = field.before if field.after is None else field.after
    return f"{name}: {words.some(names, NAMED) if names else words.value_text(value, LONGEST)}"
