"""The detectors on real weights: OpenVINO, ONNX Runtime and Ultralytics."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import openvino.opset15 as ops
import pytest

from runtime.settings import WorkerSettings
from tests.support.weights import PROJECT_DIR, Weights, yolo11n, yolov8n_pt
from workers.detection.detector import (
    BackendMissingError,
    Detector,
    DetectorError,
    DeviceUnavailableError,
    ModelDescription,
    UnsupportedModelError,
    UnusableFrameError,
)
from workers.detection.devices import count_driver_devices
from workers.detection.onnxruntime_detector import OnnxRuntimeDetector
from workers.detection.opening import open_detector
from workers.detection.openvino_detector import OpenVinoDetector
from workers.pictures import BgrImage

SHARED_DATA = PROJECT_DIR.parent / "shared" / "data"
WEIGHTS_DIR = SHARED_DATA / "weights"

needs_no_gpu = pytest.mark.skipif(count_driver_devices() > 0, reason="a CUDA device is there")

Opener = Callable[[ModelDescription], Detector]


def openvino_f32(model: ModelDescription) -> Detector:
    """Open the model on OpenVINO in the model's own precision."""
    return OpenVinoDetector(model, precision="f32")


def people_scene() -> BgrImage:
    """Return a real picture, 640 by 480, with people in it."""
    file = SHARED_DATA / "coco" / "images" / "val2017" / "000000000139.jpg"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    image = cv2.imread(str(file))
    assert image is not None
    return np.asarray(image, np.uint8)


def noise(height: int, width: int) -> BgrImage:
    """Return a picture in which nothing is to be seen."""
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module", params=[openvino_f32, OnnxRuntimeDetector], ids=["openvino", "onnxruntime"])
def detector(request: pytest.FixtureRequest) -> Iterator[Detector]:
    """Give the default model on each of the two backends of the default install."""
    opened: Detector = request.param(yolo11n())
    yield opened
    opened.close()


def test_frames_of_different_sizes_in_one_batch_give_what_each_gives_alone(detector: Detector) -> None:
    """Given a batch of mixed sizes, larger than the batch, when detected, then each result is the lone frame's."""
    scene = people_scene()
    images = [scene, scene[:200, :500], np.asarray(cv2.resize(scene, (1920, 1080)), np.uint8), scene[:, :97]] * 3

    together = detector.detect(images, confidence=0.25)
    alone = [detector.detect([image], confidence=0.25)[0] for image in images]

    assert len(together) == 12 > detector.max_batch
    assert len(together[0]) > 3
    for image, found, expected in zip(images, together, alone, strict=True):
        assert found.xyxy.tolist() == expected.xyxy.tolist()
        assert found.class_id.tolist() == expected.class_id.tolist()
        assert found.xyxy.dtype == np.float32
        assert found.class_id.dtype == np.int64
        assert found.track_id is None
        assert found.confidence.tolist() == sorted(found.confidence.tolist(), reverse=True)
        assert (found.confidence > 0.25).all()
        assert (found.xyxy >= 0).all()
        assert (found.xyxy[:, 2:] <= (image.shape[1], image.shape[0])).all()
        assert (found.xyxy[:, 2:] >= found.xyxy[:, :2]).all()


def coloured_shapes() -> BgrImage:
    """Return a picture of coloured shapes in which a model believes to see something, faintly."""
    image = np.full((360, 640, 3), (200, 180, 40), np.uint8)
    cv2.rectangle(image, (80, 60), (220, 340), (20, 30, 220), -1)
    cv2.circle(image, (450, 200), 90, (30, 200, 240), -1)
    cv2.ellipse(image, (330, 250), (40, 90), 20, 0, 360, (120, 20, 60), -1)
    return image


def test_the_two_backends_of_the_default_install_agree() -> None:
    """Given one model and one picture, when both backends look, then boxes and scores are the same but for rounding."""
    first, second = (
        opener(yolo11n()).detect([coloured_shapes()], confidence=0.01)[0]
        for opener in (openvino_f32, OnnxRuntimeDetector)
    )

    assert len(first) > 2
    assert first.class_id.tolist() == second.class_id.tolist()
    assert first.xyxy == pytest.approx(second.xyxy, abs=0.05)
    assert first.confidence == pytest.approx(second.confidence, abs=1e-3)


def test_an_image_is_not_written_to_and_may_be_read_only(detector: Detector) -> None:
    """Given a read-only picture of the model's own size, when detected, then it is as it was."""
    image = noise(640, 640)
    before = image.copy()
    image.setflags(write=False)

    detector.detect([image], confidence=0.25)

    assert (image == before).all()


