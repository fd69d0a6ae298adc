"""Which settings move what a worker is bound by, and of which cameras. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contract.cameras import SaveMode
from contract.recordings import RecordMode
from contract.workers import Stage, StageFigures, WorkerStatus

#: Cameras that are named; the rest are counted.
NAMED: Final = 4
#: Pixels of a picture from which on it is larger than a detector needs it.
LARGE: Final = 1280 * 720
#: Seconds over which a camera's rates are measured; lower ones than this say nothing in so short a time.
RATE_SECONDS: Final = 10.0
LEAST_FPS: Final = 0.5
#: Frames a second above which most of what is seen was seen in the frame before.
QUICK_FPS: Final = 1.0
#: Seconds of saving ÷ CPU-seconds of it, from which on it mostly waits for the volume.
SLOW_VOLUME: Final = 2.0
#: Ways to choose frames that decode no more than what is looked at; empty: not known.
THRIFTY: Final = frozenset({"", "keyframes", "snapshots"})


class Limit(StrEnum):
    """What a worker is bound by."""

    RECEIVE = "receive"
    RECORD = "record"
    DECODE = "decode"
    GATE = "gate"
    DETECT = "detect"
    TRACK = "track"
    SAVE = "save"
    CROP = "crop"
    PUBLISH = "publish"
    #: Other processes of its host use the cores.
    HOST = "host"
    #: One process's threads wait for each other (Python's global lock).
    INTERPRETER = "interpreter"
    #: Its cores are in use by what no stage counts: connections, the interpreter itself.
    OTHER_WORK = "other_work"
    #: Something is amiss, and nothing that is measured explains it.
    UNCLEAR = "unclear"
    #: It does not say what its stages do.
    UNKNOWN = "unknown"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class WatchedCamera:
    """One camera at its worker: what was asked for, what it does and what it costs."""

    camera_id: str
    is_online: bool
    #: Frames a second: asked for, looked at, received.
    asked_fps: float
    analysed_fps: float
    stream_fps: float
    #: Frames that were looked at since the worker has it.
    frames_analysed: int
    #: ``keyframes``, ``all``, ...; empty while not known.
    decode_mode: str
    width: int
    height: int
    has_main_url: bool
    save_frames: SaveMode
    record: RecordMode
    #: CPU-seconds a second to receive and decode, and all together; None: not measured.
    stream_cores: float | None
    cost_cores: float | None

    def is_short(self, share: float) -> bool:
        """Tell whether it gets less than `share` of the frames it asks for, and its stream has them."""
        wanted = min(self.asked_fps, self.stream_fps or self.asked_fps)
        is_measured = self.frames_analysed >= RATE_SECONDS * wanted
        return self.is_online and is_measured and wanted >= LEAST_FPS and self.analysed_fps < share * wanted


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something that a person can set."""

    #: Its name: of a camera's setting, or ``FARM_...``, or a command.
    setting: str
    #: One sentence for people, cameras included.
    text: str
    #: Cameras that it is to be set on, dearest first; empty: it is a worker's.
    cameras: tuple[str, ...] = ()


def named(cameras: Sequence[WatchedCamera]) -> str:
    """Return the ids of the first cameras, and how many there are more."""
    text = ", ".join(camera.camera_id for camera in cameras[:NAMED])
    return f"{text} and {len(cameras) - NAMED} more" if len(cameras) > NAMED else text


def dearest(cameras: Iterable[WatchedCamera]) -> list[WatchedCamera]:
    """Return cameras by what they cost, most first."""
    return sorted(
        cameras, key=lambda camera: (-(camera.cost_cores or 0), -(camera.stream_cores or 0), camera.camera_id)
    )


def remedies_against(limit: Limit, status: WorkerStatus, cameras: Sequence[WatchedCamera]) -> tuple[Remedy, ...]:
    """Return what helps a worker that is bound by `limit`, best first."""
    online = dearest(camera for camera in cameras if camera.is_online)
    make = _AGAINST.get(limit)
    return tuple(make(status, online)) if make is not None else ()


def _on(setting: str, cameras: Sequence[WatchedCamera], text: str) -> list[Remedy]:
    """Return one remedy for cameras, its text with ``{}`` for their names; none where there are no cameras."""
    ids = tuple(camera.camera_id for camera in cameras)
    return [Remedy(setting, text.format(named(cameras)), ids)] if cameras else []


