"""Tokens and their credentials, inserted or replaced inside a transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NoReturn, TypeVar

from sqlalchemy import Connection, Select, bindparam, func, literal, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from reconciler.errors import StoreError
from reconciler.live import rows, schema
from reconciler.live.interface import CredentialState, LiveToken, TokenState
from reconciler.live.upsert import upsert

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from reconciler.live.upsert import New

Item = TypeVar("Item")

PART = 400
"""Rows written at once: enough to be fast, and fewer than the parameters SQLite allows."""

_token, _credential = schema.token, schema.credential

_MOVED_OFF = literal(" ").concat(_token.c.id)
"""A name that no token can have, for while names change hands inside a batch."""


def parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items, some hundred at a time."""
    return (items[start : start + PART] for start in range(0, len(items), PART))


@dataclass(frozen=True, slots=True)
class TokenWriter:
    """Writes tokens of one workspace, and stamps them with the revision."""

    connection: Connection
    workspace: str
    revision: int

    def replace(self, tokens: Sequence[LiveToken]) -> None:
        """Writes tokens; names may change hands among them. Raises StoreError."""
        for part in parts(tokens):
            self._move_off(part)
        for part in parts(tokens):
            self.put(part)

    def _move_off(self, tokens: Sequence[LiveToken]) -> None:
        """Frees the names that the batch gives up, as another token in it may take them."""
        leaving = bindparam("leaving", type_=_token.c.protect.type)
        query = (
            update(_token)
            .where(_token.c.id == bindparam("key"), _token.c.workspace == self.workspace)
            .where(or_(_token.c.name != bindparam("new"), leaving == 1))
            .values(name=_MOVED_OFF)
        )
        deleted = TokenState.DELETED
        self.connection.execute(
            query, [{"key": t.id, "new": t.name, "leaving": int(t.state is deleted)} for t in tokens]
        )

    def free_names(self, ids: Select[str]) -> None:
        """Frees the names of tokens that are about to be written, whatever they are to be called."""
        mine = (_token.c.id.in_(ids), _token.c.workspace == self.workspace)
        self.connection.execute(update(_token).where(*mine).values(name=_MOVED_OFF))

    def put(self, tokens: Sequence[LiveToken]) -> None:
        """Writes some hundred tokens, with the credentials they name. Raises StoreError."""
        for token in tokens:
            if token.state is TokenState.EXPIRED:
                raise StoreError(
                    f"token {token.name} is to be stored as expired", hint="store its end in expires_at"
                )
        self._put_tokens(tokens)
        if halves := list(chain.from_iterable(map(rows.credential_rows, tokens))):
            query = upsert(self.connection, _credential, ("token_id", "generation"))
            self.connection.execute(query, halves)
        self._retire([token.id for token in tokens if token.state is TokenState.DELETED])
        self._count([token.id for token in tokens])

    def _put_tokens(self, tokens: Sequence[LiveToken]) -> None:
        query = upsert(self.connection, _token, ("id",), self._may_replace)
        written = [rows.token_row(token, self.workspace, self.revision) for token in tokens]
        try:
            with self.connection.begin_nested():
                options = {"preserve_rowcount": True}
                done = self.connection.execute(query, written, execution_options=options).rowcount
        except IntegrityError:
            self._refuse_name(tokens)
            raise
        if done != len(written):
            self._refuse_id(tokens)

    def _may_replace(self, new: New) -> ColumnElement[bool]:
        alive = or_(_token.c.state != TokenState.DELETED, new["state"] == TokenState.DELETED)
        return (_token.c.workspace == self.workspace) & alive

    def _refuse_name(self, tokens: Sequence[LiveToken]) -> None:
        query = select(_token.c.name, _token.c.id).where(
            _token.c.workspace == self.workspace,
            _token.c.name.in_([token.name for token in tokens]),
            text(schema.LIVE),
        )
        owners = {row.name: row.id for row in self.connection.execute(query)}
        for token in tokens:
            if owners.setdefault(token.name, token.id) != token.id:
                raise StoreError(
                    f"two live tokens would have the name {token.name}",
                    hint="delete or rename the one that has it now, then run again",
                )

    def _refuse_id(self, tokens: Sequence[LiveToken]) -> NoReturn:
        query = select(_token.c.id, _token.c.state, _token.c.workspace).where(
            _token.c.id.in_([token.id for token in tokens])
        )
        taken = {id_: (state, place) for id_, state, place in self.connection.execute(query)}
        for token in tokens:
            state, place = taken[token.id]
            if place != self.workspace:
                break
            if state == TokenState.DELETED and token.state is not TokenState.DELETED:
                raise StoreError(
                    f"token {token.name} was deleted, and its id {token.id} cannot live again",
                    hint="issue a new token: a new one gets a new id",
                )
        raise StoreError(
            f"the id {token.id} of token {token.name} is taken", hint="run again: a new id is made"
        )

    def _retire(self, ids: Sequence[str]) -> None:
        query = update(_credential).where(_credential.c.token_id.in_(ids))
        if ids:
            self.connection.execute(query.values(state=CredentialState.RETIRED))

    def _count(self, ids: Sequence[str]) -> None:
        usable = (
            select(func.count())
            .where(_credential.c.token_id == _token.c.id, _credential.c.state != CredentialState.RETIRED)
            .scalar_subquery()
        )
        self.connection.execute(update(_token).where(_token.c.id.in_(ids)).values(credential_count=usable))
