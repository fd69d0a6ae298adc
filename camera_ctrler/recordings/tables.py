"""Tables of the index of footage, beside the cameras; migration 0004 makes them.

One row for each file would be read and summed up by the million without `segment_hours` and `segment_times`, which are
kept in the same transactions: what is long (a month's timeline, bytes per camera, which hour is the oldest) is asked of
them.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, SmallInteger, String, Table, Text

from database.base import Base

#: Columns of `segments` beside its key.
IN_KEY: Final = ["duration_ms", "size_bytes", "format", "kept_for", "motion", "tier", "seen"]

#: Numbers stand for camera ids in the large tables; a number is never used again.
recorded_cameras: Final = Table(
    "recorded_cameras",
    Base.metadata,
    Column("number", Integer, primary_key=True),
    Column("camera_id", String(64), nullable=False, unique=True),
)

#: Codec, sound and size in pixels: the same for millions of files.
segment_formats: Final = Table(
    "segment_formats",
    Base.metadata,
    Column("number", Integer, primary_key=True),
    Column("codec", String(16), nullable=False),
    Column("audio", String(16), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Index("ix_segment_formats", "codec", "audio", "width", "height", unique=True),
)

#: One row for each file. SQLite keeps the rows in the order of the key, so that what a camera has recorded lies
#: together; in PostgreSQL the order of the columns leaves no holes for alignment.
segments: Final = Table(
    "segments",
    Base.metadata,
    Column("start_ms", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("camera", Integer, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("format", Integer, nullable=False),
    #: `KeptFor.rank`.
    Column("kept_for", SmallInteger, nullable=False),
    #: Thousandths.
    Column("motion", SmallInteger, nullable=False),
    #: 0: the frames volume; 1: the archive.
    Column("tier", SmallInteger, nullable=False),
    #: Class name -> most seen, as JSON; null: nothing.
    Column("seen", Text),
    # In PostgreSQL the key has everything that is asked for: the rows of a camera lie apart, among those of all others.
    PrimaryKeyConstraint("camera", "start_ms", "epoch", postgresql_include=IN_KEY),
    sqlite_with_rowid=False,
)

#: What the files come to that start in an hour, for each camera and tier: what cleaners ask, who read all of it.
segment_hours: Final = Table(
    "segment_hours",
    Base.metadata,
    Column("camera", Integer, primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("tier", SmallInteger, primary_key=True),
    #: Files and bytes by `KeptFor.rank`.
    Column("count_0", Integer, nullable=False),
    Column("count_1", Integer, nullable=False),
    Column("count_2", Integer, nullable=False),
    Column("bytes_0", BigInteger, nullable=False),
    Column("bytes_1", BigInteger, nullable=False),
    Column("bytes_2", BigInteger, nullable=False),
    Index("ix_segment_hours_tier", "tier", "hour_ms", "camera"),
    sqlite_with_rowid=False,
)

#: What they have recorded and seen: what players ask, of one camera. Some 1.5 kB a row.
segment_times: Final = Table(
    "segment_times",
    Base.metadata,
    Column("camera", Integer, primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("tier", SmallInteger, primary_key=True),
    #: Sum of the files' durations.
    Column("recorded_ms", BigInteger, nullable=False),
    #: Sum of duration times motion, in thousandths.
    Column("moving", BigInteger, nullable=False),
    Column("seen", Text),
    #: JSON: start, end, start, end, ... in milliseconds since the hour, of what was recorded without a gap.
    Column("spans", Text, nullable=False),
    #: JSON: the same by minute, `Minutes`.
    Column("minutes", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: One row: how much of the stream of finished files is in here. Who writes locks it first.
recording_state: Final = Table(
    "recording_state",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    #: The two halves of the entry id.
    Column("position_ms", BigInteger, nullable=False),
    Column("position_seq", BigInteger, nullable=False),
)
