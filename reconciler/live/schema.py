"""The tables, the same for SQLite and PostgreSQL. What a migration builds equals this.

Times are epoch seconds. JSON is kept as text. No column holds a secret in the clear.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    Text,
    text,
)

VERSIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
"""Every version of the schema that this tool knows, oldest first; one migration makes each."""

HEAD = VERSIONS[-1]
"""The version that this tool reads and writes."""

LIVE = "state <> 'deleted'"
DELETED = "state = 'deleted'"

metadata = MetaData()

NAME = Text().with_variant(Text(collation="C"), "postgresql")
"""Compared and ordered by code point, as SQLite does by itself."""

store = Table("store", metadata, Column("id", Text, primary_key=True))

workspace = Table(
    "workspace",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("lease_holder", Text),
    Column("lease_run", Text),
    Column("lease_acquired_at", BigInteger),
    Column("lease_expires_at", BigInteger),
    Column("open_run", Text),
    # How many rows there are. A damaged page can hide rows without an error; these tell.
    Column("token_count", BigInteger, nullable=False),
    Column("tombstone_count", BigInteger, nullable=False, server_default="0"),
    Column("intent_count", BigInteger, nullable=False),
    Column("record_count", BigInteger, nullable=False),
    Column("unpublished_count", BigInteger, nullable=False),
    Column("approval", Text),
)

token = Table(
    "token",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("grants", Text, nullable=False),
    Column("declared", Text, nullable=False),
    Column("spec_digest", Text, nullable=False),
    Column("git_commit", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("protect", BigInteger, nullable=False),
    Column("artifact_path", Text),
    Column("artifact_digest", Text),
    Column("revision", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("due_at", BigInteger),
    Column("artifact_contents", Text),
    Column("artifact_recipients", Text),
    Column("last_generation", BigInteger, nullable=False, server_default="0"),
    Column("setback", Text),
    Column("workspace", NAME, ForeignKey("workspace.name"), nullable=False),
    # How many of its credentials are not retired: for the same reason.
    Column("credential_count", BigInteger, nullable=False),
)
Index(
    "token_live",
    token.c.workspace,
    token.c.name,
    unique=True,
    sqlite_where=text(LIVE),
    postgresql_where=text(LIVE),
)
Index(
    "token_deleted",
    token.c.workspace,
    token.c.name,
    sqlite_where=text(DELETED),
    postgresql_where=text(DELETED),
)

# What changed after a revision, for those who follow the store.
Index("token_changed", token.c.workspace, token.c.revision)

credential = Table(
    "credential",
    metadata,
    Column("token_id", NAME, ForeignKey("token.id"), primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger),
    Column("public_key", Text),
    Column("secret_hash", Text),
    Column("sealed_secret", Text),
    sqlite_with_rowid=False,
)

run = Table(
    "run",
    metadata,
    Column("workspace", NAME, ForeignKey("workspace.name"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("plan_digest", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("git_commit", Text),
    Column("ended_revision", BigInteger),
    Column("overrides", Text, nullable=False, server_default="{}"),
    Column("released", Text, nullable=False, server_default="[]"),
    Column("reason", Text),
    Column("stopped", Text),
)
ENDED = "ended_revision is not null"
Index(
    "run_ended",
    run.c.workspace,
    run.c.ended_revision,
    sqlite_where=text(ENDED),
    postgresql_where=text(ENDED),
)

intent = Table(
    "intent",
    metadata,
    Column("workspace", NAME, primary_key=True),
    Column("run", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("action", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("token_id", NAME, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("path", Text),
    Column("digest", Text),
    Column("after", Text),
    Column("failed", Text),
    ForeignKeyConstraint(["workspace", "run"], ["run.workspace", "run.id"]),
)

record = Table(
    "record",
    metadata,
    Column("workspace", NAME, ForeignKey("workspace.name"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("run", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("published", BigInteger, nullable=False),
)
UNPUBLISHED = "published = 0"
Index(
    "record_unpublished",
    record.c.workspace,
    record.c.sequence,
    sqlite_where=text(UNPUBLISHED),
    postgresql_where=text(UNPUBLISHED),
)

# One-time assertions that were presented: verifiers write here, and nothing else.
used_assertion = Table(
    "used_assertion",
    metadata,
    # No foreign key: it would wait for every commit to the workspace.
    Column("workspace", NAME, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("used_assertion_past", used_assertion.c.workspace, used_assertion.c.expires_at)

# Which holder of the lease made each revision. A store that was restored and applied to since can have the
# revision that somebody knows, and another history behind it: this tells the two apart.
history = Table(
    "history",
    metadata,
    Column("workspace", NAME, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("mark", Text, nullable=False),
    sqlite_with_rowid=False,
)
