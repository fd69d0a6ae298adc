"""The pure parts of the event store: tracks from events in any order, what cannot be stored, cells of a file."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.api.csv_text import cell
from camera_ctrler.api.event_files import COLUMNS, csv_lines
from camera_ctrler.api.event_schemas import EventEntry
from camera_ctrler.event_store.stored_event import DeadLetter, StreamEvent, halves, read_entry, why_unstorable
from camera_ctrler.event_store.track_rollup import TrackSummary, rolled_up, track_of
from contract.events import Event, EventKind
from runtime.event_feed import RawEvent
from tests.support.event_stores import EIGHT_MS, event, track_event

KINDS = (EventKind.TRACK_STARTED, EventKind.TRACK_UPDATED, EventKind.TRACK_ENDED)


@st.composite
def told(draw: st.DrawFn) -> Event:
    """Draw an event of one of two tracks."""
    return track_event(
        draw(st.integers(1, 50)),
        kind=draw(st.sampled_from(KINDS)),
        track=draw(st.sampled_from(["lobby:1:1", "lobby:1:2"])),
        epoch=draw(st.integers(1, 3)),
        frames_seen=draw(st.integers(0, 9)),
        confidence=draw(st.sampled_from([0.0, 0.25, 0.5, 1.0])),
        frame_path=draw(st.sampled_from([None, "a.jpg", "b.jpg"])),
        xyxy=draw(st.sampled_from([None, (0.0, 0.0, 10.0, 10.0), (0.0, 0.0, 50.0, 50.0)])),
    )


@given(st.lists(told(), min_size=1, max_size=12), st.randoms())
def test_a_track_is_the_same_in_whatever_order_and_however_often_its_events_come(
    events: list[Event], chance: Random
) -> None:
    """Given events in order at once, and shuffled, repeated and in pieces, the tracks are equal."""
    whole = rolled_up(events, {})
    shuffled = [*events, *chance.sample(events, len(events) // 2)]
    chance.shuffle(shuffled)
    known: dict[str, TrackSummary] = {}
    for begin, end in pairwise([0, len(shuffled) // 3, len(shuffled)]):
        known |= rolled_up(shuffled[begin:end], known)
    assert known == whole


def test_an_event_that_is_of_no_track_makes_none() -> None:
    """Given a camera that comes online, and a track without a number, there is no track."""
    assert rolled_up([event(1), event(2, kind=EventKind.TRACK_STARTED)], {}) == {}
    assert track_of(track_event(3, track=None)) == "lobby:1:track-7"


def test_halves_of_ids_compare_as_redis_orders_them() -> None:
    """Given ids whose texts sort otherwise, numbers decide."""
    assert halves("999-2") < halves("1000-1") < halves("1000-10")
    assert halves("5") == (5, 0)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"worker_id": "x" * 129}, "worker_id"),
        ({"class_name": "a\0b"}, "class_name"),
        ({"frame_path": "x" * 1_001}, "frame_path"),
        ({"epoch": 10**15}, "epoch"),
        ({"height": -(2**31)}, "height"),
        ({"xyxy": (0, 0, 1, float("inf"))}, "xyxy"),
    ],
)
def test_what_no_database_has_room_for_is_named(fields: dict[str, object], named: str) -> None:
    """Given an event with one field beyond all bounds, the reason names it; an ordinary one has none."""
    assert why_unstorable(track_event(1)) == ""
    assert why_unstorable(track_event(1).model_copy(update=fields)).startswith(named)


def test_an_entry_is_an_event_or_a_dead_letter_with_text_that_can_be_stored() -> None:
    """Given entries, one that has an event is that; others keep what they had, without what no text has."""
    good = track_event(1)
    assert read_entry(RawEvent("5-1", good.model_dump_json().encode())) == StreamEvent("5-1", good)
    nonsense = read_entry(RawEvent("5-2", b"\xff\x00" + b"x" * 20_000))
    assert isinstance(nonsense, DeadLetter)
    assert "\0" not in nonsense.body
    assert len(nonsense.body) == 10_000
    assert read_entry(RawEvent("5-3", None)) == DeadLetter("5-3", "the entry has no field event", "")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_text_that_calculates_is_made_a_text(text: str) -> None:
    """Given a text that a spreadsheet takes for a formula, it gets an apostrophe; numbers and others stay."""
    assert cell(text) == f"'{text}"
    assert [cell(value) for value in ("a=1", -1, None, "")] == ["a=1", -1, None, ""]


def test_a_file_has_a_value_for_every_column_whatever_an_event_lacks() -> None:
    """Given the least that an event may be, at a time that no calendar has, its line has as many cells as the head."""
    least = EventEntry(**event(1, at_ms=10**17).model_dump(), entry_id=f"{EIGHT_MS}-0", recorded_at_ms=EIGHT_MS)
    head, line = csv_lines([[least]])
    assert head.decode().strip().split(",") == list(COLUMNS)
    assert line.decode().count(",") == len(COLUMNS) - 1
