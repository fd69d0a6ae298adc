"""Labels that a camera requires or prefers of its worker."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_COLUMNS = ("require_labels", "prefer_labels")


def upgrade() -> None:
    """Add them; cameras that are registered already ask for nothing."""
    with op.batch_alter_table("cameras") as table:
        for name in _COLUMNS:
            table.add_column(sa.Column(name, sa.JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("cameras") as table:
        for name in _COLUMNS:
            table.drop_column(name)
