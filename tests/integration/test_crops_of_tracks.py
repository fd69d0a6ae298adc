"""Crops of tracked objects, through the real pipeline: there before they are named, of the right one, and few."""

import time
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
import redis

from contract.crop_paths import parse_crop_path
from contract.events import EventKind
from runtime.crop_store import CropStore
from tests.support.painted_scene import CLOCK, COLOURS, Painted, colour_of, painted_scene
from tests.support.rtsp_server import wait_until
from workers.crops.camera_crops import SILENT_SECONDS
from workers.crops.shortlist import MOST, SET
from workers.events import TRACK_ENDED_SECONDS

SECONDS = 30


class SlowStore(CropStore):
    """A volume that takes its time."""

    def save(self, path: str, data: bytes) -> None:
        """Write, after a while."""
        time.sleep(0.1)
        super().save(path, data)


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """The frames volume."""
    return tmp_path / "frames"


def test_crops_lie_on_the_volume_before_their_event_and_show_who_it_is_about(
    redis_client: redis.Redis, frames: Path
) -> None:
    """Given two people who cross, and a slow volume, each crop is there when it is named, and shows the right one."""
    start = CLOCK.monotonic()
    with painted_scene(redis_client, frames, SlowStore(frames)) as scene:
        scene.watch()
        for number in range(40):
            walked = 10 * number
            scene.feed(
                start + number / 5,
                Painted("blue", 560 - walked, 300, 150 + number),
                Painted("red", 80 + walked, 380, 170 + number),
            )
        scene.feed(start + 8 + TRACK_ENDED_SECONDS, Painted("green", 300, 300))
    assert scene.heard.missing == []
    assert len(scene.heard.tracks) >= 2
    shown = {track: set[str]() for track in scene.heard.tracks}
    for event in scene.heard.events:
        assert event.kind in {EventKind.TRACK_UPDATED, EventKind.TRACK_ENDED} or not event.crops
        for crop in event.crops:
            image = cv2.imread(str(frames / crop.path))
            assert image is not None
            assert image.shape == (crop.height, crop.width, 3)
            shown[event.track or ""].add(colour_of(np.asarray(image, np.uint8)))
            name = parse_crop_path(crop.path)
            assert (name.camera_id, name.epoch, name.track_id) == ("gate", 1, event.track_id)
            assert name.captured_at_ms == crop.captured_at_ms
        assert [crop.quality for crop in event.crops] == sorted((c.quality for c in event.crops), reverse=True)
    assert sorted(map(sorted, list(shown.values())[:2])) == [["blue"], ["red"]]
    assert set(COLOURS) > {"blue", "red"}


@pytest.mark.parametrize("fps", [1, 5])
def test_the_first_crops_are_told_within_two_seconds_and_never_more_than_a_bound(
    redis_client: redis.Redis, frames: Path, fps: int
) -> None:
    """Given somebody who walks about for half a minute, crops come early, again later, with the end, and stay few."""
    start = CLOCK.monotonic()
    with painted_scene(redis_client, frames) as scene:
        scene.watch()
        for number in range(SECONDS * fps):
            seconds = number / fps
            person = Painted("red", 100 + round(40 * seconds) % 400, 300, 100 + round(3 * seconds) % 150)
            scene.feed(start + seconds, person)
        scene.feed(start + SECONDS + TRACK_ENDED_SECONDS)
    first = scene.heard.tracks[0]
    started = next(event for event in scene.heard.events if event.track == first)
    cropped = next(event for event in scene.heard.events if event.crops)
    assert started.at_ms <= cropped.at_ms <= started.at_ms + 1_500
    assert scene.heard.missing == []
    for track in scene.heard.tracks:
        paths = scene.heard.crops(track)
        assert len(set(paths)) == len(paths) <= MOST
        assert all(count <= SET for _, count in scene.heard.kinds(track))
    assert len(scene.heard.crops(first)) > SET
    told = [path for track in scene.heard.tracks for path in scene.heard.crops(track)]
    assert sorted(told) == sorted(file.relative_to(frames).as_posix() for file in frames.glob("gate/crops/*/*/*"))


