"""Keeps the hours' totals equal to the rows of files, in the transaction that changes these."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, bindparam, delete, insert, select, update

from camera_ctrler.recordings.hour_totals import HourTotals, StoredFile, only_promoted, totals_of
from camera_ctrler.recordings.tables import segment_hours, segment_times, segments
from contract.recording_paths import HOUR_MS

#: The columns of a `StoredFile`, in its order.
FILE_COLUMNS: Final = tuple(segments.c[name] for name in StoredFile._fields)


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
    _write_totals(connection, totals.values(), known)
    count_anew(connection, stale)


def _read_totals(
    connection: Connection, keys: Collection[tuple[int, int, int]]
) -> dict[tuple[int, int, int], HourTotals]:
    if not keys:
        return {}
    sums, times = segment_hours, segment_times
    columns = [column for column in times.c if column.name not in sums.c]
    same = (times.c.camera == sums.c.camera, times.c.hour_ms == sums.c.hour_ms, times.c.tier == sums.c.tier)
    query = (
        select(*sums.c, *columns)
        .join(times, and_(*same))
        .where(
            sums.c.camera.in_(sorted({camera for camera, _, _ in keys})),
            sums.c.hour_ms.in_(sorted({hour_ms for _, hour_ms, _ in keys})),
        )
    )
    rows = connection.execute(query).mappings()
    found = (HourTotals.from_row({str(name): value for name, value in row.items()}) for row in rows)
    return {each.key: each for each in found if each.key in keys}


def _write_totals(
    connection: Connection, totals: Iterable[HourTotals], known: Collection[tuple[int, int, int]]
) -> None:
    all_totals = list(totals)
    for table, row_of in ((segment_hours, HourTotals.sums), (segment_times, HourTotals.times)):
        new = [row_of(each) for each in all_totals if each.key not in known]
        if new:
            connection.execute(insert(table), new)
        changed = [row_of(each) for each in all_totals if each.key in known]
        if changed:
            _update(connection, table, changed)


def _update(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    figures = [column.name for column in table.c if not column.primary_key]
    statement = (
        update(table)
        .where(*(column == bindparam(f"its_{column.name}") for column in table.primary_key))
        .values({name: bindparam(f"its_{name}") for name in figures})
    )
    connection.execute(statement, [{f"its_{name}": value for name, value in row.items()} for row in rows])


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
