"""A person's own models are inspected, copied, listed and verified; pickles are loaded only when somebody vouches."""

import json
import struct
import zipfile
from pathlib import Path
from typing import Final

import openvino
import pytest
from openvino import opset13

import model_store
from model_store import (
    CorruptModelError,
    ModelMissingError,
    ModelNameError,
    ModelStoreError,
    UnknownModelError,
    UnreadableModelError,
    UntrustedWeightsError,
)
from tests.support.needs import SHARED_DATA
from tests.support.weights import yolo11n, yolov8n_pt

WEIGHTS: Final = SHARED_DATA / "weights"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An empty store."""
    return tmp_path / "store"


@pytest.fixture
def openvino_folder(tmp_path: Path) -> Path:
    """A small OpenVINO model that says what it is, as Ultralytics exports it."""
    image = opset13.parameter([1, 3, 320, 416], name="images")
    folder = tmp_path / "gate_openvino_model"
    folder.mkdir()
    openvino.save_model(openvino.Model([opset13.relu(image)], [image]), folder / "gate.xml")
    (folder / "metadata.yaml").write_text("task: detect\nnames:\n  0: open\n  1: shut\nimgsz: [320, 416]\n")
    (folder / "notes.txt").write_text("not part of the model")
    return folder


@pytest.fixture
def pickle(tmp_path: Path) -> Path:
    """Weights in PyTorch's format whose pickle, if it were ever loaded, would leave a trace."""
    path = tmp_path / "mine.pt"
    trace = str(tmp_path / "ran").encode()
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("mine/data.pkl", b"cbuiltins\nopen\n(V" + trace + b"\nVw\ntR.")
    return path


def test_an_openvino_folder_is_added_with_what_it_says_of_itself(openvino_folder: Path, store: Path) -> None:
    """Given an OpenVINO folder, its model files are copied, and classes and input size are known without loading."""
    added = model_store.add(openvino_folder, "gate", store)
    assert (added.format, added.kind, added.input_size) == ("openvino", "detect", (320, 416))
    assert added.class_names == {0: "open", 1: "shut"}
    assert model_store.resolve("gate", store) == added
    assert {path.name for path in added.path.iterdir()} == {"gate.xml", "gate.bin", "metadata.yaml"}
    assert added.path.name.endswith("_openvino_model"), "Ultralytics knows the format by the folder's name"


@pytest.mark.shared_data
def test_a_real_openvino_export_is_added(store: Path) -> None:
    """Given the vendor's INT8 export, it has COCO's classes and runs where it was copied to."""
    added = model_store.add(WEIGHTS / "yolo11n_int8_openvino_model", "yolo11n-int8", store)
    assert len(added.class_names) == 80
    assert openvino.Core().read_model(next(added.path.glob("*.xml"))).inputs[0].shape[1] == 3
    assert model_store.verify(store, "yolo11n-int8")[0].state == "whole"


@pytest.mark.shared_data
def test_an_onnx_without_metadata_is_added_without_class_names(store: Path) -> None:
    """Given an ONNX model that does not say what it knows, only its input size is known."""
    added = model_store.add(WEIGHTS / "yolox_nano.onnx", "yolox", store)
    assert (dict(added.class_names), added.input_size, added.kind) == ({}, (416, 416), None)


def test_an_onnx_with_metadata_brings_its_class_names(store: Path) -> None:
    """Given the default detector as if it were one's own, classes and size come out of the file."""
    listed = yolo11n()
    added = model_store.add(listed.path, "mine", store)
    assert added.class_names == listed.class_names
    assert (added.input_size, added.kind, added.sha256) == ((640, 640), "detect", listed.sha256)


def test_pickled_weights_are_stored_but_refused_until_somebody_vouches(pickle: Path, store: Path) -> None:
    """Given a .pt that is not in the manifest, adding and refusing it run nothing; trust or the setting lets it in."""
    assert not model_store.add(pickle, "mine", store).trusted
    with pytest.raises(UntrustedWeightsError, match=r"mine\.pt \(sha256 [0-9a-f]{64}\) is a pickle.*--trust"):
        model_store.resolve("mine", store)
    assert model_store.resolve("mine", store, trust_pickled=True).format == "pt"
    model_store.add(pickle, "mine", store, trust=True)
    assert model_store.resolve("mine", store).trusted
    assert not (pickle.parent / "ran").exists()


def test_trust_is_in_a_hash_and_not_in_a_name(pickle: Path, store: Path) -> None:
    """Given trusted weights that are then exchanged for others, they are refused as damaged, with or without trust."""
    added = model_store.add(pickle, "mine", store, trust=True)
    added.path.write_bytes(added.path.read_bytes() + b"!")
    for trust in (False, True):
        with pytest.raises(CorruptModelError, match="models add"):
            model_store.resolve("mine", store, trust_pickled=trust)
    with pytest.raises(CorruptModelError):
        model_store.fetch("mine", store)


def test_pickled_weights_of_the_manifest_are_trusted_by_their_hash(store: Path, pickle: Path) -> None:
    """Given the vendor's own .pt, it is used; another file of its name is not, whoever vouches."""
    assert model_store.resolve("yolov8n", yolov8n_pt().path.parent).trusted
    store.mkdir()
    (store / "yolov8n.pt").write_bytes(pickle.read_bytes())
    with pytest.raises(CorruptModelError, match=r"yolov8n\.pt is damaged or another file.*models fetch yolov8n"):
        model_store.resolve("yolov8n", store, trust_pickled=True)


