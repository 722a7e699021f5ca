"""A change in Markdown: its row in a table, with the gist of its fields, and all of these in a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.cli.markdown import NAME, TEXT, clipped, code, prose, row
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.words import field_name, value_text

DESTROYS = (Action.DELETE, Action.RETIRE)
HEADS = ("", "kind", "token", "owner", "what and why")
REASONS = 3
"""Reasons of one change that are told in its row."""
BRIEF, WHOLE = 3, 40
"""Fields of one change, and names of one field: in its row, and in the folded list."""
GIST, VALUE = 60, 400
"""Characters of one value: in the row, and in the list."""


def counted(counts: Mapping[str, int]) -> str:
    """How many changes of each action there are."""
    return ", ".join(f"{number:,} to {action}" for action, number in counts.items())


def change_row(change: Change, owners: Iterable[str | None], why: Iterable[str]) -> str:
    """The row of a change in a table of `HEADS`."""
    action = f"**{change.action}**" if change.action in DESTROYS else change.action.value
    whose = ", ".join(code(clipped(owner, NAME)) for owner in owners if owner is not None)
    return row((action, change.kind, code(clipped(change.name, NAME)), whose, "; ".join(why)))


def reasons(change: Change) -> Iterator[str]:
    """The first reasons of a change, and how many more there are."""
    for reason in change.reasons[:REASONS]:
        yield prose(clipped(reason, TEXT))
    if (more := len(change.reasons) - REASONS) > 0:
        yield f"{more:,} more reasons"


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