def test_the_last_word_of_a_track_names_what_came_since(redis_client: redis.Redis, frames: Path) -> None:
    """Given somebody who comes nearer and leaves at once, his end names crops that were not told of before."""
    start = CLOCK.monotonic()
    with painted_scene(redis_client, frames) as scene:
        scene.watch()
        for number in range(20):
            scene.feed(start + number / 5, Painted("red", 300, 300 + 6 * number, 100 + 10 * number))
        for second in range(1, 9):
            scene.feed(start + 4 + second)
    kinds = scene.heard.kinds(scene.heard.tracks[0])
    assert kinds[0] == ("track_started", 0)
    assert kinds[-1][0] == "track_ended"
    assert kinds[-1][1] > 0
    assert [kind for kind, count in kinds if count] == ["track_updated", "track_ended"]


def test_what_is_held_when_the_worker_stops_is_told_with_the_end(redis_client: redis.Redis, frames: Path) -> None:
    """Given somebody who has just come, when the worker is stopped, the end of the track names the crop."""
    start = CLOCK.monotonic()
    with painted_scene(redis_client, frames) as scene:
        scene.watch()
        for number in range(4):
            scene.feed(start + number / 5, Painted("red", 300, 300))
    [started, (kind, crops)] = scene.heard.kinds(scene.heard.tracks[0])
    assert (started, kind) == (("track_started", 0), "track_ended")
    assert crops > 0
    assert scene.heard.missing == []


def test_a_camera_that_falls_silent_loses_no_crops(redis_client: redis.Redis, frames: Path) -> None:
    """Given somebody who has just come, when no frame follows, his crop is told all the same."""
    start = CLOCK.monotonic() - SILENT_SECONDS
    with painted_scene(redis_client, frames) as scene:
        scene.watch()
        for number in range(4):
            scene.feed(start + number / 5, Painted("red", 300, 300))

        def is_told() -> bool:
            _ = scene.status  # once a second a worker says how its cameras do
            return bool(scene.heard.crops(scene.heard.tracks[0]))

        wait_until(is_told, "the crop is told")
        assert [kind for kind, _ in scene.heard.kinds(scene.heard.tracks[0])] == ["track_started", "track_updated"]


def test_on_a_full_volume_events_go_on_without_crops_and_with_them_when_there_is_room(
    redis_client: redis.Redis, small_volume: Path
) -> None:
    """Given a volume without room, tracks are told as ever, the crops are counted; with room again, there are some."""
    start = CLOCK.monotonic()
    ballast = small_volume / "ballast"
    with painted_scene(redis_client, small_volume) as scene:
        scene.watch()
        scene.feed(start)
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 1_000)
        for number in range(20):
            scene.feed(start + 0.2 + number / 5, Painted("red", 100 + 10 * number, 300))
        status = scene.status
        assert (status.frames_analysed, status.frames_dropped, status.crops_saved) == (21, {}, 0)
        assert status.crops_unsaved["disk_full"] > 0
        assert [event.crops for event in scene.heard.events if event.crops] == []
        ballast.unlink()
        for number in range(20):
            scene.feed(start + 4.2 + number / 5, Painted("red", 300 + 10 * number, 300))
    (track,) = scene.heard.tracks
    assert scene.heard.kinds(track)[0] == ("track_started", 0)
    assert any(count for kind, count in scene.heard.kinds(track) if kind == "track_updated"), "told at once, as ever"
    assert scene.heard.missing == []


def test_the_cameras_padding_is_in_the_crop_and_not_in_its_box(redis_client: redis.Redis, frames: Path) -> None:
    """Given a camera whose boxes are padded, a crop is larger than its box, which is that of the object alone."""
    start = CLOCK.monotonic()
    person = Painted("red", 300, 300)
    with painted_scene(redis_client, frames) as scene:
        scene.watch(box_padding=0.25)
        for number in range(4):
            scene.feed(start + number, person)
    crop = next(crop for event in scene.heard.events for crop in event.crops)
    left, top, right, bottom = crop.xyxy
    assert np.abs(np.array(crop.xyxy) - person.xyxy).max() <= 2
    assert crop.width == pytest.approx(1.5 * (right - left), abs=2)
    assert crop.height == pytest.approx(1.5 * (bottom - top), abs=2)
