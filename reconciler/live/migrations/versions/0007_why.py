"""Why a run was let go on: what would have held it, and the words of who ran it; and what stopped it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From 0006."""
    op.add_column("run", sa.Column("released", sa.Text, nullable=False, server_default="[]"))
    op.add_column("run", sa.Column("reason", sa.Text))
    op.add_column("run", sa.Column("stopped", sa.Text))
