"""What differs between two Workspace documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from reconciler.compare.side import Effect, Shift, by_order
from reconciler.kinds.fields import parse_duration
from reconciler.plan.change import FieldChange
from reconciler.plan.fields import Tree, tree_changes
from reconciler.specs.load import Specs

WHAT = "Workspace"
VALID_FOR = "planValidFor"
KEYS, SINCE = "audit.keys", "audit.commitsSince"
ASKED = ("audit.records", "audit.commits")


def settings_shifts(before: Specs, after: Specs) -> Iterator[Shift]:
    """Every setting that differs, by its dotted name."""
    for field in tree_changes(_tree(before), _tree(after)):
        yield Shift(WHAT, field, _effect(field))


def _tree(specs: Specs) -> Tree:
    settings = cast("Tree", specs.settings.model_dump(mode="json"))
    return {"metadata": {"name": specs.name}, **settings}


def _effect(field: FieldChange) -> Effect:
    before, after = field.before, field.after
    if field.field.startswith("brakes.") and isinstance(before, int) and isinstance(after, int):
        return by_order(before, after)
    if field.field == VALID_FOR and isinstance(before, str) and isinstance(after, str):
        return by_order(parse_duration(before), parse_duration(after))
    if field.field == "policies":
        return Effect.LOOSENS if field.removed else Effect.TIGHTENS
    if field.field.startswith("audit."):
        return _of_audit(field)
    return Effect.CHANGES


def _of_audit(field: FieldChange) -> Effect:
    """A key more may sign; with one less, nobody vouches any more for what that one signed."""
    if field.field == KEYS:
        return Effect.LOOSENS
    if field.field in ASKED:
        return Effect.TIGHTENS if field.after == "signed" else Effect.LOOSENS
    if field.field == SINCE:
        later = field.before is None or (field.after is not None and str(field.after) > str(field.before))
        return Effect.LOOSENS if later else Effect.TIGHTENS
    return Effect.CHANGES
