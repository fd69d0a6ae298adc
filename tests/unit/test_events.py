"""Events of one camera: told once, numbered without gaps, pointing at the saved frame."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from contract.cameras import CameraState
from contract.crops import Crop
from contract.detections import AnalysisResult, TrackedDetection
from contract.errors import StatusReason
from contract.events import Event, EventKind
from workers.capture.state import CaptureState
from workers.events import SILENT_SECONDS, TRACK_ENDED_SECONDS, CameraEvents, SavedCrops
from workers.followed_track import UPDATE_MIN_SECONDS, UPDATE_SECONDS
from workers.tracking.group_tracker import LOST_SECONDS

ONLINE = CaptureState(CameraState.ONLINE)
TIMEOUT = CaptureState(CameraState.OFFLINE, StatusReason.TIMEOUT)
REFUSED = CaptureState(CameraState.OFFLINE, StatusReason.REFUSED)


def new_events(epoch: int = 3, number: int = 0) -> CameraEvents:
    """Begin with a camera that is this worker's, and of which nothing else is known."""
    events = CameraEvents("c", "w", epoch, number)
    assert events.accepted(epoch) == []
    return events


def result(at: float, *track_ids: int | None, saved: bool = True, side: float = 1, size: int = 2) -> AnalysisResult:
    """Make the result of a frame that was captured at `at` seconds, with a person of `side` pixels for each track."""
    at_ms = round(at * 1000)
    return AnalysisResult(
        camera_id="c",
        epoch=3,
        seq=1,
        worker_id="w",
        captured_at_ms=at_ms,
        published_at_ms=at_ms,
        width=size,
        height=size,
        detections=[
            TrackedDetection(xyxy=(0, 0, side, side), confidence=1, class_id=0, class_name="person", track_id=track_id)
            for track_id in track_ids
        ],
        frame_path=f"c/19700101/00/{at_ms}.jpg" if saved else None,
    )


def told(events: Sequence[Event]) -> list[tuple[str, int | None, int]]:
    """Return kind, track and time of events."""
    return [(event.kind.value, event.track_id, event.at_ms) for event in events]


def test_a_track_starts_once_and_points_at_the_frame_in_which_it_was_seen() -> None:
    """Given frames with a track, the first one tells of it, with its class and the saved frame."""
    events = new_events()
    first, *rest = events.saw(result(10, 7, None), 10.0)
    assert rest == []
    assert first == Event(
        event_id="c:3:1",
        kind=EventKind.TRACK_STARTED,
        camera_id="c",
        epoch=3,
        number=1,
        worker_id="w",
        at_ms=10_000,
        track_id=7,
        track="c:3:1",
        started_at_ms=10_000,
        frames_seen=1,
        class_id=0,
        class_name="person",
        frame_path="c/19700101/00/10000.jpg",
        xyxy=(0, 0, 1, 1),
        confidence=1,
        width=2,
        height=2,
    )
    assert events.saw(result(11, 7), 11.0) == []
    assert told(events.saw(result(12, 7, 8), 12.0)) == [("track_started", 8, 12_000)]


def test_a_track_ends_when_it_was_not_seen_for_a_while_and_says_when_it_was_seen_last() -> None:
    """Given a track that disappears, its end has the time and the saved frame of its last sighting."""
    events = new_events()
    events.saw(result(10, 7), 10.0)
    events.saw(result(11, 7, saved=False), 11.0)
    assert events.saw(result(11 + TRACK_ENDED_SECONDS), 11.0 + TRACK_ENDED_SECONDS) == []
    ended = events.saw(result(18), 11.1 + TRACK_ENDED_SECONDS)
    assert told(ended) == [("track_ended", 7, 11_000)]
    assert ended[0].frame_path == "c/19700101/00/10000.jpg", "the last one that was saved"
    assert events.number == 2
    assert events.saw(result(30), 30.0) == []


