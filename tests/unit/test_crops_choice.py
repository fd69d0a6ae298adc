"""The crops of one camera: cut from the right place, sharp rather than blurred, bounded in memory, closed for good."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from workers.crops.camera_crops import FORGET_SECONDS, SILENT_SECONDS, CameraCrops, ChosenCrops
from workers.crops.cutting import LARGEST_SIDE, region_around
from workers.crops.memory import CropMemory
from workers.crops.sharpness import likeness, sharpness
from workers.crops.shortlist import MOST, SET, UNSEEN_SECONDS
from workers.frames import Detections, Frame, Region
from workers.pictures import BgrImage, BgrPicture

NAMES = {0: "person", 1: "Car", 2: "dog"}
RED, BLUE = (30, 30, 220), (220, 40, 30)


def painted(*people: tuple[tuple[int, int, int, int], tuple[int, int, int]], seed: int = 1) -> BgrImage:
    """Return a picture of 640x480 with noise of one colour in each box, on grey."""
    image = np.full((480, 640, 3), 90, np.uint8)
    for (left, top, right, bottom), colour in people:
        noise = np.random.default_rng(seed).integers(-30, 30, (bottom - top, right - left, 1))
        image[top:bottom, left:right] = np.clip(np.array(colour) + noise, 0, 255)
    return image


def frame(image: BgrImage, at: float) -> Frame:
    """Return a frame that arrived at a time."""
    return Frame("cam", 7, round(at * 1000), at, BgrPicture(image))


def tracked(*boxes: tuple[int, int, int, int], ids: Sequence[int] = (), classes: Sequence[int] = ()) -> Detections:
    """Return boxes with track ids from 1, of people."""
    count = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, 0.9, np.float32),
        np.array(classes or [0] * count, np.int64),
        np.array(ids or range(1, count + 1), np.int64),
    )


def saw(crops: CameraCrops, at: float, image: BgrImage, boxes: Detections, padding: float = 0.0) -> list[ChosenCrops]:
    """Let it look at a frame of which all boxes are reported."""
    return crops.saw(frame(image, at), boxes, np.ones(len(boxes), bool), NAMES, padding)


@pytest.fixture
def memory() -> CropMemory:
    """Memory with room for 100 kB."""
    return CropMemory(100_000)


@pytest.fixture
def crops(memory: CropMemory) -> CameraCrops:
    """A camera whose people and cars are cropped."""
    return CameraCrops({"person", "car"}, memory)


def decoded(jpeg: bytes) -> BgrImage:
    """Return a crop's pixels."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def test_each_object_is_cut_out_where_it_was(crops: CameraCrops) -> None:
    """Given two people in red and blue, each one's crop has his colour, his box, and says so."""
    one, two = (50, 100, 110, 280), (400, 120, 470, 330)
    image = painted((one, RED), (two, BLUE))
    assert saw(crops, 10.0, image, tracked(one, two)) == []
    chosen = saw(crops, 11.0, image, tracked(one, two))
    assert [(each.track_id, len(each.cuts), each.is_last) for each in chosen] == [(1, 1, False), (2, 1, False)]
    for each, box, colour in zip(chosen, (one, two), (RED, BLUE), strict=True):
        (cut,) = each.cuts
        assert (cut.xyxy, cut.captured_at_ms, cut.epoch, cut.confidence) == (box, 10_000, 7, 0.9)
        assert (cut.width, cut.height) == (box[2] - box[0], box[3] - box[1])
        assert np.abs(decoded(cut.jpeg).reshape(-1, 3).mean(axis=0) - colour).max() < 12
        assert 0 < cut.quality < 0.9


def test_the_camera_says_how_much_is_seen_around_the_object(crops: CameraCrops) -> None:
    """Given a padding, crops are larger by it, inside the frame, and the box is still that of the object."""
    box = (0, 100, 60, 280)
    image = painted((box, RED))
    saw(crops, 0.0, image, tracked(box), padding=0.5)
    (chosen,) = saw(crops, 1.0, image, tracked(box), padding=0.5)
    assert (chosen.cuts[0].width, chosen.cuts[0].height, chosen.cuts[0].xyxy) == (90, 360, box)
    assert region_around((10, 10, 30, 50), 0.1, 640, 480) == Region(8, 6, 32, 54)
    assert region_around((700, 10, 720, 50), 0.1, 640, 480) is None


