"""A batch, written inside one transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, text, update

from reconciler.errors import StoreError
from reconciler.live import rows, schema
from reconciler.live.interface import Batch, Finish, Intent, LiveToken, Record, Run
from reconciler.live.putting import PART, TokenWriter, parts
from reconciler.live.upsert import upsert

_token, _intent, _record, _run = schema.token, schema.intent, schema.record, schema.run
_workspace = schema.workspace

CHANNEL = "reconciler"
"""Where PostgreSQL tells of commits: the workspace, a space, the revision."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes one batch to one workspace, as the revision that it makes."""

    connection: Connection
    workspace: str
    revision: int

    def write(self, batch: Batch) -> None:
        """Everything in the batch, in the order of its fields. Raises StoreError."""
        if batch.begin is not None:
            self._begin(batch.begin)
        if batch.approval is not None:
            mine = update(_workspace).where(_workspace.c.name == self.workspace)
            self.connection.execute(mine.values(approval=batch.approval or None))
        if batch.stopped is not None:
            self._stop(batch.stopped)
        self._tokens().replace(batch.tokens)
        self._journal(batch.journal)
        if batch.finish is not None:
            self._finish(batch.finish)
        if batch.record is not None:
            self._append(batch.record)
        self._published(batch.published)
        self._seal()
        self._tell()

    def _tokens(self) -> TokenWriter:
        return TokenWriter(self.connection, self.workspace, self.revision)

    def _begin(self, run: Run) -> None:
        if (unfinished := self._open_run()) is not None:
            raise StoreError(
                f"run {run.id} cannot begin: run {unfinished} has not ended",
                hint="finish that one first: the next `reconcile apply` does",
            )
        self.connection.execute(insert(_run), rows.run_row(run, self.workspace))
        self._set_open_run(run.id)

    def _stop(self, code: str) -> None:
        mine = update(_run).where(_run.c.workspace == self.workspace, _run.c.id == self._open_run())
        self.connection.execute(mine.values(stopped=code))

    def _open_run(self) -> str | None:
        query = select(_workspace.c.open_run).where(_workspace.c.name == self.workspace)
        found: str | None = self.connection.execute(query).scalar_one()
        return found

    def _set_open_run(self, run: str | None) -> None:
        mine = update(_workspace).where(_workspace.c.name == self.workspace)
        self.connection.execute(mine.values(open_run=run))

    def _require_open(self, run: str) -> None:
        if self._open_run() != run:
            raise StoreError(
                f"run {run} is not open in this workspace",
                hint="it ended already, or never began; run again",
            )

    def _journal(self, intents: Sequence[Intent]) -> None:
        for run in {intent.run for intent in intents}:
            self._require_open(run)
        for intent in intents:
            if intent.after is not None and intent.after.id != intent.token_id:
                raise StoreError(
                    f"the journal entry for {intent.name} names one token and holds another",
                    hint="this is a fault of the tool: report it",
                )
        query = upsert(self.connection, _intent, ("workspace", "run", "number"))
        for part in parts(intents):
            self.connection.execute(query, [rows.intent_row(intent, self.workspace) for intent in part])

    def _finish(self, finish: Finish) -> None:
        self._require_open(finish.run)
        mine = (_intent.c.workspace == self.workspace, _intent.c.run == finish.run)
        for part in parts(sorted(finish.drop)):
            self.connection.execute(delete(_intent).where(*mine, _intent.c.number.in_(part)))
        becoming = select(_intent.c.token_id).where(*mine, _intent.c.after.is_not(None))
        writer = self._tokens()
        writer.free_names(becoming)
        for tokens in self._becoming(finish.run):
            writer.put(tokens)
        self.connection.execute(delete(_intent).where(*mine))
        self.connection.execute(
            update(_run)
            .where(_run.c.workspace == self.workspace, _run.c.id == finish.run)
            .values(ended_revision=self.revision)
        )
        self._set_open_run(None)

    def _becoming(self, run: str) -> Iterator[list[LiveToken]]:
        """What the run's intents say their tokens become, some hundred at a time."""
        query = select(*rows.INTENT_COLUMNS).where(
            _intent.c.workspace == self.workspace, _intent.c.run == run, _intent.c.after.is_not(None)
        )
        options = {"yield_per": PART}
        with self.connection.execute(query, execution_options=options) as found:
            for page in found.partitions():
                intents = map(rows.intent, page)
                yield [intent.after for intent in intents if intent.after is not None]

    def _append(self, record: Record) -> None:
        query = select(func.max(_record.c.sequence)).where(_record.c.workspace == self.workspace)
        head = self.connection.execute(query).scalar() or 0
        if record.sequence != head + 1:
            raise StoreError(
                f"record {record.sequence} does not follow record {head}",
                hint="another run wrote a record meanwhile; run again",
            )
        self.connection.execute(insert(_record), rows.record_row(record, self.workspace))

    def _published(self, sequences: Sequence[int]) -> None:
        for part in parts(sorted(set(sequences))):
            query = update(_record).where(_record.c.workspace == self.workspace, _record.c.sequence.in_(part))
            if self.connection.execute(query.values(published=1)).rowcount != len(part):
                raise StoreError(
                    "a record that is not in the store is to be marked as published",
                    hint="see that the store is the one this workspace was applied to",
                )

    def _seal(self) -> None:
        """Writes the revision, and how many rows a whole read has to bring."""
        tokens = select(func.count()).where(_token.c.workspace == self.workspace, text(schema.LIVE))
        dead = select(func.count()).where(_token.c.workspace == self.workspace, text(schema.DELETED))
        intents = select(func.count()).where(_intent.c.workspace == self.workspace)
        records = select(func.count()).where(_record.c.workspace == self.workspace)
        self.connection.execute(
            update(_workspace)
            .where(_workspace.c.name == self.workspace)
            .values(
                revision=self.revision,
                token_count=tokens.scalar_subquery(),
                tombstone_count=dead.scalar_subquery(),
                intent_count=intents.scalar_subquery(),
                record_count=records.scalar_subquery(),
                unpublished_count=records.where(text(schema.UNPUBLISHED)).scalar_subquery(),
            )
        )

    def _tell(self) -> None:
        """Wakes those who watch, when the transaction is committed. In SQLite they see it by themselves."""
        if self.connection.dialect.name == "postgresql":
            said = {"channel": CHANNEL, "payload": f"{self.workspace} {self.revision}"}
            self.connection.execute(text("SELECT pg_notify(:channel, :payload)"), said)
