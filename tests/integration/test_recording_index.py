"""The index of footage on both databases: equal to a plain model of it whatever is done, and exact about its times."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, inspect

from camera_ctrler.recordings.index import VOLUME, IndexedSegment, SegmentIndex, SegmentKey
from camera_ctrler.recordings.spans import Bucket
from contract.recording_paths import HOUR_MS, segment_path
from contract.recordings import MAX_SEGMENT_MS, KeptFor, Segment
from database.base import Base
from tests.support.segment_index import EIGHT_MS, empty, in_a_row, segment

DAY_MS = 24 * HOUR_MS
TABLES = ("recorded_cameras", "segment_formats", "segments", "segment_hours", "segment_times", "recording_state")
#: All times of the model are multiples of it.
GRAIN_MS = 250
FROM_MS, TO_MS = EIGHT_MS - HOUR_MS, EIGHT_MS + 2 * HOUR_MS


class Model:
    """What an index of footage is, said as plainly as possible."""

    def __init__(self) -> None:
        self.files: dict[SegmentKey, tuple[Segment, int]] = {}

    def add(self, found: Iterable[Segment]) -> None:
        """Insert or replace."""
        for each in found:
            key = (each.camera_id, each.start_ms, each.epoch)
            before, tier = self.files.get(key, (each, 0))
            best = max(before.kept_for, each.kept_for, key=lambda kept_for: kept_for.rank)
            self.files[key] = each.model_copy(update={"kept_for": best}), tier

    def of(self, camera: str) -> list[tuple[Segment, int]]:
        """Return a camera's files by start and epoch."""
        return [self.files[key] for key in sorted(self.files) if key[0] == camera]

    def find(self, camera: str, from_ms: int, to_ms: int) -> list[tuple[Segment, int]]:
        """Return the files that overlap a range."""
        return [each for each in self.of(camera) if each[0].start_ms < to_ms and each[0].end_ms > from_ms]

    def recorded(self, camera: str, from_ms: int, to_ms: int) -> set[int]:
        """Return the grains of a range that were recorded; what is shorter than a second is no gap."""
        grains: set[int] = set()
        for file, _ in self.of(camera):
            grains |= set(range(file.start_ms // GRAIN_MS, file.end_ms // GRAIN_MS))
        ordered = sorted(grains)
        for left, right in pairwise(ordered):
            if (right - left - 1) * GRAIN_MS < 1_000:
                grains |= set(range(left, right))
        return {each for each in grains if from_ms // GRAIN_MS <= each < to_ms // GRAIN_MS}

    def happened(self, camera: str, start_ms: int, end_ms: int, *, by_start: bool) -> tuple[float, dict[str, int]]:
        """Return motion and classes of one bucket."""
        seen: dict[str, int] = {}
        motion = weight = 0.0
        for file, _ in self.of(camera):
            if by_start:
                overlap = file.end_ms - file.start_ms if start_ms <= file.start_ms < end_ms else 0
            else:
                overlap = min(file.end_ms, end_ms) - max(file.start_ms, start_ms)
            if overlap > 0:
                motion, weight = motion + file.motion * overlap, weight + overlap
                for name, most in file.seen.items():
                    seen[name] = max(most, seen.get(name, 0))
        return motion / weight if weight else 0.0, seen


CAMERAS = ("lobby", "gate")
starts = st.builds(
    lambda hour, grain: EIGHT_MS + hour * HOUR_MS + grain * GRAIN_MS, st.sampled_from([-1, 0, 1]), st.integers(-60, 60)
)
seconds = st.sampled_from([0.25, 0.5, 1.0, 2.5, 10.0, 30.0, MAX_SEGMENT_MS / 1000])
files = st.builds(
    lambda camera, start_ms, length, epoch, size, motion, rank, seen: segment(
        start_ms,
        length,
        camera=camera,
        epoch=epoch,
        size_bytes=size,
        motion=motion / 10,
        kept_for=KeptFor.ranked(rank),
        seen=seen,
        audio="aac" if epoch == 2 else "",
    ),
    st.sampled_from(CAMERAS),
    starts,
    seconds,
    st.integers(1, 2),
    st.integers(0, 5_000_000_000),
    st.integers(0, 10),
    st.integers(0, 2),
    st.dictionaries(st.sampled_from(["person", "car", "Füße"]), st.integers(1, 9), max_size=2),
)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(files, max_size=8)),
        st.tuples(st.just("again"), st.integers(0, 2**16)),
        st.tuples(st.just("remove"), st.integers(0, 2**16)),
        st.tuples(st.just("volume"), st.integers(0, 2**16)),
        st.tuples(st.just("archive"), st.integers(0, 2**16)),
    ),
    max_size=12,
)


