"""The fields of a change in Markdown: the gist of them in a line, and all of them in a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.cli.markdown import clipped, code
from reconciler.cli.plans.interface import field_name, value_text
from reconciler.plan.change import Change, FieldChange

BRIEF, WHOLE = 3, 40
"""Fields of one change, and names of one field: in its row, and in the folded list."""
GIST, VALUE = 60, 400
"""Characters of one value: in the row, and in the list."""


def brief(fields: Sequence[FieldChange]) -> str:
    """What fits into a cell."""
    parts = [_field(one, BRIEF, GIST) for one in fields[:BRIEF]]
    more = len(fields) - BRIEF
    return "; ".join((*parts, f"{more:,} more fields") if more > 0 else parts)


def detailed(change: Change) -> str:
    """An item of a list, with an item for each field below it."""
    head = f"- {change.action} {code(clipped(change.name, GIST))}"
    items = [f"  - {_field(one, WHOLE, VALUE)}" for one in change.fields[:WHOLE]]
    more = len(change.fields) - WHOLE
    return "\n".join((head, *items, *([f"  - {more:,} more fields"] if more > 0 else [])))


def _field(field: FieldChange, most: int, letters: int) -> str:
    name = code(clipped(field_name(field.field), letters))
    if field.is_set:
        come, go = _names("+", field.added, most, letters), _names("−", field.removed, most, letters)
        return f"{name}: {', '.join((*come, *go))}"
    before, after = (clipped(value_text(one), letters) for one in (field.before, field.after))
    return f"{name}: {code(before)} → {code(after)}"


def _names(sign: str, names: Sequence[str], most: int, letters: int) -> Iterator[str]:
    """What comes or goes; of many, so many are told."""
    yield from (f"{sign} {code(clipped(name, letters))}" for name in names[:most])
    if (more := len(names) - most) > 0:
        yield f"{sign} {more:,} more"
