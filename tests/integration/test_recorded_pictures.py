"""Pictures of recorded footage over the API: instants, thumbnails, time-lapses, evidence of events."""

import json
from typing import Any

import cv2
import numpy as np
import pytest
import redis
from flask.testing import FlaskClient
from numpy.typing import NDArray

from camera_ctrler.playback import recorded_pictures
from contract import keys
from tests.integration.test_recorded_clip import decoded
from tests.support.farm_state import FarmState, now_ms
from tests.support.footage import Look, cut_into_last_fragment, read_time, remove_moov
from tests.support.recorded_camera import SMALL, START, RecordedCamera

CAMERA = "/api/v1/cameras/lobby"
REORDERED = Look(size=(320, 180), gop=50, b_frames=2, sound=True)


def image_of(data: bytes) -> NDArray[np.uint8]:
    """Return a JPEG's picture."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def shown_at(api: FlaskClient, at_ms: int) -> tuple[int | None, int]:
    """Return the time burnt into the picture of an instant, and the one that the answer states."""
    answer = api.get(f"{CAMERA}/recorded.jpg?at_ms={at_ms}")
    assert answer.status_code == 200, answer.text
    return read_time(image_of(answer.data)), int(answer.headers["X-Captured-At-Ms"])


@pytest.mark.parametrize("look", [SMALL, REORDERED], ids=["plain", "b-frames"])
def test_the_picture_of_an_instant_is_the_one_that_was_shown(
    api: FlaskClient, lobby: RecordedCamera, look: Look
) -> None:
    """Given any instant, also at the borders of pictures, fragments and files, then that very picture is given."""
    lobby.record(START, 2, seconds=4.0, look=look)
    for offset in (0, 39, 40, 960, 999, 1_000, 1_010, 1_960, 2_040, 3_999, 4_000, 5_555, 7_960):
        wanted = START + offset // 40 * 40
        assert shown_at(api, START + offset) == (wanted, wanted)


def test_a_picture_stands_for_two_seconds_after_the_last(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given the end of a file, then its last picture is given for two seconds, then the answer names what is there."""
    lobby.record(START, seconds=4.0)
    assert shown_at(api, START + 5_900) == (START + 3_960, START + 3_960)
    late = api.get(f"{CAMERA}/recorded.jpg?at_ms={START + 6_000}")
    assert (late.status_code, late.json and late.json["type"]) == (404, "urn:camfarm:problem:nothing-to-play")
    assert "nearby there is footage from 2026-09-21T14:15:00.000Z to 2026-09-21T14:15:04.000Z" in late.text


