"""Who made which revision of a workspace, written with the commit that makes it."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert

from reconciler.live import schema
from reconciler.live.interface import Lease

KEPT = 10_000
"""Revisions: whoever follows a store is never so far behind; if he is, he reads all of it anew."""

_history = schema.history


def write(connection: Connection, workspace: str, revision: int, lease: Lease) -> None:
    """Marks a revision by the holder of the lease that makes it: the same for no two histories."""
    mark = f"{lease.run} {lease.fence}"
    connection.execute(insert(_history).values(workspace=workspace, revision=revision, mark=mark))
    old = (_history.c.workspace == workspace) & (_history.c.revision == revision - KEPT)
    connection.execute(delete(_history).where(old))
