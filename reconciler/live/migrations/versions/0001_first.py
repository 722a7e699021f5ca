"""The first tables.

A migration is never edited once it was released: it says what was, and `schema.py` says what is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """From nothing."""
    _store()
    _tokens()
    _runs()
    _records()


def _store() -> None:
    op.create_table("store", sa.Column("id", sa.Text, primary_key=True))
    op.create_table(
        "workspace",
        sa.Column("name", NAME, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("lease_holder", sa.Text),
        sa.Column("lease_run", sa.Text),
        sa.Column("lease_acquired_at", sa.BigInteger),
        sa.Column("lease_expires_at", sa.BigInteger),
        sa.Column("open_run", sa.Text),
        sa.Column("token_count", sa.BigInteger, nullable=False),
        sa.Column("intent_count", sa.BigInteger, nullable=False),
        sa.Column("record_count", sa.BigInteger, nullable=False),
        sa.Column("unpublished_count", sa.BigInteger, nullable=False),
    )


def _tokens() -> None:
    op.create_table(
        "token",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("name", NAME, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("grants", sa.Text, nullable=False),
        sa.Column("declared", sa.Text, nullable=False),
        sa.Column("spec_digest", sa.Text, nullable=False),
        sa.Column("git_commit", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("protect", sa.BigInteger, nullable=False),
        sa.Column("artifact_path", sa.Text),
        sa.Column("artifact_digest", sa.Text),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("workspace", NAME, sa.ForeignKey("workspace.name"), nullable=False),
        sa.Column("credential_count", sa.BigInteger, nullable=False),
    )
    _index("token_live", "token", ["workspace", "name"], "state <> 'deleted'", unique=True)
    _index("token_deleted", "token", ["workspace", "name"], "state = 'deleted'")
    op.create_table(
        "credential",
        sa.Column("token_id", NAME, sa.ForeignKey("token.id"), primary_key=True),
        sa.Column("generation", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("algorithm", sa.Text, nullable=False),
        sa.Column("not_before", sa.BigInteger, nullable=False),
        sa.Column("not_after", sa.BigInteger),
        sa.Column("public_key", sa.Text),
        sa.Column("secret_hash", sa.Text),
        sa.Column("sealed_secret", sa.Text),
        sqlite_with_rowid=False,
    )


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("workspace", NAME, sa.ForeignKey("workspace.name"), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("plan_digest", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("git_commit", sa.Text),
        sa.Column("ended_revision", sa.BigInteger),
    )
    op.create_table(
        "intent",
        sa.Column("workspace", NAME, primary_key=True),
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("token_id", NAME, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("path", sa.Text),
        sa.Column("digest", sa.Text),
        sa.Column("after", sa.Text),
        sa.ForeignKeyConstraint(["workspace", "run"], ["run.workspace", "run.id"]),
    )


def _records() -> None:
    op.create_table(
        "record",
        sa.Column("workspace", NAME, sa.ForeignKey("workspace.name"), primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("published", sa.BigInteger, nullable=False),
    )
    _index("record_unpublished", "record", ["workspace", "sequence"], "published = 0")


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )
