"""The recipients that one creation rule names, and whether age is all that they need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.artifacts import agewrap
from reconciler.artifacts.tree import Node, Tree
from reconciler.errors import NoRecipients

OTHERS = ("pgp", "kms", "gcp_kms", "azure_keyvault", "hc_vault_transit_uri", "hckms")
"""What names recipients of other types, in a rule."""
GROUPED = ("pgp", "kms", "gcp_kms", "azure_keyvault", "hc_vault", "hckms")
"""The same, in a key group."""

_POST_QUANTUM = ("age1pq1", "age1tagpq1")


@dataclass(frozen=True, slots=True)
class Found:
    """Age recipients in the order of the rule, each once, and whether we seal to them ourselves."""

    age: tuple[str, ...]
    native: bool


def of_rule(rule: Tree) -> Found:
    """The recipients of a rule. Raises NoRecipients. With key groups, SOPS reads nothing else."""
    groups = rule.get("key_groups")
    if isinstance(groups, list) and groups:
        members = [list(_members(group)) for group in groups]
        age = [one for group in members for member in group for one in _listed(member.get("age"))]
        others = any(member.get(name) for group in members for member in group for name in GROUPED)
        return _found(age, others=others, split=len(members) > 1)
    return _found(_listed(rule.get("age")), others=any(rule.get(name) for name in OTHERS), split=False)


def _members(group: Node, levels: int = 8) -> Iterator[Tree]:
    """A key group and the groups merged into it, those first: the order of SOPS."""
    if not isinstance(group, dict) or levels == 0:
        raise NoRecipients("a key group is not a map", hint="write key_groups as a list of maps")
    merged = group.get("merge")
    for one in merged if isinstance(merged, list) else []:
        yield from _members(one, levels - 1)
    yield group


def _listed(value: Node) -> list[str]:
    """A comma-separated string, or a list of them."""
    texts = value if isinstance(value, list) else [value] if value is not None else []
    found: list[str] = []
    for text in texts:
        if not isinstance(text, str):
            raise NoRecipients("an age recipient is not text", hint="write age recipients as text")
        found += [part.strip() for part in text.split(",") if part.strip()]
    return found


def _found(age: list[str], *, others: bool, split: bool) -> Found:
    if not age and not others:
        raise NoRecipients("it names no recipient", hint="add age: with at least one recipient")
    once = tuple(dict.fromkeys(age))
    _check_mix(once)
    foreign = [one for one in once if not _is_native(one)]
    native = not (foreign or others or split)
    return Found(once, native)


def _check_mix(age: tuple[str, ...]) -> None:
    strong = [one for one in age if one.startswith(_POST_QUANTUM)]
    if strong and len(strong) != len(age):
        raise NoRecipients(
            "it mixes post-quantum and classic age recipients: "
            "whoever breaks the classic one reads everything, so the other protects nothing",
            hint="use recipients of one sort in a rule",
        )


def _is_native(one: str) -> bool:
    """Classic age and SSH keys are ours; plugins and post-quantum keys are the program's.

    Raises NoRecipients for what is neither.
    """
    if one.startswith("age1") and one.count("1") > 1:
        return False
    agewrap.recipient(one)
    return True
