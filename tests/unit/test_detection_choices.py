"""Which backend, device, batch and number of threads a detector gets."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.cpus import usable_cpus
from tests.support.weights import Weights
from workers.detection.batching import run_in_batches
from workers.detection.cpus import has_amx
from workers.detection.detector import DetectorError, DeviceUnavailableError
from workers.detection.devices import CudaView, choose_device
from workers.detection.opening import backends_for

NOTHING = CudaView(driver_devices=0, torch_installed=False, torch_devices=0)
TWO_DEVICES = CudaView(driver_devices=2, torch_installed=True, torch_devices=2)


@pytest.mark.parametrize(
    ("wanted", "view", "device"),
    [
        ("auto", NOTHING, "cpu"),
        ("auto", TWO_DEVICES, "cuda:0"),
        ("auto", CudaView(1, torch_installed=True, torch_devices=0), "cpu"),
        ("auto", CudaView(1, torch_installed=False, torch_devices=0), "cpu"),
        ("cpu", TWO_DEVICES, "cpu"),
        ("cuda", TWO_DEVICES, "cuda:0"),
        ("cuda:1", TWO_DEVICES, "cuda:1"),
    ],
)
def test_the_device_is_cuda_only_where_it_can_be_used(wanted: str, view: CudaView, device: str) -> None:
    """Given what is there, when a device is chosen, then it is the one asked for, or the best for auto."""
    assert choose_device(wanted, view) == device


@pytest.mark.parametrize(
    ("wanted", "view", "reason"),
    [
        ("cuda", NOTHING, "no NVIDIA device"),
        ("cuda", CudaView(1, torch_installed=False, torch_devices=0), "requirements-torch.txt"),
        ("cuda", CudaView(1, torch_installed=True, torch_devices=0), "without CUDA"),
        ("cuda:2", TWO_DEVICES, "only 2 CUDA devices"),
    ],
)
def test_asking_for_cuda_that_cannot_be_used_says_why(wanted: str, view: CudaView, reason: str) -> None:
    """Given no usable CUDA, when it is asked for by name, then the error names the reason and the setting."""
    with pytest.raises(DeviceUnavailableError, match=f"FARM_DEVICE={wanted}.*{reason}.*FARM_DEVICE=cpu"):
        choose_device(wanted, view)


def model(model_format: str) -> Weights:
    """Describe a model of a format; the file need not exist for a choice."""
    return Weights(Path(f"weights.{model_format}"), model_format, {0: "person"})


@pytest.mark.parametrize(
    ("model_format", "wanted", "first"),
    [
        ("onnx", "auto", "openvino"),
        ("onnx", "onnxruntime", "onnxruntime"),
        ("openvino", "auto", "openvino"),
        ("pt", "auto", "ultralytics"),
        ("engine", "auto", "ultralytics"),
        ("onnx", "ultralytics", "ultralytics"),
    ],
)
def test_the_format_decides_the_backend_unless_one_is_named(model_format: str, wanted: str, first: str) -> None:
    """Given a format and a wish, when backends are listed, then the preferred one is first."""
    assert backends_for(model(model_format), wanted)[0] == first


@pytest.mark.parametrize(
    ("model_format", "wanted", "text"),
    [
        ("pt", "openvino", "FARM_DETECTOR=openvino cannot read weights.pt"),
        ("openvino", "onnxruntime", "FARM_DETECTOR=onnxruntime cannot read"),
        ("tflite", "auto", "format tflite, which no detector reads"),
    ],
)
def test_a_backend_that_cannot_read_the_format_is_refused(model_format: str, wanted: str, text: str) -> None:
    """Given a wish that does not fit the file, when backends are listed, then the error names both."""
    with pytest.raises(DetectorError, match=text):
        backends_for(model(model_format), wanted)


class _FullError(Exception):
    """Stands for the device's memory running out."""


@given(count=st.integers(0, 40), batch=st.integers(1, 16), room=st.integers(1, 16))
def test_batches_are_halved_until_they_fit_and_no_item_is_lost_or_doubled(count: int, batch: int, room: int) -> None:
    """Given room for a few items, when more are run, then each is run once, in order, and the batch gets smaller."""
    halved: list[int] = []

    def run(part: list[int]) -> list[int]:
        assert len(part) <= batch
        if len(part) > room:
            raise _FullError
        return [item * 10 for item in part]

    results = run_in_batches(list(range(count)), batch, lambda part: run(list(part)), _FullError, halved.append)

    assert results == [item * 10 for item in range(count)]
    assert halved == sorted(halved, reverse=True)
    assert all(size < batch for size in halved)


def test_an_item_that_does_not_fit_alone_is_an_error_and_not_an_endless_loop() -> None:
    """Given no room at all, when items are run, then the error comes out after the batch of one failed."""
    halved: list[int] = []

    def run(_part: object) -> list[int]:
        raise _FullError

    with pytest.raises(_FullError):
        run_in_batches([1, 2, 3, 4], 4, run, _FullError, halved.append)
    assert halved == [2, 1]


@pytest.mark.parametrize(
    ("limit", "most"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", 10_000), ("nonsense", 10_000)]
)
def test_a_containers_share_of_the_cpu_limits_the_threads(tmp_path: Path, limit: str, most: int) -> None:
    """Given a cgroup's limit, when CPUs are counted, then there are no more than it allows, and at least one."""
    file = tmp_path / "cpu.max"
    file.write_text(limit)

    assert 1 <= usable_cpus(file) <= most
    assert usable_cpus(file) <= usable_cpus(tmp_path / "missing")


def test_amx_is_read_from_the_processors_flags(tmp_path: Path) -> None:
    """Given the flags of two processors, when looked for, then only the one with amx_bf16 has AMX."""
    with_amx, without = tmp_path / "with", tmp_path / "without"
    with_amx.write_text("flags\t\t: fpu avx512_bf16 amx_bf16 amx_tile\n")
    without.write_text("flags\t\t: fpu avx512_bf16\n")

    assert has_amx(with_amx)
    assert not has_amx(without)
    assert not has_amx(tmp_path / "missing")
