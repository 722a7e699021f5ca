"""Making a store, and bringing an older one up to this tool's version.

Only this file needs Alembic, and imports it when there is something to do: it takes long to load.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select, text

from reconciler.errors import StoreError, StoreNewer, StoreUnreadable
from reconciler.live import schema
from reconciler.live.engine import Engines, sqlite
from reconciler.live.faults import RESTORE

LOCK = 0x7265636F6E  # any number, as long as every version of this tool takes the same


def make_file(file: Path, shown: str) -> None:
    """Makes a SQLite store, whole or not at all, that only its owner can read.

    It is built under another name and then linked into place. So a file that is there is a store:
    an empty one is damaged, and not one that somebody is making. Raises StoreUnreadable.
    """
    try:
        _make_folder(file.parent)
        _build(file)
    except OSError as error:
        raise StoreUnreadable(
            f"the live store {shown} cannot be made: {error.strerror}",
            hint=f"see that you may write to {file.parent}, or choose another place for the store",
        ) from error


def _make_folder(folder: Path) -> None:
    if folder.exists():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _build(file: Path) -> None:
    new = file.with_name(f"{file.name}.{secrets.token_hex(8)}.new")
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        engines = sqlite(new)
        try:
            _use_wal(engines)
            upgrade(engines)
        finally:
            engines.close()
        with suppress(FileExistsError):  # another process was faster: its store is the one
            os.link(new, file)
        _sync(file.parent)
    finally:
        new.unlink()


def _use_wal(engines: Engines) -> None:
    """Readers and a writer at once. The file remembers it, so that opening one writes nothing."""
    connection = engines.writer.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def upgrade(engines: Engines) -> None:
    """Runs the migrations that are missing, in one transaction; one process at a time."""
    with engines.writer.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        if version(connection) != schema.HEAD:
            _migrate(connection)
        if connection.execute(select(schema.store.c.id)).first() is None:
            connection.execute(insert(schema.store).values(id=secrets.token_hex(16)))


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    with as_file(files("reconciler.live") / "migrations") as scripts:
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def version(connection: Connection) -> str | None:
    """The version of the schema there; None where no store was made yet.

    Raises StoreUnreadable where the table is there and holds no version.
    """
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    if len(found) != 1:
        raise StoreUnreadable("the live store does not say of which version it is", hint=RESTORE)
    return str(found[0])


def check(found: str, shown: str) -> bool:
    """Whether the version found is the one this tool works with; False for an older one.

    Raises StoreNewer for one that this tool does not know.
    """
    if found not in schema.VERSIONS:
        raise StoreNewer(
            f"the live store {shown} was made by a newer version of this tool (it is at {found})",
            hint="install the newest reconciler, or see that the URL names the right store",
        )
    return found == schema.HEAD


def too_old(shown: str) -> StoreError:
    """The error for reading a store that only a writer may bring up to date."""
    return StoreError(
        f"the live store {shown} was made by an older version of this tool",
        hint="the next `reconcile apply` brings it up to date; keep a backup of it",
    )
