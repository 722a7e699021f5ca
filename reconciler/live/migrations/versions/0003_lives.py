"""What a life is remembered by: last generations, setbacks, what failed, and what a run overrode.

A token that an older version rotated has the newest of its credentials for a last generation.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NEWEST = """
UPDATE token SET last_generation = coalesce(
  (SELECT max(credential.generation) FROM credential WHERE credential.token_id = token.id), 0)
"""


def upgrade() -> None:
    """From 0002."""
    op.add_column("token", sa.Column("last_generation", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("token", sa.Column("setback", sa.Text))
    op.add_column("intent", sa.Column("failed", sa.Text))
    op.add_column("run", sa.Column("overrides", sa.Text, nullable=False, server_default="{}"))
    op.execute(NEWEST)
