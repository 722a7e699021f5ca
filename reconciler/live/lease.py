"""The lease: one writer at a time for each workspace, and a number that tells old from new."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from sqlalchemy import Connection, Row, Select, select, update

from reconciler.errors import LeaseLost, StoreLocked
from reconciler.live import schema
from reconciler.live.interface import Lease
from reconciler.live.upsert import insert_missing

_table = schema.workspace
_name = _table.c.name
_NUMBERS = tuple(column.name for column in _table.c if not column.nullable and column is not _name)

LeaseRow: TypeAlias = "Row[int, int, str | None, str | None, int | None, int | None]"
"""Revision, fence, holder, run, since when, until when."""

LATEST = 253_402_300_799
"""The last second of the year 9999, the last that a date can show."""


def query(workspace: str) -> Select[int, int, str | None, str | None, int | None, int | None]:
    """What a workspace's row says of its revision and its lease."""
    return select(
        _table.c.revision,
        _table.c.fence,
        _table.c.lease_holder,
        _table.c.lease_run,
        _table.c.lease_acquired_at,
        _table.c.lease_expires_at,
    ).where(_name == workspace)


def from_row(workspace: str, row: LeaseRow) -> Lease | None:
    """The lease that a row tells of, if any; it may have expired."""
    _, fence, holder, run, since, until = row
    if holder is None or run is None or since is None or until is None:
        return None
    return Lease(workspace, holder, run, fence, since, until)


def acquire(connection: Connection, lease: Lease) -> Lease:
    """Writes `lease` with the next fencing number. Raises StoreLocked while another one holds."""
    nothing = dict.fromkeys(_NUMBERS, 0)
    connection.execute(insert_missing(connection, _table), {"name": lease.workspace, **nothing})
    row = connection.execute(query(lease.workspace).with_for_update()).one()
    held = from_row(lease.workspace, row)
    if held is not None and lease.acquired_at < held.expires_at:
        raise _locked(held)
    taken = replace(lease, fence=row.fence + 1)
    _write(connection, taken, taken)
    return taken


def renew(connection: Connection, lease: Lease) -> None:
    """Writes the later end. Raises LeaseLost."""
    require(connection, lease)
    _write(connection, lease, lease)


def release(connection: Connection, lease: Lease) -> None:
    """Gives up the lease, if it is still this one."""
    if _held(connection, lease) is not None:
        _write(connection, lease, None)


def require(connection: Connection, lease: Lease) -> int:
    """Locks the workspace until the transaction ends, and gives its revision. Raises LeaseLost."""
    revision = _held(connection, lease)
    if revision is None:
        raise LeaseLost(
            f"the lease of {lease.holder} on this workspace is gone: it ended, or somebody took it over",
            hint="nothing was written; run again, and what was begun is finished first",
        )
    return revision


def _held(connection: Connection, lease: Lease) -> int | None:
    row = connection.execute(query(lease.workspace).with_for_update()).one_or_none()
    now = None if row is None else from_row(lease.workspace, row)
    if row is None or now is None or (now.fence, now.holder) != (lease.fence, lease.holder):
        return None
    return int(row.revision)


def _write(connection: Connection, lease: Lease, held: Lease | None) -> None:
    connection.execute(
        update(_table)
        .where(_name == lease.workspace)
        .values(
            fence=lease.fence,
            lease_holder=held and held.holder,
            lease_run=held and held.run,
            lease_acquired_at=held and held.acquired_at,
            lease_expires_at=held and held.expires_at,
        )
    )


def _locked(held: Lease) -> StoreLocked:
    return StoreLocked(
        f"another apply holds the store ({held.holder}, since {_clock(held.acquired_at)},"
        f" ends by itself at {_clock(held.expires_at)})",
        hint="wait for it, or pass --lock-timeout 5m",
    )


def _clock(seconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=min(max(seconds, 0), LATEST))
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
