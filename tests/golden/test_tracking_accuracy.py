"""People keep their ids: on a plaza at one frame per second, and where they cross; real footage with known tracks."""

from typing import Final

import pytest

from benchmarks.tracking_accuracy import (
    MOT15_DIR,
    MOT_DIR,
    PETS,
    TUD,
    Sample,
    Scene,
    every,
    irregular,
    library_default,
    mean,
    scene,
)
from tests.support.weights import yolo11n
from workers.detection.openvino_detector import OpenVinoDetector
from workers.tracking.byte_track import ByteTrackCameraTracker

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not MOT_DIR.is_dir(), reason=f"{MOT_DIR} is not there"),
]

ON_THE_BEAT: Final = every(1)
#: 0.5 to 1.5 s apart.
OFF_THE_BEAT: Final = irregular(1)
CROSSING: Final = [every(5, phase, TUD) for phase in range(2)]


@pytest.fixture(scope="module")
def detector() -> OpenVinoDetector:
    """Give the default detector."""
    return OpenVinoDetector(yolo11n(), precision="f32")


@pytest.fixture(scope="module")
def plaza(detector: OpenVinoDetector) -> Scene:
    """Give the people that it finds in the frames that are needed of the plaza."""
    return scene(detector, MOT_DIR, PETS, set(ON_THE_BEAT.frames) | set(OFF_THE_BEAT.frames))


@pytest.fixture(scope="module")
def street(detector: OpenVinoDetector) -> Scene:
    """Give the people that it finds on a street, seen from the side, where they cover each other."""
    return scene(detector, MOT15_DIR / TUD.name, TUD, {frame for sample in CROSSING for frame in sample.frames})


def ours(*, uses_appearance: bool) -> ByteTrackCameraTracker:
    """Return a tracker of this project."""
    return ByteTrackCameraTracker(yolo11n().class_names, uses_appearance=uses_appearance)


@pytest.mark.parametrize("uses_appearance", [False, True], ids=["by place", "by appearance"])
@pytest.mark.parametrize("sample", [ON_THE_BEAT, OFF_THE_BEAT], ids=["every second", "0.5 to 1.5 s apart"])
def test_people_keep_their_ids_at_one_frame_per_second(plaza: Scene, sample: Sample, uses_appearance: bool) -> None:
    """Given one frame a second, when people are followed, then IDF1 is above 0.6 and MOTA above 0.65."""
    result = plaza.score(ours(uses_appearance=uses_appearance), sample, shows_pictures=uses_appearance)
    assert result.idf1 > 0.6
    assert result.mota > 0.65


def test_the_tuning_is_worth_having(plaza: Scene) -> None:
    """Given one frame a second, when the library's defaults and ours follow, then ours switch far fewer ids."""
    samples = [ON_THE_BEAT, OFF_THE_BEAT]
    tuned = mean([plaza.score(ours(uses_appearance=False), each, shows_pictures=False) for each in samples])
    default = mean([plaza.score(library_default(1), each, shows_pictures=False) for each in samples])
    assert tuned.idf1 > default.idf1 + 0.3
    assert tuned.id_switches < default.id_switches / 1.5


def test_appearance_tells_people_apart_who_cross(street: Scene) -> None:
    """Given people who cover each other at five frames a second, their colours keep their ids better than places do."""
    by_appearance = mean([street.score(ours(uses_appearance=True), each) for each in CROSSING])
    by_place = mean([street.score(ours(uses_appearance=False), each) for each in CROSSING])
    default = mean([street.score(library_default(5), each) for each in CROSSING])
    assert by_appearance.hota > by_place.hota + 0.02
    assert by_appearance.hota > default.hota + 0.03
    assert by_appearance.idf1 > default.idf1 + 0.04
