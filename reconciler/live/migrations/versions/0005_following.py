"""What verifiers need: what changed after a revision, who made each, and assertions that were used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """From 0004."""
    op.create_index("token_changed", "token", ["workspace", "revision"])
    op.create_table(
        "used_assertion",
        sa.Column("workspace", NAME, primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("used_assertion_past", "used_assertion", ["workspace", "expires_at"])
    op.create_table(
        "history",
        sa.Column("workspace", NAME, primary_key=True),
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("mark", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
