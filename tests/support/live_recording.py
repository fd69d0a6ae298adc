"""A real capture whose packets a real recorder writes, in this process, and what came of it on the disk."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import redis
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from contract.assignments import Assignment
from contract.recording_paths import parse_segment_path
from contract.recordings import RecordingSettings, RecordingStatus, RecordMode, Segment
from runtime.clock import Clock, SystemClock
from runtime.recording_feed import RecordingFeed
from tests.support.watched_camera import QUICK
from workers.capture.packet_capture import PacketCapture
from workers.capture.state import CaptureSettings
from workers.recording.recorder import Recorder, RecorderSettings

CONTINUOUS: Final = RecordingSettings(record=RecordMode.CONTINUOUS)
CAMERA: Final = "cam-1"


@dataclass(frozen=True, slots=True)
class FileContents:
    """What one file on the disk holds."""

    path: Path
    start_ms: int
    epoch: int
    codec: str
    size: tuple[int, int]
    #: Presentation times in seconds from the file's beginning, in the order in which a decoder gives the pictures.
    shown: list[float]
    #: Decode times of the packets of its video, in seconds, in order.
    decoded: list[float]
    begins_with_keyframe: bool
    #: Decode times of its sound in seconds; empty: there is none.
    heard: list[float]
    sound_codec: str

    @property
    def end_ms(self) -> float:
        """Unix ms of its last packet of the video."""
        return self.start_ms + self.decoded[-1] * 1000


def contents_of(root: Path, camera_id: str = CAMERA) -> list[FileContents]:
    """Decode every file of a camera's footage, in time order; fails where one does not open or decode."""
    found = []
    for path in (root / camera_id / "recordings").rglob("*.mp4"):
        _, start_ms, epoch = parse_segment_path(path.relative_to(root).as_posix())
        found.append(read_contents(path, start_ms, epoch))
    return sorted(found, key=lambda contents: (contents.start_ms, contents.epoch))


def read_contents(path: Path, start_ms: int = 0, epoch: int = 0) -> FileContents:
    """Decode one file."""
    with av.open(str(path)) as file:
        packets = [packet for packet in file.demux(file.streams.video[0]) if packet.size]
        begins_with_keyframe = bool(packets) and packets[0].is_keyframe
        decoded = [_seconds(packet.dts, file.streams.video[0]) for packet in packets]
    with av.open(str(path)) as file:
        shown = [frame.time for frame in file.decode(video=0) if frame.time is not None]
        codec = file.streams.video[0].codec_context
        size, name = (codec.width, codec.height), codec.name
    heard: list[float] = []
    sound_codec = ""
    with av.open(str(path)) as file:
        for sound in file.streams.audio:
            sound_codec = sound.codec_context.name
            heard = [_seconds(packet.dts, sound) for packet in file.demux(sound) if packet.size]
    return FileContents(path, start_ms, epoch, name, size, shown, decoded, begins_with_keyframe, heard, sound_codec)


def _seconds(ticks: int | None, stream: VideoStream | AudioStream) -> float:
    assert ticks is not None
    assert stream.time_base is not None
    return float(ticks * stream.time_base)


class LiveRecording:
    """Records one URL below `root` until it is left."""

    def __init__(
        self,
        url: str,
        root: Path,
        client: redis.Redis,
        *,
        camera_id: str = CAMERA,
        settings: RecordingSettings = CONTINUOUS,
        capture: CaptureSettings = QUICK,
        clock: Clock | None = None,
        buffer_bytes: int = 16_000_000,
    ) -> None:
        self.root, self.camera_id = root, camera_id
        self.feed = RecordingFeed(client)
        clock = clock or SystemClock()
        self.recorder = Recorder(RecorderSettings(root, buffer_bytes), self.feed, worker_id="w", clock=clock)
        assignment = Assignment(camera_id=camera_id, url="rtsp://h/x", epoch=1, recording=settings)
        self.recording = self.recorder.begin(assignment)
        self.capture = PacketCapture(camera_id, url, self.recording, settings=capture, clock=clock)

    def __enter__(self) -> Self:
        self.recorder.start()
        self.capture.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.capture.stop()
        self.recorder.leave(self.recording)
        self.recorder.close(10)
        assert self.capture.join(10), "the capture's thread did not end"

    @property
    def status(self) -> RecordingStatus:
        """What the recording says."""
        return self.recording.status(time.monotonic())

    def told(self) -> list[Segment]:
        """Return what Redis was told of finished files."""
        return self.feed.hot(self.camera_id).finished

    def wait(self, fact: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Wait until `fact` holds; fail naming `what` after `seconds`."""
        end, pause = time.monotonic() + seconds, threading.Event()
        while not fact():
            assert time.monotonic() < end, f"not within {seconds} s: {what}; it says {self.status}"
            pause.wait(0.05)

    def wait_recorded(self, seconds: float) -> None:
        """Wait until so many seconds are on the disk."""
        self.wait(lambda: self.status.seconds >= seconds, f"{seconds} s are recorded", seconds * 3 + 20)


def packet_times(files: list[FileContents]) -> list[float]:
    """Return the wall clock (Unix seconds) of every packet, by the names of the files and the times in them."""
    return [each.start_ms / 1000 + at for each in files for at in each.decoded]
