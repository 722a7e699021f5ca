"""What differs between two specs of one token, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from pydantic import ValidationError
from pydantic_core import from_json

from reconciler.canonical import Json
from reconciler.kinds.ownkeys import fingerprint
from reconciler.plan.change import FieldChange
from reconciler.specs.model import from_normal_form

Tree = Mapping[str, Json]


def field_changes(before: str, after: str) -> tuple[FieldChange, ...]:
    """Every field that differs between two normal forms, by its dotted name, sorted."""
    return tree_changes(whole(before), whole(after))


def tree_changes(before: Tree, after: Tree) -> tuple[FieldChange, ...]:
    """The same of any two trees. In what order a list stands is no difference: it is a set of names."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    found = (_change(name, old.get(name), new.get(name)) for name in names)
    return tuple(one for one in found if one.is_set or one.before != one.after)


def whole(normal: str) -> Tree:
    """A normal form with its defaults filled in; as it is when this version no longer reads it."""
    try:
        return cast("Tree", from_normal_form(normal).model_dump(mode="json"))
    except (ValidationError, KeyError):
        return cast("Tree", from_json(normal))


def _leaves(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Json]]:
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{name}.")
        elif value is not None:
            yield name, value


def _change(name: str, before: Json, after: Json) -> FieldChange:
    if isinstance(before, list) or isinstance(after, list):
        old, new = _names(before), _names(after)
        return FieldChange(name, added=tuple(sorted(new - old)), removed=tuple(sorted(old - new)))
    return FieldChange(name, before=_told(before), after=_told(after))


def _told(value: Json) -> Json:
    """A public key by its fingerprint: that is what people compare."""
    return fingerprint(value) if isinstance(value, str) and value.startswith("-----BEGIN") else value


def _names(value: Json) -> set[str]:
    return {str(_told(item)) for item in value} if isinstance(value, list) else set()
