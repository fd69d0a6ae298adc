"""Crops that events name."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; events stored before have none."""
    op.add_column("events", sa.Column("crops", sa.JSON))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("events", "crops")
