"""Embedders on their real runtimes, with a small model that is made here, and with OSNet where the test data is."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import model_store
from benchmarks.recognition.measures import ranking
from benchmarks.recognition.people import DEFAULT_FILE, PEOPLE_DIR, embed_people, embedder_model
from contract.events import EventKind
from contract.recognition import RecognitionRequest
from model_store.hashing import sha256_of
from reid.embedding.description import EmbedderModel
from reid.embedding.devices import Provider
from reid.embedding.embedder import Embedder
from reid.embedding.errors import DeviceMissingError, EmbedderError, NoEmbeddingError, UnusableModelError
from reid.embedding.onnxruntime_embedder import OnnxRuntimeEmbedder
from reid.embedding.opening import open_embedder
from reid.embedding.openvino_embedder import PICTURES_AT_ONCE, OpenVinoEmbedder
from reid.embedding.pictures import DEVIATION, MEAN
from reid.errors import UnusableCropsError
from reid.images import BgrImage
from reid.recognisers.recogniser import LoadedRequest
from reid.recognisers.reid import ReidRecogniser
from runtime.settings import ReidSettings
from tests.support.onnx_files import write_embedder

Opener = Callable[[EmbedderModel], Embedder]
BOTH = pytest.mark.parametrize("opener", [OpenVinoEmbedder, OnnxRuntimeEmbedder], ids=["openvino", "onnxruntime"])


def described(file: Path) -> EmbedderModel:
    """Return a model file as embedders want it described."""
    return EmbedderModel("small", file, sha256_of(file) if file.exists() else "0" * 64)


def crops(count: int, seed: int = 0) -> list[BgrImage]:
    """Return noise of many sizes, larger and smaller than the model's input."""
    chance = np.random.default_rng(seed)
    sizes = [(chance.integers(8, 600), chance.integers(8, 300)) for _ in range(count)]
    return [chance.integers(0, 256, (height, width, 3)).astype(np.uint8) for height, width in sizes]


def plain(blue: int, green: int, red: int, height: int = 300, width: int = 100) -> BgrImage:
    """Return a picture of one colour."""
    return np.full((height, width, 3), (blue, green, red), np.uint8)


@BOTH
@pytest.mark.parametrize("count", [1, 3, PICTURES_AT_ONCE, 2 * PICTURES_AT_ONCE + 1, 19])
def test_a_batch_of_any_size_gives_what_each_picture_gives_alone(opener: Opener, count: int, tmp_path: Path) -> None:
    """Given pictures of many sizes; when embedded together and one by one; then the rows are the same, of length 1."""
    embedder = opener(described(write_embedder(tmp_path / "small.onnx")))
    images = crops(count)

    together = embedder.embed(images)

    assert together.shape == (count, embedder.dimension)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(together, np.concatenate([embedder.embed([image]) for image in images]), atol=1e-5)


def test_both_runtimes_make_the_same_embeddings_and_call_them_by_the_same_version(tmp_path: Path) -> None:
    """Given one model; when run by both; then what they make may be compared, and is the same."""
    model = described(write_embedder(tmp_path / "small.onnx"))
    one, other = OpenVinoEmbedder(model), OnnxRuntimeEmbedder(model)
    assert one.version == other.version
    np.testing.assert_allclose(one.embed(crops(9)), other.embed(crops(9)), atol=1e-5)


@BOTH
def test_pixels_reach_the_model_as_red_green_blue_less_the_mean_of_imagenet(opener: Opener, tmp_path: Path) -> None:
    """Given a picture of one colour; when embedded; then each plane is what its colour is, in the model's order."""
    embedder = opener(described(write_embedder(tmp_path / "small.onnx")))

    vector = embedder.embed([plain(blue=10, green=100, red=240)])[0]

    planes = (np.array([240, 100, 10]) - MEAN) / np.array(DEVIATION)
    expected = np.repeat(planes, 8)
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)


@BOTH
def test_crops_of_a_pixel_views_and_nothing_are_embedded(opener: Opener, tmp_path: Path) -> None:
    """Given a 1-pixel crop, a mirrored view that may not be written to, and no crops; then each has its answer."""
    embedder = opener(described(write_embedder(tmp_path / "small.onnx")))
    view = crops(1)[0][::-1, ::-2]
    view.flags.writeable = False
    assert embedder.embed([plain(1, 2, 3, 1, 1), view, plain(9, 9, 9, 1, 400)]).shape == (3, 24)
    assert embedder.embed([]).shape == (0, 24)


