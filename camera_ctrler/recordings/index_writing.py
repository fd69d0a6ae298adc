"""Changes to the index of footage: rows of files, and the hours' totals that go with them, in one transaction.

Every function takes the connection of a transaction that holds the lock (`lock`). So what is read here is still true
when it is written, on SQLite as on PostgreSQL.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from camera_ctrler.recordings.bulk_writing import insert_rows, update_rows
from camera_ctrler.recordings.hour_totals import StoredFile, seen_text
from camera_ctrler.recordings.indexed_segment import Format, SegmentKey
from camera_ctrler.recordings.tables import recorded_cameras, recording_state, segment_formats, segments
from camera_ctrler.recordings.totals_writing import FILE_COLUMNS, count, count_anew
from contract.recording_paths import HOUR_MS
from contract.recordings import MAX_SEGMENT_MS, Segment
from runtime.recording_store import LAST_MS

#: Keys in one question: three parameters each, and SQLite takes 32,766.
_BATCH: Final = 1_000

#: Larger than any true figure, and what the columns hold.
_LIMIT: Final = 10**15
_PIXELS: Final = 1_000_000

_Item = TypeVar("_Item")

log = structlog.get_logger(__name__)


def lock(connection: Connection) -> tuple[int, int]:
    """Let nobody else change the index until this transaction ends; return the position in the stream.

    On SQLite a transaction that reads first and writes later would not wait for another writer; this one writes first.
    """
    state = recording_state
    locked = connection.execute(update(state).values(position_seq=state.c.position_seq))
    if not locked.rowcount:
        connection.execute(insert(state).values(id=1, position_ms=0, position_seq=0))
    row = connection.execute(select(state.c.position_ms, state.c.position_seq)).one()
    return row.position_ms, row.position_seq


def note_position(connection: Connection, position: tuple[int, int]) -> None:
    """Write down how much of the stream the index contains."""
    connection.execute(update(recording_state).values(position_ms=position[0], position_seq=position[1]))


def add(connection: Connection, found: Iterable[Segment], *, replace: bool = True) -> None:
    """Insert or replace files; of two with the same key the later one counts, for the best reason of all."""
    given = _latest(found)
    numbers = _numbers(connection, {camera_id for camera_id, _, _ in given})
    formats = _formats(connection, {_format(segment) for segment in given.values()})
    fresh = {
        (numbers[segment.camera_id], segment.start_ms, segment.epoch): _stored(
            segment, numbers[segment.camera_id], formats[_format(segment)]
        )
        for segment in given.values()
    }
    known = _known(connection, fresh)
    new: list[StoredFile] = []
    changed: list[tuple[StoredFile, StoredFile]] = []
    for key, file in fresh.items():
        before = known.get(key)
        if before is None:
            new.append(file)
            continue
        after = file._replace(kept_for=max(before.kept_for, file.kept_for), tier=before.tier)
        if replace and after != before:
            changed.append((before, after))
    insert_rows(connection, segments, [file._asdict() for file in new])
    update_rows(connection, segments, [after._asdict() for _, after in changed])
    count(connection, new, changed)


def remove(connection: Connection, keys: Iterable[SegmentKey], tier: int) -> None:
    """Forget files of one tier; those that are not known there are left out."""
    wanted = set(keys)
    numbers = _known_numbers(connection, {camera_id for camera_id, _, _ in wanted})
    rows = [(numbers[name], start, epoch) for name, start, epoch in wanted if name in numbers]
    statement = delete(segments).where(
        segments.c.camera == bindparam("a"),
        segments.c.start_ms == bindparam("b"),
        segments.c.epoch == bindparam("c"),
        segments.c.tier == tier,
    )
    if rows:
        connection.execute(statement, [{"a": camera, "b": start, "c": epoch} for camera, start, epoch in rows])
        count_anew(connection, {(camera, start // HOUR_MS * HOUR_MS) for camera, start, _ in rows})


def move(connection: Connection, keys: Iterable[SegmentKey], tier: int) -> None:
    """Note that files lie on another tier now; those that are not known are left out."""
    wanted = set(keys)
    numbers = _known_numbers(connection, {camera_id for camera_id, _, _ in wanted})
    rows = [(numbers[name], start, epoch) for name, start, epoch in wanted if name in numbers]
    known = _known(connection, rows)
    update_rows(connection, segments, [file._replace(tier=tier)._asdict() for file in known.values()])
    count_anew(connection, {(file.camera, file.hour_ms) for file in known.values()})


def _latest(found: Iterable[Segment]) -> dict[SegmentKey, Segment]:
    latest: dict[SegmentKey, Segment] = {}
    for segment in filter(_is_storable, found):
        key = (segment.camera_id, segment.start_ms, segment.epoch)
        before = latest.get(key)
        if before is not None and before.kept_for.rank > segment.kept_for.rank:
            segment = segment.model_copy(update={"kept_for": before.kept_for})  # noqa: PLW2901 - the same file
        latest[key] = segment
    return latest


def _is_storable(segment: Segment) -> bool:
    """Tell whether the database has room for a file's figures: one that has not must not keep all others out."""
    texts, pixels = segment.codec + segment.audio, (segment.width, segment.height)
    fits = (
        segment.end_ms <= LAST_MS
        and segment.epoch < _LIMIT
        and segment.size_bytes < _LIMIT
        and all(0 <= side < _PIXELS for side in pixels)
        and (not texts or (texts.isascii() and texts.isprintable()))
    )
    if not fits:
        log.error("segment_unusable", segment=segment.model_dump_json()[:500])
    return fits


