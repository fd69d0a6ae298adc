"""Does the index of footage stay quick with a month of a hundred cameras? Real SQLite, real PostgreSQL, no files.

Builds the index in the order in which files arrive, a file of ten seconds for each camera, and asks it what players,
the indexer and the cleaner ask. Every question is about another camera and another time.

Run: python -m benchmarks.recording_index [--cameras 100] [--days 30] [--database sqlite postgresql] [--out FILE.json]
"""

import argparse
import gc
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from pgserver.postgres_server import get_server
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, insert, make_url, text

from camera_ctrler.recordings.hour_totals import MINUTE_MS, HourTotals, Minutes, StoredFile
from camera_ctrler.recordings.index import VOLUME, SegmentIndex
from camera_ctrler.recordings.spans import Span
from camera_ctrler.recordings.tables import recorded_cameras, segment_formats, segment_hours, segment_times
from contract.recording_paths import HOUR_MS
from contract.recordings import Segment
from database.engine import migrate, open_engine

DAY_MS: Final = 24 * HOUR_MS
FILE_MS: Final = 10_000
FILES_AN_HOUR: Final = HOUR_MS // FILE_MS
#: 2026-10-01 00:00 UTC.
BEGIN_MS: Final = 1_790_812_800_000
#: What was promised: label -> greatest p95 in milliseconds.
LIMITS: Final = {
    "timeline of a day: spans, density, files": 50.0,
    "find the file of a moment": 2.0,
    "add 100 finished files": 20.0,
    "spans of all days": 500.0,
}
#: Every so many hours a camera was off for two minutes.
_GAP_HOURS: Final = 7
_GAP_FILES: Final = 12

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Options:
    """What is asked."""

    cameras: int
    days: int
    rounds: int
    seed: int

    @property
    def end_ms(self) -> int:
        """When the recording ends."""
        return BEGIN_MS + self.days * DAY_MS

    def camera(self, number: int) -> str:
        """Return a camera's id."""
        return f"camera-{number:03}"


@dataclass
class Figures:
    """What one database has shown."""

    database: str
    rows: int = 0
    build_seconds: float = 0.0
    size_bytes: int = 0
    #: Label -> milliseconds: median, p95, longest, and of this process's processor (median), the server's not included.
    asked: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """Return what is not as promised."""
        return [
            f"{self.database}: {label} takes {self.asked[label][1]:.1f} ms (p95), promised are {limit:g} ms"
            for label, limit in LIMITS.items()
            if self.asked[label][1] > limit
        ]


@dataclass(frozen=True)
class Hour:
    """The files of one hour of a camera."""

    rows: list[tuple[Any, ...]]
    totals: HourTotals


