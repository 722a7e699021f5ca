"""How many tombstones there are, so that a list of them which came up short is told from a whole one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COUNTED = """
UPDATE workspace SET tombstone_count =
  (SELECT count(*) FROM token WHERE token.workspace = workspace.name AND token.state = 'deleted')
"""


def upgrade() -> None:
    """From 0003."""
    op.add_column(
        "workspace", sa.Column("tombstone_count", sa.BigInteger, nullable=False, server_default="0")
    )
    op.execute(COUNTED)
