"""The live store in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Column, Connection

from reconciler.errors import StoreUnreadable
from reconciler.live import history, queries, rows, schema, uses, watching
from reconciler.live import lease as leases
from reconciler.live.engine import PAGE_ROWS, Engines
from reconciler.live.faults import RESTORE, translated
from reconciler.live.interface import (
    Batch,
    Holder,
    Intent,
    Lease,
    LiveToken,
    Record,
    Since,
    TokenState,
    Watch,
    Workspace,
)
from reconciler.live.queries import Query
from reconciler.live.writing import Writer

Item = TypeVar("Item")

KEYS_ASKED = 1000
"""Public keys that one query asks for."""


class SqlStore:
    """One workspace in a SQLite file or a PostgreSQL database. `open_store` makes these.

    Threads and processes may share a store: each call is a transaction of its own, and a read
    sees one state of the store however long it takes. Nothing that a database raises gets out:
    every error is a StoreError or one of its kinds.
    """

    def __init__(self, engines: Engines, url: str, workspace: str) -> None:
        self.url = url
        self.workspace = workspace
        self._engines = engines

    def __repr__(self) -> str:
        return f"SqlStore({self.url!r}, {self.workspace!r})"

    def workspaces(self) -> Sequence[str]:
        """The names of all workspaces in the store, sorted."""
        with self._reading() as connection:
            return tuple(connection.execute(queries.workspaces()).scalars())

    def state(self) -> Workspace:
        """Revision, chain head, unfinished run and lease, as one read saw them."""
        with self._reading() as connection:
            return queries.state(connection, self.workspace)

    def tokens(self) -> Iterator[LiveToken]:
        """Every token that is not deleted, by the code points of its name, with live credentials.

        Streams: some hundred are in memory at once. Raises StoreUnreadable where the read breaks
        off or brings fewer than there are, so only a read that ended without an error is whole.
        """
        query = queries.live(self.workspace).order_by(*queries.BY_NAME)
        return self._whole("live tokens", schema.workspace.c.token_count, query, rows.tokens)

    def token(self, name: str) -> LiveToken | None:
        """The token that has this name now, with the credentials that are not retired."""
        query = queries.live(self.workspace).where(schema.token.c.name == name).order_by(*queries.BY_NAME)
        with self._reading() as connection:
            return next(rows.tokens(connection.execute(query).all()), None)

    def tombstones(self, name: str) -> Sequence[LiveToken]:
        """Deleted tokens that had this name, newest first, with every credential they had."""
        with self._reading() as connection:
            query = queries.deleted(self.workspace).where(schema.token.c.name == name)
            found = connection.execute(query.order_by(*queries.NEWEST_FIRST)).all()
        return tuple(rows.tokens(found))

    def token_by_id(self, token_id: str) -> LiveToken | None:
        """The token that has this id: as `token` shows it, or as `tombstones` does if it was deleted."""
        with self._reading() as connection:
            found = connection.execute(queries.by_id(self.workspace, token_id)).all()
        return next(rows.tokens(found), None)

    def graveyard(self) -> Iterator[LiveToken]:
        """Every deleted token, by the code points of its name, newest first, with every credential.

        Streams, and raises StoreUnreadable, as `tokens` does.
        """
        query = queries.deleted(self.workspace).order_by(*queries.BY_NAME_NEWEST_FIRST)
        return self._whole("deleted tokens", schema.workspace.c.tombstone_count, query, rows.tokens)

    def holders(self, public_keys: Collection[str]) -> Sequence[Holder]:
        """Every credential that has one of these keys, of any state, as one read saw them."""
        keys, found = sorted(public_keys), list[Holder]()
        with self._reading() as connection:
            for start in range(0, len(keys), KEYS_ASKED):
                query = queries.holders(self.workspace, keys[start : start + KEYS_ASKED])
                found.extend(map(rows.holder, connection.execute(query)))
        return sorted(found, key=lambda one: (one.name, one.token_id, one.generation))

    def since(self, revision: int) -> Since:
        """Every token that changed after this revision, and the counts, as one read saw them."""
        found = list[LiveToken]()
        with self._reading() as connection:
            store_id = connection.execute(queries.store_id()).scalar_one()
            row = connection.execute(queries.totals(self.workspace)).one_or_none()
            for query in queries.changed(self.workspace, revision):
                with connection.execute(query, execution_options={"yield_per": PAGE_ROWS}) as brought:
                    found.extend(rows.tokens(brought))
            now, live, dead = (0, 0, 0) if row is None else row
            made_by = connection.execute(queries.marks(self.workspace, {revision, now}))
            marks: dict[int, str] = {row.revision: row.mark for row in made_by}
        if revision <= 0:
            buried = sum(token.state is TokenState.DELETED for token in found)
            self._require(len(found) - buried, live, "live tokens")
            self._require(buried, dead, "deleted tokens")
        return Since(store_id, now, live, dead, tuple(found), marks.get(now), marks.get(revision))

    def watch(self) -> Watch:
        """A watch on the file, or one that the server tells of commits."""
        return watching.open_watch(self._engines, self.url, self.workspace)

    def first_use(self, digest: str, expires_at: int, now: int) -> bool:
        """Whether nobody asked about this digest before. Removes what is long past, some at a time."""
        with self._writing() as connection:
            return uses.first(connection, self.workspace, digest, expires_at, now)

    def intents(self) -> Iterator[Intent]:
        """The journal, by the number of its entries. Raises StoreUnreadable as `tokens` does."""
        query = queries.journal(self.workspace)
        return self._whole("journal entries", schema.workspace.c.intent_count, query, queries.intents)

    def records(self) -> Iterator[Record]:
        """Every record, by its sequence. Raises StoreUnreadable as `tokens` does."""
        query = queries.records(self.workspace).order_by(schema.record.c.sequence)
        return self._whole("records", schema.workspace.c.record_count, query, queries.chain)

    def records_of(self, plan_digest: str) -> Sequence[Record]:
        """Those of runs of the plan with this digest, by their sequence; one that was blocked is no run."""
        with self._reading() as connection:
            found = connection.execute(queries.of_plan(self.workspace, plan_digest))
            return tuple(map(rows.record, found))

    def acquire(self, holder: str, run: str, now: int, ttl: int) -> Lease:
        """The lease until `now + ttl` (seconds). Raises StoreLocked while somebody holds it."""
        wanted = Lease(self.workspace, holder, run, 0, now, now + ttl)
        with self._writing() as connection:
            return leases.acquire(connection, wanted)

    def renew(self, lease: Lease, now: int, ttl: int) -> Lease:
        """The same lease until `now + ttl` (seconds). Raises LeaseLost."""
        later = replace(lease, workspace=self.workspace, expires_at=now + ttl)
        with self._writing() as connection:
            leases.renew(connection, later)
        return later

    def release(self, lease: Lease) -> None:
        """Gives the lease up. Nothing happens where it was lost already."""
        with self._writing() as connection:
            leases.release(connection, replace(lease, workspace=self.workspace))

    def commit(self, lease: Lease, batch: Batch) -> int:
        """Writes all of a batch or nothing; returns the new revision.

        Raises LeaseLost, and StoreError for what must not be: a name or an id that is taken, a
        deleted token that would live again, a gap in the records, a second run.
        """
        with self._writing() as connection:
            revision = leases.require(connection, replace(lease, workspace=self.workspace)) + 1
            Writer(connection, self.workspace, revision).write(batch)
            history.write(connection, self.workspace, revision, lease)
            return revision

    def close(self) -> None:
        """Lets connections go."""
        self._engines.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(self.url), self._engines.reader.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with translated(self.url), self._engines.writer.begin() as connection:
            yield connection

    def _whole(
        self,
        what: str,
        count: Column[int],
        query: Query,
        build: Callable[[Iterable[Sequence[object]]], Iterator[Item]],
    ) -> Iterator[Item]:
        """What a query brings, as it comes. Fewer or more than were written is an error."""
        brought = 0
        with self._reading() as connection:
            expected = connection.execute(queries.count(self.workspace, count)).scalar() or 0
            with connection.execute(query, execution_options={"yield_per": PAGE_ROWS}) as found:
                for item in build(found):
                    brought += 1
                    yield item
        self._require(brought, expected, what)

    def _require(self, brought: int, expected: int, what: str) -> None:
        if brought != expected:
            raise StoreUnreadable(
                f"the live store {self.url} brought {brought} {what} of {expected}", hint=RESTORE
            )