def test_a_crop_is_never_larger_than_anybody_looks(crops: CameraCrops) -> None:
    """Given an object of 1,500 pixels, its crop is scaled down and keeps its shape."""
    box = (0, 0, 1_500, 900)
    image = np.random.default_rng(1).integers(0, 255, (900, 1_500, 3), np.uint8)
    crops = CameraCrops({"car"}, CropMemory())
    saw(crops, 0.0, image, tracked(box, classes=[1]))
    (chosen,) = saw(crops, 1.0, image, tracked(box, classes=[1]))
    assert (chosen.cuts[0].width, chosen.cuts[0].height) == (LARGEST_SIDE, 614)
    assert decoded(chosen.cuts[0].jpeg).shape == (614, LARGEST_SIDE, 3)


def test_only_reported_confirmed_objects_of_wanted_classes_are_cropped(crops: CameraCrops) -> None:
    """Given a dog, somebody who is not confirmed and somebody who is not reported, only the fourth is cropped."""
    boxes = [(10 + 100 * number, 100, 70 + 100 * number, 280) for number in range(4)]
    image = painted(*((box, RED) for box in boxes))
    found = tracked(*boxes, ids=[1, -1, 3, 4], classes=[2, 0, 0, 1])
    reported = np.array([True, True, False, True])
    for at in (0.0, 1.0):
        chosen = crops.saw(frame(image, at), found, reported, NAMES, 0.0)
    assert [each.track_id for each in chosen] == [4]


def test_no_classes_no_crops_and_no_look_at_any_pixel() -> None:
    """Given a worker that keeps no crops, a picture whose pixels would fail is not looked at."""

    class Unseen(BgrPicture):
        def luma(self) -> np.ndarray:
            raise AssertionError("looked at")

    crops, box = CameraCrops(frozenset(), CropMemory()), (10, 100, 70, 280)
    for at in (0.0, 1.0, 2.0):
        unseen = Frame("cam", 7, 0, at, Unseen(painted()))
        assert crops.saw(unseen, tracked(box), np.ones(1, bool), NAMES, 0.0) == []


