"""A comparison for a pull request: the summary of a pipeline's step, or a comment, where there is no plan.

It holds at most `LIMIT` bytes, whatever changes: rules that are loosened and what is destroyed get the room
first, what does not fit is counted, and then the last line says how to see it.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.cli.changes import DESTROYS, HEADS, REASONS, brief, change_row, counted, detailed, reasons
from reconciler.cli.diffs.interface import ALONE, DiffFormat, Shown
from reconciler.cli.markdown import (
    LIMIT,
    NAME,
    SPARE,
    TEXT,
    Room,
    clipped,
    code,
    folded,
    marker,
    not_shown,
    titled,
)
from reconciler.compare.document import Comparison
from reconciler.compare.side import Effect, Shift
from reconciler.compare.telling import shift_text
from reconciler.compare.tokens import TokenChange

LOOSENED, SHIFTED, OWNERS = 14_000, 10_000, 3_000
"""Bytes that these may have at most, so that tokens have room beside them."""


def _lines(shown: Shown) -> Iterator[str]:
    found, room = shown.comparison, Room(LIMIT - SPARE)
    yield from room.reserve(list(_head(shown)))
    foot = room.reserve(["", ALONE])
    looser, others = _by_effect(found)
    loosened = room.take((f"> {_shift(one)}" for one in looser), LOOSENED)
    destroyed = [one for one in found.changes if one.change.action in DESTROYS]
    rest = [one for one in found.changes if one.change.action not in DESTROYS]
    gone = room.take(map(_row, destroyed))
    shifted = room.take(map(_shift, others), SHIFTED)
    affected = room.take(map(_owner, found.owners), OWNERS)
    changed = room.take(map(_row, rest))
    detail = room.take(detailed(one.change) for one in found.changes if one.change.fields)
    if loosened.lines:
        yield from ("", "> [!CAUTION]", "> **Rules are loosened.**", ">", *loosened)
    yield from titled("Taken away", gone, HEADS)
    yield from titled("Changed and issued", changed, HEADS)
    yield from titled("Rules", shifted)
    yield from titled("Affected", affected)
    yield from foot if found.changes else ()
    if detail.lines:
        yield from ("", *folded("Every field that changes", detail.lines))
    left = (
        (gone.out + changed.out, "tokens"),
        (loosened.out + shifted.out, "changes of rules"),
        (affected.out, "owners"),
        (detail.out, "lists of fields"),
    )
    yield from not_shown((f"{number:,} {what}" for number, what in left if number), "reconcile diff")


FORMAT = DiffFormat("markdown", _lines)


def _head(shown: Shown) -> Iterator[str]:
    base, head = (side if side.startswith(("the ", "nothing")) else code(side) for side in shown.sides)
    found = shown.comparison
    where = f" in {code(clipped(shown.place, NAME))}" if shown.place else ""
    yield from marker(shown.workspace, shown.place, "diff", news=not found.is_empty)
    yield f"### What changes in {code(shown.workspace)}{where} from {base} to {head}"
    yield ""
    if found.is_empty:
        yield "Nothing changes in meaning."
    elif found.changes:
        yield f"**{counted(found.summary)}.**"
    else:
        yield "No token means anything else."


def _by_effect(found: Comparison) -> tuple[list[Shift], list[Shift]]:
    """What loosens, and all else."""
    shifts = [shift for _, part in found.parts for shift in part]
    looser = [shift for shift in shifts if shift.effect is Effect.LOOSENS]
    return looser, [shift for shift in shifts if shift.effect is not Effect.LOOSENS]


def _shift(shift: Shift) -> str:
    effect = "" if shift.effect is Effect.CHANGES else f"{shift.effect.value}: "
    reached = f" ({len(shift.tokens):,} tokens)" if shift.tokens else ""
    return f"- {effect}{code(clipped(shift_text(shift), TEXT))}{reached}"


def _row(one: TokenChange) -> str:
    return change_row(one.change, one.owners, _why(one))


def _why(one: TokenChange) -> Iterator[str]:
    change = one.change
    yield from reasons(change)
    if change.fields:
        yield brief(sorted(change.fields, key=lambda field: not field.field.startswith("spec.")))
    if one.through:
        yield f"through {', '.join(code(clipped(group, NAME)) for group in one.through[:REASONS])}"


def _owner(one: tuple[str | None, dict[str, int]]) -> str:
    owner, counts = one
    return f"- {code(clipped(owner, NAME)) if owner is not None else 'without an owner'}: {counted(counts)}"
