"""Keeps the hours' totals equal to the rows of files, in the transaction that changes these."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, and_, delete, select

from camera_ctrler.recordings.bulk_writing import insert_rows, update_rows
from camera_ctrler.recordings.hour_totals import HourTotals, StoredFile, only_promoted, totals_of
from camera_ctrler.recordings.tables import segment_hours, segment_times, segments
from contract.recording_paths import HOUR_MS

#: The columns of a `StoredFile`, in its order.
FILE_COLUMNS: Final = tuple(segments.c[name] for name in StoredFile._fields)
#: Key of both tables of totals.
_KEY: Final = ("camera", "hour_ms", "tier")


def count(connection: Connection, new: Sequence[StoredFile], changed: Iterable[tuple[StoredFile, StoredFile]]) -> None:
    """Bring the totals up to date, from the rows only where a file's figures have changed."""
    stale = {(after.camera, after.hour_ms) for before, after in changed if not only_promoted(before, after)}
    added: dict[tuple[int, int, int], list[StoredFile]] = defaultdict(list)
    for file in new:
        added[file.camera, file.hour_ms, file.tier].append(file)
    promoted = defaultdict(list)
    for before, after in changed:
        promoted[after.camera, after.hour_ms, after.tier].append((before, after))
    touched = {key for key in {*added, *promoted} if key[:2] not in stale}
    totals = _read_totals(connection, touched)
    known = set(totals)
    for key in touched:
        its = totals.setdefault(key, HourTotals(*key))
        its.add(added.get(key, ()))
        for before, after in promoted.get(key, ()):
            its.promote(before, after)
    _write_totals(connection, list(totals.values()), known)
    count_anew(connection, stale)


def _read_totals(
    connection: Connection, keys: Collection[tuple[int, int, int]]
) -> dict[tuple[int, int, int], HourTotals]:
    if not keys:
        return {}
    sums, times = segment_hours, segment_times
    figures = [column for column in times.c if not column.primary_key]
    query = (
        select(*sums.c, *figures)
        .join(times, and_(*(times.c[name] == sums.c[name] for name in _KEY)))
        .where(
            sums.c.camera.in_(sorted({camera for camera, _, _ in keys})),
            sums.c.hour_ms.in_(sorted({hour_ms for _, hour_ms, _ in keys})),
        )
    )
    found = (HourTotals.from_row(tuple(row)) for row in connection.execute(query).all())
    return {each.key: each for each in found if each.key in keys}


def _write_totals(
    connection: Connection, totals: Collection[HourTotals], known: Collection[tuple[int, int, int]]
) -> None:
    for table, figures in ((segment_hours, HourTotals.sums), (segment_times, HourTotals.times)):
        rows = [(each.key in known, dict(zip(_KEY, each.key, strict=True)) | figures(each)) for each in totals]
        insert_rows(connection, table, [row for is_known, row in rows if not is_known])
        update_rows(connection, table, [row for is_known, row in rows if is_known])


def count_anew(connection: Connection, hours: Iterable[tuple[int, int]]) -> None:
    """Sum up the rows of whole hours: what a file took from spans and classes cannot be reckoned backwards."""
    files = segments
    totals: list[HourTotals] = []
    for camera, hour_ms in sorted(hours):
        for table in (segment_hours, segment_times):
            connection.execute(delete(table).where(table.c.camera == camera, table.c.hour_ms == hour_ms))
        rows = connection.execute(
            select(*FILE_COLUMNS).where(
                files.c.camera == camera, files.c.start_ms >= hour_ms, files.c.start_ms < hour_ms + HOUR_MS
            )
        )
        totals += totals_of(StoredFile(*row) for row in rows)
    _write_totals(connection, totals, known=())
