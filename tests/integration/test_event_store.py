"""The event store on SQLite and PostgreSQL: each event once, tracks rolled up, pages, and what goes with age."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, insert, select, text

from camera_ctrler.event_store import reading as reading_module
from camera_ctrler.event_store.cleaner import EventCleaner
from camera_ctrler.event_store.filters import EventFilter, TrackFilter
from camera_ctrler.event_store.partitions import WEEK_MS
from camera_ctrler.event_store.store import Totals
from camera_ctrler.event_store.stored_event import DeadLetter
from camera_ctrler.event_store.tables import event_dead_letters, event_photos, events, tracks
from contract.errors import StatusReason
from contract.events import Event, EventKind
from contract.retention import FOREVER_MS
from database.aging import STEP_ROWS
from database.recognitions import recognition_notes, recognitions
from tests.support.event_stores import EIGHT_MS, StoredEvents, crop, event, in_the_stream, track_event

ALL = EventFilter()


def ids(found: list[Event]) -> list[str]:
    """Return the ids of events."""
    return [each.event_id for each in found]


def walked(stored: StoredEvents, wanted: EventFilter, limit: int, since_ms: int = 0) -> list[str]:
    """Return the ids that all pages have, newest first."""
    found: list[str] = []
    before: str | None = None
    while True:
        page = stored.reading.page(wanted, limit=limit, since_ms=since_ms, before=before)
        assert len(page.entries) <= limit
        found += ids([entry.message for entry in page.entries])
        if page.ended:
            return found
        before = page.last_looked_at


def test_an_event_comes_back_as_it_was_told_with_its_place(stored_events: StoredEvents) -> None:
    """Given events with all that they can have, and with the least, each is found as it was."""
    told = [
        track_event(1),
        event(2, kind=EventKind.CAMERA_OFFLINE, reason=StatusReason.TIMEOUT),
        track_event(3, kind=EventKind.TRACK_ENDED, frame_path=None),
        event(4, kind=EventKind.TRACK_STARTED, track_id=9, class_name="bus", frame_path="lobby/20261121/08/1.jpg"),
    ]
    assert stored_events.store.add(in_the_stream(told)) == Totals(stored=4)
    page = stored_events.reading.page(ALL, limit=10)
    assert [entry.message for entry in page.entries] == told[::-1]
    assert [entry.entry_id for entry in page.entries] == [f"{EIGHT_MS + place}-0" for place in (3, 2, 1, 0)]
    found = stored_events.reading.find("lobby:1:2")
    assert found is not None
    assert found.message == told[1]
    assert stored_events.reading.find("lobby:1:5") is None


def test_an_event_that_comes_again_is_stored_once(stored_events: StoredEvents) -> None:
    """Given the same event in one batch twice, and again under another entry, there is one, with its first place."""
    stored_events.store.add(in_the_stream([event(1), event(1), event(2)]))
    added = stored_events.store.add(in_the_stream([event(2), event(3)], EIGHT_MS + 100))
    assert added == Totals(stored=1, repeated=1)
    assert stored_events.ids() == ["lobby:1:1", "lobby:1:2", "lobby:1:3"]
    assert stored_events.store.totals() == Totals(stored=3, repeated=2)


def test_an_event_with_crops_leaves_one_note_in_the_order_of_events(stored_events: StoredEvents) -> None:
    """Given events with crops and without, that come twice, recognisers have one note of each that has some."""
    told = [track_event(1, crops=[crop("a"), crop("b")]), track_event(2), track_event(3, crops=[crop("c")])]
    stored_events.store.add(in_the_stream(told))
    stored_events.store.add(in_the_stream([told[2], track_event(4, crops=[crop("d")])], EIGHT_MS + 100))
    with stored_events.engine.connect() as connection:
        notes = connection.execute(select(recognition_notes).order_by(recognition_notes.c.number)).all()
    assert [note.event_id for note in notes] == ["lobby:1:1", "lobby:1:3", "lobby:1:4"]
    assert [Event.model_validate(note.event) for note in notes[:2]] == [told[0], told[2]]
    assert [note.at_ms for note in notes[:2]] == [told[0].at_ms, told[2].at_ms]


def test_writers_at_the_same_time_store_each_event_once(stored_events: StoredEvents) -> None:
    """Given four writers with batches that overlap, every event and track is there once and the count is right."""
    told = [track_event(number, track=f"lobby:1:{number % 5}", frames_seen=number) for number in range(1, 101)]
    batches = [in_the_stream(told[start : start + 40], EIGHT_MS + start) for start in range(0, 80, 20)] * 2
    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(stored_events.store.add, batches))
    assert sorted(stored_events.ids()) == sorted(ids(told))
    assert sum(each.stored for each in added) == 100
    assert stored_events.store.totals() == Totals(stored=100, repeated=220)
    found = stored_events.reading.tracks(TrackFilter(), limit=10)
    assert sorted(track.frames_seen for track in found) == [96, 97, 98, 99, 100]


def test_events_of_a_track_in_any_order_make_one_track(stored_events: StoredEvents) -> None:
    """Given the end before the start, as two writers may store them, the track has all that they tell."""
    update = track_event(2, kind=EventKind.TRACK_UPDATED, confidence=0.9, frames_seen=20)
    end = track_event(3, kind=EventKind.TRACK_ENDED, confidence=0.6, frames_seen=30, at_ms=EIGHT_MS + 9_000)
    for each in (end, update, track_event(1), update):
        stored_events.store.add(in_the_stream([each], EIGHT_MS + each.number))
    (track,) = stored_events.reading.tracks(TrackFilter(), limit=10)
    assert (track.track, track.track_id, track.class_name, track.ended) == ("lobby:1:1", 7, "person", True)
    assert (track.first_seen_ms, track.last_seen_ms, track.frames_seen) == (EIGHT_MS + 1, EIGHT_MS + 9_000, 30)
    assert (track.best_path, track.best_confidence) == (update.frame_path, 0.9)
    assert track.best_xyxy == [10.5, 20.0, 30.0, 60.0]


def test_tracks_of_workers_that_name_no_track_are_told_apart_by_number(stored_events: StoredEvents) -> None:
    """Given events as they were before tracks had names, start and end of a number are one track."""
    old = {"track": None, "started_at_ms": None, "frames_seen": None, "xyxy": None}
    told = [track_event(1, **old), track_event(2, kind=EventKind.TRACK_ENDED, **old), track_event(3, track_id=8, **old)]
    stored_events.store.add(in_the_stream(told))
    found = stored_events.reading.tracks(TrackFilter(), limit=10)
    assert [(each.track_id, each.ended, each.first_seen_ms - EIGHT_MS) for each in found] == [
        (8, False, 3),
        (7, True, 1),
    ]


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_pages_have_every_event_once(stored_events: StoredEvents, limit: int) -> None:
    """Given pages of any size, together they have all events, newest first."""
    told = [event(number, camera_id=f"camera-{number % 3}") for number in range(1, 13)]
    stored_events.store.add(in_the_stream(told))
    assert walked(stored_events, ALL, limit) == ids(told[::-1])
    assert walked(stored_events, EventFilter(cameras=frozenset({"camera-1", "camera-2"})), limit) == [
        each.event_id for each in told[::-1] if each.camera_id != "camera-0"
    ]
    assert walked(stored_events, ALL, limit, since_ms=EIGHT_MS + 10) == ids(told[:9:-1])


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (EventFilter(kinds=frozenset({EventKind.CAMERA_ONLINE})), [5, 1]),
        (EventFilter(kinds=frozenset({EventKind.CAMERA_ONLINE, EventKind.TRACK_ENDED})), [5, 4, 1]),
        (EventFilter(classes=frozenset({"person"})), [4, 2]),
        (EventFilter(classes=frozenset({"car", "person"}), to_ms=EIGHT_MS + 4), [3, 2]),
        (EventFilter(from_ms=EIGHT_MS + 4), [5, 4]),
        (EventFilter(from_ms=EIGHT_MS + 2, to_ms=EIGHT_MS + 3), [2]),
        (EventFilter(from_ms=EIGHT_MS + 50), []),
        (EventFilter(text="PERS"), [4, 2]),
        (EventFilter(text="%"), []),
        (EventFilter(text="unheard of", named=frozenset({"lobby"})), [5, 4, 3, 2, 1]),
    ],
)
def test_filters_let_through_what_they_say(
    stored_events: StoredEvents, wanted: EventFilter, numbers: list[int]
) -> None:
    """Given five events, filters by kind, class, time and text return the same of rows as they tell of messages."""
    told = [
        event(1),
        track_event(2),
        track_event(3, class_name="car", track_id=8, track="lobby:1:3"),
        track_event(4, kind=EventKind.TRACK_ENDED),
        event(5),
    ]
    stored_events.store.add(in_the_stream(told))
    assert walked(stored_events, wanted, 2) == [f"lobby:1:{number}" for number in numbers]
    assert [each.number for each in told[::-1] if wanted.wants(each)] == numbers


def test_what_was_delivered_late_is_found_by_the_time_it_happened(stored_events: StoredEvents) -> None:
    """Given an event that came a day after it happened, a range of that day has it, and others do not."""
    late = event(1, at_ms=EIGHT_MS - 86_400_000)
    stored_events.store.add(in_the_stream([event(2), late, event(3)]))
    yesterday = EventFilter(from_ms=EIGHT_MS - 90_000_000, to_ms=EIGHT_MS - 80_000_000)
    assert walked(stored_events, yesterday, 10) == ["lobby:1:1"]
    assert walked(stored_events, EventFilter(from_ms=EIGHT_MS), 10) == ["lobby:1:3", "lobby:1:2"]


def test_a_page_looks_at_so_many_rows_and_goes_on_from_there(
    stored_events: StoredEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a filter that little passes, a page ends after so many rows, and the next ones find the rest."""
    monkeypatch.setattr(reading_module, "MAX_LOOKED_AT", 5)
    told = [event(1, class_name="bus"), *(event(number) for number in range(2, 20))]
    stored_events.store.add(in_the_stream(told))
    for wanted in (EventFilter(classes=frozenset({"bus"})), EventFilter(text="bus")):
        first = stored_events.reading.page(wanted, limit=10)
        assert (first.entries, first.ended) == ([], False)
        assert walked(stored_events, wanted, 10) == ["lobby:1:1"]


