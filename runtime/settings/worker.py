"""Settings of a worker."""

import re
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from contract.cameras import LABEL_PATTERN
from runtime.settings.common import CommonSettings

_LABEL: Final = re.compile(LABEL_PATTERN)


class WorkerSettings(CommonSettings):
    """A video worker."""

    process: ClassVar[str] = "worker"

    #: Empty: made from the host name; must be unique in the farm.
    worker_id: str = ""
    #: CPU-seconds a second that this worker's cameras may cost; 0: all cores the process may use, shared evenly with
    #: the other workers of the same host. A target: cameras are never turned away for it, see `farm_required_workers`.
    worker_cores: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)] = 0.0
    #: Cameras this worker takes at most, whatever they cost.
    worker_max_cameras: Annotated[int, Field(ge=1, le=10_000)] = 256
    #: What cameras can require or prefer, separated by commas: ``gpu,site=north``.
    worker_labels: str = ""
    #: ``auto``: CUDA where a GPU and its libraries are present, else CPU. Or ``cpu``, ``cuda``, ``cuda:1``.
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    #: Where frames are decoded: ``cpu``, or ``cuda``, ``cuda:1`` for an NVIDIA device's decoder (not run by us yet).
    decode_device: Annotated[str, Field(pattern=r"^(cpu|cuda(:\d+)?)$")] = "cpu"
    #: Name of a model in FARM_MODELS_DIR; see `./farm models list`.
    model: str = "yolo11n"
    #: ``auto``: OpenVINO on CPU. ONNX Runtime and Ultralytics (needs the torch extra) are the others.
    detector: Literal["auto", "openvino", "onnxruntime", "ultralytics"] = "auto"
    #: Side in pixels of the detector's largest input, a square; a multiple of 32. Models of open size run smaller ones.
    detect_size: Annotated[int, Field(ge=64, le=1920, multiple_of=32)] = 640
    #: Threads of the detector; 0: all cores this process may use.
    detect_threads: Annotated[int, Field(ge=0, le=256)] = 0
    #: Arithmetic of OpenVINO. ``auto``: bf16 where the CPU has AMX, else f32, which equals the model exactly.
    #: bf16 costs about 0.002 mAP and was 1.7 times as quick on a CPU with AVX-512 BF16.
    detect_precision: Literal["auto", "f32", "bf16"] = "auto"
    max_batch: Annotated[int, Field(ge=1, le=64)] = 8
    #: Milliseconds to wait for more frames before an incomplete batch is run.
    batch_wait_ms: Annotated[float, Field(ge=0, le=200)] = 5.0
    #: Load pickled weights (.pt) that the manifest does not list. They can run code: only from people you trust.
    trust_pickled_weights: bool = False
    rtsp_transport: Literal["tcp", "udp"] = "tcp"
    #: Seconds a camera may take to answer when its stream is opened.
    connect_timeout_seconds: Annotated[float, Field(ge=1, le=120)] = 8.0
    #: Seconds without a packet after which a stream counts as stalled.
    stall_timeout_seconds: Annotated[float, Field(ge=1, le=120)] = 8.0
    #: Longest pause between tries to open a camera again.
    reconnect_max_seconds: Annotated[float, Field(ge=0.5, le=600)] = 15.0
    #: Check the certificates of ``https://`` and ``rtsps://`` cameras. Switch it off for cameras that sign their own.
    camera_tls_verify: bool = True
    #: The only folder whose files may be used as cameras (``file:///...``); empty: none.
    local_video_dir: Path | None = None
    #: ``appearance``: objects are followed by their places and colours. ``bytetrack``: by their places alone, which
    #: costs a fraction of a millisecond less for each.
    tracker: Literal["appearance", "bytetrack"] = "appearance"
    #: Classes of objects of which crops are kept for recognisers, separated by commas; empty: none.
    crops: str = "person,bicycle,car,motorcycle,bus,truck,van"
    jpeg_quality: Annotated[int, Field(ge=30, le=100)] = 80
    #: Longest side in pixels of the preview kept in Redis.
    preview_size: Annotated[int, Field(ge=160, le=1920)] = 640
    #: Saved frames per camera that Redis lists; older ones are found on the volume.
    frame_index_size: Annotated[int, Field(ge=10, le=1_000_000)] = 3_600
    #: Results per camera that Redis keeps.
    result_stream_size: Annotated[int, Field(ge=10, le=1_000_000)] = 600
    #: Events of all cameras that Redis keeps.
    event_stream_size: Annotated[int, Field(ge=1_000, le=10_000_000)] = 100_000
    #: Folder for results and events that wait until Redis is back; empty: FARM_DATA_DIR/spool.
    spool_dir: Path | None = None
    #: Most bytes that one worker keeps there; the oldest results, then the oldest events, make room and are counted.
    spool_max_bytes: Annotated[int, Field(ge=65_536)] = 256_000_000
    #: Most bytes of a camera's packets that wait in memory: half of them as pre-roll and while the volume fails, half
    #: while it is slow. Eight seconds of a stream of 8 Mbit/s have 8,000,000.
    record_buffer_bytes: Annotated[int, Field(ge=1_000_000, le=1_000_000_000)] = 16_000_000
    #: Seconds a worker may take to finish and leave.
    drain_seconds: Annotated[float, Field(ge=0, le=300)] = 15.0
    #: Address of the worker's Prometheus metrics; port 0: any free one; empty host: none.
    metrics_host: str = ""
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0

    @field_validator("worker_labels")
    @classmethod
    def _check_labels(cls, value: str) -> str:
        for label in _labels(value):
            if _LABEL.fullmatch(label) is None:
                raise ValueError(f"{label!r} is not a label; use names such as gpu or site=north")
        return value

    @property
    def labels(self) -> list[str]:
        """`worker_labels` as a list, each once."""
        return _labels(self.worker_labels)

    @property
    def crop_classes(self) -> frozenset[str]:
        """`crops` as names in small letters."""
        return frozenset(name.strip().lower() for name in self.crops.split(",")) - {""}

    @property
    def spool_path(self) -> Path:
        """Folder of the spool."""
        return self.spool_dir or self.data_dir / "spool"

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if self.local_video_dir is not None and not self.local_video_dir.is_absolute():
            raise ValueError("FARM_LOCAL_VIDEO_DIR must be an absolute path")
        return self


def _labels(text: str) -> list[str]:
    return sorted({part.strip() for part in text.split(",")} - {""})
