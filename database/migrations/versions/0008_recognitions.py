"""What recognisers are asked, and what they say."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables; events stored before are asked about by nobody."""
    op.create_table(
        "recognition_notes",
        # SQLite numbers rows by itself only where the key is an INTEGER, which holds 64 bits there.
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("event", sa.JSON, nullable=False),
        sa.UniqueConstraint("event_id", name="uq_recognition_notes_event_id"),
    )
    op.create_index("ix_recognition_notes_at", "recognition_notes", ["at_ms"])
    op.create_table(
        "recognitions",
        sa.Column("event_id", sa.String(128), nullable=False),
        sa.Column("recogniser", sa.String(32), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("camera_id", sa.String(64), nullable=False),
        sa.Column("track", sa.String(128), nullable=False),
        sa.Column("class_name", sa.String(128), nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("queue", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("left_out", sa.Integer, nullable=False),
        sa.Column("due_at_ms", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("version", sa.String(64)),
        sa.Column("result", sa.JSON),
        sa.Column("queued_at_ms", sa.BigInteger),
        sa.Column("done_at_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("event_id", "recogniser"),
    )
    op.create_index("ix_recognitions_queue", "recognitions", ["state", "queue", "at_ms"])
    op.create_index("ix_recognitions_state", "recognitions", ["state", "at_ms", "event_id", "recogniser"])
    op.create_index("ix_recognitions_time", "recognitions", ["at_ms", "event_id", "recogniser"])
    op.create_index("ix_recognitions_camera", "recognitions", ["camera_id", "at_ms", "event_id", "recogniser"])
    op.create_index("ix_recognitions_track", "recognitions", ["track"])
    # Nothing ever wrote it.
    op.drop_column("event_photos", "recognition")


def downgrade() -> None:
    """Drop them."""
    op.add_column("event_photos", sa.Column("recognition", sa.JSON))
    op.drop_table("recognitions")
    op.drop_table("recognition_notes")