def test_the_first_picture_of_a_track_is_told_at_once_and_once() -> None:
    """Given a track whose first frames were not saved, its first saved frame makes an update, the next ones none."""
    events = new_events()
    (started,) = events.saw(result(10, 7, saved=False), 10.0)
    assert (started.frame_path, started.xyxy) == (None, (0, 0, 1, 1))
    (updated,) = events.saw(result(10.1, 7), 10.1)
    assert (updated.kind, updated.track, updated.at_ms) == (EventKind.TRACK_UPDATED, started.event_id, 10_100)
    assert (updated.frame_path, updated.frames_seen) == ("c/19700101/00/10100.jpg", 2)
    assert events.saw(result(10.2, 7), 10.2) == []


def test_a_better_view_is_told_with_its_own_picture_and_box_and_not_with_every_frame() -> None:
    """Given an object that comes nearer, an update waits its time, and tells of the best view and not of the last."""
    events = new_events()
    events.saw(result(10, 7, side=10, size=100), 10.0)
    assert events.saw(result(11, 7, side=20, size=100), 11.0) == [], "too soon"
    at = 10 + UPDATE_MIN_SECONDS
    (updated,) = events.saw(result(at, 7, side=5, size=100), at)
    assert (updated.xyxy, updated.frame_path, updated.at_ms) == ((0, 0, 20, 20), "c/19700101/00/11000.jpg", at * 1000)
    assert events.saw(result(at + 4, 7, side=21, size=100), at + 4) == [], "hardly better"


def test_an_unsaved_view_replaces_no_saved_one_however_good() -> None:
    """Given a picture of an object, a nearer view without one is not the evidence."""
    events = new_events()
    events.saw(result(10, 7, side=10, size=100), 10.0)
    events.saw(result(11, 7, side=90, size=100, saved=False), 11.0)
    (ended,) = events.left()
    assert (ended.frame_path, ended.xyxy, ended.frames_seen) == ("c/19700101/00/10000.jpg", (0, 0, 10, 10), 2)


def test_a_long_track_is_told_of_now_and_then() -> None:
    """Given an object that stays for an hour at ten frames a second, there is an update every so many seconds."""
    events, found = new_events(), []
    for step in range(36_000):
        found += events.saw(result(step / 10, 7), step / 10)
    updates = [event for event in found if event.kind is EventKind.TRACK_UPDATED]
    assert len(updates) == 3_599 // UPDATE_SECONDS
    assert {event.track for event in updates} == {found[0].event_id}


def test_events_of_a_track_name_its_start_over_epochs_and_when_its_number_comes_again() -> None:
    """Given a track over two epochs, and another one with its number later, each has a name of its own."""
    events = new_events()
    events.saw(result(10, 7), 10.0)
    events.reassigned(4)
    (ended,) = events.tracks_lost()
    (again,) = events.saw(result(12, 7), 12.0)
    assert (ended.event_id, ended.track, ended.started_at_ms) == ("c:4:1", "c:3:1", 10_000)
    assert (again.event_id, again.track, again.started_at_ms) == ("c:4:2", "c:4:2", 12_000)


def test_an_event_of_a_worker_that_knew_less_can_be_read() -> None:
    """Given a message as workers wrote it before, it is an event without what it does not say."""
    text = (
        '{"event_id":"c:1:1","kind":"track_started","camera_id":"c","epoch":1,"number":1,"worker_id":"w","at_ms":5,'
        '"reason":null,"track_id":7,"class_name":"person","frame_path":null}'
    )
    event = Event.model_validate_json(text)
    assert (event.track_id, event.track, event.xyxy, event.started_at_ms) == (7, None, None, None)


def test_a_track_outlives_the_trackers_own_patience() -> None:
    """Given an object that comes back under its id as late as the tracker allows, it has not ended meanwhile."""
    assert TRACK_ENDED_SECONDS > LOST_SECONDS
    events = new_events()
    events.saw(result(10, 7), 10.0)
    assert events.saw(result(10 + LOST_SECONDS, 7), 10.0 + LOST_SECONDS) == []


