"""What was approved and is not done yet, so that a run which died is gone on with by its digest alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From 0005."""
    op.add_column("workspace", sa.Column("approval", sa.Text))