def test_what_came_after_an_entry_is_read_in_its_order(stored_events: StoredEvents) -> None:
    """Given ten events, those after the fourth come oldest first, as many as are asked for."""
    stored_events.store.add(in_the_stream([event(number) for number in range(10, 20)]))
    found = stored_events.reading.after(f"{EIGHT_MS + 3}-0", 3)
    assert [entry.entry_id for entry in found] == [f"{EIGHT_MS + place}-0" for place in (4, 5, 6)]


def test_tracks_are_filtered_and_paged(stored_events: StoredEvents) -> None:
    """Given tracks of two cameras, filters and pages return each once, the one that began last first."""
    told = [
        track_event(
            number,
            track=f"lobby:1:{number}",
            track_id=number,
            started_at_ms=EIGHT_MS + number,
            class_name="person" if number % 2 else "car",
        )
        for number in range(1, 8)
    ]
    stored_events.store.add(in_the_stream(told))
    reading = stored_events.reading
    first = reading.tracks(TrackFilter(), limit=4)
    rest = reading.tracks(TrackFilter(), limit=4, before=(first[-1].first_seen_ms, first[-1].track))
    assert [track.track_id for track in first + rest] == [7, 6, 5, 4, 3, 2, 1]
    cars = TrackFilter(classes=frozenset({"car"}), from_ms=EIGHT_MS + 3, to_ms=EIGHT_MS + 6)
    assert [track.track_id for track in reading.tracks(cars, limit=10)] == [4]
    assert reading.tracks(TrackFilter(cameras=frozenset({"gate"})), limit=10) == []


