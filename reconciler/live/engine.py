"""Connections to a store: how they are made, and how a transaction begins on each make."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from reconciler.errors import SettingsError
from reconciler.live.address import Address

BUSY_SECONDS = 30
"""How long a writer waits for another one's transaction."""

CONNECT_SECONDS = 10
"""How long a server may take to answer."""

PATIENCE = {
    "connect_timeout": str(CONNECT_SECONDS),
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""So that a network which swallows everything is noticed. Options in the URL win."""

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
    file: Path | None = None
    """Of a SQLite store."""

    def close(self) -> None:
        """Lets the connections go."""
        self.reader.dispose()


def connect(address: Address) -> Engines:
    """Engines for an address; nothing is opened yet. Raises SettingsError without a driver."""
    return _postgres(address.url) if address.file is None else sqlite(address.file)


def sqlite(file: Path) -> Engines:
    """Engines for a SQLite file that is there: it is never made by opening it."""
    url = URL.create("sqlite+pysqlite", database=file_uri(file), query={"mode": "rw", "uri": "true"})
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS, "isolation_level": None}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    _stay_with(engine, file)
    return Engines(reader=engine, writer=engine.execution_options(**{WRITE: True}), file=file)


def file_uri(file: Path) -> str:
    """A SQLite file as SQLite's own URI, without options."""
    return f"file:{quote(str(file.absolute()))}"


Identity: TypeAlias = "tuple[int, int] | None"


def identity(file: Path) -> Identity:
    """Which file has this name now: its device and its inode. Raises OSError."""
    found = file.stat()
    return found.st_dev, found.st_ino


def _stay_with(engine: Engine, file: Path) -> None:
    """A connection whose file no longer has its name is not used again: a restored store is read anew.

    Which file it is is asked before it is opened, so that one replaced in between is opened once more.
    """

    def remember(_: object, record: ConnectionPoolEntry, *_arguments: object) -> None:
        record.info["file"] = _identity_or_none(file)

    def compare(_: object, record: ConnectionPoolEntry, *_arguments: object) -> None:
        if record.info.get("file") != _identity_or_none(file):
            raise DisconnectionError("the file was replaced")

    event.listen(engine, "do_connect", remember)
    event.listen(engine, "checkout", compare)


def _identity_or_none(file: Path) -> Identity:
    try:
        return identity(file)
    except OSError:
        return None  # what is wrong with it, opening it tells


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
    try:
        engine = create_engine(
            url.set(query={**PATIENCE, **url.query}), hide_parameters=True, pool_pre_ping=True
        )
    except ImportError as error:
        raise SettingsError(
            "the driver for PostgreSQL is not installed", hint="pip install 'reconciler[postgres]'"
        ) from error
    return Engines(
        reader=engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
        writer=engine.execution_options(isolation_level="READ COMMITTED"),
    )