def _receiving(_status: WorkerStatus, cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    by_stream = sorted(cameras, key=lambda camera: -(camera.stream_cores or 0))
    return [
        *_on("url", by_stream[:NAMED], "lower bit rate and frame rate in the settings of the cameras {}"),
        *_on(
            "record",
            [camera for camera in by_stream if camera.has_main_url and camera.record is not RecordMode.OFF],
            "record=off on {}: their main streams are received for the recording alone",
        ),
        _ANOTHER_WORKER,
    ]


def _recording(_status: WorkerStatus, cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    always = [camera for camera in cameras if camera.record is RecordMode.CONTINUOUS]
    return [
        *_on("record", always, "record=motion, or events, on {}: what is not wanted is not written"),
        Remedy("FARM_FRAMES_DIR", "a quicker volume, where writing waits for it"),
        _ANOTHER_WORKER,
    ]


def _decoding(_status: WorkerStatus, cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    by_stream = sorted(cameras, key=lambda camera: -(camera.stream_cores or 0))
    every = [camera for camera in by_stream if camera.decode_mode not in THRIFTY]
    large = [camera for camera in by_stream if camera.width * camera.height >= LARGE]
    alone = [camera for camera in large if not camera.has_main_url]
    paired = [camera for camera in large if camera.has_main_url]
    return [
        *_on(
            "main_url",
            alone,
            f"give {{}} a sub-stream as url, for analysis, and the one it has{_size(alone)} as main_url, for recording",
        ),
        *_on("url", paired, f"choose a smaller sub-stream as url of {{}}{_size(paired)}"),
        *_on(
            "analyse_fps",
            every,
            "lower analyse_fps on {}, or give it a keyframe for each frame that is looked at (GOP in the camera's "
            "settings): every frame is decoded",
        ),
        *(_fewer_frames(cameras) if not every else []),
        _ANOTHER_WORKER,
    ]


def _size(cameras: Sequence[WatchedCamera]) -> str:
    return f" ({cameras[0].width}x{cameras[0].height})" if cameras else ""


def _detecting(status: WorkerStatus, cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    on_cpu = status.device == "cpu"
    return [
        *_fewer_frames(cameras),
        Remedy("FARM_MODEL", f"a smaller or INT8 model than {status.model}, see ./farm models list"),
        Remedy("FARM_DETECT_SIZE", "a smaller FARM_DETECT_SIZE, where objects are large enough for it"),
        *([Remedy("FARM_DEVICE", "a GPU: FARM_DEVICE=cuda")] if on_cpu else []),
        _ANOTHER_WORKER if on_cpu else Remedy("./farm worker", "another GPU with a worker of its own"),
    ]


def _saving(status: WorkerStatus, cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    stages = status.stages or {}
    figures = stages.get(Stage.SAVE, StageFigures())
    waits = figures.cpu_cores > 0 and figures.busy > SLOW_VOLUME * figures.cpu_cores
    return [
        *_on(
            "save_frames",
            [camera for camera in cameras if camera.save_frames is SaveMode.ALL],
            "save_frames=detections, or none, on {}",
        ),
        *([Remedy("FARM_FRAMES_DIR", "a quicker volume: most of the time goes by waiting for it")] if waits else []),
        Remedy("FARM_JPEG_QUALITY", "a lower FARM_JPEG_QUALITY, or FARM_PREVIEW_SIZE"),
        *_fewer_frames(cameras),
    ]


def _cropping(_status: WorkerStatus, cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    return [
        Remedy("FARM_CROPS", "fewer classes in FARM_CROPS, or none where nothing is recognised"),
        *_fewer_frames(cameras),
        _ANOTHER_WORKER,
    ]


def _tracking(_status: WorkerStatus, cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    return [
        *_fewer_frames(cameras),
        Remedy("FARM_TRACKER", "FARM_TRACKER=bytetrack, which does not look at colours"),
        _ANOTHER_WORKER,
    ]


def _publishing(_status: WorkerStatus, cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    return [
        Remedy("FARM_REDIS_URL", "a Redis that is nearer or less busy; what its slow log says: SLOWLOG GET"),
        *_fewer_frames(cameras),
        _ANOTHER_WORKER,
    ]


def _analysing(_status: WorkerStatus, cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    return [*_fewer_frames(cameras), _ANOTHER_WORKER]


def _starving(status: WorkerStatus, _cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    return [
        Remedy("FARM_WORKER_CORES", "tell it what it really has, so that cameras go elsewhere: FARM_WORKER_CORES"),
        Remedy("./farm worker", f"move what else runs on {status.host}, or start workers on another host"),
    ]


def _another_process(_status: WorkerStatus, _cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    return [
        Remedy(
            "FARM_WORKERS", "more worker processes on this host (FARM_WORKERS, or ./farm worker): each has its own lock"
        ),
        Remedy("./farm profile --trace", "who holds the lock, ./farm profile --trace 10 says"),
    ]


def _other_work(_status: WorkerStatus, cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    return [
        Remedy("./farm profile --trace", "which functions take the rest, ./farm profile --trace 10 says"),
        *_fewer_frames(cameras),
        _ANOTHER_WORKER,
    ]


def _fewer_frames(cameras: Sequence[WatchedCamera]) -> list[Remedy]:
    quick = sorted(cameras, key=lambda camera: -camera.asked_fps)
    chosen = [camera for camera in quick if camera.asked_fps > QUICK_FPS] or quick[:NAMED]
    rates = f" (up to {chosen[0].asked_fps:g} a second now)" if chosen else ""
    return _on("analyse_fps", chosen, f"lower analyse_fps on {{}}{rates}")


_ANOTHER_WORKER: Final = Remedy(
    "./farm worker", "another worker, on another host where this one's cores are all in use"
)

_AGAINST: Final[dict[Limit, Callable[[WorkerStatus, Sequence[WatchedCamera]], list[Remedy]]]] = {
    Limit.RECEIVE: _receiving,
    Limit.RECORD: _recording,
    Limit.DECODE: _decoding,
    Limit.GATE: _analysing,
    Limit.DETECT: _detecting,
    Limit.TRACK: _tracking,
    Limit.SAVE: _saving,
    Limit.CROP: _cropping,
    Limit.PUBLISH: _publishing,
    Limit.HOST: _starving,
    Limit.INTERPRETER: _another_process,
    Limit.OTHER_WORK: _other_work,
}
