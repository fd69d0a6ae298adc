"""Live views of many cameras in one answer."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from camera_ctrler.api.live_wall import Pace
from camera_ctrler.api.services import Services
from camera_ctrler.event_store.tables import tracks
from contract.cameras import CameraState
from contract.detections import TrackedDetection
from contract.errors import REMEDIES, StatusReason
from contract.zones import Zone, ZoneKind, mark_of_masks
from database.identities import identities, sightings
from tests.support.farm_state import PERSON, FarmState, jpeg_of, now_ms
from tests.support.wall_stream import Message, read_parts

WALL = "/api/v1/live"
Parts = Iterator[tuple[Message, bytes]]


@contextmanager
def watching(api: FlaskClient, query: str) -> Iterator[Parts]:
    """Watch a wall for the time of the block."""
    answer = api.get(f"{WALL}?{query}", buffered=False)
    assert answer.status_code == 200, answer.get_data()
    assert answer.mimetype == "multipart/mixed"
    try:
        yield read_parts(answer.response)  # type: ignore[arg-type]  # it yields bytes
    finally:
        answer.close()


def next_of(parts: Parts, wanted: Callable[[Message], bool], seconds: float = 10) -> tuple[Message, bytes]:
    """Return the next message that is wanted; the clock that comes every two seconds ends a wait that is too long."""
    until = time.monotonic() + seconds
    for message, picture in parts:
        if wanted(message):
            return message, picture
        assert time.monotonic() < until, "it did not come"
    raise AssertionError("the stream ended")


def is_picture_of(camera_id: str) -> Callable[[Message], bool]:
    """Return what tells a picture of a camera."""
    return lambda message: message["kind"] == "picture" and message["camera_id"] == camera_id


def test_a_wall_begins_with_what_is_there_of_every_camera(api: FlaskClient, farm_state: FarmState) -> None:
    """Given two cameras with pictures, when both are watched, then their states and pictures come, boxes beside."""
    farm_state.online("lobby")
    farm_state.online("dock")
    with watching(api, "camera=lobby&camera=dock") as parts:
        found: dict[str, tuple[Message, bytes]] = {}
        while len(found) < 2:
            message, picture = next_of(parts, lambda each: each["kind"] == "picture")
            found[message["camera_id"]] = (message, picture)
    message, picture = found["lobby"]
    assert picture == jpeg_of(1, (160, 120))
    assert (message["width"], message["height"]) == (320, 240)
    (box,) = message["boxes"]
    assert box["xyxy"] == list(PERSON.xyxy)
    assert (box["class_name"], box["track_id"], box["identity"]) == ("person", 12, None)


def test_a_new_picture_comes_when_it_is_there(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a watched camera, when a frame is analysed, then it is sent; nothing is sent twice."""
    farm_state.online("lobby")
    with watching(api, "camera=lobby&fps=15") as parts:
        first, _ = next_of(parts, is_picture_of("lobby"))
        new = farm_state.result("lobby", detections=())
        second, picture = next_of(parts, is_picture_of("lobby"))
    assert second["captured_at_ms"] == new.captured_at_ms > first["captured_at_ms"]
    assert second["boxes"] == []
    assert picture == jpeg_of(2, (160, 120))


@pytest.mark.parametrize("size", ["preview", "full"])
def test_a_wall_shows_no_picture_from_before_a_mask(api: FlaskClient, farm_state: FarmState, size: str) -> None:
    """Given a camera with a mask and a picture without, then the next masked one is the first that comes."""
    zones = [Zone(id="door", kind=ZoneKind.MASK, points=[(0, 0), (0.5, 0), (0.5, 0.5)])]
    farm_state.online("lobby", zones=zones)
    with watching(api, f"camera=lobby&size={size}") as parts:
        next_of(parts, lambda message: message["kind"] == "state")
        masked = farm_state.result("lobby", masks=mark_of_masks(zones))
        picture, _ = next_of(parts, is_picture_of("lobby"))
    assert picture["captured_at_ms"] == masked.captured_at_ms