def test_no_images_are_no_results(detector: Detector) -> None:
    """Given an empty batch, when detected, then the answer is empty."""
    assert detector.detect([], confidence=0.25) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((480, 640), np.uint8),
        np.zeros((480, 640, 4), np.uint8),
        np.zeros((0, 640, 3), np.uint8),
        np.zeros((480, 640, 3), np.float32),
    ],
    ids=["grey", "with alpha", "empty", "float"],
)
def test_an_image_of_another_kind_is_refused_and_the_detector_goes_on(detector: Detector, image: BgrImage) -> None:
    """Given a picture that is no BGR frame beside a good one, when detected, then the error says which and why."""
    with pytest.raises(UnusableFrameError, match="image 1 of the batch has shape"):
        detector.detect([noise(64, 64), image], confidence=0.25)

    assert len(detector.detect([noise(64, 64)], confidence=0.25)) == 1


def test_a_picture_one_pixel_high_is_detected_like_any_other(detector: Detector) -> None:
    """Given a picture of 3000 by 1 pixels, when detected, then there is a result and no error."""
    assert len(detector.detect([noise(1, 3000)], confidence=0.25)) == 1


@pytest.mark.parametrize("opener", [openvino_f32, OnnxRuntimeDetector])
def test_a_closed_detector_says_so(opener: Opener) -> None:
    """Given a detector closed twice, when used, then the error names the remedy."""
    detector = opener(yolo11n())
    detector.close()
    detector.close()

    with pytest.raises(DetectorError, match="was closed"):
        detector.detect([noise(64, 64)], confidence=0.25)


@pytest.mark.parametrize("opener", [openvino_f32, OnnxRuntimeDetector])
@pytest.mark.parametrize(
    "content", [None, b"", b"\x08\x07 not a model", "half"], ids=["missing", "empty", "junk", "half"]
)
def test_a_missing_or_damaged_model_is_named_with_the_remedy(
    opener: Opener, content: bytes | str | None, tmp_path: Path
) -> None:
    """Given no file, an empty one, junk or half a model, when opened, then the error names the file and the remedy."""
    file = tmp_path / "weights.onnx"
    if content == "half":
        whole = yolo11n().path.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
    elif isinstance(content, bytes):
        file.write_bytes(content)

    with pytest.raises(DetectorError, match=r"weights\.onnx.*fetch"):
        opener(Weights(file, "onnx", {0: "person"}))


@pytest.mark.parametrize("opener", [openvino_f32, OnnxRuntimeDetector])
def test_class_names_that_do_not_fit_the_model_are_refused(opener: Opener) -> None:
    """Given 80 classes in the weights and other numbers of names, when opened, then the errors say what is wrong."""
    with pytest.raises(UnsupportedModelError, match=r"shape \[1, 84, 8400\] for 2 classes"):
        opener(Weights(yolo11n().path, "onnx", {0: "person", 1: "car"}))
    with pytest.raises(UnsupportedModelError, match=r"yolo11n\.onnx does not say which classes"):
        opener(Weights(yolo11n().path, "onnx", {}))


def constant_model(folder: Path, output: np.ndarray, input_shape: list[int]) -> Weights:
    """Write an OpenVINO model that always answers `output`, whatever it is shown."""
    images = ops.parameter(input_shape, np.float32, name="images")
    nothing = ops.multiply(ops.reduce_mean(images, [0, 1, 2, 3], keep_dims=False), np.float32(0))
    ov.save_model(ov.Model([ops.add(ops.constant(output), nothing)], [images]), folder / "constant.xml", False)
    return Weights(folder, "openvino", {0: "person", 1: "car"})


def test_a_model_with_nms_inside_runs_and_what_makes_no_sense_is_dropped_and_counted(tmp_path: Path) -> None:
    """Given final boxes, one of them NaN and one of a class without a name, when detected, then the rest come back."""
    rows = [[64, 64, 128, 128, 0.9, 1], [10, 10, 20, 20, np.nan, 0], [10, 10, 20, 20, 0.8, 7], [0, 0, 9, 9, 0.1, 0]]
    model = constant_model(tmp_path, np.array([rows], np.float32), [1, 3, 128, 128])
    detector = OpenVinoDetector(model)

    (found,) = detector.detect([noise(256, 256)], confidence=0.25)

    assert detector.input_size == (128, 128)
    assert found.xyxy.tolist() == [[128, 128, 256, 256]]
    assert found.class_id.tolist() == [1]
    assert detector.boxes_dropped == 2


