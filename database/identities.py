"""Tables of embeddings, identities and sightings; migration 0009 makes them.

`reid` writes embeddings and decides sightings, `camera_ctrler` reads them and carries out what people want changed.
Whoever writes any of it locks the one row of `gallery_state` first (`database.gallery_lock`).
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from database.base import Base

#: Longest id of an event or track, of an embedder's version, and of an identity or an entry of the watch list.
EVENT_ID_LENGTH: Final = 128
VERSION_LENGTH: Final = 64
IDENTITY_LENGTH: Final = 40
NAME_LENGTH: Final = 200

#: Numbers of embeddings in one segment. Small enough to grow in memory and to be made anew in two seconds when some of
#: it is erased; large enough that a million embeddings are searched quickly. Numbers never move: changing it means
#: making all segments anew.
SEGMENT_SIZE: Final = 65_536

#: One row for each crop that was embedded.
embeddings: Final = Table(
    "embeddings",
    Base.metadata,
    #: Rises without a gap in the order in which rows were committed: it is the order of the log.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("version", String(VERSION_LENGTH), nullable=False),
    Column("track", String(EVENT_ID_LENGTH), nullable=False),
    Column("event_id", String(EVENT_ID_LENGTH), nullable=False),
    Column("camera_id", String(64), nullable=False),
    Column("class_name", String(128)),
    #: When the crop was taken and when its track began, Unix ms UTC by the worker's clock.
    Column("at_ms", BigInteger, nullable=False),
    Column("started_at_ms", BigInteger, nullable=False),
    #: Relative to the frames volume.
    Column("crop_path", Text, nullable=False),
    Column("quality", Float, nullable=False),
    #: Of length 1, as little-endian float16.
    Column("vector", LargeBinary, nullable=False),
    UniqueConstraint("event_id", "crop_path", "version", name="uq_embeddings_crop"),
    Index("ix_embeddings_track", "track", "version"),
    Index("ix_embeddings_version", "version", "number"),
    Index("ix_embeddings_at", "at_ms"),
)

#: One row for each version of embeddings.
galleries: Final = Table(
    "galleries",
    Base.metadata,
    Column("version", String(VERSION_LENGTH), primary_key=True),
    #: Name of the model.
    Column("model", String(128), nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    #: Up to this embedding, all of this version have been looked at for the identity of their track.
    Column("decided_to", BigInteger, nullable=False),
    #: How far embeddings of another version have been made anew with this one: up to this number of that version;
    #: `reembed_to` is where it ends. Null: that was not asked for.
    Column("reembed_from", String(VERSION_LENGTH)),
    Column("reembed_at", BigInteger),
    Column("reembed_to", BigInteger),
    Column("reembedded", BigInteger, nullable=False),
    #: Crops that were gone or could not be read.
    Column("reembed_lost", BigInteger, nullable=False),
)

#: How often something was erased from a run of numbers: a snapshot of it that knows of fewer times is not used.
gallery_segments: Final = Table(
    "gallery_segments",
    Base.metadata,
    Column("version", String(VERSION_LENGTH), nullable=False),
    #: The number of an embedding divided by `SEGMENT_SIZE`.
    Column("segment", BigInteger, nullable=False),
    Column("erasures", BigInteger, nullable=False),
    PrimaryKeyConstraint("version", "segment"),
)

#: One row. Whoever writes embeddings, sightings or identities locks it first.
gallery_state: Final = Table(
    "gallery_state",
    Base.metadata,
    Column("id", SmallInteger, primary_key=True),
    #: The newest number of `embeddings` that was given out.
    Column("last_number", BigInteger, nullable=False),
    #: The token of the gallery writer that took over last; what another one wants to write is refused.
    Column("writer", String(64), nullable=False),
)

#: Somebody, or something, that was seen by one or several cameras.
identities: Final = Table(
    "identities",
    Base.metadata,
    Column("identity", String(IDENTITY_LENGTH), primary_key=True),
    #: What people call it.
    Column("name", String(NAME_LENGTH)),
    Column("created_at_ms", BigInteger, nullable=False),
    #: The identity that it was found to be; its sightings belong to that one.
    Column("merged_into", String(IDENTITY_LENGTH)),
    Index("ix_identities_created", "created_at_ms", "identity"),
)

#: One row for each track that has embeddings.
sightings: Final = Table(
    "sightings",
    Base.metadata,
    Column("track", String(EVENT_ID_LENGTH), primary_key=True),
    Column("camera_id", String(64), nullable=False),
    Column("class_name", String(128)),
    #: When it was seen first and last, Unix ms UTC by the worker's clock, as far as its crops tell.
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    #: Null: nobody knows.
    Column("identity", String(IDENTITY_LENGTH)),
    #: To the nearest of those that it was compared with, in [-1, 1]; null: there was none.
    Column("similarity", Float),
    #: Why it was decided so: ``alike``, ``nobody-alike``, ...
    Column("reason", String(32), nullable=False),
    #: ``machine`` or ``operator``; what a person has decided is not decided again.
    Column("decided_by", String(16), nullable=False),
    Column("decided_at_ms", BigInteger, nullable=False),
    #: The embedder whose embeddings were compared.
    Column("version", String(VERSION_LENGTH), nullable=False),
    #: Its best crop.
    Column("crop_path", Text, nullable=False),
    Column("quality", Float, nullable=False),
    Index("ix_sightings_identity", "identity", "first_ms", "track"),
    Index("ix_sightings_first", "first_ms", "track"),
    Index("ix_sightings_camera", "camera_id", "first_ms", "track"),
    Index("ix_sightings_last", "last_ms"),
)

#: What people changed, so that it can be undone.
identity_changes: Final = Table(
    "identity_changes",
    Base.metadata,
    # Of 32 bits on SQLite: only then it counts by itself.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    #: ``merge``, ``split``, ``assign``, ``rename``.
    Column("kind", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    #: The identity that was changed, and the other one that had a part in it.
    Column("identity", String(IDENTITY_LENGTH), nullable=False),
    Column("other", String(IDENTITY_LENGTH)),
    #: The former name, of ``rename``.
    Column("name_before", String(NAME_LENGTH)),
    Column("undone_at_ms", BigInteger),
    Index("ix_identity_changes_at", "at_ms"),
)

#: The sightings that a change moved.
identity_change_tracks: Final = Table(
    "identity_change_tracks",
    Base.metadata,
    Column("change", BigInteger, nullable=False),
    Column("track", String(EVENT_ID_LENGTH), nullable=False),
    Column("before", String(IDENTITY_LENGTH)),
    Column("after", String(IDENTITY_LENGTH)),
    #: Who had decided before.
    Column("decided_by", String(16), nullable=False),
    PrimaryKeyConstraint("change", "track"),
    Index("ix_identity_change_tracks_track", "track"),
)

#: Whom people want to be told of.
watch_list: Final = Table(
    "watch_list",
    Base.metadata,
    Column("watch", String(IDENTITY_LENGTH), primary_key=True),
    Column("identity", String(IDENTITY_LENGTH), nullable=False),
    Column("note", String(NAME_LENGTH), nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_watch_list_identity", "identity"),
)

#: What was told, once for each track and entry of the watch list.
watch_hits: Final = Table(
    "watch_hits",
    Base.metadata,
    Column("watch", String(IDENTITY_LENGTH), nullable=False),
    Column("track", String(EVENT_ID_LENGTH), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    #: The event as it goes into the stream; null once it is there.
    Column("event", JSON(none_as_null=True)),
    PrimaryKeyConstraint("watch", "track"),
    Index("ix_watch_hits_at", "at_ms"),
)

#: How long the way from one camera to another takes, milliseconds.
transit_times: Final = Table(
    "transit_times",
    Base.metadata,
    Column("from_camera", String(64), nullable=False),
    Column("to_camera", String(64), nullable=False),
    #: ``learnt`` or ``said``; what a person said wins.
    Column("source", String(8), nullable=False),
    #: Null: no bound.
    Column("shortest_ms", BigInteger),
    Column("longest_ms", BigInteger),
    Column("is_impossible", Boolean, nullable=False),
    PrimaryKeyConstraint("from_camera", "to_camera", "source"),
)

#: What each camera has seen of an embedder's embeddings, on average.
camera_means: Final = Table(
    "camera_means",
    Base.metadata,
    Column("version", String(VERSION_LENGTH), nullable=False),
    Column("camera_id", String(64), nullable=False),
    Column("tracks", Integer, nullable=False),
    #: As little-endian float32.
    Column("mean", LargeBinary, nullable=False),
    PrimaryKeyConstraint("version", "camera_id"),
)

#: Tracks of identities that were erased: what is still on the way for them is not kept.
erased_tracks: Final = Table(
    "erased_tracks",
    Base.metadata,
    Column("track", String(EVENT_ID_LENGTH), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_erased_tracks_at", "at_ms"),
)