def chosen(model: Model, bits: int) -> list[SegmentKey]:
    """Return some keys of the model, and one that it does not have."""
    some = [key for place, key in enumerate(sorted(model.files)) if bits >> place % 16 & 1]
    return [*some, ("nobody", EIGHT_MS, 1)]


def carry_out(index: SegmentIndex, model: Model, kind: str, argument: Any) -> None:
    """Do one thing to both."""
    if kind == "add":
        index.add(argument)
        model.add(argument)
        return
    keys = chosen(model, argument)
    if kind == "again":  # told again for a better reason, as recorders do
        better = [model.files[key][0].model_copy(update={"kept_for": KeptFor.EVENT}) for key in keys[:-1]]
        index.add(better)
        model.add(better)
    elif kind == "remove":
        index.remove(keys, tier=VOLUME)
        for key in keys:
            if key in model.files and model.files[key][1] == VOLUME:
                del model.files[key]
    else:
        tier = int(kind == "archive")
        index.moved(keys, tier)
        model.files |= {key: (model.files[key][0], tier) for key in keys[:-1]}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=operations)
def test_the_index_equals_a_plain_model_of_it(index_engine: Engine, done: list[tuple[str, Any]]) -> None:
    """Given files added, told again, removed and moved in any order, every question has the model's answer."""
    empty(index_engine)
    index, model = SegmentIndex(index_engine), Model()
    for kind, argument in done:
        carry_out(index, model, kind, argument)
    for camera in CAMERAS:
        found = index.find(camera, FROM_MS, TO_MS)
        assert [(each.segment, each.tier) for each in found] == model.find(camera, FROM_MS, TO_MS)
        spans = index.spans(camera, FROM_MS + 7 * GRAIN_MS, TO_MS)
        recorded = [grain for span in spans for grain in range(span.start_ms // GRAIN_MS, span.end_ms // GRAIN_MS)]
        assert recorded == sorted(model.recorded(camera, FROM_MS + 7 * GRAIN_MS, TO_MS))
        assert all(left.end_ms + 1_000 <= right.start_ms for left, right in pairwise(spans))
        for bucket_ms in (10_000, 60_000, HOUR_MS):
            check_buckets(index, model, camera, bucket_ms)
    check_sums(index, model)


def check_buckets(index: SegmentIndex, model: Model, camera: str, bucket_ms: int) -> None:
    """Compare the buckets of a range; of a short one where there would be a thousand."""
    from_ms, to_ms = (FROM_MS, TO_MS) if bucket_ms >= 60_000 else (EIGHT_MS - 60_000, EIGHT_MS + 60_000)
    found = index.density(camera, from_ms, to_ms, bucket_ms)
    by_start = {each.start_ms: each for each in found}
    assert list(by_start) == sorted(by_start)
    grains = Counter(grain * GRAIN_MS // bucket_ms for grain in model.recorded(camera, from_ms, to_ms))
    for start_ms in range(from_ms, to_ms, bucket_ms):
        bucket = by_start.pop(start_ms, Bucket(start_ms, 0.0, 0.0, {}))
        motion, seen = model.happened(camera, start_ms, start_ms + bucket_ms, by_start=bucket_ms >= 60_000)
        assert bucket.recorded_seconds == pytest.approx(grains[start_ms // bucket_ms] * GRAIN_MS / 1000)
        assert bucket.motion == pytest.approx(motion, abs=1e-6)
        assert bucket.seen == seen
    assert by_start == {}


def check_sums(index: SegmentIndex, model: Model) -> None:
    """Compare what hours and cameras come to."""
    totals: dict[tuple[int, str], dict[KeptFor, list[int]]] = {}
    for (camera, start_ms, _), (file, tier) in model.files.items():
        hour = totals.setdefault((start_ms // HOUR_MS * HOUR_MS, camera), {})
        hour.setdefault(file.kept_for, []).append(file.size_bytes if tier == 0 else -1)
    expected = {
        key: {kept_for: [size for size in sizes if size >= 0] for kept_for, sizes in hour.items()}
        for key, hour in totals.items()
    }
    found = list(index.hours(tier=0))
    assert [(each.hour_ms) for each in found] == sorted(each.hour_ms for each in found)
    by_key = {(each.hour_ms, each.camera_id): each for each in found}
    for key, hour in expected.items():
        each = by_key.pop(key, None)
        if each is None:
            assert all(not sizes for sizes in hour.values())
            continue
        assert {kind: size for kind, size in each.bytes.items() if each.count[kind]} == {
            kind: sum(sizes) for kind, sizes in hour.items() if sizes
        }
        assert {kind: count for kind, count in each.count.items() if count} == {
            kind: len(sizes) for kind, sizes in hour.items() if sizes
        }
    assert by_key == {}
    on_volume: dict[str, int] = {}
    for (camera, _, _), (file, tier) in model.files.items():
        if tier == 0:
            on_volume[camera] = on_volume.get(camera, 0) + file.size_bytes
    assert index.totals() == on_volume


def test_a_moment_finds_the_file_that_has_it_and_its_path(segment_index: SegmentIndex) -> None:
    """Given files in a row, a moment finds one, a border the later one, and its path is the contract's."""
    segment_index.add(in_a_row(20))
    (found,) = segment_index.find("lobby", EIGHT_MS + 25_000, EIGHT_MS + 25_001)
    assert found.segment.start_ms == EIGHT_MS + 20_000
    assert found.path == segment_path("lobby", EIGHT_MS + 20_000, 1)
    (border,) = segment_index.find("lobby", EIGHT_MS + 30_000, EIGHT_MS + 30_001)
    assert border.segment.start_ms == EIGHT_MS + 30_000
    assert segment_index.find("lobby", EIGHT_MS + 200_000, EIGHT_MS + 200_001) == []
    assert segment_index.find("gate", EIGHT_MS, EIGHT_MS + DAY_MS) == []


def test_the_longest_file_is_found_at_its_last_millisecond(segment_index: SegmentIndex) -> None:
    """Given a file of the greatest length, all of it is found; one that says it is longer is cut, and told of."""
    segment_index.add([segment(EIGHT_MS, MAX_SEGMENT_MS / 1000), segment(EIGHT_MS, 3 * MAX_SEGMENT_MS / 1000, epoch=2)])
    last_ms = EIGHT_MS + MAX_SEGMENT_MS - 1
    assert [each.segment.epoch for each in segment_index.find("lobby", last_ms, last_ms + 1)] == [1, 2]
    assert segment_index.find("lobby", last_ms + 1, last_ms + 2) == []


def test_a_limit_gives_the_first_files(segment_index: SegmentIndex) -> None:
    """Given many files, a limited question answers with the earliest."""
    segment_index.add(reversed(in_a_row(50)))
    found = segment_index.find("lobby", EIGHT_MS + 95_000, EIGHT_MS + DAY_MS, limit=3)
    assert [each.segment.start_ms for each in found] == [EIGHT_MS + at for at in (90_000, 100_000, 110_000)]


@pytest.mark.parametrize(("from_ms", "to_ms"), [(5, 5), (10, 5), (-(10**30), -(10**29)), (10**29, 10**30)])
def test_ranges_with_nothing_in_them_are_answered_with_nothing(
    segment_index: SegmentIndex, from_ms: int, to_ms: int
) -> None:
    """Given ranges that are empty, turned round, or beyond what a database can count, nothing is found."""
    segment_index.add(in_a_row(2))
    assert segment_index.find("lobby", from_ms, to_ms) == []
    assert segment_index.spans("lobby", from_ms, to_ms) == []


def test_a_range_of_all_time_has_everything(segment_index: SegmentIndex) -> None:
    """Given the widest range, the few files are found."""
    segment_index.add(in_a_row(3))
    assert len(segment_index.find("lobby", -(10**30), 10**30)) == 3
    assert len(segment_index.spans("lobby", -(10**30), 10**30)) == 1


def test_a_batch_of_the_stream_counts_once(segment_index: SegmentIndex) -> None:
    """Given a former leader's batch that arrives late, nothing of it is written and the position stays."""
    first, second = in_a_row(2)
    assert segment_index.position() == "0"
    assert segment_index.add([first], position="1700000000000-5")
    assert segment_index.add([second], position="1700000000000-12")
    segment_index.remove([("lobby", EIGHT_MS, 1)], tier=VOLUME)
    for late in ("1700000000000-5", "1700000000000-12", "999-13"):
        assert not segment_index.add([first], position=late)
    assert segment_index.position() == "1700000000000-12"
    assert [each.segment for each in segment_index.find("lobby", EIGHT_MS, EIGHT_MS + DAY_MS)] == [second]
    segment_index.begin_anew()
    assert segment_index.position() == "0"
    assert segment_index.add([first], position="3-1")


def test_a_batch_and_its_position_are_written_together_or_not_at_all(
    segment_index: SegmentIndex, index_engine: Engine
) -> None:
    """Given a database that fails in the middle of a batch, neither files nor position nor sums are there."""
    segment_index.add(in_a_row(1), position="5-0")

    def fail(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE recording_state SET position_ms"):
            raise RuntimeError("power cut")

    event.listen(index_engine, "before_cursor_execute", fail)
    try:
        with pytest.raises(RuntimeError, match="power cut"):
            segment_index.add(in_a_row(9), position="9-0")
    finally:
        event.remove(index_engine, "before_cursor_execute", fail)
    assert segment_index.position() == "5-0"
    assert len(segment_index.find("lobby", EIGHT_MS, EIGHT_MS + DAY_MS)) == 1
    assert segment_index.totals() == {"lobby": 1_000_000}


def test_missing_files_are_added_without_touching_known_ones(segment_index: SegmentIndex) -> None:
    """Given a file that its worker told of with motion, what a scan of the volume finds does not replace it."""
    told = segment(EIGHT_MS, motion=0.5, seen={"person": 2})
    segment_index.add([told])
    segment_index.add_missing([segment(EIGHT_MS, 5), segment(EIGHT_MS + 10_000)])
    found = segment_index.find("lobby", EIGHT_MS, EIGHT_MS + DAY_MS)
    assert [each.segment for each in found] == [told, segment(EIGHT_MS + 10_000)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"size_bytes": 2**63},
        {"width": 2**31},
        {"height": -1},
        {"codec": "h\0264"},
        {"epoch": 10**18},
        {"start_ms": 10**17, "end_ms": 10**17 + 1},
    ],
)
def test_a_message_that_no_database_can_store_does_not_keep_others_out(
    segment_index: SegmentIndex, wrong: dict[str, object]
) -> None:
    """Given a file with absurd figures in a batch, it is left out and the others are written."""
    absurd = segment(EIGHT_MS).model_copy(update=wrong)
    assert segment_index.add([absurd, segment(EIGHT_MS + 10_000)], position="7-7")
    assert [each.segment.start_ms for each in segment_index.find("lobby", 0, 10**18)] == [EIGHT_MS + 10_000]


def test_a_model_with_very_many_classes_keeps_the_most_frequent(segment_index: SegmentIndex) -> None:
    """Given more classes in a file than there is room for, those seen most are kept, in the sums as well."""
    seen = {f"a class with a long name, number {number}": 1 + number // 100 for number in range(500)}
    segment_index.add([segment(EIGHT_MS, seen=seen)])
    (found,) = segment_index.find("lobby", EIGHT_MS, EIGHT_MS + 1)
    assert len(found.segment.seen) >= 30
    assert set(found.segment.seen.values()) == {5}
    assert segment_index.density("lobby", EIGHT_MS, EIGHT_MS + HOUR_MS, 60_000)[0].seen == found.segment.seen


def test_hours_can_be_removed_while_they_are_listed(segment_index: SegmentIndex) -> None:
    """Given more hours than a page, a cleaner that removes each as it comes sees every one, oldest first."""
    camera_ids = [f"camera-{number:03}" for number in range(130)]
    segment_index.add(segment(EIGHT_MS + hour * HOUR_MS, camera=name) for hour in range(9) for name in camera_ids)
    seen = []
    for each in segment_index.hours(tier=0, before_ms=EIGHT_MS + 8 * HOUR_MS):
        seen.append((each.hour_ms, each.camera_id))
        if len(seen) % 100 == 0:
            segment_index.remove([(name, hour_ms, 1) for hour_ms, name in seen[-100:]], tier=VOLUME)
    assert seen == [(EIGHT_MS + hour * HOUR_MS, name) for hour in range(8) for name in camera_ids]


def test_files_of_an_hour_are_those_that_start_in_it(segment_index: SegmentIndex) -> None:
    """Given a file that reaches into the hour from before, it belongs to the hour before."""
    segment_index.add([segment(EIGHT_MS - 5_000), segment(EIGHT_MS), segment(EIGHT_MS + HOUR_MS - 1)])
    of_hour: list[IndexedSegment] = segment_index.segments_of_hour("lobby", EIGHT_MS)
    assert [each.segment.start_ms for each in of_hour] == [EIGHT_MS, EIGHT_MS + HOUR_MS - 1]


def test_migration_makes_the_tables_of_the_code(index_engine: Engine) -> None:
    """Given a migrated database, its tables, keys and indexes are those that the code describes."""

    def shape() -> dict[str, object]:
        found = inspect(index_engine)
        return {
            table: (
                {each["name"]: (str(each["type"]), each["nullable"]) for each in found.get_columns(table)},
                found.get_pk_constraint(table)["constrained_columns"],
                sorted((each["column_names"], each["unique"]) for each in found.get_indexes(table)),
            )
            for table in TABLES
        }

    migrated = shape()
    with index_engine.begin() as connection:
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)
    assert shape() == migrated


def test_a_search_reads_a_range_of_the_key_and_nothing_else(segment_index: SegmentIndex, index_engine: Engine) -> None:
    """Given thousands of files, the database plans to look only at those near the time, in the order of the key."""
    for camera in ("lobby", "gate", "yard"):
        segment_index.add(in_a_row(2_000, camera=camera))
    is_sqlite = index_engine.dialect.name == "sqlite"
    with index_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if is_sqlite else "VACUUM ANALYZE segments")
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(index_engine, "before_cursor_execute", note)
    try:
        assert len(segment_index.find("gate", EIGHT_MS + 5_000, EIGHT_MS + 95_000)) == 10
    finally:
        event.remove(index_engine, "before_cursor_execute", note)
    statement, parameters = next(each for each in asked if "FROM segments" in each[0])
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    with index_engine.connect() as connection:
        rows = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
    plan = "\n".join(str(row[-1]) for row in rows)
    if is_sqlite:
        assert "SEARCH segments USING PRIMARY KEY (camera=? AND start_ms>? AND start_ms<?)" in plan
        assert "TEMP B-TREE" not in plan
    else:
        assert "Index Only Scan using segments_pkey" in plan
        assert "Sort" not in plan
