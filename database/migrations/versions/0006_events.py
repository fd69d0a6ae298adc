"""Events, their photos and tracks; entries that are none; counts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables; what the stream of events still holds is stored when an event writer runs."""
    op.create_table(
        "events",
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(128), nullable=False),
        sa.Column("entry_ms", sa.BigInteger, nullable=False),
        sa.Column("entry_seq", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("camera_id", sa.String(64), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("worker_id", sa.String(128), nullable=False),
        sa.Column("reason", sa.String(64)),
        sa.Column("track_id", sa.BigInteger),
        sa.Column("track", sa.String(128)),
        sa.Column("started_at_ms", sa.BigInteger),
        sa.Column("frames_seen", sa.BigInteger),
        sa.Column("class_id", sa.Integer),
        sa.Column("class_name", sa.String(128)),
        sa.Column("xyxy", sa.JSON),
        sa.Column("confidence", sa.Float),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        # A partitioned table's key must have the column that it is partitioned by.
        sa.PrimaryKeyConstraint("at_ms", "event_id"),
        postgresql_partition_by="RANGE (at_ms)",
    )
    op.create_index("ix_events_event_id", "events", ["event_id"])
    op.create_index("ix_events_entry", "events", ["entry_ms", "entry_seq"])
    op.create_index("ix_events_time", "events", ["at_ms", "entry_ms"])
    op.create_index("ix_events_camera", "events", ["camera_id", "entry_ms", "entry_seq"])
    op.create_table(
        "event_photos",
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(128), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("xyxy", sa.JSON),
        sa.Column("recognition", sa.JSON),
        sa.PrimaryKeyConstraint("at_ms", "event_id"),
        postgresql_partition_by="RANGE (at_ms)",
    )
    if op.get_bind().dialect.name == "postgresql":
        # For events whose time is none that anybody expects; the weeks are made by event writers.
        op.execute("CREATE TABLE events_default PARTITION OF events DEFAULT")
        op.execute("CREATE TABLE event_photos_default PARTITION OF event_photos DEFAULT")
    _tracks()
    op.create_table(
        "event_dead_letters",
        sa.Column("entry_ms", sa.BigInteger, nullable=False),
        sa.Column("entry_seq", sa.BigInteger, nullable=False),
        sa.Column("kept_at_ms", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("entry_ms", "entry_seq"),
    )
    op.create_index("ix_event_dead_letters_kept", "event_dead_letters", ["kept_at_ms"])
    state = op.create_table(
        "event_store_state",
        sa.Column("id", sa.SmallInteger, primary_key=True),
        sa.Column("stored", sa.BigInteger, nullable=False),
        sa.Column("repeated", sa.BigInteger, nullable=False),
        sa.Column("dead_letters", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(state, [{"id": 1, "stored": 0, "repeated": 0, "dead_letters": 0}])


def _tracks() -> None:
    op.create_table(
        "tracks",
        sa.Column("track", sa.String(128), primary_key=True),
        sa.Column("camera_id", sa.String(64), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("track_id", sa.BigInteger, nullable=False),
        sa.Column("class_name", sa.String(128)),
        sa.Column("first_seen_ms", sa.BigInteger, nullable=False),
        sa.Column("last_seen_ms", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
        sa.Column("frames_seen", sa.BigInteger, nullable=False),
        sa.Column("best_score", sa.Float, nullable=False),
        sa.Column("best_path", sa.Text),
        sa.Column("best_xyxy", sa.JSON),
        sa.Column("best_confidence", sa.Float),
    )
    op.create_index("ix_tracks_first_seen", "tracks", ["first_seen_ms", "track"])
    op.create_index("ix_tracks_camera", "tracks", ["camera_id", "first_seen_ms", "track"])
    op.create_index("ix_tracks_last_seen", "tracks", ["last_seen_ms"])


def downgrade() -> None:
    """Drop them; saved frames stay."""
    for table in ("event_store_state", "event_dead_letters", "tracks", "event_photos", "events"):
        op.drop_table(table)