def test_tracks_of_a_camera_that_sends_nothing_end_too() -> None:
    """Given a camera without frames, when time passes, then its tracks end, once."""
    events = new_events()
    events.saw(result(10, 7), 10.0)
    assert events.time_passed(10.0 + SILENT_SECONDS) == []
    assert told(events.time_passed(10.1 + SILENT_SECONDS)) == [("track_ended", 7, 10_000)]
    assert events.time_passed(100.0) == []


def test_a_camera_that_is_left_ends_its_tracks_and_tells_nothing_more() -> None:
    """Given two tracks, when the camera is given up, both end; late frames and states tell nothing."""
    events = new_events()
    events.saw(result(10, 7, 8), 10.0)
    assert [event.track_id for event in events.left()] == [7, 8]
    assert events.saw(result(11, 9), 11.0) == []
    assert events.capture_changed(TIMEOUT, 12_000) == []
    assert events.left() == []


def test_online_and_offline_are_told_once_per_change() -> None:
    """Given a camera that comes and goes, each change is told with its reason, and a new reason alone is none."""
    events = new_events()
    states = [CaptureState(CameraState.CONNECTING), TIMEOUT, REFUSED, TIMEOUT, ONLINE, ONLINE, REFUSED, ONLINE]
    found = [event for at, state in enumerate(states) for event in events.capture_changed(state, at)]
    assert [(event.kind.value, event.reason, event.at_ms) for event in found] == [
        ("camera_offline", StatusReason.TIMEOUT, 1),
        ("camera_online", None, 4),
        ("camera_offline", StatusReason.REFUSED, 6),
        ("camera_online", None, 7),
    ]


def test_what_the_capture_says_is_held_back_until_the_camera_is_this_workers() -> None:
    """Given a camera that another worker still watches, only the newest state is told, and only once it is ours."""
    events = CameraEvents("c", "w", 3)
    for at, state in enumerate([TIMEOUT, ONLINE, REFUSED, TIMEOUT]):
        assert events.capture_changed(state, at) == []
    assert events.accepted(2) == [], "that says nothing of this epoch"
    assert [(event.event_id, event.reason, event.at_ms) for event in events.accepted(3)] == [
        ("c:3:1", StatusReason.REFUSED, 2)
    ]
    assert events.accepted(3) == []
    assert [event.event_id for event in events.capture_changed(ONLINE, 5)] == ["c:3:2"]


def test_a_handover_that_goes_well_tells_of_no_camera_that_is_offline() -> None:
    """Given a camera that refuses a second client, when the former has left, then it is said to be online alone."""
    events = CameraEvents("c", "w", 3)
    for at, state in enumerate([REFUSED, CaptureState(CameraState.CONNECTING), ONLINE]):
        assert events.capture_changed(state, at) == []
    assert [(event.kind, event.at_ms) for event in events.accepted(3)] == [(EventKind.CAMERA_ONLINE, 2)]


def test_a_camera_that_was_anothers_meanwhile_is_not_told_of_before_it_is_ours_again() -> None:
    """Given a camera that was lost and comes back, its states are held back; one that stayed is told of at once."""
    events = new_events()
    events.reassigned(4)
    assert len(events.capture_changed(ONLINE, 1)) == 1
    events.reassigned(5, was_anothers=True)
    assert events.capture_changed(TIMEOUT, 2) == []
    assert [event.event_id for event in events.accepted(5)] == ["c:5:1"]


def test_a_newer_epoch_counts_anew_and_goes_on_with_what_is_known() -> None:
    """Given a camera that is assigned anew, what is online and followed is not told again, and numbers begin at 1."""
    events = new_events()
    events.capture_changed(ONLINE, 1)
    events.saw(result(10, 7), 10.0)
    events.reassigned(4)
    assert events.saw(result(11, 7), 11.0) == []
    assert events.capture_changed(ONLINE, 2) == []
    assert [event.event_id for event in events.saw(result(12, 7, 8), 12.0)] == ["c:4:1"]