@BOTH
@pytest.mark.parametrize(
    "image",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)],
    ids=["grey", "four planes", "not bytes", "empty"],
)
def test_what_is_no_colour_picture_is_refused_by_its_place(opener: Opener, image: BgrImage, tmp_path: Path) -> None:
    """Given a batch whose second picture is none; when embedded; then the error names it, and the next batch works."""
    embedder = opener(described(write_embedder(tmp_path / "small.onnx")))
    with pytest.raises(ValueError, match="picture 1 has shape"):
        embedder.embed([plain(1, 2, 3), image])
    assert len(embedder.embed([plain(1, 2, 3)])) == 1


@BOTH
def test_an_answer_that_is_no_number_is_an_error_that_names_the_picture(opener: Opener, tmp_path: Path) -> None:
    """Given a model that answers NaN to one picture of six; when embedded; then that one is named."""
    embedder = opener(described(write_embedder(tmp_path / "small.onnx", fails_on_dark=True)))
    images = [plain(250, 250, 250)] * 5 + [plain(0, 0, 0)]
    with pytest.raises(NoEmbeddingError, match="picture 5") as caught:
        embedder.embed(images)
    assert caught.value.index == 5
    assert embedder.embed(images[:5]).shape == (5, 24)


def asked(event_id: str, images: list[BgrImage]) -> LoadedRequest:
    """Return what a ReID worker gives to a recogniser."""
    request = RecognitionRequest(
        event_id=event_id, recogniser="reid", kind=EventKind.TRACK_ENDED, at_ms=2, camera_id="door", track="t",
        started_at_ms=1, class_name="person", crops=[],
    )  # fmt: skip
    return LoadedRequest(request, images)


def test_the_recogniser_names_the_event_whose_crop_makes_no_embedding(tmp_path: Path) -> None:
    """Given a batch of events; when a crop of the second makes no embedding; then that event is at fault, for good."""
    recogniser = ReidRecogniser(
        OpenVinoEmbedder(described(write_embedder(tmp_path / "small.onnx", fails_on_dark=True)))
    )
    light, dark = plain(250, 250, 250), plain(0, 0, 0)
    requests = [asked("first", [light, light]), asked("second", [light, dark]), asked("third", [light])]
    with pytest.raises(UnusableCropsError, match="picture 3") as caught:
        recogniser.recognise(requests)
    assert caught.value.event_id == "second"
    assert [found.result["embeddings"] for found in recogniser.recognise([requests[0], requests[2]])] == [2, 1]


@BOTH
def test_a_model_for_one_picture_at_a_time_serves_too(opener: Opener, tmp_path: Path) -> None:
    """Given a model exported for one picture; when several are embedded; then they are as from an open one."""
    one = opener(described(write_embedder(tmp_path / "one.onnx", batch=1)))
    many = opener(described(write_embedder(tmp_path / "any.onnx")))
    np.testing.assert_allclose(one.embed(crops(6)), many.embed(crops(6)), atol=1e-5)


def test_signals_are_heard_when_models_were_closed_in_the_order_in_which_they_were_opened(tmp_path: Path) -> None:
    """Given two models that were opened and closed; when SIGTERM comes; then its handler runs, and nothing crashes."""
    code = """if True:
        import gc, os, signal, sys
        from pathlib import Path
        from reid.embedding.openvino_embedder import OpenVinoEmbedder
        from tests.integration.test_embedders import described, write_embedder
        folder = Path(sys.argv[1])
        one = OpenVinoEmbedder(described(write_embedder(folder / "one.onnx", batch=1)))
        two = OpenVinoEmbedder(described(write_embedder(folder / "two.onnx")))
        del one
        gc.collect()
        del two
        gc.collect()
        signal.signal(signal.SIGTERM, lambda *_: print("heard", flush=True))
        os.kill(os.getpid(), signal.SIGTERM)
    """
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "heard\n"), ran.stderr


@BOTH
def test_what_is_no_embedder_is_refused_with_what_it_is(opener: Opener, tmp_path: Path) -> None:
    """Given models of other shapes; when opened; then the error says what they take or answer."""
    with pytest.raises(UnusableModelError, match="one row of numbers"):
        opener(described(write_embedder(tmp_path / "planes.onnx", is_flat=False)))
    with pytest.raises(UnusableModelError, match="not \\(pictures, 3, height, width\\)"):
        opener(described(write_embedder(tmp_path / "grey.onnx", channels=1)))
    with pytest.raises(UnusableModelError, match="8 pictures, no fewer"):
        opener(described(write_embedder(tmp_path / "eight.onnx", batch=8)))


