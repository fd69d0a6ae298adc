"""Which frames of a camera the detector looks at."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("cameras", sa.Column("detect_on", sa.String(16), nullable=False, server_default="motion"))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("cameras", "detect_on")
