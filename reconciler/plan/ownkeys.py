"""Keys that owners bring, held against every key there is or was: one key is one token's, once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from reconciler.kinds.ownkeys import FIELD
from reconciler.live.interface import CredentialState, Holder
from reconciler.plan.brakes import Block
from reconciler.plan.change import Action, Change

CHANGED = f"spec.{FIELD}"
ASKED = "lifecycle.rotate.asked.at"
MINTED = (Action.ISSUE, Action.ROTATE)


def brought(changes: Iterable[Change], own_key: Callable[[str], str | None]) -> Mapping[str, Change]:
    """The own keys that changes put in force, each with its change; `own_key` gives that of a name."""
    found = ((own_key(change.name), change) for change in changes if change.action in MINTED)
    return {key: change for key, change in found if key is not None}


def reused(keys: Mapping[str, Change], holders: Iterable[Holder]) -> Iterator[Block]:
    """Why changes may not put keys in force that somebody has or had, as their holders tell; by name."""
    whose: dict[str, str] = {}
    for holder in holders:
        change = keys[holder.public_key]
        if not _goes_on(change, holder):
            whose.setdefault(change.name, _whose(change, holder))
    for name in sorted(whose):
        yield Block(
            "public-key-reused",
            f"{FIELD} of {name} {whose[name]}, and a key is good for one token, once",
            f"its owner makes a new key pair, and puts the new public key into {FIELD}",
        )


def kept(changes: Iterable[Change]) -> Iterator[Block]:
    """Rotations that are asked for of keys that their owners bring, where the key stays what it is.

    Nobody here can make the owner a new one, and to go on with one that leaked is what must not be.
    """
    for change in changes:
        names = {field.field for field in change.fields if field.after is not None}
        if change.action is Action.ROTATE and ASKED in names and CHANGED not in names:
            yield Block(
                "public-key-kept",
                f"a rotation of {change.name} is asked for, and {FIELD} is the key that it has",
                f"put its owner's new public key into {FIELD} in the same change; until there is one,"
                " lifecycle.enabled: false refuses the token",
            )


def _goes_on(change: Change, holder: Holder) -> bool:
    """Whether the token has this key by now, and keeps it: another edit made a new generation needed."""
    changed = any(field.field == CHANGED for field in change.fields)
    return holder.token_id == change.token_id and not changed


def _whose(change: Change, holder: Holder) -> str:
    over = holder.state is CredentialState.RETIRED
    verb = "was" if over else "is"
    if holder.token_id == change.token_id:
        return f"{verb} its key before, of generation {holder.generation}"
    if holder.name == change.name:
        return f"{verb} the key of another token of that name, id {holder.token_id}"
    return f"{verb} the key of {holder.name}, of generation {holder.generation}"