def test_pixels_reach_the_model_as_red_green_blue_in_0_to_1_and_results_go_to_their_own_frame(tmp_path: Path) -> None:
    """Given a model whose confidence is its first channel's mean, when reds are detected, then each gets its own."""
    images = ops.parameter([1, 3, 64, 64], np.float32, name="images")
    red = ops.reduce_mean(ops.gather(images, [0], np.int64(1)), [2, 3], keep_dims=True)
    row = [ops.constant(np.full((1, 1, 1, 1), value, np.float32)) for value in (8, 8, 16, 16)]
    boxes = ops.concat([*row, red, ops.constant(np.zeros((1, 1, 1, 1), np.float32))], 3)
    ov.save_model(ov.Model([ops.reshape(boxes, [1, 1, 6], False)], [images]), tmp_path / "red.xml", False)
    detector = OpenVinoDetector(Weights(tmp_path, "openvino", {0: "red"}), precision="f32")
    reds = (51, 255, 102, 204, 153)
    # Blue is full everywhere: were the channels swapped, every confidence would be 1.
    frames = [np.full((64, 64, 3), (255, 0, red_level), np.uint8) for red_level in reds]

    found = detector.detect(frames, confidence=0.01)

    assert [float(boxes.confidence[0]) for boxes in found] == pytest.approx([level / 255 for level in reds], abs=1e-4)


@pytest.mark.parametrize(
    ("input_shape", "text"),
    [
        ([4, 3, 64, 64], "exactly 4 frames"),
        ([1, 1, 64, 64], r"input has shape \[1, 1, 64, 64\]"),
        ([3, 64, 64, 1], r"input has shape \[3, 64, 64, 1\]"),
    ],
)
def test_inputs_that_are_not_one_colour_frame_are_refused(input_shape: list[int], text: str, tmp_path: Path) -> None:
    """Given a model of fixed batches, grey pictures or rows of pixels, when opened, then the error says so."""
    model = constant_model(tmp_path, np.zeros((1, 300, 6), np.float32), input_shape)

    with pytest.raises(UnsupportedModelError, match=text):
        OpenVinoDetector(model)


def test_a_model_folder_must_hold_exactly_one_graph(tmp_path: Path) -> None:
    """Given an empty folder, when opened, then the error says what belongs in it."""
    with pytest.raises(DetectorError, match=r"holds 0 \.xml files"):
        OpenVinoDetector(Weights(tmp_path, "openvino", {0: "person"}))


@pytest.mark.parametrize(
    ("name", "classes"),
    [("yolov8n-pose_int8_openvino_model", 1), ("yolox_nano.onnx", 80), ("osnet_x0_25_msmt17.onnx", 80)],
)
@pytest.mark.shared_data
@pytest.mark.skipif(not WEIGHTS_DIR.is_dir(), reason=f"{WEIGHTS_DIR} is not there")
def test_real_models_of_other_kinds_are_refused(name: str, classes: int) -> None:
    """Given a pose, a YOLOX and a ReID model, when opened, then the error names the shape of the output."""
    path = WEIGHTS_DIR / name
    model = Weights(path, "openvino" if path.is_dir() else "onnx", {index: str(index) for index in range(classes)})

    with pytest.raises(UnsupportedModelError, match=r"output has shape \[1, "):
        OpenVinoDetector(model)


@pytest.mark.shared_data
@pytest.mark.skipif(not WEIGHTS_DIR.is_dir(), reason=f"{WEIGHTS_DIR} is not there")
def test_a_fixed_shape_int8_model_runs_and_keeps_its_own_size() -> None:
    """Given an INT8 model for 640 pixels and a wish for 320, when detected, then it runs at 640 and sees the people."""
    model = Weights(WEIGHTS_DIR / "yolo11n_int8_openvino_model", "openvino", yolo11n().class_names)
    detector = OpenVinoDetector(model, input_size=320)

    found = detector.detect([people_scene()] * 3, confidence=0.4)

    assert detector.input_size == (640, 640)
    assert all((boxes.class_id == 0).any() for boxes in found)


def test_the_size_of_a_dynamic_model_is_set_and_a_size_it_cannot_take_is_refused() -> None:
    """Given a dynamic model, when opened at 320 and at 65 pixels, then one runs and the other is a clear error."""
    assert OpenVinoDetector(yolo11n(), input_size=320).input_size == (320, 320)
    with pytest.raises(UnsupportedModelError, match="cannot take frames of 65 by 65 pixels"):
        OpenVinoDetector(yolo11n(), input_size=65)


def test_a_compiled_model_is_kept_and_a_damaged_or_unwritable_cache_does_no_harm(tmp_path: Path) -> None:
    """Given a cache, when it is filled, damaged or impossible, then the detector opens and sees the same each time."""
    scene = people_scene()
    cache = tmp_path / "compiled"
    expected = OpenVinoDetector(yolo11n(), precision="f32", cache_dir=cache).detect([scene], confidence=0.25)[0]
    blobs = list(cache.glob("*.blob"))
    for blob in blobs:
        blob.write_bytes(blob.read_bytes()[:1000])
    a_file = tmp_path / "a-file"
    a_file.write_text("")

    for folder in (cache, a_file / "below", None):
        found = OpenVinoDetector(yolo11n(), precision="f32", cache_dir=folder).detect([scene], confidence=0.25)[0]
        assert found.xyxy.tolist() == expected.xyxy.tolist()
    assert len(blobs) == len(OpenVinoDetector(yolo11n()).input_sizes)
    assert all(blob.stat().st_size > 1_000_000 for blob in blobs)


