"""Tables of what recognisers are asked and what they said; migration 0008 makes them.

Event writers leave notes, the dispatcher of recognition makes rows of them, recognisers fill those in.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from database.base import Base

#: SQLite numbers rows by itself only where the key is an INTEGER, which holds 64 bits there.
_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")

#: One row for each event that has crops, written in the transaction that stores the event; it goes as soon as the
#: dispatcher has made recognitions of it.
recognition_notes: Final = Table(
    "recognition_notes",
    Base.metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("event_id", String(128), nullable=False),
    #: Those of its event, as are the next ones.
    Column("at_ms", BigInteger, nullable=False),
    #: The whole `Event`.
    Column("event", JSON, nullable=False),
    UniqueConstraint("event_id", name="uq_recognition_notes_event_id"),
    Index("ix_recognition_notes_at", "at_ms"),
)

#: One row for each event and each recogniser that wants it.
recognitions: Final = Table(
    "recognitions",
    Base.metadata,
    Column("event_id", String(128), nullable=False),
    Column("recogniser", String(32), nullable=False),
    #: Those of the event, as are the next ones. Unix ms UTC by the worker's clock.
    Column("at_ms", BigInteger, nullable=False),
    Column("camera_id", String(64), nullable=False),
    Column("track", String(128), nullable=False),
    Column("class_name", String(128), nullable=False),
    #: `RecognitionRequest`.
    Column("request", JSON, nullable=False),
    #: One of `RecognitionState`.
    Column("state", String(8), nullable=False),
    #: The queue that it is on, or shall be on: ``high``, ``default`` or ``low``.
    Column("queue", String(8), nullable=False),
    #: How often it was tried in vain.
    Column("attempts", Integer, nullable=False),
    #: Crops of the request, the worst, that are not looked at because there is too much to do.
    Column("left_out", Integer, nullable=False),
    #: It is not put on the queue before, Unix ms UTC; 0: it may be at once.
    Column("due_at_ms", BigInteger, nullable=False),
    #: Why it failed last; null: it has not.
    Column("reason", Text),
    #: Version of the recogniser that made the result; null: there is none.
    Column("version", String(64)),
    Column("result", JSON(none_as_null=True)),
    #: When it was put on the queue last, Unix ms UTC by the dispatcher's clock.
    Column("queued_at_ms", BigInteger),
    #: When it became done or dead, Unix ms UTC by the clock of the recogniser's host.
    Column("done_at_ms", BigInteger),
    PrimaryKeyConstraint("event_id", "recogniser"),
    Index("ix_recognitions_queue", "state", "queue", "at_ms"),
    Index("ix_recognitions_state", "state", "at_ms", "event_id", "recogniser"),
    Index("ix_recognitions_time", "at_ms", "event_id", "recogniser"),
    Index("ix_recognitions_camera", "camera_id", "at_ms", "event_id", "recogniser"),
    Index("ix_recognitions_track", "track"),
)
