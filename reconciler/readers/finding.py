"""The artifacts that a command is about: those of one owner, of the tokens named, or all there are."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from reconciler.artifacts.interface import Expected
from reconciler.errors import CannotOpen, ReconcilerError
from reconciler.live.interface import LiveStore, LiveToken
from reconciler.readers.opening import (
    OwnersKey,
    Reader,
    Sought,
    asked,
    guess,
    is_kept,
    not_live,
    recorded,
    sought,
)
from reconciler.specs.faults import did_you_mean
from reconciler.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Failed:
    """A token with whose artifact something went wrong, and what."""

    name: str
    error: str
    hint: str

    @classmethod
    def by(cls, name: str, error: ReconcilerError) -> Failed:
        """What an error says of a token."""
        return cls(name, str(error), error.hint)


@dataclass(frozen=True, slots=True)
class Kept:
    """A token that has no artifact: its owner brought the public key, and keeps the private one."""

    name: str


def sought_of(reader: Reader, owner: str | None) -> list[Sought | Kept | Failed]:
    """Every artifact of an owner, or of everybody; which tokens have none; or why it cannot be told.

    The live store is read once, and let go before the first artifact is. Raises CannotOpen for an
    owner whom nobody knows.
    """
    workspace = reader.workspace
    answer = asked(reader, lambda store: _live(workspace, store, owner))
    found, owners = answer or _recorded(workspace, owner)
    if owner is not None and owner not in owners:
        owners |= {one.owner for one in workspace.specs.tokens if one.owner is not None}
        if owner not in owners:
            hint = did_you_mean(owner, sorted(owners)) if owners else "no token here has an owner"
            raise CannotOpen(f"no token has the owner {owner}", hint=hint)
    return found


def sought_in(reader: Reader, names: Collection[str]) -> list[Sought | Failed]:
    """The artifacts of the tokens named; without names, of all. Raises CannotOpen for a name of none.

    A token that has no artifact is left out, unless it is named.
    """
    found = sought_of(reader, None)
    missing = sorted(set(names) - {one.name for one in found})
    if missing:
        raise not_live(reader.workspace, missing[0], deleted=False)
    wanted = [one for one in found if not names or one.name in names]
    told = [
        Failed.by(one.name, OwnersKey(one.name)) if isinstance(one, Kept) and names else one for one in wanted
    ]
    return [one for one in told if not isinstance(one, Kept)]


def declared_in_tree(workspace: Workspace, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """(name, path) of each declared token whose artifact is in the tree: for this, the specs are enough.

    Of the tokens named, whether it is there or not: reading it tells. Raises CannotOpen for a name that
    no spec declares.
    """
    declared = workspace.specs.tokens
    missing = sorted(set(names) - {one.name for one in declared})
    if missing:
        raise CannotOpen(f"no spec declares {missing[0]}", hint=guess(workspace, missing[0]))
    layout = workspace.specs.settings.layout
    for one in declared:
        if not names or one.name in names:
            path = one.artifact_path(layout)
            if path is None and names:
                raise OwnersKey(one.name)
            if path is not None and (names or os.path.lexists(workspace.root / path)):
                yield one.name, path


def _live(
    workspace: Workspace, store: LiveStore, owner: str | None
) -> tuple[list[Sought | Kept | Failed], set[str]]:
    """The live tokens of an owner, and every owner there is."""
    found: list[Sought | Kept | Failed] = []
    owners: set[str] = set()
    for token in store.tokens():
        whose = json.loads(token.declared)["metadata"].get("owner")
        if whose is not None:
            owners.add(whose)
        if owner in (None, whose):
            found.append(_attempt(workspace, token.name, token, {}))
    return found, owners


def _recorded(workspace: Workspace, owner: str | None) -> tuple[list[Sought | Kept | Failed], set[str]]:
    """The same, as the specs and the records of this clone tell. What was not issued yet is left out."""
    declared = [one for one in workspace.specs.tokens if owner in (None, one.owner)]
    known = recorded(workspace, {one.name for one in declared})
    layout = workspace.specs.settings.layout
    found = [
        _attempt(workspace, one.name, None, known)
        for one in declared
        if one.name in known
        or (path := one.artifact_path(layout)) is None
        or os.path.lexists(workspace.root / path)
    ]
    return found, {one.owner for one in declared if one.owner is not None}


def _attempt(
    workspace: Workspace, name: str, token: LiveToken | None, known: Mapping[str, Expected]
) -> Sought | Kept | Failed:
    try:
        return Kept(name) if is_kept(workspace, name, token) else sought(workspace, name, token, known)
    except ReconcilerError as error:
        return Failed.by(name, error)
