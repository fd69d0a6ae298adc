"""Tables of the event store, beside the cameras; migration 0006 makes them.

In PostgreSQL `events` and `event_photos` are partitioned by `at_ms`, a week each, so that what is too old goes at once;
that is why their keys begin with it. The same event has the same time however often it is sent.
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
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
)

from database.base import Base

#: Longest ids and names that there is room for.
ID_LENGTH: Final = 128

#: One row for each event. Evidence is in `event_photos`.
events: Final = Table(
    "events",
    Base.metadata,
    Column("at_ms", BigInteger, nullable=False),
    Column("event_id", String(ID_LENGTH), nullable=False),
    #: The two halves of the id of the entry with which it came: the order in which Redis took events.
    Column("entry_ms", BigInteger, nullable=False),
    Column("entry_seq", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("camera_id", String(64), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("worker_id", String(ID_LENGTH), nullable=False),
    Column("reason", String(64)),
    Column("track_id", BigInteger),
    Column("track", String(ID_LENGTH)),
    Column("started_at_ms", BigInteger),
    Column("frames_seen", BigInteger),
    Column("class_id", Integer),
    Column("class_name", String(ID_LENGTH)),
    Column("xyxy", JSON(none_as_null=True)),
    Column("confidence", Float),
    Column("width", Integer),
    Column("height", Integer),
    #: A list of `Crop`; null: none.
    Column("crops", JSON(none_as_null=True)),
    #: Of `IDENTITY_SEEN`.
    Column("identity", String(40)),
    Column("similarity", Float),
    Column("watch", String(40)),
    PrimaryKeyConstraint("at_ms", "event_id"),
    Index("ix_events_event_id", "event_id"),
    Index("ix_events_entry", "entry_ms", "entry_seq"),
    Index("ix_events_time", "at_ms", "entry_ms"),
    Index("ix_events_camera", "camera_id", "entry_ms", "entry_seq"),
    postgresql_partition_by="RANGE (at_ms)",
)

#: The saved frame that shows an event's object, for events that have one.
event_photos: Final = Table(
    "event_photos",
    Base.metadata,
    #: Those of its event.
    Column("at_ms", BigInteger, nullable=False),
    Column("event_id", String(ID_LENGTH), nullable=False),
    #: Relative to the frames volume.
    Column("path", Text, nullable=False),
    #: Where the object is, ``xyxy`` in pixels of the frame; null: its worker did not say so.
    Column("xyxy", JSON(none_as_null=True)),
    PrimaryKeyConstraint("at_ms", "event_id"),
    postgresql_partition_by="RANGE (at_ms)",
)

#: One row for each tracked object, rolled up from its events.
tracks: Final = Table(
    "tracks",
    Base.metadata,
    #: Id of the event with which it started.
    Column("track", String(ID_LENGTH), primary_key=True),
    Column("camera_id", String(64), nullable=False),
    #: Under which its first event was told.
    Column("epoch", BigInteger, nullable=False),
    Column("track_id", BigInteger, nullable=False),
    Column("class_name", String(ID_LENGTH)),
    Column("first_seen_ms", BigInteger, nullable=False),
    Column("last_seen_ms", BigInteger, nullable=False),
    Column("ended", Boolean, nullable=False),
    #: Frames in which it was seen.
    Column("frames_seen", BigInteger, nullable=False),
    #: The best of what its events show; `best_score` is what they are compared by.
    Column("best_score", Float, nullable=False),
    Column("best_path", Text),
    Column("best_xyxy", JSON(none_as_null=True)),
    Column("best_confidence", Float),
    Index("ix_tracks_first_seen", "first_seen_ms", "track"),
    Index("ix_tracks_camera", "camera_id", "first_seen_ms", "track"),
    Index("ix_tracks_last_seen", "last_seen_ms"),
)

#: Entries of the stream that are no events which can be stored, with the reason.
event_dead_letters: Final = Table(
    "event_dead_letters",
    Base.metadata,
    Column("entry_ms", BigInteger, nullable=False),
    Column("entry_seq", BigInteger, nullable=False),
    #: When it was put here, Unix ms UTC by the event writer's clock.
    Column("kept_at_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    #: What the entry had, cut short where it was long.
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("entry_ms", "entry_seq"),
    Index("ix_event_dead_letters_kept", "kept_at_ms"),
)

#: One row: what was written since the tables were made. Who writes events locks it first.
event_store_state: Final = Table(
    "event_store_state",
    Base.metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("stored", BigInteger, nullable=False),
    #: Events that came again after they had been stored.
    Column("repeated", BigInteger, nullable=False),
    Column("dead_letters", BigInteger, nullable=False),
)
