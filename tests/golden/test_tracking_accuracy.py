"""People on a plaza keep their ids at one frame per second: real footage with known tracks."""

from typing import Final

import pytest

from benchmarks.tracking_accuracy import (
    MOT_DIR,
    LibraryDefault,
    Sample,
    detect_people,
    every,
    irregular,
    mean,
    track_and_score,
)
from tests.support.weights import yolo11n
from workers.detection.openvino_detector import OpenVinoDetector
from workers.frames import Detections
from workers.tracking.byte_track import ByteTrackCameraTracker

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not MOT_DIR.is_dir(), reason=f"{MOT_DIR} is not there"),
]

TRUTH: Final = MOT_DIR / "gt" / "gt.txt"
ON_THE_BEAT: Final = every(1)
#: 0.5 to 1.5 s apart.
OFF_THE_BEAT: Final = irregular(1)

Footage = tuple[dict[int, Detections], tuple[int, int]]


@pytest.fixture(scope="module")
def footage() -> Footage:
    """Give the people that the default detector finds in the frames that are needed, and the frames' size."""
    (video,) = MOT_DIR.glob("*.mp4")
    frames = set(ON_THE_BEAT.frames) | set(OFF_THE_BEAT.frames)
    return detect_people(OpenVinoDetector(yolo11n(), precision="f32"), video, frames)


@pytest.mark.parametrize("sample", [ON_THE_BEAT, OFF_THE_BEAT], ids=["every second", "0.5 to 1.5 s apart"])
def test_people_keep_their_ids_at_one_frame_per_second(footage: Footage, sample: Sample) -> None:
    """Given one frame a second, when people are followed, then IDF1 is above 0.6 and MOTA above 0.65."""
    found, size = footage

    result = track_and_score(ByteTrackCameraTracker(yolo11n().class_names), sample, found, size, TRUTH)

    assert result.idf1 > 0.6
    assert result.mota > 0.65


def test_the_tuning_is_worth_having(footage: Footage) -> None:
    """Given one frame a second, when the library's defaults and ours follow, then ours switch far fewer ids."""
    found, size = footage
    samples = [ON_THE_BEAT, OFF_THE_BEAT]

    ours = mean(
        [track_and_score(ByteTrackCameraTracker(yolo11n().class_names), each, found, size, TRUTH) for each in samples]
    )
    default = mean([track_and_score(LibraryDefault(1), each, found, size, TRUTH) for each in samples])

    assert ours.idf1 > default.idf1 + 0.3
    assert ours.id_switches < default.id_switches / 1.5
