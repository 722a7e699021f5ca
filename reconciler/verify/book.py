"""The live records as the check looks them up: an immutable book, made anew when the store has changed.

Times are epoch seconds. It holds what checks a token and what a token may do; the one secret in it, that of
an HS algorithm, is sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from sys import intern

from pydantic import ValidationError
from pydantic_core import from_json

from reconciler.errors import StoreUnreadable
from reconciler.kinds import all_kinds
from reconciler.kinds.interface import AnyKind, Grants
from reconciler.live.interface import Credential, CredentialState, LiveToken, TokenState
from reconciler.specs.model import from_normal_form
from reconciler.verify.interface import Identity

_NOT_A_SPEC = (ValueError, KeyError, TypeError, AttributeError, ValidationError)


@dataclass(frozen=True, slots=True)
class Held:
    """One token that is live, or was."""

    id: str
    name: str
    kind: AnyKind
    owner: str | None
    state: TokenState
    """As stored: active, disabled or deleted."""
    expires_at: int | None
    grants: Grants
    last_generation: int
    credentials: tuple[Credential, ...]
    """Those that are not retired, newest first."""
    spec: object = None
    """Of a kind that signs users in, its spec."""
    rolled_back: bool = False
    """Whether the store has gone back behind what was seen of it."""

    def identity(self, credential: Credential) -> Identity:
        """Who it is, proven by one of its credentials."""
        return Identity(self.id, self.name, self.kind.name, self.owner, credential.generation, self.grants)


@dataclass(frozen=True, slots=True)
class Book:
    """Every token of one workspace at one revision of its live store."""

    revision: int = 0
    by_id: Mapping[str, Held] = field(default_factory=dict)
    by_secret: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Hash of a secret id → token id and generation."""
    signing_in: Mapping[str, str] = field(default_factory=dict)
    """Name of a token that signs users in → its id."""
    lost: Mapping[str, Held] = field(default_factory=dict)
    """Tokens that the store has no more and never deleted: what was seen of them, should they come back."""
    live: int = 0
    """How many tokens are not deleted."""

    def changed(self, tokens: Iterable[LiveToken], revision: int) -> Book:
        """The book with these tokens as they are now, at a later revision.

        What was deleted stays so, and no generation comes back, whatever the store says afterwards.
        Raises StoreUnreadable for a record that does not fit.
        """
        by_id, by_secret, signing_in = dict(self.by_id), dict(self.by_secret), dict(self.signing_in)
        lost = dict(self.lost)
        for token in tokens:
            if (before := by_id.get(token.id) or lost.pop(token.id, None)) is not None:
                _strike(before, by_secret, signing_in)
            by_id[token.id] = after = _held(token, before)
            _enter(after, by_secret, signing_in)
        return Book(revision, by_id, by_secret, signing_in, lost, _count(by_id))

    def restarted(self, tokens: Iterable[LiveToken], revision: int) -> Book:
        """The book of a store that was read from its beginning. What was seen stays seen, as in `changed`."""
        read = self.changed(tokens, revision)
        missing = {
            key: held
            for key, held in self.by_id.items()
            if held is read.by_id[key] and held.state is not TokenState.DELETED
        }
        by_secret, signing_in = dict(read.by_secret), dict(read.signing_in)
        for held in missing.values():
            _strike(held, by_secret, signing_in)
        by_id = {key: held for key, held in read.by_id.items() if key not in missing}
        return Book(revision, by_id, by_secret, signing_in, {**read.lost, **missing}, _count(by_id))


def _count(by_id: Mapping[str, Held]) -> int:
    return sum(held.state is not TokenState.DELETED for held in by_id.values())


def _held(token: LiveToken, before: Held | None) -> Held:
    try:
        kind = all_kinds()[token.kind]
        owner = from_json(token.declared)["metadata"].get("owner")
        spec = from_normal_form(token.declared).spec if kind.signs_in else None
    except _NOT_A_SPEC as error:
        raise StoreUnreadable(
            f"token {token.name} in the live store cannot be read: {type(error).__name__}",
            hint="restore the live store from a backup, or install the version of reconciler that wrote it",
        ) from None
    dead = token.state is TokenState.DELETED
    return Held(
        id=token.id,
        name=token.name,
        kind=kind,
        owner=owner,
        state=token.state,
        expires_at=token.expires_at,
        grants={} if dead else {intern(key): names for key, names in token.grants.items()},
        last_generation=token.generation,
        credentials=() if dead else tuple(each for each in token.credentials if _lives(each)),
        spec=None if dead else spec,
        rolled_back=before is not None and _went_back(before, token),
    )


def _lives(credential: Credential) -> bool:
    return credential.state is not CredentialState.RETIRED


def _went_back(before: Held, token: LiveToken) -> bool:
    """Whether a token is what it was before: alive again, or with a generation that was gone."""
    if before.rolled_back or token.generation < before.last_generation:
        return True
    if before.state is TokenState.DELETED:
        return token.state is not TokenState.DELETED
    known = {each.generation for each in before.credentials}
    live = {each.generation for each in token.credentials if _lives(each)}
    return any(generation <= before.last_generation for generation in live - known)


def _strike(held: Held, by_secret: dict[str, tuple[str, int]], signing_in: dict[str, str]) -> None:
    for credential in held.credentials:
        hashed = credential.secret_hash
        if hashed is not None and by_secret.get(hashed) == (held.id, credential.generation):
            del by_secret[hashed]
    if signing_in.get(held.name) == held.id:
        del signing_in[held.name]


def _enter(held: Held, by_secret: dict[str, tuple[str, int]], signing_in: dict[str, str]) -> None:
    for credential in held.credentials:
        if credential.secret_hash is not None:
            by_secret[credential.secret_hash] = (held.id, credential.generation)
    if held.kind.signs_in and held.state is not TokenState.DELETED:
        signing_in[held.name] = held.id
