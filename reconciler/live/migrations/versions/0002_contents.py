"""What was sealed in a token's artifact, and to whom: digests and public names.

Both are empty for tokens that were issued before: nothing in the store tells.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From 0001."""
    op.add_column("token", sa.Column("artifact_contents", sa.Text))
    op.add_column("token", sa.Column("artifact_recipients", sa.Text))
