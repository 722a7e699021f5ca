"""To whom one creation rule seals: its key groups, and whether age is all that they need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.artifacts import agewrap
from reconciler.artifacts.names import TYPES, is_age, is_classic, is_post_quantum, once
from reconciler.artifacts.rules import bech32
from reconciler.artifacts.rules.keys import direct, members
from reconciler.artifacts.tree import Node, Tree
from reconciler.errors import NoRecipients

MAX_GROUPS = 255
"""Over as many groups can SOPS split a data key."""


@dataclass(frozen=True, slots=True)
class Found:
    """The recipients of each group, how many groups it takes, and whether we seal to them ourselves."""

    groups: tuple[tuple[str, ...], ...]
    threshold: int
    native: bool


def of_rule(rule: Tree) -> Found:
    """The recipients of a rule whose fields have their types. Raises NoRecipients."""
    groups = _groups(rule)
    if not all(groups):
        raise NoRecipients(
            "it names no recipient" if len(groups) == 1 else "one of its key groups names no recipient",
            hint="add age: with at least one recipient",
        )
    threshold = _threshold(rule.get("shamir_threshold"), len(groups))
    _check_mix(groups, threshold)
    # Every recipient is looked at, so that a typo shows before anything is sealed.
    native = [_is_native(name) for group in groups for name in group]
    return Found(groups, threshold, len(groups) == 1 and all(native))


def _groups(rule: Tree) -> tuple[tuple[str, ...], ...]:
    """With key groups, SOPS reads no recipients beside them."""
    split = rule.get("key_groups")
    if isinstance(split, list) and split:
        return tuple(_ordered(members(group)) for group in split if isinstance(group, dict))
    return (_ordered(direct(rule)),)


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, age first and then by type: as a file names them."""
    order = tuple(TYPES)
    return tuple(
        sorted(once(names), key=lambda name: -1 if is_age(name) else order.index(name.split(" ")[0]))
    )


def _threshold(given: Node, groups: int) -> int:
    """How many groups it takes. SOPS does not look at a threshold where there is one group."""
    if groups == 1:
        return 0
    threshold = given if isinstance(given, int) and given else groups
    if groups > MAX_GROUPS or not 1 < threshold <= groups:
        raise NoRecipients(
            f"its shamir_threshold is {threshold}, and it has {groups} key groups",
            hint=f"take 2 or more, up to the number of key groups; there may be {MAX_GROUPS} of those",
        )
    return threshold


def _check_mix(groups: tuple[tuple[str, ...], ...], threshold: int) -> None:
    """Raises NoRecipients for post-quantum recipients who protect nothing.

    Any recipient of a group opens the group's share, so a group is as weak as its weakest. Inside a
    group a mix is refused, as age does. Across groups, whoever breaks classic keys gets the share of
    every classic group: with as many of those as it takes to open the artifact, the post-quantum
    groups are not even asked. With fewer, a post-quantum share is always missing, and the mix is fine.
    """
    weak = [any(map(is_classic, group)) for group in groups]
    strong = [any(map(is_post_quantum, group)) for group in groups]
    if any(here and there for here, there in zip(weak, strong, strict=True)):
        raise NoRecipients(
            "it mixes post-quantum and classic recipients: "
            "whoever breaks the classic one reads everything, so the other protects nothing",
            hint="use recipients of one sort in a rule, or in each of its key groups",
        )
    if any(strong) and any(weak) and sum(weak) >= threshold:
        raise NoRecipients(
            f"it mixes post-quantum and classic key groups, and {sum(weak)} classic ones are enough to open "
            f"it with a threshold of {threshold}: so the others protect nothing",
            hint="raise shamir_threshold above the number of classic key groups",
        )


def _is_native(name: str) -> bool:
    """Classic age and SSH keys are ours; plugins, post-quantum keys and other types are the program's.

    Raises NoRecipients for what is no age recipient, and no other.
    """
    if not is_age(name):
        return False
    if not name.startswith("age1") or name.count("1") == 1:
        agewrap.recipient(name)
        return True
    if not bech32.is_whole(name):
        raise NoRecipients(
            f"{name!r} is not a recipient that can be sealed to", hint="copy the whole public key: age1…"
        )
    return False