def test_dead_letters_are_kept_once_and_shown_newest_first(stored_events: StoredEvents) -> None:
    """Given entries that are no events, each is kept with its reason, however often it comes."""
    letters = [DeadLetter(f"{EIGHT_MS + number}-1", f"reason {number}", "{") for number in range(3)]
    assert stored_events.store.add([], letters) == Totals(dead_letters=3)
    assert stored_events.store.add([], letters) == Totals()
    found = stored_events.reading.dead_letters(limit=2)
    assert [each.letter for each in found] == letters[:0:-1]
    assert found[0].kept_at_ms == EIGHT_MS
    assert [each.letter for each in stored_events.reading.dead_letters(limit=2, before=letters[1].entry_id)] == letters[
        :1
    ]


def count(engine: Engine, *tables: object) -> list[int]:
    """Return how many rows tables have."""
    with engine.connect() as connection:
        return [connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables]  # type: ignore[arg-type]


def test_what_is_too_old_goes_in_steps_and_all_else_stays(stored_events: StoredEvents) -> None:
    """Given more old events than a step deletes, each step deletes some, with their photos, tracks and letters."""
    old = [track_event(number, track=f"lobby:1:{number}") for number in range(1, STEP_ROWS + 11)]
    new_ms = EIGHT_MS + 10 * 86_400_000
    stored_events.store.add(in_the_stream(old), [DeadLetter(f"{EIGHT_MS}-9", "reason", "")])
    kept = track_event(9_999, track="lobby:1:9999", at_ms=new_ms, started_at_ms=new_ms)
    stored_events.clock.advance(10 * 86_400)
    stored_events.store.add(in_the_stream([kept], new_ms), [DeadLetter(f"{new_ms}-9", "reason", "")])
    cleaner = EventCleaner(stored_events.engine, 9 * 86_400_000, stored_events.clock)
    assert cleaner.step()
    tables = (events, event_photos, tracks, event_dead_letters)
    assert count(stored_events.engine, *tables) == [11, 11, 11, 1]
    assert not cleaner.step()
    assert count(stored_events.engine, *tables) == [1, 1, 1, 1]
    assert stored_events.ids() == ["lobby:1:9999"]
    assert not EventCleaner(stored_events.engine, FOREVER_MS, stored_events.clock).step()


