"""The Ultralytics backend on CPU, with the vendor's own pickled weights; needs the torch extra."""

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime.settings import WorkerSettings
from tests.support.weights import PROJECT_DIR, Weights, yolo11n, yolov8n_pt
from workers.detection.detector import DetectorError, OutOfDeviceMemoryError
from workers.detection.letterbox import Letterbox
from workers.detection.opening import open_detector
from workers.detection.openvino_detector import OpenVinoDetector
from workers.detection.ultralytics_detector import UltralyticsDetector
from workers.pictures import BgrImage

SCENE = PROJECT_DIR.parent / "shared" / "data" / "coco" / "images" / "val2017" / "000000000139.jpg"

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("ultralytics") is None, reason="the torch extra is not installed"),
    pytest.mark.shared_data,
    pytest.mark.skipif(not SCENE.exists(), reason=f"{SCENE} is not there"),
]


def scene() -> BgrImage:
    """Return a real picture with people in it."""
    image = cv2.imread(str(SCENE))
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UltralyticsDetector]:
    """Give YOLOv8n on torch, opened as a worker does."""
    settings = WorkerSettings.load(models_dir=tmp_path_factory.mktemp("models"), device="cpu", max_batch=4)
    opened = open_detector(yolov8n_pt(), settings)
    assert isinstance(opened, UltralyticsDetector)
    yield opened
    opened.close()


def test_pickled_weights_see_people_in_frames_of_different_sizes(detector: UltralyticsDetector) -> None:
    """Given a batch of mixed sizes, when detected, then each result is the lone frame's, clipped and in order."""
    images = [scene(), scene()[:300], np.asarray(cv2.resize(scene(), (1280, 720)), np.uint8), scene(), scene()[:, :99]]

    together = detector.detect(images, confidence=0.25)

    assert detector.runtime.startswith("Ultralytics")
    assert detector.device == "cpu"
    assert detector.class_names[0] == "person"
    assert (together[0].class_id == 0).any()
    for image, found in zip(images, together, strict=True):
        alone = detector.detect([image], confidence=0.25)[0]
        assert found.class_id.tolist() == alone.class_id.tolist()
        assert found.xyxy == pytest.approx(alone.xyxy, abs=0.1)
        assert found.confidence.tolist() == sorted(found.confidence.tolist(), reverse=True)
        assert (found.xyxy[:, 2:] <= (image.shape[1], image.shape[0])).all()
        assert found.class_id.dtype == np.int64


def test_our_reading_of_the_outputs_equals_ultralytics_own() -> None:
    """Given one ONNX file, when Ultralytics and our code run it, then boxes, classes and scores are the same."""
    theirs = UltralyticsDetector(yolo11n()).detect([scene()], confidence=0.05)[0]
    ours = OpenVinoDetector(yolo11n(), precision="f32").detect([scene()], confidence=0.05)[0]

    assert len(ours) > 10
    assert ours.class_id.tolist() == theirs.class_id.tolist()
    assert ours.xyxy == pytest.approx(theirs.xyxy, abs=0.05)
    assert ours.confidence == pytest.approx(theirs.confidence, abs=1e-3)


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (641, 640), (333, 77), (1, 3000), (719, 1279)])
def test_the_letterbox_is_ultralytics_own_to_the_pixel(size: tuple[int, int]) -> None:
    """Given frames of awkward sizes, when both libraries fit them, then every pixel is the same."""
    theirs = importlib.import_module("ultralytics.data.augment").LetterBox((640, 640), auto=False)
    image = np.random.default_rng(1).integers(0, 255, (*size, 3), dtype=np.uint8)
    canvas = np.zeros((640, 640, 3), np.uint8)

    Letterbox.fit(size, (640, 640)).draw(image, canvas)

    assert (canvas == theirs(image=image)).all()


@pytest.mark.parametrize("content", [b"", b"not a pickle", None], ids=["empty", "junk", "missing"])
def test_damaged_pickled_weights_are_named(content: bytes | None, tmp_path: Path) -> None:
    """Given an empty, foreign or missing .pt file, when opened, then the error names the file and the remedy."""
    file = tmp_path / "weights.pt"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(DetectorError, match=r"cannot read .*weights\.pt.*fetch it again"):
        UltralyticsDetector(Weights(file, "pt", {}))


def test_memory_that_runs_out_halves_the_batch_for_good(
    detector: UltralyticsDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given room for two frames, when five come, then all are detected and the batch stays small.

    No CUDA device is at hand here, so that torch's own error is raised in the place where the device would raise it.
    """
    torch = importlib.import_module("torch")
    expected = detector.detect([scene()], confidence=0.25)[0]
    predict = detector._yolo.predict

    def with_little_room(images: list[BgrImage], **options: object) -> object:
        if len(images) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return predict(images, **options)

    monkeypatch.setattr(detector._yolo, "predict", with_little_room)
    monkeypatch.setattr(detector, "max_batch", 4)
    room = 2
    found = detector.detect([scene()] * 5, confidence=0.25)
    assert [boxes.class_id.tolist() for boxes in found] == [expected.class_id.tolist()] * 5
    assert detector.max_batch == 2
    room = 0
    with pytest.raises(OutOfDeviceMemoryError, match="smaller model or FARM_DETECT_SIZE"):
        detector.detect([scene()], confidence=0.25)


def test_a_closed_detector_says_so() -> None:
    """Given a detector closed twice, when used, then the error names the remedy."""
    opened = UltralyticsDetector(yolo11n())
    opened.close()
    opened.close()

    with pytest.raises(DetectorError, match="was closed"):
        opened.detect([scene()], confidence=0.25)
