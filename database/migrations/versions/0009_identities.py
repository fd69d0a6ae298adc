"""Embeddings, identities, sightings, what people changed of them, the watch list, ways between cameras."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_TABLES = (
    "erased_tracks",
    "camera_means",
    "transit_times",
    "watch_hits",
    "watch_list",
    "identity_change_tracks",
    "identity_changes",
    "sightings",
    "identities",
    "gallery_state",
    "gallery_segments",
    "galleries",
    "embeddings",
)


def upgrade() -> None:
    """Make the tables, and room for what events say of identities."""
    op.add_column("events", sa.Column("identity", sa.String(40)))
    op.add_column("events", sa.Column("similarity", sa.Float))
    op.add_column("events", sa.Column("watch", sa.String(40)))
    _embeddings()
    _sightings()
    _changes()
    _watching()
    op.create_table(
        "transit_times",
        sa.Column("from_camera", sa.String(64), nullable=False),
        sa.Column("to_camera", sa.String(64), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("shortest_ms", sa.BigInteger),
        sa.Column("longest_ms", sa.BigInteger),
        sa.Column("is_impossible", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("from_camera", "to_camera", "source"),
    )
    op.create_table(
        "camera_means",
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("camera_id", sa.String(64), nullable=False),
        sa.Column("tracks", sa.Integer, nullable=False),
        sa.Column("mean", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("version", "camera_id"),
    )
    op.create_table(
        "erased_tracks",
        sa.Column("track", sa.String(128), primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_erased_tracks_at", "erased_tracks", ["at_ms"])


def _embeddings() -> None:
    op.create_table(
        "embeddings",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("track", sa.String(128), nullable=False),
        sa.Column("event_id", sa.String(128), nullable=False),
        sa.Column("camera_id", sa.String(64), nullable=False),
        sa.Column("class_name", sa.String(128)),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("started_at_ms", sa.BigInteger, nullable=False),
        sa.Column("crop_path", sa.Text, nullable=False),
        sa.Column("quality", sa.Float, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("event_id", "crop_path", "version", name="uq_embeddings_crop"),
    )
    op.create_index("ix_embeddings_track", "embeddings", ["track", "version"])
    op.create_index("ix_embeddings_version", "embeddings", ["version", "number"])
    op.create_index("ix_embeddings_at", "embeddings", ["at_ms"])
    op.create_table(
        "galleries",
        sa.Column("version", sa.String(64), primary_key=True),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("dimension", sa.Integer, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("decided_to", sa.BigInteger, nullable=False),
        sa.Column("reembed_from", sa.String(64)),
        sa.Column("reembed_at", sa.BigInteger),
        sa.Column("reembed_to", sa.BigInteger),
        sa.Column("reembedded", sa.BigInteger, nullable=False),
        sa.Column("reembed_lost", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "gallery_segments",
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("segment", sa.BigInteger, nullable=False),
        sa.Column("erasures", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("version", "segment"),
    )
    state = op.create_table(
        "gallery_state",
        sa.Column("id", sa.SmallInteger, primary_key=True),
        sa.Column("last_number", sa.BigInteger, nullable=False),
        sa.Column("writer", sa.String(64), nullable=False),
    )
    op.bulk_insert(state, [{"id": 1, "last_number": 0, "writer": ""}])


def _sightings() -> None:
    op.create_table(
        "identities",
        sa.Column("identity", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(200)),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("merged_into", sa.String(40)),
    )
    op.create_index("ix_identities_created", "identities", ["created_at_ms", "identity"])
    op.create_table(
        "sightings",
        sa.Column("track", sa.String(128), primary_key=True),
        sa.Column("camera_id", sa.String(64), nullable=False),
        sa.Column("class_name", sa.String(128)),
        sa.Column("first_ms", sa.BigInteger, nullable=False),
        sa.Column("last_ms", sa.BigInteger, nullable=False),
        sa.Column("identity", sa.String(40)),
        sa.Column("similarity", sa.Float),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.String(16), nullable=False),
        sa.Column("decided_at_ms", sa.BigInteger, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("crop_path", sa.Text, nullable=False),
        sa.Column("quality", sa.Float, nullable=False),
    )
    op.create_index("ix_sightings_identity", "sightings", ["identity", "first_ms", "track"])
    op.create_index("ix_sightings_first", "sightings", ["first_ms", "track"])
    op.create_index("ix_sightings_camera", "sightings", ["camera_id", "first_ms", "track"])
    op.create_index("ix_sightings_last", "sightings", ["last_ms"])


def _changes() -> None:
    op.create_table(
        "identity_changes",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("identity", sa.String(40), nullable=False),
        sa.Column("other", sa.String(40)),
        sa.Column("name_before", sa.String(200)),
        sa.Column("undone_at_ms", sa.BigInteger),
    )
    op.create_index("ix_identity_changes_at", "identity_changes", ["at_ms"])
    op.create_table(
        "identity_change_tracks",
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("track", sa.String(128), nullable=False),
        sa.Column("before", sa.String(40)),
        sa.Column("after", sa.String(40)),
        sa.Column("decided_by", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("change", "track"),
    )
    op.create_index("ix_identity_change_tracks_track", "identity_change_tracks", ["track"])


def _watching() -> None:
    op.create_table(
        "watch_list",
        sa.Column("watch", sa.String(40), primary_key=True),
        sa.Column("identity", sa.String(40), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_watch_list_identity", "watch_list", ["identity"])
    op.create_table(
        "watch_hits",
        sa.Column("watch", sa.String(40), nullable=False),
        sa.Column("track", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("event", sa.JSON),
        sa.PrimaryKeyConstraint("watch", "track"),
    )
    op.create_index("ix_watch_hits_at", "watch_hits", ["at_ms"])


def downgrade() -> None:
    """Drop them."""
    for table in _TABLES:
        op.drop_table(table)
    for column in ("watch", "similarity", "identity"):
        op.drop_column("events", column)
