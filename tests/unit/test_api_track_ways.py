"""The way of a tracked object, from what its events tell."""

from camera_ctrler.api.track_ways import way_of
from tests.support.event_stores import EIGHT_MS, crop, event, track_event


def test_a_way_is_in_the_order_of_time_whatever_the_order_of_events() -> None:
    """Given events newest first, with crops taken before them, then the way goes forward, each time once."""
    late = track_event(9, frame_path=None, at_ms=EIGHT_MS + 900, xyxy=(5, 5, 9, 9))
    early = track_event(1, at_ms=EIGHT_MS + 5, crops=[crop("1", captured_at_ms=EIGHT_MS + 300), crop("2")])
    assert [point.at_ms - EIGHT_MS for point in way_of([late, early, late])] == [0, 1, 300, 900]


def test_the_box_of_an_event_is_of_the_frame_that_it_names() -> None:
    """Given an event told later than its best frame was taken, then the frame's time counts; else its own."""
    told = track_event(2, at_ms=EIGHT_MS + 60_000)
    odd = track_event(3, at_ms=EIGHT_MS + 70_000, frame_path="elsewhere.jpg")
    assert [point.at_ms - EIGHT_MS for point in way_of([told, odd])] == [2, 70_000]


def test_what_has_no_size_has_no_place() -> None:
    """Given events that say nothing of a frame's size, then there is no way."""
    assert way_of([event(1), track_event(2, width=None)]) == []
