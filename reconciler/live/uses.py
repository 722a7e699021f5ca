"""One-time assertions that were used: what verifiers remember together, until each is past."""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, select

from reconciler.live import schema
from reconciler.live.upsert import upsert

_used = schema.used_assertion

KEPT_SECONDS = 300
"""How long a use is kept when it is past: the clock of another verifier may be that much behind."""

REMOVED_AT_ONCE = 100
"""How many that are past one call removes: more than it adds, and never much work."""


def first(connection: Connection, workspace: str, digest: str, expires_at: int, now: int) -> bool:
    """Writes the use, unless there is one that is not past. Of several at once, the database lets one in.

    One that ends when this one does, or later, is the same assertion, whatever the clock says meanwhile.
    """
    _remove(connection, workspace, now - KEPT_SECONDS)
    query = upsert(
        connection,
        _used,
        ("workspace", "digest"),
        lambda new: and_(_used.c.expires_at <= now, _used.c.expires_at < new.expires_at),
    )
    row = {"workspace": workspace, "digest": digest, "expires_at": expires_at}
    options = {"preserve_rowcount": True}
    return connection.execute(query, row, execution_options=options).rowcount == 1


def _remove(connection: Connection, workspace: str, until: int) -> None:
    """Removes some that are past. Those that another process is removing are left to it (PostgreSQL)."""
    past = (
        select(_used.c.digest)
        .where(_used.c.workspace == workspace, _used.c.expires_at <= until)
        .order_by(_used.c.expires_at)
        .limit(REMOVED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    mine = _used.c.workspace == workspace
    connection.execute(delete(_used).where(mine, _used.c.digest.in_(past)))
