"""Questions to the tables of the index: which rows belong to a time, and what happened in it."""

from typing import Any, Final

from sqlalchemy import Connection, ScalarSelect, or_, select

from camera_ctrler.recordings.hour_totals import MINUTE_MS, Minutes, read_seen
from camera_ctrler.recordings.spans import Piece
from camera_ctrler.recordings.tables import recorded_cameras, segment_times, segments
from contract.recording_paths import HOUR_MS
from contract.recordings import MAX_SEGMENT_MS

#: Later than any file, and in 64 bits even with some hours added.
_FAR_MS: Final = 10**18


def overlapping(camera_id: str, from_ms: int, to_ms: int) -> tuple[Any, ...]:
    """Return what is true of the files that have something of the range."""
    table, from_ms, to_ms = segments, _stored_time(from_ms), _stored_time(to_ms)
    return (
        table.c.camera == _number_of(camera_id),
        # No file is longer: without this, everything since the beginning would have to be looked at.
        table.c.start_ms > from_ms - MAX_SEGMENT_MS,
        table.c.start_ms < to_ms,
        or_(table.c.start_ms + table.c.duration_ms > from_ms, table.c.start_ms >= from_ms),
    )


def hours_of(camera_id: str, from_ms: int, to_ms: int) -> tuple[Any, ...]:
    """Return what is true of the hours whose files may have something of the range."""
    table, from_ms, to_ms = segment_times, _stored_time(from_ms), _stored_time(to_ms)
    return (
        table.c.camera == _number_of(camera_id),
        table.c.hour_ms > from_ms - HOUR_MS - MAX_SEGMENT_MS,
        table.c.hour_ms < to_ms,
    )


def pieces_of_files(connection: Connection, camera_id: str, from_ms: int, to_ms: int) -> list[Piece]:
    """Return one piece for each file."""
    columns = (segments.c.start_ms, segments.c.duration_ms, segments.c.motion, segments.c.seen)
    rows = connection.execute(select(*columns).where(*overlapping(camera_id, from_ms, to_ms)))
    return [
        Piece(start_ms, start_ms + duration_ms, motion / 1000, 1.0, read_seen(seen))
        for start_ms, duration_ms, motion, seen in rows
    ]


def pieces_of_minutes(connection: Connection, camera_id: str, from_ms: int, to_ms: int) -> list[Piece]:
    """Return a piece for each minute in which files start, from the sums that are kept."""
    table = segment_times
    rows = connection.execute(select(table.c.hour_ms, table.c.minutes).where(*hours_of(camera_id, from_ms, to_ms)))
    pieces: list[Piece] = []
    for hour_ms, text in rows:
        its = Minutes.read(text)
        pieces += [
            _piece(hour_ms + number * MINUTE_MS, MINUTE_MS, recorded_ms, moving, its.seen.get(number, {}))
            for number, (recorded_ms, moving) in enumerate(zip(its.recorded_ms, its.moving, strict=True))
            if recorded_ms
        ]
    return pieces


def pieces_of_hours(connection: Connection, camera_id: str, from_ms: int, to_ms: int) -> list[Piece]:
    """Return a piece for each hour in which files start, from the sums that are kept."""
    table = segment_times
    columns = (table.c.hour_ms, table.c.recorded_ms, table.c.moving, table.c.seen)
    rows = connection.execute(select(*columns).where(*hours_of(camera_id, from_ms, to_ms)))
    return [
        _piece(hour_ms, HOUR_MS, recorded_ms, moving, read_seen(seen)) for hour_ms, recorded_ms, moving, seen in rows
    ]


def _piece(start_ms: int, length_ms: int, recorded_ms: int, moving: int, seen: dict[str, int]) -> Piece:
    """Return what stands for all files that start in a time."""
    motion = moving / recorded_ms / 1000 if recorded_ms else 0.0
    return Piece(start_ms, start_ms + length_ms, motion, recorded_ms / length_ms, seen)


def _number_of(camera_id: str) -> ScalarSelect[Any]:
    """Asked anew each time: a number that somebody remembers is wrong once an older database was put back."""
    table = recorded_cameras
    return select(table.c.number).where(table.c.camera_id == camera_id).scalar_subquery()


def _stored_time(at_ms: int) -> int:
    """Return a time that fits into the database, whatever somebody asks for."""
    return max(-_FAR_MS, min(at_ms, _FAR_MS))