def test_a_sharp_sighting_is_better_than_a_blurred_one_and_in_less_light_as_good(crops: CameraCrops) -> None:
    """Given a textured picture, blurred and darker, sharpness falls with the blur and not with the light."""
    gray = np.random.default_rng(2).integers(60, 200, (128, 64)).astype(np.uint8)
    gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), 0.7), np.uint8)
    sharp, glance = sharpness(gray)
    blurred, blurred_glance = sharpness(np.asarray(cv2.GaussianBlur(gray, (0, 0), 2.0), np.uint8))
    dark, _ = sharpness((gray // 2).astype(np.uint8))
    assert blurred < 0.5 * sharp
    assert dark == pytest.approx(sharp, rel=0.15)
    assert likeness(glance, blurred_glance) > 0.9
    other = np.asarray(np.roll(gray, 32, axis=0), np.uint8)
    assert likeness(glance, sharpness(other)[1]) < 0.5
    assert sharpness(np.full((40, 20), 90, np.uint8))[0] < 0.01
    box = (50, 100, 114, 228)
    for at, look in ((0.0, cv2.GaussianBlur(gray, (0, 0), 2.0)), (0.5, gray)):
        image = painted()
        image[100:228, 50:114] = look[:, :, None]
        chosen = saw(crops, at, image, tracked(box))
    chosen = saw(crops, 1.4, image, tracked(box))
    assert [cut.captured_at_ms for cut in chosen[0].cuts] == [500]


def walk(crops: CameraCrops, seconds: int, fps: int = 5) -> list[ChosenCrops]:
    """Let somebody walk through the picture, each time with another look."""
    chosen = []
    for number in range(seconds * fps):
        left = 10 + number * 3 % 500
        box = (left, 100, left + 60 + number % 40, 300)
        chosen += saw(crops, number / fps, painted((box, RED), seed=number), tracked(box))
    return chosen


def test_however_long_an_object_stays_its_crops_are_few(crops: CameraCrops, memory: CropMemory) -> None:
    """Given somebody who walks about for a minute, looking different all the time, his crops are bounded."""
    chosen = walk(crops, 60)
    last = saw(crops, 60 + UNSEEN_SECONDS, painted(), tracked())
    assert [len(each.cuts) for each in chosen + last] == [SET, SET, SET]
    assert [each.is_last for each in chosen + last] == [False, False, True]
    assert len({cut.captured_at_ms for each in chosen + last for cut in each.cuts}) == MOST
    assert memory.bytes == 0


def test_objects_that_are_gone_are_forgotten(crops: CameraCrops) -> None:
    """Given a hundred people who came and went, nothing of them is kept."""
    for number in range(100):
        box = (10, 100, 70, 280)
        saw(crops, number * 1.0, painted((box, RED)), tracked(box, ids=[number]))
    saw(crops, 100 + FORGET_SECONDS, painted(), tracked())
    saw(crops, 101 + FORGET_SECONDS, painted(), tracked())
    assert crops.objects == 0


@pytest.mark.parametrize("bound", ["camera", "worker"])
def test_memory_is_bounded_and_what_finds_no_room_is_counted(bound: str) -> None:
    """Given room for a few crops only, no more is held, the rest is counted, and telling makes room again."""
    memory = CropMemory(8_000 if bound == "worker" else 10**9)
    crops = CameraCrops({"person"}, memory, most_bytes=8_000 if bound == "camera" else 10**9)
    boxes = [(10 + 70 * number, 100, 70 + 70 * number, 280) for number in range(8)]
    image = painted(*((box, RED) for box in boxes))
    saw(crops, 0.0, image, tracked(*boxes))
    assert 0 < memory.bytes <= 8_000
    assert 0 < crops.dropped < 8
    told = saw(crops, 1.0, image, tracked(*boxes))
    assert len(told) + crops.dropped >= 8
    assert memory.bytes <= 8_000
    crops.close()
    assert memory.bytes == 0


ENDS: list[Callable[[CameraCrops], object]] = [CameraCrops.close, CameraCrops.begin_anew]


@pytest.mark.parametrize("end", ENDS)
def test_what_is_held_of_a_camera_that_ends_takes_no_room(
    crops: CameraCrops, memory: CropMemory, end: Callable[[CameraCrops], object]
) -> None:
    """Given crops in memory, when the camera is given up or its tracker begins anew, they are gone."""
    box = (10, 100, 70, 280)
    saw(crops, 0.0, painted((box, RED)), tracked(box))
    assert memory.bytes > 0
    end(crops)
    assert (memory.bytes, crops.objects, crops.all_that_is_held()) == (0, 0, [])
    saw(crops, 1.0, painted((box, RED)), tracked(box))
    assert (memory.bytes > 0) == (end is CameraCrops.begin_anew)


def test_a_camera_that_falls_silent_gives_what_it_holds(crops: CameraCrops) -> None:
    """Given a crop in memory and no frame for a while, that is said, and the crop is there to be saved."""
    box = (10, 100, 70, 280)
    saw(crops, 0.0, painted((box, RED)), tracked(box))
    assert not crops.are_due_in_silence(SILENT_SECONDS - 0.1)
    assert crops.are_due_in_silence(SILENT_SECONDS)
    assert not crops.are_due_in_silence(SILENT_SECONDS + 0.1)
    assert crops.are_due_in_silence(2 * SILENT_SECONDS)
    (chosen,) = crops.all_that_is_held()
    assert (chosen.track_id, len(chosen.cuts), chosen.is_last) == (1, 1, False)
    assert not crops.are_due_in_silence(4 * SILENT_SECONDS)


def test_crops_that_could_not_be_saved_are_replaced_by_those_that_come(crops: CameraCrops) -> None:
    """Given a first set that found no room on the volume, a later one is chosen as the first."""
    box = (10, 100, 70, 280)
    image = painted((box, RED))
    saw(crops, 0.0, image, tracked(box))
    assert saw(crops, 1.0, image, tracked(box))
    crops.not_saved(1, 1.0)
    assert saw(crops, 1.5, image, tracked(box)) == []
    (chosen,) = saw(crops, 2.5, image, tracked(box))
    assert not chosen.is_last