def test_a_camera_without_signal_says_why_and_what_to_do(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a camera that refuses the password, then its state comes with reason and remedy, and no picture."""
    farm_state.camera("dock")
    farm_state.status("dock", CameraState.OFFLINE, StatusReason.AUTH_FAILED)
    with watching(api, "camera=dock") as parts:
        state, _ = next_of(parts, lambda message: message["kind"] == "state")
    assert state["state"] == "offline"
    assert state["reason"] == "auth_failed"
    assert state["remedy"] == REMEDIES[StatusReason.AUTH_FAILED]


def test_a_deleted_camera_is_gone_and_a_wall_without_cameras_ends(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a watched camera, when it is deleted, then that is said, and the answer ends."""
    farm_state.online("lobby")
    with watching(api, "camera=lobby") as parts:
        next_of(parts, is_picture_of("lobby"))
        farm_state.services.registry.remove("lobby")
        farm_state.services.farm.forget()
        state, _ = next_of(parts, lambda message: message["kind"] == "state" and message["state"] == "gone")
        assert state["camera_id"] == "lobby"
        assert list(parts) == []


def test_the_controllers_clock_comes_though_nothing_happens(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a camera that sends nothing, then the clock comes every two seconds: silence would be an outage."""
    farm_state.camera("dock")
    with watching(api, "camera=dock") as parts:
        clocks = [next_of(parts, lambda message: message["kind"] == "clock")[0]["now_ms"] for _ in range(2)]
    assert 1_500 < clocks[1] - clocks[0] < 4_000
    assert abs(clocks[1] - now_ms()) < 2_000


def test_full_size_is_the_saved_frame_and_a_small_one_does_not_replace_it(
    api: FlaskClient, farm_state: FarmState
) -> None:
    """Given a saved frame, when the full size is watched, then it comes; a frame that was not saved is left out."""
    farm_state.online("lobby")
    with watching(api, "camera=lobby&size=full&fps=15") as parts:
        _, picture = next_of(parts, is_picture_of("lobby"))
        assert picture == jpeg_of(1, (320, 240))
        farm_state.result("lobby", saved=False)
        time.sleep(0.3)
        farm_state.result("lobby")
        _, picture = next_of(parts, is_picture_of("lobby"))
    assert picture == jpeg_of(3, (320, 240))


def test_a_viewer_who_reads_slowly_gets_the_newest_and_no_queue(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a viewer who does not read for twenty frames, when he reads again, then the newest comes next."""
    farm_state.online("lobby")
    with watching(api, "camera=lobby&fps=15") as parts:
        next_of(parts, is_picture_of("lobby"))
        for _ in range(20):
            newest = farm_state.result("lobby")
        time.sleep(0.2)
        message, _ = next_of(parts, is_picture_of("lobby"))
    assert message["captured_at_ms"] == newest.captured_at_ms


def test_no_more_pictures_come_than_were_asked_for(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a camera of 20 pictures a second, when two a second are asked for, then about two a second come."""
    farm_state.online("lobby")
    done = threading.Event()

    def analyse() -> None:
        while not done.wait(0.05):
            farm_state.result("lobby", saved=False)

    thread = threading.Thread(target=analyse)
    with watching(api, "camera=lobby&fps=2") as parts:
        thread.start()
        try:
            next_of(parts, is_picture_of("lobby"))
            began = time.monotonic()
            for _ in range(4):
                next_of(parts, is_picture_of("lobby"))
            took = time.monotonic() - began
        finally:
            done.set()
            thread.join()
    assert 1.2 < took < 3


def test_a_wall_that_cannot_be_made_is_refused(api: FlaskClient, farm_state: FarmState) -> None:
    """Given no camera, too many, or too high a rate, then the request is refused in words."""
    farm_state.online("lobby")
    for query in ("", "camera=", "&".join(f"camera=c{n}" for n in range(37)), "camera=lobby&fps=99"):
        assert api.get(f"{WALL}?{query}").status_code == 400, query


def test_a_camera_that_is_not_there_is_not_found(api: FlaskClient, farm_state: FarmState) -> None:
    """Given one camera that is there and one that is not, then the wall is a 404 that names the one."""
    farm_state.online("lobby")
    answer = api.get(f"{WALL}?camera=lobby&camera=nowhere")
    assert answer.status_code == 404
    assert "nowhere" in answer.get_json()["detail"]


def test_who_an_object_is_comes_with_its_box(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a track that was found to be somebody with a name, then his box carries identity and name."""
    _identify(farm_state.services, "lobby", track_id=12, name="Ana")
    farm_state.online("lobby")
    other = TrackedDetection(xyxy=(1, 1, 9, 9), confidence=0.5, class_id=0, class_name="person", track_id=13)
    farm_state.result("lobby", detections=(PERSON, other))
    with watching(api, "camera=lobby") as parts:
        message, _ = next_of(parts, is_picture_of("lobby"))
    assert [box["identity"] for box in message["boxes"]] == [{"identity": "id-1", "name": "Ana"}, None]


def _identify(services: Services, camera_id: str, *, track_id: int, name: str) -> None:
    at_ms = now_ms()
    with services.registry.engine.begin() as connection:
        connection.execute(insert(identities).values(identity="id-1", name=name, created_at_ms=at_ms))
        connection.execute(
            insert(tracks).values(
                track=f"{camera_id}:1:1",
                camera_id=camera_id,
                epoch=1,
                track_id=track_id,
                first_seen_ms=at_ms,
                last_seen_ms=at_ms,
                ended=False,
                frames_seen=1,
                best_score=0,
            )
        )
        connection.execute(
            insert(sightings).values(
                track=f"{camera_id}:1:1",
                camera_id=camera_id,
                first_ms=at_ms,
                last_ms=at_ms,
                identity="id-1",
                reason="same",
                decided_by="test",
                decided_at_ms=at_ms,
                crop_path="x.jpg",
                quality=1.0,
                version="test",
            )
        )


def test_a_camera_that_does_not_tick_evenly_loses_no_picture_at_its_own_rate() -> None:
    """Given five pictures a second that come up to 50 ms early or late, when five are asked for, then all may pass."""
    pace = Pace(5.0)
    for step, shift in enumerate([0.0, 0.05, -0.05, 0.05, -0.05, 0.05]):
        at = 1 + step * 0.2 + shift
        assert pace.wait(at) == 0, step
        pace.sent(at)


def test_a_camera_of_a_higher_rate_is_held_back() -> None:
    """Given pictures twice as often as asked for, when each is sent as soon as it may be, then half of them are."""
    pace, sent = Pace(5.0), 0
    for step in range(100):
        if pace.wait(step * 0.1) == 0:
            pace.sent(step * 0.1)
            sent += 1
    assert 49 <= sent <= 52