def test_an_engine_says_its_classes_in_its_header(tmp_path: Path, store: Path) -> None:
    """Given TensorRT engines with and without the header that Ultralytics writes, both are added."""
    header = json.dumps({"names": {"0": "bolt"}, "task": "detect", "imgsz": [640, 640]}).encode()
    (tmp_path / "with.engine").write_bytes(struct.pack("<i", len(header)) + header + b"plan" * 100)
    (tmp_path / "bare.engine").write_bytes(b"ftrt" + b"plan" * 100)
    described = model_store.add(tmp_path / "with.engine", "with", store)
    assert (dict(described.class_names), described.input_size) == ({0: "bolt"}, (640, 640))
    assert dict(model_store.add(tmp_path / "bare.engine", "bare", store).class_names) == {}


def test_what_is_no_model_is_refused_by_name(tmp_path: Path, store: Path, openvino_folder: Path) -> None:
    """Given files that are missing, empty, of another kind or damaged, each is named and nothing is kept."""
    (tmp_path / "text.onnx").write_text("not a model")
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "cut.pt").write_bytes(b"PK\x03\x04 half a zip")
    (tmp_path / "empty.engine").write_bytes(b"")
    (tmp_path / "film.mp4").write_bytes(b"0" * 100)
    (tmp_path / "empty_openvino_model").mkdir()
    broken = tmp_path / "broken_openvino_model"
    broken.mkdir()
    (broken / "m.xml").write_text('<?xml version="1.0"?><net><!DOCTYPE x></net>')
    (broken / "m.bin").write_bytes(b"")
    bad_yaml = openvino_folder.rename(tmp_path / "yaml_openvino_model")
    (bad_yaml / "metadata.yaml").write_text("names: {0: [")
    for path in tmp_path.iterdir():
        with pytest.raises(UnreadableModelError, match="metadata" if path == bad_yaml else path.name):
            model_store.add(path, "mine", store)
    with pytest.raises(UnreadableModelError, match="there is no file"):
        model_store.add(tmp_path / "nowhere.pt", "mine", store)
    assert not store.exists()


@pytest.mark.parametrize("name", ["../mine", "", "a/b", ".hidden", "x" * 65, "a b", "a\n"])
def test_a_name_that_could_lead_elsewhere_is_refused(pickle: Path, store: Path, name: str) -> None:
    """Given a name that is no plain word, nothing is stored, and it resolves to nothing."""
    with pytest.raises(ModelNameError):
        model_store.add(pickle, name, store)
    with pytest.raises(UnknownModelError):
        model_store.resolve(name, store)
    assert not store.exists()


def test_a_name_of_the_manifest_cannot_be_taken(pickle: Path, store: Path) -> None:
    """Given the default detector's name, one's own weights do not get it."""
    with pytest.raises(ModelNameError, match="yolo11n is a model of the manifest"):
        model_store.add(pickle, "yolo11n", store, trust=True)


def test_adding_again_replaces_what_was_there(openvino_folder: Path, pickle: Path, store: Path) -> None:
    """Given a name that was used before, the newer model is the one that is found, and nothing else stays."""
    model_store.add(openvino_folder, "mine", store)
    model_store.add(pickle, "mine", store, trust=True)
    assert model_store.resolve("mine", store).format == "pt"
    assert {path.name for path in (store / "own").iterdir()} == {"mine"}
    assert {path.name for path in (store / "own" / "mine").iterdir()} == {"mine.pt", "model.json"}


def test_own_models_are_listed_beside_those_of_the_manifest(openvino_folder: Path, pickle: Path, store: Path) -> None:
    """Given a store with own models and one damaged file, the list and the verification say so."""
    model_store.add(openvino_folder, "gate", store)
    model_store.add(pickle, "mine", store)
    (store / "yolo11n.onnx").write_bytes(b"half a downl")
    listed = {entry.name: entry for entry in model_store.list_models(store)}
    assert (listed["gate"].origin, listed["gate"].state, listed["gate"].trusted) == ("own", "present", True)
    assert (listed["mine"].state, listed["mine"].trusted) == ("present", False)
    assert (listed["yolo11n"].state, listed["yolov8n"].state) == ("corrupt", "missing")
    (next((store / "own" / "gate").glob("*/gate.bin"))).write_bytes(b"?")
    checked = {entry.name: entry for entry in model_store.verify(store)}
    assert (checked["gate"].state, checked["mine"].state) == ("corrupt", "whole")
    assert "models fetch yolo11n" in checked["yolo11n"].detail


def test_missing_weights_are_told_with_their_hash_and_both_ways_to_get_them(store: Path) -> None:
    """Given an empty store, the error names the file, its hash, the command, and where to put it."""
    with pytest.raises(ModelMissingError) as failed:
        model_store.resolve("yolo11n", store)
    for part in ("yolo11n.onnx", "c130b90b", "./farm models fetch yolo11n", str(store / "yolo11n.onnx")):
        assert part in str(failed.value)


def test_a_sidecar_that_cannot_be_read_is_named(openvino_folder: Path, store: Path) -> None:
    """Given a damaged sidecar, the error names it and how to make it anew."""
    model_store.add(openvino_folder, "gate", store)
    (store / "own" / "gate" / "model.json").write_text('{"file": "../../etc/passwd"}')
    with pytest.raises(CorruptModelError, match=r"model\.json cannot be read; add the model gate again"):
        model_store.resolve("gate", store)


def test_a_store_that_cannot_be_written_is_named(openvino_folder: Path, store: Path) -> None:
    """Given a store whose place is taken by a file, the error names it."""
    store.write_text("in the way")
    with pytest.raises(ModelStoreError, match="cannot store gate in"):
        model_store.add(openvino_folder, "gate", store)
