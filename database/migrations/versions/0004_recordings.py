"""The index of footage: files, what an hour of them comes to, and how far the stream of finished files was read."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_IN_KEY = ["duration_ms", "size_bytes", "format", "kept_for", "motion", "tier", "seen"]


def upgrade() -> None:
    """Make the tables; footage that is there already is found by the manager, or with `./farm recordings check`."""
    op.create_table(
        "recorded_cameras",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("camera_id", sa.String(64), nullable=False, unique=True),
    )
    op.create_table(
        "segment_formats",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("codec", sa.String(16), nullable=False),
        sa.Column("audio", sa.String(16), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
    )
    op.create_index("ix_segment_formats", "segment_formats", ["codec", "audio", "width", "height"], unique=True)
    op.create_table(
        "segments",
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("camera", sa.Integer, nullable=False),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.Column("format", sa.Integer, nullable=False),
        sa.Column("kept_for", sa.SmallInteger, nullable=False),
        sa.Column("motion", sa.SmallInteger, nullable=False),
        sa.Column("tier", sa.SmallInteger, nullable=False),
        sa.Column("seen", sa.Text),
        # In this order: what a camera has recorded in a time lies together. In PostgreSQL, where it does not, the key
        # has all that is asked for.
        sa.PrimaryKeyConstraint("camera", "start_ms", "epoch", postgresql_include=_IN_KEY),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        # Reading the key alone needs pages that are known to hold no old rows; by default a fifth of the table may
        # come to it before anybody looks.
        op.execute(
            "ALTER TABLE segments SET (autovacuum_vacuum_insert_scale_factor = 0, "
            "autovacuum_vacuum_insert_threshold = 50000, autovacuum_vacuum_scale_factor = 0.01)"
        )
    op.create_table(
        "segment_hours",
        sa.Column("camera", sa.Integer, nullable=False),
        sa.Column("hour_ms", sa.BigInteger, nullable=False),
        sa.Column("tier", sa.SmallInteger, nullable=False),
        sa.Column("count_0", sa.Integer, nullable=False),
        sa.Column("count_1", sa.Integer, nullable=False),
        sa.Column("count_2", sa.Integer, nullable=False),
        sa.Column("bytes_0", sa.BigInteger, nullable=False),
        sa.Column("bytes_1", sa.BigInteger, nullable=False),
        sa.Column("bytes_2", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("camera", "hour_ms", "tier"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_segment_hours_tier", "segment_hours", ["tier", "hour_ms", "camera"])
    op.create_table(
        "segment_times",
        sa.Column("camera", sa.Integer, nullable=False),
        sa.Column("hour_ms", sa.BigInteger, nullable=False),
        sa.Column("tier", sa.SmallInteger, nullable=False),
        sa.Column("recorded_ms", sa.BigInteger, nullable=False),
        sa.Column("moving", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.Text),
        sa.Column("spans", sa.Text, nullable=False),
        sa.Column("minutes", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("camera", "hour_ms", "tier"),
        sqlite_with_rowid=False,
    )
    state = op.create_table(
        "recording_state",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("position_ms", sa.BigInteger, nullable=False),
        sa.Column("position_seq", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(state, [{"id": 1, "position_ms": 0, "position_seq": 0}])


def downgrade() -> None:
    """Drop them; the files stay."""
    for table in (
        "recording_state",
        "segment_times",
        "segment_hours",
        "segments",
        "segment_formats",
        "recorded_cameras",
    ):
        op.drop_table(table)
