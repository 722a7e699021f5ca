"""A comparison for people, in a terminal or a log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.cli.diffs.interface import ALONE, DiffFormat, Shown
from reconciler.cli.output import counted, in_line, style
from reconciler.cli.plans.text import SIGNS
from reconciler.compare.side import Effect, Shift
from reconciler.compare.telling import field_text, said_text, shift_text
from reconciler.compare.tokens import TokenChange

COLOURS = {Effect.LOOSENS: "red", Effect.TIGHTENS: "green", Effect.CHANGES: "yellow"}


def _lines(shown: Shown) -> Iterator[str]:
    """What is destroyed first. Text from specs and git is made visible; colours are ours."""
    found = shown.comparison
    base, head = shown.sides
    if found.is_empty:
        yield f"Nothing changes in meaning from {base} to {head}."
        return
    yield f"From {base} to {head}:"
    if found.changes:
        yield ""
        yield from _changes(found.changes)
    for title, shifts in found.parts:
        if shifts:
            yield ""
            yield style(f"{title}:", bold=True)
            yield from map(_shift, shifts)
    yield ""
    if found.changes:
        yield f"{_counts(found.summary)}. {ALONE}"
        yield in_line("Affected: " + "; ".join(_owner(owner, counts) for owner, counts in found.owners))
    else:
        yield "No token means anything else."


def _changes(changes: Sequence[TokenChange]) -> Iterator[str]:
    kinds = max(len(one.change.kind) for one in changes)
    names = max(len(one.change.name) for one in changes)
    for one in changes:
        change = one.change
        sign, colour = SIGNS[change.action]
        head = f"  {sign} {change.action:<6}  {change.kind:<{kinds}}  {change.name:<{names}}  "
        lines = [in_line(line) for line in change_lines(one)] or [""]
        yield (style(in_line(head), fg=colour) + lines[0]).rstrip()
        yield from (" " * len(head) + line for line in lines[1:])


def change_lines(one: TokenChange) -> Iterator[str]:
    """Why, and what differs."""
    yield from one.change.reasons
    tell = field_text if one.before and one.after else said_text
    yield from map(tell, sorted(one.change.fields, key=lambda field: not field.field.startswith("spec.")))
    if one.through:
        yield f"through {', '.join(one.through)} of the catalog"


def _shift(shift: Shift) -> str:
    effect = "" if shift.effect is Effect.CHANGES else f"{shift.effect.value}: "
    reached = f" ({counted(len(shift.tokens), 'token')})" if shift.tokens else ""
    return style(f"  {effect}", fg=COLOURS[shift.effect]) + in_line(shift_text(shift) + reached)


def _owner(owner: str | None, counts: dict[str, int]) -> str:
    return f"{owner or 'without an owner'} ({_counts(counts)})"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} to {action}" for action, number in counts.items())


FORMAT = DiffFormat("text", _lines)
