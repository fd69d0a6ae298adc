"""Where embeddings are made: on CUDA where there is CUDA, and never elsewhere without a word."""

import pytest

from reid.embedding.devices import choose_providers
from reid.embedding.errors import DeviceMissingError

CPU_BUILD = ["CPUExecutionProvider"]
CUDA_BUILD = ["CUDAExecutionProvider", "CPUExecutionProvider"]
TENSORRT_BUILD = ["TensorrtExecutionProvider", *CUDA_BUILD]


@pytest.mark.parametrize(
    ("wanted", "available", "names"),
    [
        ("auto", CPU_BUILD, []),
        ("cpu", TENSORRT_BUILD, []),
        ("auto", CUDA_BUILD, ["CUDAExecutionProvider"]),
        ("cuda", CUDA_BUILD, ["CUDAExecutionProvider"]),
        ("cuda:1", TENSORRT_BUILD, ["TensorrtExecutionProvider", "CUDAExecutionProvider"]),
    ],
)
def test_the_device_and_the_build_choose_what_runs(wanted: str, available: list[str], names: list[str]) -> None:
    """Given a wish and a build of the runtime; then CUDA is used where both have it, TensorRT first."""
    assert [provider.name for provider in choose_providers(wanted, available)] == names


def test_tensorrt_computes_in_half_precision_on_the_device_that_was_named() -> None:
    """Given the second device; when TensorRT runs it; then it is told the device and half precision."""
    half, single = choose_providers("cuda:1", TENSORRT_BUILD)
    assert half.options == {"device_id": "1", "trt_fp16_enable": "1"}
    assert single.options == {"device_id": "1"}


def test_cuda_on_a_build_for_the_cpu_is_refused_with_the_remedy() -> None:
    """Given a build without CUDA; when it is asked for; then the error says what to install."""
    with pytest.raises(DeviceMissingError, match="onnxruntime-gpu"):
        choose_providers("cuda:0", CPU_BUILD)
