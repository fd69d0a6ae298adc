"""What a worker says of itself."""

from pydantic import BaseModel

from contract.ids import WorkerId


class WorkerStatus(BaseModel):
    """Published by every worker once a second; gone when its lease is gone.

    Clock: `*_ms` is Unix time in milliseconds UTC, by the worker's clock.
    """

    worker_id: WorkerId
    host: str
    pid: int
    version: str
    started_at_ms: int
    updated_at_ms: int
    #: ``cpu`` or ``cuda:0``.
    device: str
    #: Runtime of the detector: ``openvino``, ``onnxruntime`` or ``ultralytics``.
    detector: str
    model: str
    #: Cameras this worker takes at most.
    capacity: int
    camera_ids: list[str] = []
    draining: bool = False
    frames_analysed: int = 0
    frames_dropped: int = 0
    #: Writes refused because a newer epoch exists.
    refused_writes: int = 0
    #: Milliseconds of detection per frame, mean over the last seconds.
    detect_ms: float = 0.0
    cpu_seconds: float = 0.0
    rss_bytes: int = 0
