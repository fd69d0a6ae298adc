"""Making an INT8 model of a float one, as a person does."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest

import model_store
from tests.support.weights import PROJECT_DIR, yolo11n
from workers.detection.detector import DetectorError
from workers.detection.input_sizes import sizes_for
from workers.detection.openvino_detector import OpenVinoDetector
from workers.detection.quantising import float_tail, quantise, read_pictures

VIDEOS = PROJECT_DIR.parent / "shared" / "data" / "videos"
SCENE = PROJECT_DIR.parent / "shared" / "data" / "coco" / "images" / "val2017" / "000000000139.jpg"

needs_nncf = pytest.mark.skipif(
    importlib.util.find_spec("nncf") is None, reason="NNCF is not installed: ./farm setup --quantise"
)


def write_pictures(folder: Path, count: int) -> None:
    """Write pictures of noise, and a file that is none."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 255, (48, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), noise)
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture either")


def test_pictures_are_read_from_a_folder_evenly_and_what_is_none_is_passed_over(tmp_path: Path) -> None:
    """Given pictures and other files, when read, then all pictures are there, or as many as are asked for."""
    write_pictures(tmp_path / "below", 12)

    assert len(read_pictures(tmp_path)) == 12
    some = read_pictures(tmp_path, most=4)
    assert [picture.shape for picture in some] == [(48, 64, 3)] * 4
    with pytest.raises(DetectorError, match="there is no folder"):
        read_pictures(tmp_path / "nowhere")


@pytest.mark.shared_data
@pytest.mark.skipif(not VIDEOS.is_dir(), reason=f"{VIDEOS} is not there")
def test_of_a_recording_a_picture_is_taken_every_few_seconds() -> None:
    """Given a minute of footage twice and some short clips, when read, then there are some thirty pictures of each."""
    assert 40 <= len(read_pictures(VIDEOS / "multicam_caesar")) <= 64


def test_what_computes_boxes_stays_in_float() -> None:
    """Given the default model, then its tail holds the decoding of boxes and scores, and no layer with weights."""
    graph = ov.Core().read_model(yolo11n().path)
    kinds = {node.get_friendly_name(): node.get_type_name() for node in graph.get_ops()}

    tail = [kinds[name] for name in float_tail(graph)]

    assert {"Sigmoid", "Softmax", "Concat"} <= set(tail)
    assert tail.count("Convolution") == 1  # the mean over the distribution of a box's side
    assert len(tail) < len(kinds) / 4


@needs_nncf
def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    """Given three pictures, when quantised, then the error says how many there should be."""
    with pytest.raises(DetectorError, match="3 pictures are too few"):
        quantise(yolo11n(), [np.zeros((48, 64, 3), np.uint8)] * 3, side=640, target=tmp_path / "made")


@needs_nncf
@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.skipif(not VIDEOS.is_dir(), reason=f"{VIDEOS} is not there")
def test_a_quantised_model_is_one_of_the_store_and_sees_people_at_every_size(tmp_path: Path) -> None:
    """Given pictures of a plaza, when the default model is quantised at 320, then it is added, open, and works."""
    folder = tmp_path / "small_openvino_model"
    quantise(yolo11n(), read_pictures(VIDEOS, most=12), side=320, target=folder)
    model = model_store.add(folder, "small", tmp_path / "models")
    detector = OpenVinoDetector(model, input_size=640)
    image = cv2.imread(str(SCENE))
    assert image is not None

    (found,) = detector.detect([np.asarray(image, np.uint8)], confidence=0.4)

    assert model.class_names == yolo11n().class_names
    assert tuple(detector.input_sizes) == sizes_for(640)
    assert "int8" in detector.runtime
    assert (found.class_id == 0).any()
