"""What a worker says of itself."""

from typing import Annotated

from pydantic import BaseModel, Field, computed_field

from contract.ids import WorkerId


class Holding(BaseModel):
    """One camera that a worker watches, and what it costs there; None until it was measured."""

    epoch: int
    #: CPU-seconds a second to receive the stream and decode what is looked at.
    stream_cores: float | None = None
    #: CPU-seconds to track, encode, save and publish one analysed frame; detection is `WorkerStatus.detect_seconds`.
    frame_seconds: float | None = None
    #: Share of a full input of the detector that one of its analysed frames takes, on average over some minutes.
    detect_share: float | None = None


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
    #: CPU-seconds a second that its cameras may cost: a target, passed only when no other worker has room.
    cores: Annotated[float, Field(gt=0)]
    #: Whether `cores` are all of its host's, to be shared by the workers there.
    cores_shared: bool = True
    #: Cameras this worker takes at most, whatever they cost.
    max_cameras: int
    #: What cameras can ask for, for example ``gpu`` or ``site=north``.
    labels: list[str] = []
    #: Cameras it watches.
    holdings: dict[str, Holding] = {}
    draining: bool = False
    frames_analysed: int = 0
    frames_dropped: int = 0
    #: Writes refused because a newer epoch exists.
    refused_writes: int = 0
    #: Milliseconds of detection per frame, mean over the last seconds.
    detect_ms: float = 0.0
    #: CPU-seconds of detection per full input; on a GPU, seconds of the thread that waits for it. None until measured.
    detect_seconds: float | None = None
    cpu_seconds: float = 0.0
    rss_bytes: int = 0
    #: Records that wait on disk until Redis takes them, and their size.
    spool_records: int = 0
    spool_bytes: int = 0
    #: Finished files of footage that Redis was not told of yet, and those it never will be: they are found on the
    #: volume.
    segments_waiting: int = 0
    segments_untold: int = 0
    #: Records lost because the spool was full or could not be written.
    spool_lost: int = 0

    @computed_field  # type: ignore[prop-decorator]
    @property
    def camera_ids(self) -> list[str]:
        """Ids of the cameras it watches."""
        return sorted(self.holdings)