@BOTH
def test_a_missing_and_a_damaged_file_are_named_with_the_remedy(opener: Opener, tmp_path: Path) -> None:
    """Given no file, and half of one; when opened; then the error says how to get it."""
    with pytest.raises(EmbedderError, match=r"missing\.onnx does not exist.*models fetch small"):
        opener(described(tmp_path / "missing.onnx"))
    whole = write_embedder(tmp_path / "half.onnx")
    whole.write_bytes(whole.read_bytes()[:60])
    with pytest.raises(EmbedderError, match=r"cannot read .*half\.onnx"):
        opener(described(whole))


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_cuda_device_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    """Given a runtime without CUDA; when it is asked for; then it does not run on the CPU without a word."""
    model = described(write_embedder(tmp_path / "small.onnx"))
    with pytest.raises(DeviceMissingError, match="CUDAExecutionProvider does not start here"):
        OnnxRuntimeEmbedder(model, providers=[Provider("CUDAExecutionProvider", {"device_id": "0"})])


def test_a_version_is_that_of_the_file_and_not_of_its_name(tmp_path: Path) -> None:
    """Given one file under two names, and another file; then only embeddings of the former may be compared."""
    model = described(write_embedder(tmp_path / "small.onnx"))
    other = described(write_embedder(tmp_path / "other.onnx", fails_on_dark=True))
    assert model.version == replace(model, name="renamed").version != other.version
    assert len(model.version) <= 64


def settings(tmp_path: Path, **values: object) -> ReidSettings:
    """Return settings with a store of models in `tmp_path`, that has the small embedder as ``small``."""
    models = tmp_path / "models"
    model_store.add(write_embedder(tmp_path / "file.onnx"), "small", models)
    return ReidSettings.load(models_dir=models, reid_model="small", **values)


def test_the_settings_open_a_model_that_somebody_added(tmp_path: Path) -> None:
    """Given a model of one's own that does not say what it is for; when opened by name; then it makes embeddings."""
    embedder = open_embedder(settings(tmp_path, reid_device="cpu", reid_threads=1))
    assert isinstance(embedder, OpenVinoEmbedder)
    assert (embedder.name, embedder.dimension) == ("small", 24)
    assert embedder.embed(crops(2)).shape == (2, 24)


def test_without_openvino_onnx_runtime_makes_the_embeddings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a machine where OpenVINO does not load; when opened; then the other runtime is used, with the same rows."""
    chosen = settings(tmp_path, reid_device="auto")
    expected = open_embedder(chosen).embed(crops(3))
    monkeypatch.setitem(sys.modules, "openvino", None)
    embedder = open_embedder(chosen)
    assert isinstance(embedder, OnnxRuntimeEmbedder)
    np.testing.assert_allclose(embedder.embed(crops(3)), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"kind": "detect"}, "small is a model of kind detect"),
        ({"format": "t7", "trusted": True}, "small has format t7; embedders read onnx and openvino"),
    ],
    ids=["a detector", "an older format"],
)
def test_models_of_another_kind_or_format_are_refused(said: dict[str, object], error: str, tmp_path: Path) -> None:
    """Given a model that is a detector, or of a format that is not read; when opened; then the error says so."""
    chosen = settings(tmp_path)
    sidecar = chosen.models_path / "own" / "small" / "model.json"
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), **said}))
    with pytest.raises(UnusableModelError, match=error):
        open_embedder(chosen)


def test_models_that_are_not_there_are_refused(tmp_path: Path) -> None:
    """Given weights that were never fetched, and a name that nothing has; when opened; then each says what helps."""
    own = settings(tmp_path)
    with pytest.raises(model_store.ModelMissingError, match="models fetch osnet-x0-25-msmt17"):
        open_embedder(own.model_copy(update={"reid_model": "osnet-x0-25-msmt17"}))
    with pytest.raises(model_store.UnknownModelError, match="no model is named 'nobody'"):
        open_embedder(own.model_copy(update={"reid_model": "nobody"}))


def test_asking_the_settings_for_cuda_where_there_is_none_is_a_clear_error(tmp_path: Path) -> None:
    """Given a runtime built for the CPU; when CUDA is asked for; then the error names the setting."""
    with pytest.raises(DeviceMissingError, match="FARM_REID_DEVICE"):
        open_embedder(settings(tmp_path, reid_device="cuda"))


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.skipif(not DEFAULT_FILE.is_file(), reason=f"{DEFAULT_FILE} is not there")
def test_the_default_embedder_finds_people_again_as_the_reference_does() -> None:
    """Given 62 people; when those of camera 1 are looked for in camera 2; then rank-1 and mAP are 0.665 and 0.534."""
    people = embed_people(OpenVinoEmbedder(embedder_model(DEFAULT_FILE, "osnet")), PEOPLE_DIR)
    ours, theirs = people.cameras == "01", people.cameras == "02"
    score = ranking(
        people.vectors[ours] @ people.vectors[theirs].T, people.ids[ours].tolist(), people.ids[theirs].tolist()
    )
    assert (round(score.rank[1], 3), round(score.mean_average_precision, 3)) == (0.665, 0.534)
