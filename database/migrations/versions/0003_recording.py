"""How a camera is recorded, and from which stream."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("main_url", sa.Text),
        sa.Column("main_secrets", sa.Text),
        sa.Column("record", sa.String(16), nullable=False, server_default="off"),
        sa.Column("record_audio", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("pre_roll_seconds", sa.Float, nullable=False, server_default="5"),
        sa.Column("post_roll_seconds", sa.Float, nullable=False, server_default="10"),
    )


def upgrade() -> None:
    """Add it; cameras that are registered already are not recorded."""
    with op.batch_alter_table("cameras") as table:
        for column in _columns():
            table.add_column(column)


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("cameras") as table:
        for column in _columns():
            table.drop_column(column.name)