def test_browsers_keep_only_pictures_for_which_no_nearer_one_can_come(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given the picture of an instant long ago, it may be kept; the newest, or of a moment ago, is asked for anew."""
    lobby.record(START, seconds=4.0)
    lobby.open(now_ms() - 8_000, seconds=6.0, look=SMALL)
    for query, is_kept in ((f"?at_ms={START + 1_000}", True), ("", False), (f"?at_ms={now_ms() - 3_000}", False)):
        said = api.get(f"{CAMERA}/recorded.jpg{query}").headers["Cache-Control"]
        assert ("max-age" in said, "no-cache" in said) == (is_kept, not is_kept)


def test_damaged_footage_hides_nothing(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a cut fragment, and a newer file without moov for the same time, then what is whole is shown."""
    segments = lobby.record(START, seconds=4.0)
    cut_into_last_fragment(lobby.file(segments[0]))
    assert shown_at(api, START + 3_500)[0] == START + 2_960
    newer = lobby.record(START, seconds=4.0, epoch=2)
    remove_moov(lobby.file(newer[0]))
    assert shown_at(api, START + 1_000)[0] == START + 1_000
    playlist = api.get(f"{CAMERA}/recordings.m3u8?from_ms={START}&to_ms={START + 4_000}").text
    assert f"recordings/{START}-1/" in playlist
    assert "# 1 damaged or deleted files are left out" in playlist


def test_a_picture_can_be_scaled_and_is_marked(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a width, then the picture has it and keeps its shape, a larger one changes nothing, and it has a mark."""
    lobby.record(START, seconds=2.0)
    small = api.get(f"{CAMERA}/recorded.jpg?at_ms={START}&width=160")
    assert image_of(small.data).shape == (90, 160, 3)
    assert image_of(api.get(f"{CAMERA}/recorded.jpg?at_ms={START}&width=999").data).shape == (180, 320, 3)
    again = api.get(f"{CAMERA}/recorded.jpg?at_ms={START}&width=160", headers={"If-None-Match": small.headers["ETag"]})
    assert again.status_code == 304


def test_the_newest_picture_is_that_of_the_file_being_written(
    api: FlaskClient, lobby: RecordedCamera, redis_client: redis.Redis
) -> None:
    """Given a file that is written, when no time is named, then its newest picture is given; the future is refused."""
    assert redis_client.ping()
    growing = lobby.open(now_ms() - 5_000, seconds=4.0, look=SMALL)
    answer = api.get(f"{CAMERA}/recorded.jpg")
    assert read_time(image_of(answer.data)) == growing.end_ms - 40
    future = api.get(f"{CAMERA}/recorded.jpg?at_ms={now_ms() + 7_200_000}")
    assert (future.status_code, "check that times are Unix" in future.text) == (400, True)


def cells(data: bytes, columns: int, size: str) -> list[NDArray[np.uint8]]:
    """Return the pictures of a sprite, row by row."""
    width, height = (int(part) for part in size.split("x"))
    sheet = image_of(data)
    rows = sheet.shape[0] // height
    return [
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]
        for row in range(rows)
        for column in range(columns)
    ]


def test_thumbnails_are_keyframes_in_order_with_their_times(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given footage with a gap, then each thumbnail is the keyframe before its instant, black where there is none."""
    lobby.record(START, 2, seconds=4.0)
    lobby.record(START + 12_000, seconds=4.0)
    answer = api.get(f"{CAMERA}/thumbnails.jpg?from_ms={START}&to_ms={START + 16_000}&columns=4&rows=2&width=320")
    times = json.loads(answer.headers["X-Times"])
    assert times == [
        START + 1_000,
        START + 3_000,
        START + 5_000,
        START + 7_000,
        None,
        None,
        START + 13_000,
        START + 15_000,
    ]
    assert answer.headers["X-Thumbnail-Size"] == "320x180"
    found = cells(answer.data, 4, "320x180")
    assert [read_time(cell) for cell in found if cell.max() > 60] == [time for time in times if time]
    assert [cell.max() < 30 for cell in found] == [time is None for time in times]


def test_thumbnails_are_made_once(api: FlaskClient, lobby: RecordedCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given thumbnails of a settled range, when they are asked for again, then nothing is decoded; others are made."""
    lobby.record(START, seconds=4.0)
    path = f"{CAMERA}/thumbnails.jpg?from_ms={START}&to_ms={START + 4_000}&columns=2&rows=1"
    first = api.get(path)
    made: list[object] = []
    keep = lobby.services.recorded.moments.keyframes

    def counted(*arguments: Any) -> Any:
        made.append(arguments)
        return keep(*arguments)

    monkeypatch.setattr("camera_ctrler.playback.moments.Moments.keyframes", lambda _self, *rest: counted(*rest))
    again = api.get(path)
    assert (again.data, again.headers["X-Times"], made) == (first.data, first.headers["X-Times"], [])
    assert api.get(path.replace("rows=1", "rows=2")).status_code == 200
    assert len(made) == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("columns=20&rows=20", "at most 200"),
        ("width=15", "width"),
        ("rows=21", "rows"),
        ("from_ms=9&to_ms=3", "before"),
    ],
)
def test_thumbnails_that_are_too_many_are_refused(
    api: FlaskClient, lobby: RecordedCamera, query: str, said: str
) -> None:
    """Given more or smaller pictures than there can be, then the answer is 400 and says what can be asked for."""
    answer = api.get(f"/api/v1/cameras/{lobby.camera_id}/thumbnails.jpg?{query}")
    assert (answer.status_code, said in answer.text) == (400, True)


def test_thumbnails_without_footage_are_black(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given nothing recorded, then the sprite is black and states no times."""
    assert lobby.segments == []
    answer = api.get(f"{CAMERA}/thumbnails.jpg?from_ms={START}&to_ms={START + 4_000}&columns=2&rows=1")
    assert json.loads(answer.headers["X-Times"]) == [None, None]
    assert image_of(answer.data).shape == (90, 320, 3)


def test_a_timelapse_shows_keyframes_at_equal_distances(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given ten seconds, then a time-lapse of one has 25 pictures, in order, and can be had in ranges."""
    lobby.record(START, seconds=10.0)
    path = f"{CAMERA}/timelapse.mp4?from_ms={START}&to_ms={START + 10_000}&seconds=1"
    answer = api.get(path)
    found = decoded(answer.data)
    assert [time for time, _ in found.pictures] == [40 * number for number in range(25)]
    assert [burnt for burnt in found.burnt if burnt is not None] == [
        START + int((number + 0.5) * 400) // 1_000 * 1_000 for number in range(25)
    ]
    assert (answer.headers["X-Frames"], answer.headers["X-Missing-Frames"]) == ("25", "0")
    assert api.get(path, headers={"Range": "bytes=0-99"}).status_code == 206


def test_a_timelapse_leaves_out_what_was_not_recorded(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given half of a range recorded, then half of the pictures are there; of none there is no time-lapse."""
    lobby.record(START, seconds=4.0)
    answer = api.get(f"{CAMERA}/timelapse.mp4?from_ms={START}&to_ms={START + 8_000}&seconds=2")
    assert (answer.headers["X-Frames"], answer.headers["X-Missing-Frames"]) == ("25", "25")
    empty = api.get(f"{CAMERA}/timelapse.mp4?from_ms={START + 60_000}&to_ms={START + 68_000}")
    assert (empty.status_code, empty.json and empty.json["type"]) == (404, "urn:camfarm:problem:nothing-to-play")


def test_instants_lie_in_the_middle_of_equal_parts() -> None:
    """Given a range and a number, then instants are inside, ascending and equally far apart."""
    assert recorded_pictures.instants(0, 100, 4) == [12, 37, 62, 87]


@pytest.fixture
def seen(lobby: RecordedCamera, farm_state: FarmState) -> int:
    """An event in the middle of a recorded minute; the camera keeps 2 s before and 3 s after. Returns when it was."""
    at_ms = now_ms() // 1000 * 1000 - 60_000
    lobby.services.registry.remove("lobby")
    lobby.register(pre_roll_seconds=2.0, post_roll_seconds=3.0)
    lobby.record(at_ms - 8_000, 4, seconds=4.0)
    farm_state.client.set(keys.camera_epoch("lobby"), 1)
    farm_state.event("lobby", 1, at_ms=at_ms)
    return at_ms


def test_an_event_has_a_clip_around_it(api: FlaskClient, seen: int) -> None:
    """Given an event, then its clip has the camera's seconds before and after it, also cut exactly."""
    answer = api.get("/api/v1/events/lobby:1:1/clip.mp4")
    assert answer.status_code == 200, answer.text
    assert decoded(answer.data).burnt == list(range(seen - 2_000, seen + 3_000, 40))
    exact = api.get("/api/v1/events/lobby:1:1/clip.mp4?exact=true")
    assert exact.headers["X-Begin-Ms"] == str(seen - 2_000)


def test_an_event_has_its_saved_frame_or_the_recorded_picture(
    api: FlaskClient, lobby: RecordedCamera, farm_state: FarmState, seen: int
) -> None:
    """Given an event with a saved frame, then that is its picture; once it was deleted, the recorded one is."""
    saved = farm_state.save("lobby", seen + 8)
    farm_state.event("lobby", 2, at_ms=seen + 8, frame_path=saved)
    file = lobby.root / saved
    assert api.get("/api/v1/events/lobby:1:2/picture.jpg").data == file.read_bytes()
    file.unlink()
    assert read_time(image_of(api.get("/api/v1/events/lobby:1:2/picture.jpg").data)) == seen
    assert read_time(image_of(api.get("/api/v1/events/lobby:1:1/picture.jpg").data)) == seen


@pytest.mark.parametrize("name", ["clip.mp4", "picture.jpg"])
def test_an_event_that_is_not_there_is_named(api: FlaskClient, lobby: RecordedCamera, name: str) -> None:
    """Given the id of no event, then the answer is 404 and says where events are listed."""
    assert lobby.services
    answer = api.get(f"/api/v1/events/lobby:9:9/{name}")
    assert (answer.status_code, answer.json and answer.json["type"]) == (404, "urn:camfarm:problem:event-not-found")


def test_footage_with_fractional_rates_is_found_to_the_picture(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given 15 pictures a second, whose times are no whole milliseconds, then each is found under its own time."""
    lobby.record(START, seconds=2.0, look=Look(size=(320, 180), fps=15, gop=15))
    for number in range(30):
        wanted = START + round(number * 1000 / 15)
        assert shown_at(api, wanted) == (wanted, wanted)
