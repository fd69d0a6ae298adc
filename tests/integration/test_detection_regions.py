"""Parts of real frames on the default model: what is found in a region is what the whole frame's detector finds."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from supervision.detection.utils.iou_and_nms import box_iou_batch

from tests.support.weights import PROJECT_DIR, yolo11n
from workers.detection.detector import UnusableFrameError
from workers.detection.input_sizes import sizes_for
from workers.detection.onnxruntime_detector import OnnxRuntimeDetector
from workers.detection.openvino_detector import OpenVinoDetector
from workers.detection.parts import Part, PartsDetector
from workers.frames import Detections, Region, Wanted
from workers.pictures import BgrPicture, DecodedPicture

SHARED_DATA = PROJECT_DIR.parent / "shared" / "data"
PLAZA = SHARED_DATA / "videos" / "multicam_caesar" / "cam1.mp4"
COCO_IMAGES = SHARED_DATA / "coco" / "images" / "val2017"
WHOLE = Wanted(is_whole=True)
#: Boxes of the whole frame that are this sure must be found in a region too.
SURE = 0.5
PERSON = 0

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not PLAZA.exists(), reason=f"{SHARED_DATA} is not there"),
]


@pytest.fixture(scope="module")
def parts_detector() -> Iterator[PartsDetector]:
    """Give the default model in its own precision, ready for parts."""
    detector = OpenVinoDetector(yolo11n(), precision="f32")
    yield PartsDetector(detector)
    detector.close()


def plaza_frames(count: int, every: int = 200) -> list[DecodedPicture]:
    """Return decoded frames of a plaza with people on it, 640 by 480."""
    pictures: list[DecodedPicture] = []
    with av.open(str(PLAZA)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % every == 0:
                pictures.append(DecodedPicture(frame))
            if len(pictures) == count:
                break
    return pictures


def photo(path: Path) -> BgrPicture:
    """Return a photo."""
    image = cv2.imread(str(path))
    assert image is not None
    return BgrPicture(np.asarray(image, np.uint8))


def same(found: Detections, expected: Detections) -> None:
    """Check that both are equal but for rounding."""
    assert found.class_id.tolist() == expected.class_id.tolist()
    assert found.xyxy == pytest.approx(expected.xyxy, abs=0.01)
    assert found.confidence == pytest.approx(expected.confidence, abs=1e-4)


@pytest.mark.parametrize("name", ["000000000139.jpg", "000000000285.jpg", "000000001000.jpg"])
def test_a_whole_photo_is_what_the_detector_finds_in_it(name: str, parts_detector: PartsDetector) -> None:
    """Given a photo as large as the input, when looked at whole and by the detector itself, then both agree."""
    picture = photo(COCO_IMAGES / name)

    (found,) = parts_detector.detect([Part(picture, WHOLE)], confidence=0.25)

    assert len(found) > 0
    same(found, parts_detector.detector.detect([picture.bgr()], confidence=0.25)[0])


def test_a_wide_frame_finds_in_the_wide_input_what_the_square_finds(parts_detector: PartsDetector) -> None:
    """Given a 16:9 photo, when looked at in the wide input, then the sure boxes are those of the square one."""
    image = photo(COCO_IMAGES / "000000000139.jpg").bgr()[:360]

    (found,) = parts_detector.detect([Part(BgrPicture(np.ascontiguousarray(image)), WHOLE)], confidence=0.25)
    expected = parts_detector.detector.detect([image], confidence=0.25)[0]

    there, of_all = found_again(found, expected)
    assert there == of_all >= 1


def found_again(found: Detections, expected: Detections) -> tuple[int, int]:
    """Return how many sure people are there again and how many there are; checks that most are to a few pixels."""
    sure = np.flatnonzero((expected.confidence > SURE) & (expected.class_id == PERSON))
    people = found.xyxy[found.class_id == PERSON]
    overlaps = box_iou_batch(expected.xyxy[sure], people)
    distances = np.abs(people[overlaps.argmax(axis=1)] - expected.xyxy[sure]).max(axis=1)
    assert np.median(distances) <= 4
    return int((overlaps.max(axis=1) > 0.5).sum()), len(sure)


def around(box: np.ndarray, margin: int, width: int, height: int) -> Region:
    """Return the region around a box."""
    left, top, right, bottom = (int(side) for side in box)
    return Region(max(left - margin, 0), max(top - margin, 0), min(right + margin, width), min(bottom + margin, height))


def apart(regions: list[Region]) -> tuple[Region, ...]:
    """Return those regions that touch none before them."""
    kept: list[Region] = []
    for one in regions:
        if all(
            one.right <= other.left or other.right <= one.left or one.bottom <= other.top or other.bottom <= one.top
            for other in kept
        ):
            kept.append(one)
    return tuple(kept)


def test_people_in_regions_are_where_the_whole_frame_has_them(parts_detector: PartsDetector) -> None:
    """Given frames of a plaza, when only regions around its people are looked at, then they are found there again."""
    parts, expected = [], []
    for picture in plaza_frames(4):
        whole = parts_detector.detector.detect([picture.bgr()], confidence=0.25)[0]
        whole = whole.select((whole.confidence > SURE) & (whole.class_id == PERSON))
        regions = apart([around(box, 24, picture.width, picture.height) for box in whole.xyxy])
        parts.append(Part(picture, Wanted(regions=regions)))
        inside = [
            any(
                region.left <= box[0] and region.top <= box[1] and box[2] <= region.right and box[3] <= region.bottom
                for region in regions
            )
            for box in whole.xyxy
        ]
        expected.append(whole.select(np.array(inside)))

    together = parts_detector.detect(parts, confidence=0.25)

    counts = [found_again(found, of_frame) for found, of_frame in zip(together, expected, strict=True) if len(of_frame)]
    there, of_all = (sum(each) for each in zip(*counts, strict=True))
    # In another place on another input the model is a little more or less sure of each: of a few it changes its mind.
    assert of_all >= 8
    assert there >= 0.9 * of_all


def test_a_region_alone_finds_what_it_finds_beside_others(parts_detector: PartsDetector) -> None:
    """Given a region with somebody in it, when looked at alone and beside others, then the person is at one place."""
    first, other = plaza_frames(2)
    whole = parts_detector.detector.detect([first.bgr()], confidence=SURE)[0]
    whole = whole.select(whole.class_id == PERSON)
    region = around(whole.xyxy[0], 24, first.width, first.height)
    lone = Part(first, Wanted(regions=(region,)))
    beside = Part(other, Wanted(regions=(Region(0, 0, 90, 120), Region(300, 200, 420, 300))))

    (alone,) = parts_detector.detect([lone], confidence=0.25)
    together = parts_detector.detect([beside, lone], confidence=0.25)

    assert len(alone) >= 1
    there, of_all = found_again(together[1], alone)
    assert there == of_all >= 1


def test_decoded_frames_are_looked_at_without_being_converted_at_full_size(parts_detector: PartsDetector) -> None:
    """Given a decoded frame, when it is looked at half as large, then it is never made in BGR at full size."""
    (picture,) = plaza_frames(1)

    parts_detector.detect([Part(picture, Wanted(is_whole=True, side=320))], confidence=0.25)

    assert picture._bgr is None


def test_both_backends_open_the_same_inputs() -> None:
    """Given a model that leaves its size open, when opened at 320, then both backends have the inputs for that."""
    for opened in (OpenVinoDetector(yolo11n(), input_size=320), OnnxRuntimeDetector(yolo11n(), input_size=320)):
        assert opened.input_sizes == sizes_for(320)
        assert opened.input_size == (320, 320)
        assert opened.inputs_at_once >= 1
        for height, width in opened.input_sizes:
            assert len(opened.detect_inputs([np.zeros((height, width, 3), np.uint8)], confidence=0.25)) == 1
        with pytest.raises(UnusableFrameError, match=r"image 0 of the batch has height and width \(320, 32\)"):
            opened.detect_inputs([np.zeros((320, 32, 3), np.uint8)], confidence=0.25)
        opened.close()