def test_what_recognisers_have_to_say_goes_with_its_event(stored_events: StoredEvents) -> None:
    """Given an old event with its note and its recognition, and a new one, the old one's go."""
    new_ms = EIGHT_MS + 10 * 86_400_000
    told = [track_event(1, crops=[crop("a")]), track_event(2, at_ms=new_ms, crops=[crop("b")])]
    stored_events.store.add(in_the_stream(told))
    row: dict[str, object] = {
        "recogniser": "colours",
        "camera_id": "lobby",
        "track": "lobby:1:1",
        "class_name": "person",
    }
    row |= {"request": {}, "state": "done", "queue": "default", "attempts": 0, "left_out": 0, "due_at_ms": 0}
    with stored_events.engine.begin() as connection:
        rows = [row | {"event_id": each.event_id, "at_ms": each.at_ms} for each in told]
        connection.execute(insert(recognitions), rows)
    stored_events.clock.advance(10 * 86_400)
    assert not EventCleaner(stored_events.engine, 9 * 86_400_000, stored_events.clock).step()
    with stored_events.engine.connect() as connection:
        assert list(connection.scalars(select(recognition_notes.c.event_id))) == ["lobby:1:2"]
        assert list(connection.scalars(select(recognitions.c.event_id))) == ["lobby:1:2"]


def test_postgresql_keeps_weeks_apart_and_drops_a_whole_one(stored_events: StoredEvents) -> None:
    """Given events of two weeks, each lies in its partition; when the older week has passed, its partition goes."""
    engine = stored_events.engine
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no partitions")
    stored_events.store.prepare()
    stored_events.store.prepare()
    week = EIGHT_MS // WEEK_MS
    stored_events.store.add(in_the_stream([track_event(1), event(2, at_ms=EIGHT_MS + WEEK_MS), event(3, at_ms=5)]))
    with engine.connect() as connection:
        query = text("SELECT tableoid::regclass::text FROM events ORDER BY event_id")
        assert list(connection.scalars(query)) == [f"events_w{week}", f"events_w{week + 1}", "events_default"]
    stored_events.clock.advance(2 * WEEK_MS / 1000)
    EventCleaner(engine, WEEK_MS, stored_events.clock).step()
    assert stored_events.ids() == ["lobby:1:2"]
    with engine.connect() as connection:
        assert connection.scalar(text(f"SELECT to_regclass('events_w{week}')")) is None
        assert connection.scalar(text(f"SELECT to_regclass('events_w{week + 1}')")) is not None


def test_a_week_whose_events_came_before_its_partition_is_no_trouble(stored_events: StoredEvents) -> None:
    """Given events that lie in the default partition, their week cannot be made, and all goes on."""
    far_ms = EIGHT_MS + 20 * WEEK_MS
    stored_events.store.add(in_the_stream([event(1, at_ms=far_ms)]))
    stored_events.clock.advance(20 * WEEK_MS / 1000)
    stored_events.store.prepare()
    stored_events.store.add(in_the_stream([event(2, at_ms=far_ms), event(3, at_ms=far_ms + WEEK_MS)], far_ms))
    assert stored_events.ids() == ["lobby:1:1", "lobby:1:2", "lobby:1:3"]