def _format(segment: Segment) -> Format:
    return segment.codec, segment.audio, segment.width, segment.height


def _stored(segment: Segment, camera: int, number: int) -> StoredFile:
    duration_ms = segment.end_ms - segment.start_ms
    if duration_ms > MAX_SEGMENT_MS:
        # Nobody would find its end; the file itself plays to it all the same.
        log.error("segment_too_long", camera=segment.camera_id, start_ms=segment.start_ms, duration_ms=duration_ms)
        duration_ms = MAX_SEGMENT_MS
    return StoredFile(
        camera=camera,
        start_ms=segment.start_ms,
        epoch=segment.epoch,
        duration_ms=duration_ms,
        size_bytes=segment.size_bytes,
        format=number,
        kept_for=segment.kept_for.rank,
        motion=round(segment.motion * 1000),
        tier=0,
        seen=seen_text(segment.seen),
    )


def _known_numbers(connection: Connection, camera_ids: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    table = recorded_cameras
    for batch in _batches(sorted(camera_ids)):
        rows = connection.execute(select(table.c.camera_id, table.c.number).where(table.c.camera_id.in_(batch)))
        found |= {row.camera_id: row.number for row in rows}
    return found


def _numbers(connection: Connection, camera_ids: set[str]) -> dict[str, int]:
    """Return the numbers that stand for cameras; new ones are given where there is none."""
    found = _known_numbers(connection, camera_ids)
    missing = sorted(camera_ids - found.keys())
    if missing:
        connection.execute(insert(recorded_cameras), [{"camera_id": camera_id} for camera_id in missing])
        found |= _known_numbers(connection, set(missing))
    return found


def read_formats(connection: Connection) -> dict[int, Format]:
    """Return number -> codec, sound, width and height in pixels; there are as many as kinds of cameras."""
    rows = connection.execute(select(segment_formats))
    return {row.number: (row.codec, row.audio, row.width, row.height) for row in rows}


def _formats(connection: Connection, wanted: set[Format]) -> dict[Format, int]:
    """Return the numbers that stand for formats; new ones are given where there is none."""
    found = {each: number for number, each in read_formats(connection).items()}
    missing = sorted(wanted - found.keys())
    if missing:
        names = ("codec", "audio", "width", "height")
        connection.execute(insert(segment_formats), [dict(zip(names, each, strict=True)) for each in missing])
        found = {each: number for number, each in read_formats(connection).items()}
    return found


def _known(connection: Connection, keys: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int, int], StoredFile]:
    """Return the rows of files by camera number, start and epoch.

    Asked by ranges of the key, hour by hour: given a list of whole keys SQLite 3.40 looks at all rows of a camera.
    """
    wanted = set(keys)
    by_hour: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for key in wanted:
        by_hour[key[1] // HOUR_MS].append(key)
    found: dict[tuple[int, int, int], StoredFile] = {}
    table = segments
    for its in by_hour.values():
        starts = [start_ms for _, start_ms, _ in its]
        query = select(*FILE_COLUMNS).where(
            table.c.camera.in_(sorted({camera for camera, _, _ in its})),
            table.c.start_ms >= min(starts),
            table.c.start_ms <= max(starts),
        )
        files = (StoredFile(*row) for row in connection.execute(query).all())
        found |= {key: file for file in files if (key := (file.camera, file.start_ms, file.epoch)) in wanted}
    return found


def _batches(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
