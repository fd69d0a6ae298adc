"""A camera with masks, from a real RTSP server to all that is kept of it: nothing of what they hide is anywhere."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import redis
from numpy.typing import NDArray

from contract import keys
from contract.assignments import Assignment
from contract.cameras import AnalysisSettings, DetectOn
from contract.recordings import RecordingSettings, RecordMode
from contract.zones import Zone, ZoneKind
from tests.integration.test_capture_for_recording import clip_with_sound
from tests.support.hand_fed import BreakableDetector
from tests.support.live_recording import FileContents, contents_of
from tests.support.recording_pipeline import RecordingPipeline, recording_pipeline
from tests.support.rtsp_server import RtspServer, wait_until
from workers.frames import Detections
from workers.pictures import BgrImage

LEFT_HALF = Zone(id="window", kind=ZoneKind.MASK, points=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)])
YARD = Zone(id="yard", points=[(0.6, 0.1), (0.9, 0.1), (0.9, 0.9)])
#: Brightest that a hidden pixel may be after JPEG or H.264, and least that a visible one of these clips is.
DARK, BRIGHT = 40, 50


class LookingDetector(BreakableDetector):
    """Finds somebody everywhere, and keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.somebody_is_there = True
        self.seen: list[BgrImage] = []

    def detect(self, images: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Keep the pictures."""
        self.seen += [image.copy() for image in images][: max(0, 50 - len(self.seen))]
        return super().detect(images, confidence=confidence)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """Serve a stream of moving squares with sound."""
    folder = tmp_path_factory.mktemp("media")
    clip_with_sound(folder / "yard.mp4", "aac", seconds=4)
    with RtspServer(folder) as running:
        yield running


@pytest.fixture
def running(tmp_path: Path, redis_client: redis.Redis) -> Iterator[RecordingPipeline]:
    """A pipeline without cameras."""
    with recording_pipeline(tmp_path, redis_client, LookingDetector()) as started:
        yield started


def _assignment(url: str, zones: list[Zone]) -> Assignment:
    return Assignment(
        camera_id="yard",
        url=url,
        epoch=1,
        settings=AnalysisSettings(analyse_fps=5, detect_on=DetectOn.EVERY_FRAME),
        recording=RecordingSettings(record=RecordMode.CONTINUOUS),
        zones=zones,
    )


def _is_masked(image: NDArray[np.uint8]) -> bool:
    """Tell whether the left half of a picture is black; its right half must not be, in any case."""
    width = image.shape[1]
    right = image[:, width // 2 + 8 :].max(axis=2)
    assert right.min() > BRIGHT
    return bool(image[:, : width // 2 - 8].max() < DARK)


def _frames(contents: FileContents) -> list[NDArray[np.uint8]]:
    with av.open(str(contents.path)) as file:
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in file.decode(video=0)]


@pytest.mark.slow
def test_nothing_that_a_mask_hides_is_analysed_saved_shown_or_recorded(
    running: RecordingPipeline, server: RtspServer, redis_client: redis.Redis
) -> None:
    """Given a camera with a mask and a zone, then what is made of it is black there, and goes on as the camera's."""
    running.pipeline.apply({"yard": _assignment(server.url("yard"), [LEFT_HALF, YARD])})
    running.pipeline.watched_by_people({"yard"})
    wait_until(lambda: running.seconds("yard") >= 4, "it is recorded", seconds=40)
    preview = redis_client.hget(keys.camera_preview("yard"), "jpeg")
    running.pipeline.apply({})
    wait_until(lambda: len(running.told("yard")) >= 1, "the file is finished", seconds=20)

    (footage,) = contents_of(running.frames, "yard")
    recorded = _frames(footage)
    assert (footage.codec, footage.size) == ("h264", (320, 240))
    assert all(map(_is_masked, recorded))
    # The camera's own times, rate, keyframes and sound.
    steps = [after - before for before, after in pairwise(footage.decoded)]
    assert max(steps) < 0.2
    assert min(steps) > 0.05
    assert len(recorded) == len(footage.decoded) >= 40
    assert footage.begins_with_keyframe
    assert _keyframes_apart(footage.path) == {10}
    assert len(footage.heard) > 20

    saved = [cv2.imread(str(path)) for path in (running.frames / "yard").rglob("*.jpg") if "crops" not in path.parts]
    assert len(saved) > 5
    assert all(image is not None and _is_masked(np.asarray(image, np.uint8)) for image in saved)
    crops = [cv2.imread(str(path)) for path in (running.frames / "yard" / "crops").rglob("*.jpg")]
    assert crops
    assert all(image is not None and np.asarray(image).max() < DARK for image in crops)
    assert isinstance(preview, bytes)
    shown = cv2.imdecode(np.frombuffer(preview, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert _is_masked(np.asarray(shown, np.uint8))
    detector = running.detector
    assert isinstance(detector, LookingDetector)
    assert detector.seen
    middle = np.s_[16:48]  # above and below is the filling of its square input
    assert all(image[middle, : image.shape[1] // 2 - 4].max() < DARK for image in detector.seen)
    assert all(image[middle, image.shape[1] // 2 + 4 :].min() > BRIGHT // 2 for image in detector.seen)


def _keyframes_apart(path: Path) -> set[int]:
    with av.open(str(path)) as file:
        places = [number for number, packet in enumerate(file.demux(video=0)) if packet.size and packet.is_keyframe]
    return {after - before for before, after in pairwise(places)}


@pytest.mark.slow
def test_a_mask_that_is_drawn_later_hides_what_comes_then(running: RecordingPipeline, server: RtspServer) -> None:
    """Given a camera that is recorded, when a mask is drawn, then new files are masked and the old one is as it was."""
    running.pipeline.apply({"yard": _assignment(server.url("yard"), [YARD])})
    wait_until(lambda: running.seconds("yard") >= 2, "it is recorded", seconds=40)
    running.pipeline.apply({"yard": _assignment(server.url("yard"), [YARD, LEFT_HALF])})
    wait_until(lambda: len(running.told("yard")) == 1, "the first file is finished", seconds=40)
    wait_until(lambda: running.seconds("yard") >= 2, "it is recorded anew", seconds=40)
    running.pipeline.apply({})
    wait_until(lambda: len(running.told("yard")) == 2, "the second file is finished", seconds=20)
    before, after = contents_of(running.frames, "yard")
    assert not any(map(_is_masked, _frames(before)))
    assert all(map(_is_masked, _frames(after)))
