"""The newest run that ended is found without reading them all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From 0007."""
    ended = sa.text("ended_revision is not null")
    op.create_index(
        "run_ended", "run", ["workspace", "ended_revision"], sqlite_where=ended, postgresql_where=ended
    )