def test_numbers_go_on_after_those_of_a_process_before() -> None:
    """Given an epoch under which 41 events were told, the next one is number 42."""
    assert [event.event_id for event in new_events(number=41).capture_changed(ONLINE, 1)] == ["c:3:42"]


@given(st.lists(st.sets(st.integers(1, 5)), max_size=40), st.lists(st.booleans(), max_size=10))
def test_events_have_no_gaps_and_every_end_follows_its_start(frames: list[set[int]], online: list[bool]) -> None:
    """Given any frames, numbers have no gap, and starts and ends of each track alternate, ending with an end."""
    events, found = new_events(), []
    for at, tracks in enumerate(frames):
        found += events.saw(result(at * 2, *sorted(tracks)), at * 2.0)
        if at < len(online):
            found += events.capture_changed(ONLINE if online[at] else TIMEOUT, at)
    found += events.left()
    assert [event.number for event in found] == list(range(1, len(found) + 1))
    for track in {event.track_id for event in found} - {None}:
        kinds = [event.kind for event in found if event.track_id == track]
        kinds = [kind for kind in kinds if kind is not EventKind.TRACK_UPDATED]
        assert kinds == [EventKind.TRACK_STARTED, EventKind.TRACK_ENDED] * (len(kinds) // 2)


# --- crops --------------------------------------------------------------------------------------------------------


def crop(at: float, quality: float = 0.5) -> Crop:
    """Return a crop that lies on the volume."""
    at_ms = round(at * 1000)
    return Crop(
        path=f"c/crops/19700101/00/{at_ms}-3-7.jpg",
        captured_at_ms=at_ms,
        xyxy=(0, 0, 1, 1),
        width=1,
        height=1,
        confidence=1,
        quality=quality,
    )


def test_crops_are_told_behind_the_start_of_their_track_and_once() -> None:
    """Given crops of a track that starts with this frame, an update names them, best first, and no later event does."""
    events = new_events()
    saved = [SavedCrops(7, [crop(9, 0.4), crop(10, 0.8)])]
    started, updated = events.saw(result(10, 7), 10.0, saved)
    assert told([started, updated]) == [("track_started", 7, 10_000), ("track_updated", 7, 10_000)]
    assert (started.crops, updated.crops) == ([], [crop(10, 0.8), crop(9, 0.4)])
    assert updated.track == started.event_id
    assert [event.crops for event in events.left()] == [[]]


def test_crops_that_can_wait_are_told_with_the_next_word_of_the_track() -> None:
    """Given crops of somebody who has gone, the end of his track names them, though it comes with the same frame."""
    events = new_events()
    events.saw(result(10, 7), 10.0)
    events.saw(result(12), 12.0, [SavedCrops(7, [crop(10)], can_wait=True)])
    at = 10.1 + TRACK_ENDED_SECONDS
    (ended,) = events.saw(result(at), at, [SavedCrops(7, [crop(11, 0.9)], can_wait=True)])
    assert told([ended]) == [("track_ended", 7, 10_000)]
    assert ended.crops == [crop(11, 0.9), crop(10)]


def test_crops_of_somebody_who_is_not_seen_any_more_are_told_at_once_before_his_end() -> None:
    """Given frames that are far apart, crops that shall be told at once are told before the track ends."""
    events = new_events()
    events.saw(result(10, 7), 10.0)
    updated, ended = events.saw(result(20), 20.0, [SavedCrops(7, [crop(10)])])
    assert told([updated, ended]) == [("track_updated", 7, 10_000), ("track_ended", 7, 10_000)]
    assert (updated.crops, ended.crops) == ([crop(10)], [])


def test_crops_of_nobody_are_nothing_to_tell() -> None:
    """Given crops of a track that has ended, of none at all, or of a camera that was given up, nothing is told."""
    events = new_events()
    assert events.cropped(SavedCrops(7, [crop(10)])) == []
    events.saw(result(10, 7), 10.0)
    assert events.cropped(SavedCrops(7, [])) == []
    events.left()
    assert events.cropped(SavedCrops(7, [crop(10)])) == []
