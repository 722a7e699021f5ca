"""`INSERT … ON CONFLICT`, which both makes of database have and SQLAlchemy spells twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import Connection, Insert, Table

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.sql.base import ReadOnlyColumnCollection
    from sqlalchemy.sql.elements import KeyedColumnElement

    New: TypeAlias = ReadOnlyColumnCollection[str, KeyedColumnElement[object]]
    """The columns of the row that is to be written."""


def insert_missing(connection: Connection, table: Table) -> Insert:
    """Inserts a row unless its key is there."""
    return _insert(connection, table).on_conflict_do_nothing()


def upsert(
    connection: Connection,
    table: Table,
    keys: Sequence[str],
    where: Callable[[New], ColumnElement[bool]] | None = None,
) -> Insert:
    """Inserts a row, or replaces the one with its key if `where` allows that.

    A row that is not allowed is left out of the row count; nothing is raised.
    """
    insert = _insert(connection, table)
    new = insert.excluded
    values = {column.name: new[column.name] for column in table.c if column.name not in keys}
    condition = None if where is None else where(new)
    return insert.on_conflict_do_update(index_elements=keys, set_=values, where=condition)


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
