"""What a worker says of itself."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, Field, computed_field, field_validator

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


class Stage(StrEnum):
    """What a worker does with a stream, in the order in which it is done."""

    #: Read packets and hand them to the recording. Items: packets.
    RECEIVE = "receive"
    #: Write footage. Items: packets.
    RECORD = "record"
    #: Decode packets; pixels are made, and counted, where they are first asked for. Items: frames, as all below.
    DECODE = "decode"
    #: Find out whether something moves, and so what is to be looked at.
    GATE = "gate"
    #: The detector, with what it does before and after the model.
    DETECT = "detect"
    TRACK = "track"
    #: Encode and write JPEG files, previews included.
    SAVE = "save"
    #: Choose crops of tracked objects, cut and write them.
    CROP = "crop"
    #: Write to Redis and wait for its answer. Items: results and events.
    PUBLISH = "publish"


_STAGES: Final = frozenset(Stage)


class StageFigures(BaseModel):
    """What one stage does for all cameras of a worker together, over the last ten seconds."""

    #: CPU-seconds a second; of detection on the CPU all its threads count.
    cpu_cores: float = 0.0
    #: Seconds a second in which a thread was in it, working or waiting; more than 1 where several are.
    busy: float = 0.0
    items_per_second: float = 0.0
    #: Milliseconds that one item takes by the clock on the wall, mean; 0 where that is not measured.
    wall_ms: float = 0.0
    #: Milliseconds that items waited in the queue before the stage: 95th percentile and maximum; 0 without a queue.
    wait_p95_ms: float = 0.0
    wait_max_ms: float = 0.0


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
    #: CPU-seconds a second that this process uses, over the last seconds. None: not measured yet, as all below.
    cpu_cores: float | None = None
    #: CPU-seconds a second that are used on its host, by whomever, and how many there are.
    host_busy_cores: float | None = None
    host_cores: int | None = None
    #: What its stages do; those that had nothing to do are left out. None: it is too old to say, or has just begun.
    stages: dict[Stage, StageFigures] | None = None
    #: Reason -> frames a second that were due and have no result, over the last ten seconds.
    drops_per_second: dict[str, float] = {}
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

    @field_validator("stages", mode="before")
    @classmethod
    def _known_stages(cls, value: object) -> object:
        # A newer worker may have stages that are not known here: no reason to know nothing of it.
        return {name: said for name, said in value.items() if name in _STAGES} if isinstance(value, dict) else value

    @computed_field  # type: ignore[prop-decorator]
    @property
    def camera_ids(self) -> list[str]:
        """Ids of the cameras it watches."""
        return sorted(self.holdings)