def make_hour(generator: np.random.Generator, camera: int, hour: int) -> Hour:
    """Make the rows of an hour: sizes around 2.5 MB, motion by the time of day, people in a tenth of the files."""
    hour_ms = BEGIN_MS + hour * HOUR_MS
    has_gap = (hour + camera) % _GAP_HOURS == 0
    files = FILES_AN_HOUR - (_GAP_FILES if has_gap else 0)
    numbers = np.arange(files)
    starts = hour_ms + FILE_MS * np.where(numbers < files // 2, numbers, numbers + FILES_AN_HOUR - files)
    sizes = generator.integers(2_000_000, 3_000_000, files)
    motion = np.where(generator.random(files) < 0.3, generator.integers(1, 1000, files), 0)
    kept_for = (motion > 0).astype(np.int64)
    people = np.where(generator.random(files) < 0.1, generator.integers(1, 5, files), 0)
    seen = [f'{{"person":{number}}}' if number else None for number in people.tolist()]
    columns = (starts.tolist(), sizes.tolist(), kept_for.tolist(), motion.tolist(), seen)
    rows = [
        (camera, start, 1, FILE_MS, size, 1, rank, moving, 0, people)
        for start, size, rank, moving, people in zip(*columns, strict=True)
    ]
    half = hour_ms + files // 2 * FILE_MS
    spans = [Span(hour_ms, half), Span(half + _GAP_FILES * FILE_MS, hour_ms + HOUR_MS)]
    totals = HourTotals(
        camera=camera,
        hour_ms=hour_ms,
        tier=0,
        counts=[int((kept_for == rank).sum()) for rank in range(3)],
        sizes=[int(sizes[kept_for == rank].sum()) for rank in range(3)],
        recorded_ms=files * FILE_MS,
        moving=int(motion.sum()) * FILE_MS,
        seen={"person": 4},
        minutes=minutes_of(starts - hour_ms, motion, people),
        spans=spans if has_gap else [Span(hour_ms, hour_ms + HOUR_MS)],
    )
    return Hour(rows, totals)


def minutes_of(offsets: Numbers, motion: Numbers, people: Numbers) -> Minutes:
    """Sum up an hour's files by minute."""
    found = Minutes()
    for minute, moving, most in zip((offsets // MINUTE_MS).tolist(), motion.tolist(), people.tolist(), strict=True):
        found.recorded_ms[minute] += FILE_MS
        found.moving[minute] += moving * FILE_MS
        if most:
            its = found.seen.setdefault(minute, {})
            its["person"] = max(most, its.get("person", 0))
    return found


def hours(options: Options) -> Iterator[list[Hour]]:
    """Yield the hours of all cameras together, oldest first."""
    generator = np.random.default_rng(options.seed)
    for hour in range(options.days * 24):
        yield [make_hour(generator, camera + 1, hour) for camera in range(options.cameras)]


def build(engine: Engine, options: Options, console: Console) -> int:
    """Fill an empty index in the order in which files arrive; return how many there are."""
    with engine.begin() as connection:
        connection.execute(
            insert(recorded_cameras),
            [{"number": number + 1, "camera_id": options.camera(number)} for number in range(options.cameras)],
        )
        connection.execute(insert(segment_formats).values(number=1, codec="h264", audio="aac", width=1920, height=1080))
    count, began = 0, time.monotonic()
    for number, of_all in enumerate(hours(options)):
        rows = [row for each in of_all for row in each.rows]
        rows.sort(key=lambda row: (row[1], row[0]))
        write_rows(engine, rows, [each.totals for each in of_all])
        count += len(rows)
        if number % 48 == 47:
            rate = count / (time.monotonic() - began)
            console.print(f"  {count:,} files, {rate:,.0f} a second", highlight=False)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # What a database that has run for a month has done by itself.
        connection.execute(text("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))
    return count


def write_rows(engine: Engine, rows: list[tuple[Any, ...]], totals: list[HourTotals]) -> None:
    """Write an hour in one transaction, the quickest way that the database has."""
    names = StoredFile._fields
    with engine.begin() as connection:
        driver = cast("Any", connection.connection.driver_connection)
        if engine.dialect.name == "sqlite":
            places = ", ".join("?" * len(names))
            statement = f"INSERT INTO segments ({', '.join(names)}) VALUES ({places})"  # noqa: S608 - our own names
            connection.exec_driver_sql(statement, rows)
        else:
            with driver.cursor() as cursor, cursor.copy(f"COPY segments ({', '.join(names)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        keys = [{"camera": each.camera, "hour_ms": each.hour_ms, "tier": 0} for each in totals]
        sums = [key | each.sums() for key, each in zip(keys, totals, strict=True)]
        connection.execute(insert(segment_hours), sums)
        times = [key | each.times() for key, each in zip(keys, totals, strict=True)]
        connection.execute(insert(segment_times), times)


class Questions:
    """Asks one index."""

    def __init__(self, engine: Engine, options: Options, figures: Figures) -> None:
        self._index = SegmentIndex(engine)
        self._options = options
        self._figures = figures
        self._random = random.Random(options.seed)  # noqa: S311 - which camera is asked for is no secret

    def ask_all(self) -> None:
        """Ask everything."""
        rounds = self._options.rounds
        self._time("find the file of a moment", 10 * rounds, self._moment)
        self._time("files of a day", rounds, lambda: self._index.find(*self._day()))
        self._time("spans of a day", rounds, lambda: self._index.spans(*self._day()))
        self._time("density of a day, a minute each", rounds, lambda: self._index.density(*self._day(), 60_000))
        self._time("timeline of a day: spans, density, files", rounds, self._timeline)
        everything = (BEGIN_MS, self._options.end_ms)
        self._time("spans of all days", rounds, lambda: self._index.spans(self._camera(), *everything))
        self._time(
            "density of all days, an hour each",
            rounds,
            lambda: self._index.density(self._camera(), *everything, HOUR_MS),
        )
        self._time("bytes of every camera", rounds, self._index.totals)
        self._time("the oldest hour", rounds, lambda: next(self._index.hours(tier=0)))
        added = iter(range(10**9))
        self._time("add 100 finished files", rounds, lambda: self._add(next(added)))
        removed = iter(range(10**9))
        self._time("forget the oldest hour of a camera", min(rounds, 20), lambda: self._forget(next(removed)))

    def _camera(self) -> str:
        return self._options.camera(self._random.randrange(self._options.cameras))

    def _day(self) -> tuple[str, int, int]:
        start_ms = BEGIN_MS + self._random.randrange(max(1, (self._options.days - 1) * 24)) * HOUR_MS
        return self._camera(), start_ms, start_ms + DAY_MS

    def _moment(self) -> None:
        at_ms = BEGIN_MS + self._random.randrange(self._options.days * DAY_MS)
        self._index.find(self._camera(), at_ms, at_ms + 1)

    def _timeline(self) -> None:
        day = self._day()
        self._index.spans(*day)
        self._index.density(*day, 60_000)
        assert len(self._index.find(*day)) > FILES_AN_HOUR * 22

    def _add(self, number: int) -> None:
        start_ms = self._options.end_ms + number * FILE_MS
        made = [
            Segment(
                camera_id=self._options.camera(camera % self._options.cameras),
                start_ms=start_ms,
                end_ms=start_ms + FILE_MS,
                epoch=1 + camera // self._options.cameras,
                size_bytes=2_500_000,
                codec="h264",
                audio="aac",
                width=1920,
                height=1080,
                motion=0.25,
                seen={"person": 1} if camera % 10 == 0 else {},
            )
            for camera in range(100)
        ]
        assert self._index.add(made, position=f"{start_ms}-0")

    def _forget(self, number: int) -> None:
        camera = self._options.camera(number % self._options.cameras)
        hour_ms = BEGIN_MS + number // self._options.cameras * HOUR_MS
        self._index.remove((each.key for each in self._index.segments_of_hour(camera, hour_ms)), tier=VOLUME)

    def _time(self, label: str, rounds: int, ask: Callable[[], object]) -> None:
        taken, worked = [], []
        for _ in range(rounds):
            began, began_work = time.perf_counter(), time.thread_time()
            ask()
            taken.append((time.perf_counter() - began) * 1000)
            worked.append((time.thread_time() - began_work) * 1000)
        taken.sort()
        p95 = taken[min(len(taken) - 1, round(0.95 * (len(taken) - 1)))]
        self._figures.asked[label] = (statistics.median(taken), p95, taken[-1], statistics.median(worked))


def measure_sqlite(folder: Path, options: Options, console: Console) -> Figures:
    """Build and ask an index in SQLite."""
    file = folder / "index.sqlite3"
    figures = measure(open_engine(f"sqlite:///{file}"), options, console)
    figures.size_bytes = sum(each.stat().st_size for each in folder.glob("index.sqlite3*"))
    return figures


def measure_postgresql(folder: Path, options: Options, console: Console) -> Figures:
    """Build and ask an index in PostgreSQL with its default settings."""
    folder.chmod(0o755)  # root's server runs as a user of its own
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        engine = open_engine(url.render_as_string(hide_password=False))
        figures = measure(engine, options, console)
        engine = open_engine(url.render_as_string(hide_password=False))
        with engine.connect() as connection:
            tables = "('segments'), ('segment_hours'), ('segment_times')"
            total = f"SELECT sum(pg_total_relation_size(name::regclass)) FROM (VALUES {tables}) AS t (name)"  # noqa: S608
            figures.size_bytes = int(connection.execute(text(total)).scalar_one())
        engine.dispose()
    finally:
        server.cleanup()
    return figures


def measure(engine: Engine, options: Options, console: Console) -> Figures:
    """Build and ask one index."""
    figures = Figures(engine.dialect.name)
    migrate(engine)
    began = time.monotonic()
    figures.rows = build(engine, options, console)
    figures.build_seconds = time.monotonic() - began
    gc.collect()
    gc.freeze()  # as the API does when it starts
    Questions(engine, options, figures).ask_all()
    engine.dispose()
    return figures


def main() -> int:
    """Print the table and write the figures as JSON; 1 where something is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=100)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=50, help="how often each question is asked")
    parser.add_argument("--seed", type=int, default=7)
    kinds = {"sqlite": measure_sqlite, "postgresql": measure_postgresql}
    parser.add_argument("--database", nargs="+", choices=list(kinds), default=list(kinds))
    parser.add_argument("--folder", type=Path, help="where the databases are made for the time of the run")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    options = Options(given.cameras, given.days, given.rounds, given.seed)
    if min(options.cameras, options.days, options.rounds) < 1:
        parser.error("--cameras, --days and --rounds must be at least 1")
    console = Console()
    found: list[Figures] = []
    for kind in given.database:
        folder = Path(tempfile.mkdtemp(prefix="index-", dir=given.folder))
        try:
            console.print(f"{kind}: building {options.cameras} cameras x {options.days} days", highlight=False)
            found.append(kinds[kind](folder, options, console))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    console.print(table_of(found))
    problems = [problem for figures in found for problem in figures.problems]
    for problem in problems:
        console.print(f"NOT AS PROMISED: {problem}", highlight=False)
    if given.out:
        document = {"options": asdict(options), "databases": [asdict(figures) for figures in found]}
        given.out.write_text(json.dumps(document, indent=1))
    return 1 if problems else 0


def table_of(found: list[Figures]) -> Table:
    """Return the figures side by side."""
    table = Table("ms: median / p95 / longest (CPU)", *(figures.database for figures in found), "promised (p95)")
    table.add_row("files", *(f"{figures.rows:,}" for figures in found), "")
    table.add_row("built in", *(f"{figures.build_seconds:,.0f} s" for figures in found), "")
    sizes = (f"{figures.size_bytes:,} ({figures.size_bytes / figures.rows:.0f} a file)" for figures in found)
    table.add_row("bytes", *sizes, "")
    for label in found[0].asked:
        asked = (figures.asked[label] for figures in found)
        cells = (f"{each[0]:.1f} / {each[1]:.1f} / {each[2]:.1f} ({each[3]:.1f})" for each in asked)
        table.add_row(label, *cells, f"{LIMITS[label]:g}" if label in LIMITS else "")
    return table


if __name__ == "__main__":
    sys.exit(main())
