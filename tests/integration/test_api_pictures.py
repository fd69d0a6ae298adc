"""Snapshots: which picture, with which boxes, and how often it is sent."""

import cv2
import numpy as np
import pytest
import redis
from flask.testing import FlaskClient
from numpy.typing import NDArray

from camera_ctrler.api.drawing import draw_result, label_of, no_signal
from camera_ctrler.api.pictures import DrawnCache
from contract import keys
from contract.camera_specs import Camera
from contract.detections import TrackedDetection
from contract.zones import mark_of_masks
from tests.support.farm_state import PERSON, FarmState, jpeg_of

LOBBY = "/api/v1/cameras/lobby"
MASK = {"id": "door", "kind": "mask", "points": [[0, 0], [0.5, 0], [0.5, 0.5]]}


def _image(jpeg: bytes) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def test_a_snapshot_is_the_newest_saved_frame_at_full_size(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a saved frame and a smaller preview, then the frame's own bytes come, and the preview on request."""
    result = farm_state.online("lobby")
    assert result.frame_path is not None
    answer = api.get(f"{LOBBY}/snapshot.jpg")
    assert answer.data == farm_state.store.resolve(result.frame_path).read_bytes()
    assert answer.headers["X-Captured-At-Ms"] == str(result.captured_at_ms)
    assert _image(api.get(f"{LOBBY}/snapshot.jpg?size=preview").data).shape == (120, 160, 3)


def test_a_server_without_memory_still_shows_what_it_has(
    api: FlaskClient, farm_state: FarmState, redis_client: redis.Redis
) -> None:
    """Given Redis that takes no more data, When a preview is asked for, Then it is shown; that someone looks is not."""
    farm_state.online("lobby")
    redis_client.config_set("maxmemory", 1)
    try:
        answer = api.get(f"{LOBBY}/snapshot.jpg?size=preview")
    finally:
        redis_client.config_set("maxmemory", 0)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert not redis_client.exists(keys.camera_watched("lobby"))


def test_what_was_captured_before_a_mask_was_drawn_is_not_shown_as_new(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a newest picture without a mask, when one is drawn, then it is shown no more until a masked one is."""
    farm_state.online("lobby")
    camera = api.patch(LOBBY, json={"zones": [MASK]}).json
    assert camera is not None
    for path in ("snapshot.jpg", "snapshot.jpg?size=preview", "snapshot-annotated.jpg"):
        assert api.get(f"{LOBBY}/{path}").status_code == 404
    mark = mark_of_masks(Camera.model_validate(camera).zones)
    masked = farm_state.result("lobby", masks=mark)
    assert api.get(f"{LOBBY}/snapshot.jpg").headers["X-Captured-At-Ms"] == str(masked.captured_at_ms)
    assert api.patch(LOBBY, json={"zones": [MASK | {"points": [[0, 0], [1, 0], [1, 1]]}]}).status_code == 200
    assert api.get(f"{LOBBY}/snapshot.jpg").status_code == 404
    assert api.patch(LOBBY, json={"zones": []}).status_code == 200
    assert api.get(f"{LOBBY}/snapshot.jpg").status_code == 200


@pytest.mark.parametrize("damage", ["deleted", "cut off", "not saved"])
def test_without_a_whole_saved_frame_the_preview_is_shown(api: FlaskClient, farm_state: FarmState, damage: str) -> None:
    """Given a newest frame that is gone, damaged or was not kept, then the preview comes instead."""
    farm_state.camera("lobby")
    result = farm_state.result("lobby", saved=damage != "not saved")
    if result.frame_path is not None:
        file = farm_state.store.resolve(result.frame_path)
        data = file.read_bytes()
        file.unlink()
        if damage == "cut off":
            file.write_bytes(data[: len(data) // 2])
    assert _image(api.get(f"{LOBBY}/snapshot.jpg").data).shape == (120, 160, 3)


def test_boxes_are_drawn_where_the_result_says_at_any_size(api: FlaskClient, farm_state: FarmState) -> None:
    """Given one box, then the picture changes around its edges and nowhere far from it, at full size and preview."""
    farm_state.online("lobby")
    for size, scale in (("full", 1.0), ("preview", 0.5)):
        plain = _image(api.get(f"{LOBBY}/snapshot.jpg?size={size}").data).astype(int)
        drawn = _image(api.get(f"{LOBBY}/snapshot-annotated.jpg?size={size}").data).astype(int)
        changed = np.abs(plain - drawn).max(axis=2) > 60
        left, top, right, bottom = (round(value * scale) for value in PERSON.xyxy)
        assert changed[(top + bottom) // 2, left - 2 : left + 3].any()
        assert changed[bottom - 2 : bottom + 3, (left + right) // 2].any()
        assert not changed[bottom + 8 :].any()
        assert not changed[(top + bottom) // 2 :, right + 8 :].any()
        assert not changed[(top + bottom) // 2 - 5 : (top + bottom) // 2 + 5, left + 8 : right - 8].any()


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_label_can_be_read_on_dark_and_on_light(shade: int) -> None:
    """Given a black, grey or white scene, then light letters stand on a dark ground in the label."""
    image = np.full((240, 320, 3), shade, np.uint8)
    result = FarmState.plain_result((PERSON,), (320, 240))
    drawn = draw_result(image, result)
    label = drawn[20:40, 40:110].astype(int)
    brightness = label.mean(axis=2)
    assert brightness.max() > 200
    assert np.percentile(brightness, 30) < 130


def test_a_label_names_class_confidence_and_track() -> None:
    """Given detections with and without a track, then the words are those people expect."""
    assert label_of(PERSON) == "person 0.87 #12"
    assert label_of(TrackedDetection(xyxy=(0, 0, 1, 1), confidence=1, class_id=2, class_name="car")) == "car 1.00"


def test_boxes_outside_the_picture_or_without_area_do_no_harm() -> None:
    """Given boxes that padding pushed out of the frame, then drawing still gives a picture of the same size."""
    boxes = tuple(
        TrackedDetection(xyxy=xyxy, confidence=0.5, class_id=number, class_name="x")
        for number, xyxy in enumerate([(-50, -50, 10, 10), (5, 5, 5, 5), (300, 200, 900, 900)])
    )
    drawn = draw_result(np.zeros((240, 320, 3), np.uint8), FarmState.plain_result(boxes, (320, 240)))
    assert drawn.shape == (240, 320, 3)


def test_a_known_picture_is_not_sent_again(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a client that has the picture, then 304 until there is a new one."""
    farm_state.online("lobby")
    path = f"{LOBBY}/snapshot-annotated.jpg?size=preview"
    tag = api.get(path).headers["ETag"]
    known = api.get(path, headers={"If-None-Match": tag})
    assert (known.status_code, known.data) == (304, b"")
    farm_state.result("lobby")
    assert api.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_picture_that_shows_nothing_is_sent_as_it_is(api: FlaskClient, farm_state: FarmState) -> None:
    """Given no detections, then the annotated snapshot has the saved frame's own bytes."""
    farm_state.camera("lobby")
    farm_state.result("lobby", detections=())
    assert api.get(f"{LOBBY}/snapshot-annotated.jpg").data == api.get(f"{LOBBY}/snapshot.jpg").data


def test_drawn_pictures_are_kept_up_to_a_bound() -> None:
    """Given more pictures than fit, then the ones not asked for longest are drawn again."""
    cache = DrawnCache(max_bytes=250)
    drawn: list[str] = []

    def ask(tag: str) -> bytes:
        return cache.get(tag, lambda: drawn.append(tag) or b"x" * 100)  # type: ignore[func-returns-value]  # append

    for tag in ("a", "b", "a", "c", "a", "b"):
        ask(tag)
    assert drawn == ["a", "b", "c", "b"]


def test_no_signal_is_a_picture_for_any_words() -> None:
    """Given names and reasons of any length and alphabet, then a JPEG of the usual size comes."""
    for words in (["timeout"], ["ж" * 500, "很长" * 200], ["", "\x00"], []):
        assert _image(no_signal("Вход", words)).shape == (360, 640, 3)


def test_a_corrupt_preview_is_shown_without_boxes(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a preview that cannot be decoded, then it is passed on and nothing breaks."""
    farm_state.camera("lobby")
    result = FarmState.plain_result((PERSON,), (320, 240))
    farm_state.link().publish_result(result, jpeg_of(1)[:100])
    answer = api.get(f"{LOBBY}/snapshot-annotated.jpg")
    assert (answer.status_code, answer.data) == (200, jpeg_of(1)[:100])
