"""A field of a spec, and what differs in it, in words. Pure. Text from specs stands in them as it is: whoever
prints them makes it visible.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.canonical import Json
from reconciler.plan.change import FieldChange


def field_name(field: str) -> str:
    """A field as people name it: that it is of the `spec` goes without saying."""
    return field.removeprefix("spec.")


def field_text(field: FieldChange, most: int | None = None, letters: int | None = None) -> str:
    """What comes and goes, or what it was and is: so many names of a set, so many letters of a value."""
    name = field_name(field.field)
    if field.is_set:
        parts = [f"+ {added}" for added in field.added] + [f"- {removed}" for removed in field.removed]
        return f"{name}: {some(parts, most)}"
    return f"{name}: {value_text(field.before, letters)} → {value_text(field.after, letters)}"


def some(parts: Sequence[str], most: int | None = None) -> str:
    """The first of them, and how many more there are."""
    more = 0 if most is None else max(0, len(parts) - most)
    return ", ".join(parts[:most]) + (f" and {more} more" if more else "")


def value_text(value: Json, letters: int | None = None) -> str:
    """A value as people write it."""
    if value is None:
        text = "none"
    elif isinstance(value, (list, tuple)):
        text = ", ".join(map(value_text, value))
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if letters is None or len(text) <= letters else text[: letters - 1] + "…"
