"""Connections to a store: how they are made, and how a transaction begins on each make."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event

from reconciler.errors import SettingsError
from reconciler.live.address import Address

BUSY_SECONDS = 30
"""How long a writer waits for another one's transaction."""

CONNECT_SECONDS = 10
"""How long a server may take to answer."""

PAGE_ROWS = 1000
"""How many rows are in memory at once while a read streams."""

WRITE = "reconciler_write"


@dataclass(frozen=True, slots=True)
class Engines:
    """Two ways to begin a transaction over one pool of connections."""

    reader: Engine
    """Sees one snapshot for as long as the transaction lasts."""
    writer: Engine
    """Holds the right to write from its first statement on (SQLite), or locks rows (PostgreSQL)."""

    def close(self) -> None:
        """Lets the connections go."""
        self.reader.dispose()


def connect(address: Address) -> Engines:
    """Engines for an address; nothing is opened yet. Raises SettingsError without a driver."""
    return _postgres(address.url) if address.file is None else sqlite(address.file)


def sqlite(file: Path) -> Engines:
    """Engines for a SQLite file that is there: it is never made by opening it."""
    url = URL.create(
        "sqlite+pysqlite",
        database=f"file:{quote(str(file.absolute()))}",
        query={"mode": "rw", "uri": "true"},
    )
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS, "isolation_level": None}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return Engines(reader=engine, writer=engine.execution_options(**{WRITE: True}))


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    """SQLite's own BEGIN, as the driver's is too late for one snapshot over several reads.

    A writer takes the lock at once: one that reads first and writes later can be refused midway.
    """
    write = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _postgres(url: URL) -> Engines:
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
    try:
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True)
    except ImportError as error:
        raise SettingsError(
            "the driver for PostgreSQL is not installed", hint="pip install 'reconciler[postgres]'"
        ) from error
    return Engines(
        reader=engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
        writer=engine.execution_options(isolation_level="READ COMMITTED"),
    )
