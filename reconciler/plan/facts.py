"""What policies look at: specs, changes and the plan as plain data. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from pydantic_core import from_json

from reconciler.canonical import Json
from reconciler.plan.change import Action, Change
from reconciler.plan.fields import whole
from reconciler.specs.policy import PolicyMatch
from reconciler.specs.reader import Declared

LETTERS_A_VALUE = 64
"""A text counts as so many letters a value."""

Tree = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged."""

    tokens: Sequence[Declared]
    changes: tuple[Change, ...]
    now: int
    """Epoch seconds."""


def matches(match: PolicyMatch, about: Tree) -> bool:
    labels = about["labels"]
    return (
        (not match.kinds or about["kind"] in match.kinds)
        and (not match.owners or about["owner"] in match.owners)
        and isinstance(labels, Mapping)
        and all(labels.get(name) == value for name, value in match.labels.items())
    )


def about_of(spec: Tree) -> Tree:
    """What is asked of nearly every token."""
    metadata = spec.get("metadata")
    data: Mapping[str, Json] = metadata if isinstance(metadata, Mapping) else {}
    return {
        "kind": spec.get("kind", ""),
        "name": data.get("name", ""),
        "owner": data.get("owner", ""),
        "labels": data.get("labels", {}),
    }


def tree(normal: str) -> Tree:
    """A normal form with its defaults, and without what is not set."""
    return _without_none(whole(normal))


def _without_none(tree: Mapping[str, Json]) -> Tree:
    return {
        key: _without_none(value) if isinstance(value, Mapping) else value
        for key, value in tree.items()
        if value is not None
    }


def sides(change: Change, wanted: Mapping[str, Declared]) -> tuple[Tree | None, Tree | None]:
    """The specs before and after a change."""
    declared = wanted.get(change.name)
    before = tree(change.before) if change.before else None
    gone = change.action is Action.DELETE or declared is None
    return before, None if gone or declared is None else tree(declared.normal)


def change_facts(change: Change, about: Tree) -> Tree:
    return {
        "action": change.action.value,
        "kind": change.kind,
        "name": change.name,
        "owner": about["owner"],
        "labels": about["labels"],
        "fields": [one.field for one in change.fields],
    }


def plan_facts(match: PolicyMatch, case: Case) -> Tree:
    """The plan, and how many tokens each owner has: of those tokens that the policy is for."""
    wanted = {token.name: token for token in case.tokens}
    abouts = [about_of(from_json(token.normal)) for token in case.tokens]
    owners = Counter(str(about["owner"]) for about in abouts if about["owner"] and matches(match, about))
    changes: list[Json] = []
    counts = Counter({action.value: 0 for action in Action})
    for change in case.changes:
        before, after = sides(change, wanted)
        about = {**about_of(after or before or {}), "kind": change.kind}
        if matches(match, about) or matches(match, about_of(before or after or {})):
            changes.append(change_facts(change, about))
            counts[change.action.value] += 1
    return {
        "plan": {"summary": dict(counts), "changes": changes},
        "tokens": dict(sorted(owners.items())),
    }


def size(value: Json) -> tuple[int, int]:
    """How many values there are in a value, and how many items the longest list or map has."""
    if isinstance(value, str):
        return 1 + len(value) // LETTERS_A_VALUE, 0
    if isinstance(value, Mapping):
        inner = [size(one) for one in chain(value.values(), value.keys())]
    elif isinstance(value, Sequence):
        inner = [size(one) for one in value]
    else:
        return 1, 0
    return 1 + sum(one[0] for one in inner), max([len(value), *(one[1] for one in inner)])
