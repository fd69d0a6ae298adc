"""The index of footage in SQL: which file has what a camera recorded at a time, and what happened in it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select, tuple_

from camera_ctrler.recordings import index_writing
from camera_ctrler.recordings.hour_totals import MINUTE_MS, RANKS, StoredFile, read_spans
from camera_ctrler.recordings.index_reading import (
    hours_of,
    overlapping,
    pieces_of_files,
    pieces_of_hours,
    pieces_of_minutes,
)
from camera_ctrler.recordings.index_writing import read_formats
from camera_ctrler.recordings.indexed_segment import Format, IndexedSegment, SegmentKey, StoredSegment
from camera_ctrler.recordings.spans import (
    Bucket,
    Piece,
    Span,
    buckets_of,
    check_buckets,
    clipped,
    merged,
)
from camera_ctrler.recordings.tables import recorded_cameras, recording_state, segment_hours, segment_times, segments
from camera_ctrler.recordings.totals_writing import FILE_COLUMNS
from contract.recording_paths import HOUR_MS
from contract.recordings import KeptFor, Segment

__all__ = ["Bucket", "CameraHour", "IndexedSegment", "SegmentIndex", "SegmentKey", "Span"]

#: Tiers: where a file lies.
VOLUME: Final = 0
ARCHIVE: Final = 1
_FORMAT: Final = itemgetter(StoredFile._fields.index("format"))
#: Most files that one transaction changes: some 100 ms in which no other process can write to SQLite.
_BATCH: Final = 1_000
#: Hours that are read at a time.
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class CameraHour:
    """What the files of a camera come to that start in one hour, on one tier."""

    camera_id: str
    #: Begin of the hour, Unix ms UTC.
    hour_ms: int
    tier: int
    #: Bytes and files by the reason they are kept for; each reason is there.
    bytes: dict[KeptFor, int]
    count: dict[KeptFor, int]


class SegmentIndex:
    """The index. Safe to use from several threads and processes.

    Times are Unix milliseconds UTC, ranges are half open. Every method raises `SQLAlchemyError` while the database is
    away. Asking costs what is found, not what is stored.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # What is asked is one statement mostly: with a transaction around it PostgreSQL would be spoken to three times.
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        #: Of the numbers seen so far; a number is given once.
        self._formats: dict[int, Format] = {}

    # --- changing ------------------------------------------------------------------------------------------------

    def add(self, found: Iterable[Segment], *, position: str | None = None) -> bool:
        """Insert or replace files; the reason a file is kept for only rises, and its tier stays.

        Args:
            found: In any order; of two with the same key the later one counts.
            position: Id of the last entry of the stream that they came with. Then all of them and the position are
                written in one transaction, or nothing where the index has come as far already: so a batch counts
                once, and what a former leader still writes does no harm. Without it they go in by thousands.

        Returns:
            Whether they were written: False only where the position says that they were before.
        """
        if position is None:
            for batch in _batches(found):
                with self._writing() as (connection, _):
                    index_writing.add(connection, batch)
            return True
        ours = _halves(position)
        with self._writing() as (connection, theirs):
            if ours <= theirs:
                return False
            index_writing.add(connection, found)
            index_writing.note_position(connection, ours)
        return True

    def add_missing(self, found: Iterable[Segment]) -> None:
        """Insert files; those that are known stay as they are: whoever wrote them knew more of them."""
        for batch in _batches(found):
            with self._writing() as (connection, _):
                index_writing.add(connection, batch, replace=False)

    def position(self) -> str:
        """Return the id of the last entry of the stream that is in the index; ``0`` at the beginning."""
        state = recording_state
        with self._reading.connect() as connection:
            row = connection.execute(select(state.c.position_ms, state.c.position_seq)).one_or_none()
        return "0" if row is None or row == (0, 0) else f"{row.position_ms}-{row.position_seq}"

    def begin_anew(self) -> None:
        """Read the stream from its beginning: it is another one, whose entries may have smaller ids."""
        with self._writing() as (connection, _):
            index_writing.note_position(connection, (0, 0))

    def remove(self, keys: Iterable[SegmentKey], *, tier: int) -> None:
        """Forget files (camera id, start, epoch), by thousands; those that are not known are left out.

        Quickest with the files of an hour together.

        Args:
            keys: Of the files.
            tier: Where they lay that are gone: whoever looks may do so while they are moved to another tier.
        """
        for batch in _batches(keys):
            with self._writing() as (connection, _):
                index_writing.remove(connection, batch, tier)

    def moved(self, keys: Iterable[SegmentKey], tier: int) -> None:
        """Note, by thousands, that files lie on another tier now; those that are not known are left out."""
        for batch in _batches(keys):
            with self._writing() as (connection, _):
                index_writing.move(connection, batch, tier)

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, tuple[int, int]]]:
        with self._engine.begin() as connection:
            yield connection, index_writing.lock(connection)

    # --- files ---------------------------------------------------------------------------------------------------

    def find(self, camera_id: str, from_ms: int, to_ms: int, *, limit: int | None = None) -> list[IndexedSegment]:
        """Return the files that have something of the range, by start and epoch; the first `limit` of them."""
        query = (
            select(*FILE_COLUMNS)
            .where(*overlapping(camera_id, from_ms, to_ms))
            .order_by(segments.c.start_ms, segments.c.epoch)
            .limit(limit)
        )
        if from_ms >= to_ms:
            return []
        with self._reading.connect() as connection:
            rows = connection.execute(query).all()
            if not self._formats.keys() >= set(map(_FORMAT, rows)):
                self._formats = read_formats(connection)
        return [StoredSegment(camera_id, row, self._formats) for row in rows]

    def segments_of_hour(self, camera_id: str, hour_ms: int) -> list[IndexedSegment]:
        """Return the files that start in the hour that begins at `hour_ms`, by start and epoch, of all tiers."""
        found = self.find(camera_id, hour_ms, hour_ms + HOUR_MS)
        return [each for each in found if each.segment.start_ms >= hour_ms]

    # --- sums ----------------------------------------------------------------------------------------------------

    def spans(self, camera_id: str, from_ms: int, to_ms: int) -> list[Span]:
        """Return what was recorded without a gap (less than `GAP_MS`), clipped to the range, in order."""
        table = segment_times
        query = select(table.c.hour_ms, table.c.spans).where(*hours_of(camera_id, from_ms, to_ms))
        with self._reading.connect() as connection:
            rows = connection.execute(query).all()
        pieces = (span for row in rows for span in read_spans(row.spans, row.hour_ms))
        return clipped(merged((span.start_ms, span.end_ms) for span in pieces), from_ms, to_ms)

    def density(self, camera_id: str, from_ms: int, to_ms: int, bucket_ms: int) -> list[Bucket]:
        """Return what happened, by buckets that begin at multiples of `bucket_ms`; empty ones are left out.

        Seconds are exact. What was seen in a file counts in every bucket that it reaches into; with buckets of a
        minute and more, in those of the minute in which it starts, and with whole hours in that of its hour. Whole
        hours are the quickest for more than some days, and less than a minute the slowest: then each file is read.

        Raises:
            ContractError: More buckets than anybody can look at.
        """
        check_buckets(from_ms, to_ms, bucket_ms)
        spans = self.spans(camera_id, from_ms, to_ms)
        return buckets_of(spans, self.pieces(camera_id, from_ms, to_ms, bucket_ms), from_ms, to_ms, bucket_ms)

    def pieces(self, camera_id: str, from_ms: int, to_ms: int, bucket_ms: int) -> list[Piece]:
        """Return what happened in the range, as finely as buckets of this width need it."""
        if bucket_ms < MINUTE_MS:
            ask = pieces_of_files
        else:
            ask = pieces_of_minutes if bucket_ms % HOUR_MS else pieces_of_hours
        with self._reading.connect() as connection:
            return ask(connection, camera_id, from_ms, to_ms)

    def hours(self, *, tier: int, before_ms: int | None = None) -> Iterator[CameraHour]:
        """Yield what the hours of all cameras come to, oldest first, then by camera.

        They are read in pages, so that they may be removed on the way.

        Args:
            tier: Where the files are.
            before_ms: Only hours that begin before it.
        """
        table, after = segment_hours, (-1, -1)
        while True:
            query = (
                select(table, recorded_cameras.c.camera_id)
                .join(recorded_cameras, recorded_cameras.c.number == table.c.camera)
                .where(table.c.tier == tier, tuple_(table.c.hour_ms, table.c.camera) > after)
                .order_by(table.c.hour_ms, table.c.camera)
                .limit(_PAGE)
            )
            if before_ms is not None:
                query = query.where(table.c.hour_ms < before_ms)
            with self._reading.connect() as connection:
                rows = connection.execute(query).mappings().all()
            yield from (_camera_hour({str(name): value for name, value in row.items()}) for row in rows)
            if len(rows) < _PAGE:
                return
            after = (rows[-1]["hour_ms"], rows[-1]["camera"])

    def totals(self, *, tier: int = VOLUME) -> dict[str, int]:
        """Return camera id -> bytes on a tier; cameras with nothing there are left out."""
        table = segment_hours
        total = func.sum(table.c.bytes_0 + table.c.bytes_1 + table.c.bytes_2)
        query = (
            select(recorded_cameras.c.camera_id, total)
            .join(recorded_cameras, recorded_cameras.c.number == table.c.camera)
            .where(table.c.tier == tier)
            .group_by(recorded_cameras.c.camera_id)
        )
        with self._reading.connect() as connection:
            return {camera_id: int(size) for camera_id, size in connection.execute(query)}


def _camera_hour(row: dict[str, Any]) -> CameraHour:
    return CameraHour(
        camera_id=row["camera_id"],
        hour_ms=row["hour_ms"],
        tier=row["tier"],
        bytes={KeptFor.ranked(rank): row[f"bytes_{rank}"] for rank in RANKS},
        count={KeptFor.ranked(rank): row[f"count_{rank}"] for rank in RANKS},
    )


def _halves(position: str) -> tuple[int, int]:
    """Return a stream entry's id as numbers, which compare as the server orders them."""
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number or 0)


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch
