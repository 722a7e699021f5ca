"""Hands that should not be in a store: statements sent past it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool


def edit(url: str, *statements: str) -> None:
    """Runs statements in one transaction."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def look(url: str, query: str) -> Sequence[Sequence[object]]:
    """The rows of a query."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    with engine.connect() as connection:
        return connection.execute(text(query)).all()