def settings(tmp_path: Path, **values: object) -> WorkerSettings:
    """Return a worker's settings with a models folder of its own."""
    return WorkerSettings.load(models_dir=tmp_path, **values)


@pytest.mark.parametrize(("wanted", "runtime"), [("auto", "OpenVINO"), ("onnxruntime", "ONNX Runtime")])
def test_the_settings_choose_the_backend(wanted: str, runtime: str, tmp_path: Path) -> None:
    """Given FARM_DETECTOR, when the default model is opened, then that backend runs it on the CPU."""
    detector = open_detector(yolo11n(), settings(tmp_path, detector=wanted, device="auto", max_batch=5))

    assert detector.runtime.startswith(runtime)
    assert detector.device == "cpu"
    assert detector.max_batch == 5
    assert detector.input_size == (640, 640)
    assert detector.class_names == yolo11n().class_names
    assert len(detector.detect([noise(100, 100)], confidence=0.25)) == 1


@needs_no_gpu
@pytest.mark.parametrize("model_format", ["onnx", "pt"])
def test_asking_for_cuda_where_there_is_none_is_a_clear_error(model_format: str, tmp_path: Path) -> None:
    """Given no CUDA device, when one is asked for, then the error says so and names the setting."""
    model = Weights(tmp_path / f"weights.{model_format}", model_format, {0: "person"})

    with pytest.raises(DeviceUnavailableError, match="FARM_DEVICE=cuda, but no NVIDIA device is visible"):
        open_detector(model, settings(tmp_path, device="cuda"))


@needs_no_gpu
def test_a_tensorrt_engine_without_a_gpu_is_a_clear_error(tmp_path: Path) -> None:
    """Given no CUDA device, when an engine is opened, then the error says what it runs on."""
    with pytest.raises(DetectorError, match="TensorRT engine and runs only on an NVIDIA device"):
        open_detector(Weights(tmp_path / "w.engine", "engine", {0: "person"}), settings(tmp_path))


#: Opens and runs the default model in a fresh interpreter in which the named modules cannot be imported.
IN_A_FRESH_PROCESS = """
import sys
from pathlib import Path
blocked = sys.argv[3:]
for name in blocked:
    sys.modules[name] = None
import numpy as np
from runtime.settings import WorkerSettings
from types import SimpleNamespace
from workers.detection.opening import open_detector
file = Path(sys.argv[1])
names = {number: str(number) for number in range(80)}
model = SimpleNamespace(path=file, format=file.suffix[1:], class_names=names)
detector = open_detector(model, WorkerSettings.load(models_dir=Path(sys.argv[2])))
detector.detect([np.zeros((480, 640, 3), np.uint8)], confidence=0.25)
print(detector.runtime)
print([name for name in ("torch", "torchvision", "ultralytics") if sys.modules.get(name)])
"""


def run_fresh(model: Path, models_dir: Path, *blocked: str) -> subprocess.CompletedProcess[str]:
    """Run `IN_A_FRESH_PROCESS`."""
    return subprocess.run(
        [sys.executable, "-c", IN_A_FRESH_PROCESS, str(model), str(models_dir), *blocked],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_default_path_never_imports_torch(tmp_path: Path) -> None:
    """Given an install that has torch, when the default model is opened and run, then torch was not touched."""
    finished = run_fresh(yolo11n().path, tmp_path)

    assert finished.returncode == 0, finished.stderr
    runtime, imported = finished.stdout.splitlines()[-2:]
    assert runtime.startswith("OpenVINO")
    assert imported == "[]"


def test_without_openvino_onnx_runtime_takes_over(tmp_path: Path) -> None:
    """Given an install in which OpenVINO does not load, when the default model is opened, then ONNX Runtime runs it."""
    finished = run_fresh(yolo11n().path, tmp_path, "openvino")

    assert finished.returncode == 0, finished.stderr
    runtime, _imported = finished.stdout.splitlines()[-2:]
    assert runtime.startswith("ONNX Runtime")
    assert "library=openvino" in finished.stdout + finished.stderr


def test_pickled_weights_without_torch_name_the_remedy(tmp_path: Path) -> None:
    """Given an install without torch, when a .pt file is opened, then the error says what to install."""
    finished = run_fresh(yolov8n_pt().path, tmp_path, "torch")

    assert finished.returncode != 0
    assert BackendMissingError.__name__ in finished.stderr
    assert "pip install -r requirements-torch.txt" in finished.stderr
