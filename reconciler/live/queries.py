"""What is read from the tables, each query for one workspace only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import count as numbers
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import Column, Connection, Select, and_, func, or_, select, text

from reconciler.errors import StoreUnreadable
from reconciler.live import lease, rows, schema
from reconciler.live.faults import RESTORE
from reconciler.live.interface import CredentialState, Intent, Record, Run, TokenState, Workspace

_token, _credential, _record, _run = schema.token, schema.credential, schema.record, schema.run
_workspace = schema.workspace

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

Query: TypeAlias = "Select[*tuple[object, ...]]"

BY_NAME = (_token.c.name, _credential.c.generation.desc())
BY_NAME_AND_ID = (_token.c.name, _token.c.id, _credential.c.generation.desc())
NEWEST_FIRST = (
    func.coalesce(_token.c.deleted_at, 0).desc(),
    _token.c.revision.desc(),
    _token.c.id,
    _credential.c.generation.desc(),
)
BY_NAME_NEWEST_FIRST = (_token.c.name, *NEWEST_FIRST)


def workspaces() -> Select[str]:
    """The names of all workspaces."""
    return select(_workspace.c.name).order_by(_workspace.c.name)


def live(workspace: str) -> Query:
    """Tokens that are not deleted, joined with the credentials that are not retired."""
    # The condition is text, and the same text as the index has: a parameter would hide the index.
    return _joined(_credential.c.state != CredentialState.RETIRED).where(
        _token.c.workspace == workspace, text(f"token.{schema.LIVE}")
    )


def deleted(workspace: str) -> Query:
    """Tombstones, joined with every credential."""
    return _joined().where(_token.c.workspace == workspace, text(f"token.{schema.DELETED}"))


def by_id(workspace: str, token_id: str) -> Query:
    """One token, joined with its credentials: with those that are retired if it was deleted."""
    dead = _token.c.state == TokenState.DELETED
    return (
        _joined(or_(dead, _credential.c.state != CredentialState.RETIRED))
        .where(_token.c.workspace == workspace, _token.c.id == token_id)
        .order_by(_credential.c.generation.desc())
    )


def holders(workspace: str, public_keys: Sequence[str]) -> Query:
    """Credentials that have one of these public keys, whatever their state and that of their token."""
    joined = _credential.join(_token, _credential.c.token_id == _token.c.id)
    return (
        select(*rows.HOLDER_COLUMNS)
        .select_from(joined)
        .where(_token.c.workspace == workspace, _credential.c.public_key.in_(public_keys))
    )


def unretired(workspace: str) -> Query:
    """Tokens and tombstones, joined with the credentials that are not retired: tombstones have none."""
    return _joined(_credential.c.state != CredentialState.RETIRED).where(_token.c.workspace == workspace)


def changed(workspace: str, revision: int) -> Sequence[Query]:
    """What brings every token and tombstone that changed after a revision, as `unretired` shows them."""
    if revision > 0:
        # No word on their state: a condition that has an index would hide the one on revisions.
        order = (_token.c.revision, _token.c.id, _credential.c.generation.desc())
        return (unretired(workspace).where(_token.c.revision > revision).order_by(*order),)
    every = unretired(workspace).order_by(*BY_NAME_AND_ID)
    return [every.where(text(f"token.{only}")) for only in (schema.LIVE, schema.DELETED)]


def journal(workspace: str) -> Query:
    """Intents. One run is open at a time, so their number is the order they were written in."""
    table = schema.intent
    return select(*rows.INTENT_COLUMNS).where(table.c.workspace == workspace).order_by(table.c.number)


def records(workspace: str) -> Query:
    """Records, in no order yet."""
    return select(*rows.RECORD_COLUMNS).where(_record.c.workspace == workspace)


def of_plan(workspace: str, plan_digest: str) -> Query:
    """The records of the runs of a plan, by what the store keeps of these."""
    runs = select(_run.c.id).where(_run.c.workspace == workspace, _run.c.plan_digest == plan_digest)
    return records(workspace).where(_record.c.run.in_(runs)).order_by(_record.c.sequence)


def marks(workspace: str, revisions: Collection[int]) -> Select[int, str]:
    """Who made some revisions."""
    table = schema.history
    return select(table.c.revision, table.c.mark).where(
        table.c.workspace == workspace, table.c.revision.in_(revisions)
    )


def totals(workspace: str) -> Select[int, int, int]:
    """The revision, and how many tokens and tombstones there are to be."""
    columns = (_workspace.c.revision, _workspace.c.token_count, _workspace.c.tombstone_count)
    return select(*columns).where(_workspace.c.name == workspace)


def store_id() -> Select[str]:
    """What the store is called."""
    return select(schema.store.c.id)


def count(workspace: str, column: Column[int]) -> Select[int]:
    """How many rows there are to be, as the last commit wrote it."""
    return select(column).where(schema.workspace.c.name == workspace)


def intents(found: Iterable[Sequence[object]]) -> Iterator[Intent]:
    """Intents from their rows."""
    return map(rows.intent, found)


def chain(found: Iterable[Sequence[object]]) -> Iterator[Record]:
    """Records from their rows. Raises StoreUnreadable where one is missing."""
    for due, record in zip(numbers(1), map(rows.record, found), strict=False):
        if record.sequence != due:
            raise StoreUnreadable(f"record {due} is missing in the live store", hint=RESTORE)
        yield record


def state(connection: Connection, workspace: str) -> Workspace:
    """What one transaction sees of a workspace. One that was never written to is at revision 0.

    Raises StoreUnreadable where a run or a record is missing that the workspace's row tells of.
    """
    id_ = connection.execute(store_id()).scalar_one()
    row = connection.execute(lease.query(workspace)).one_or_none()
    if row is None:
        return Workspace(id_, 0)
    return Workspace(
        store_id=id_,
        revision=row.revision,
        head=_head(connection, workspace),
        run=_open_run(connection, workspace),
        lease=lease.from_row(workspace, row),
        unpublished=_unpublished(connection, workspace),
        approval=_approval(connection, workspace),
        applied=_applied(connection, workspace),
    )


def _approval(connection: Connection, workspace: str) -> str | None:
    """Whoever wrote it reads it: what a hand put there is for him to refuse."""
    kept = select(_workspace.c.approval).where(_workspace.c.name == workspace)
    found = connection.execute(kept).scalar_one()
    return found if isinstance(found, str) else None


def _applied(connection: Connection, workspace: str) -> str | None:
    """Not of the newest record: a run that was blocked has one, and took nothing up."""
    ended = select(_run.c.git_commit).where(
        _run.c.workspace == workspace, text(schema.ENDED), _run.c.git_commit.is_not(None)
    )
    return connection.execute(ended.order_by(_run.c.ended_revision.desc()).limit(1)).scalar()


def _head(connection: Connection, workspace: str) -> Record | None:
    newest = connection.execute(count(workspace, _workspace.c.record_count)).scalar_one()
    if newest == 0:
        return None
    found = connection.execute(records(workspace).where(_record.c.sequence == newest)).one_or_none()
    if found is None:
        raise StoreUnreadable(f"record {newest} is missing in the live store", hint=RESTORE)
    return rows.record(found)


def _unpublished(connection: Connection, workspace: str) -> tuple[Record, ...]:
    query = records(workspace).where(text(schema.UNPUBLISHED)).order_by(_record.c.sequence)
    found = tuple(map(rows.record, connection.execute(query)))
    expected = connection.execute(count(workspace, _workspace.c.unpublished_count)).scalar_one()
    if len(found) != expected:
        raise StoreUnreadable(
            f"the live store brought {len(found)} unpublished records of {expected}", hint=RESTORE
        )
    return found


def _open_run(connection: Connection, workspace: str) -> Run | None:
    open_run = connection.execute(
        select(_workspace.c.open_run).where(_workspace.c.name == workspace)
    ).scalar_one()
    if open_run is None:
        return None
    query = select(*rows.RUN_COLUMNS).where(_run.c.workspace == workspace, _run.c.id == open_run)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise StoreUnreadable(f"run {open_run} is missing in the live store", hint=RESTORE)
    return rows.run(row)


def _joined(*only: ColumnElement[bool]) -> Query:
    table = _token.outerjoin(_credential, and_(_credential.c.token_id == _token.c.id, *only))
    return select(*rows.JOINED_COLUMNS).select_from(table)
