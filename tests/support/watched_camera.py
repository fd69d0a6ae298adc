"""A capture that remembers what it said, for tests that wait for facts."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from contract.cameras import CameraState
from contract.errors import StatusReason
from runtime.clock import Clock, SystemClock
from workers.capture.camera_capture import CameraCapture, CaptureOrder
from workers.capture.state import CaptureSettings, CaptureState
from workers.frames import Frame
from workers.media import MediaPacket, MediaTap, MediaTemplate

#: Shorter than in real life, so that tests end.
QUICK: Final = CaptureSettings(connect_timeout_seconds=2, stall_timeout_seconds=1.5, reconnect_max_seconds=2)


def below(folder: Path) -> CaptureSettings:
    """Return settings under which the files of `folder` may be cameras."""
    return replace(QUICK, local_video_dir=folder)


class KeepingTap:
    """A tap that keeps what it is given."""

    def __init__(self, *, wants_audio: bool = False) -> None:
        self.wants_audio: Final = wants_audio
        self.templates: list[MediaTemplate] = []
        self.video: list[MediaPacket] = []
        self.audio: list[MediaPacket] = []
        #: When each packet of the video was read, monotonic seconds.
        self.read_at: list[float] = []
        self.times_ended = 0
        self.reasons: list[StatusReason] = []

    def opened(self, template: MediaTemplate) -> None:
        """Keep it."""
        self.templates.append(template)

    def packet(self, packet: MediaPacket, *, is_video: bool, at: float, at_ms: int) -> None:
        """Keep it."""
        del at_ms
        if is_video:
            self.read_at.append(at)
        (self.video if is_video else self.audio).append(packet)

    def ended(self) -> None:
        """Count it."""
        self.times_ended += 1

    def failed(self, reason: StatusReason, detail: str) -> None:
        """Keep why."""
        del detail
        self.reasons.append(reason)


class WatchedCamera:
    """Runs one capture and keeps its frames and states."""

    def __init__(
        self,
        url: str,
        *,
        analyse_fps: float = 5,
        settings: CaptureSettings = QUICK,
        clock: Clock | None = None,
        tap: MediaTap | None = None,
    ) -> None:
        self.frames: list[Frame] = []
        self.states: list[CaptureState] = []
        self._changed = threading.Condition()
        self.capture = CameraCapture(
            "cam-1",
            url,
            order=CaptureOrder(analyse_fps, 1),
            settings=settings,
            clock=clock or SystemClock(),
            on_frame=self._take_frame,
            on_state=self._take_state,
            tap=tap,
        )

    def _take_frame(self, frame: Frame) -> None:
        with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()

    def _take_state(self, state: CaptureState) -> None:
        with self._changed:
            self.states.append(state)
            self._changed.notify_all()

    @property
    def state(self) -> CaptureState:
        """What it said last."""
        return self.states[-1]

    @property
    def reasons(self) -> list[StatusReason]:
        """Every reason it gave."""
        return [state.reason for state in self.states if state.reason is not None]

    def wait_frames(self, count: int, seconds: float = 10.0) -> float:
        """Wait until there are `count` frames in all; return how long it took."""
        return self.wait(lambda: len(self.frames) >= count, f"{count} frames", seconds)

    def wait_online(self, seconds: float = 10.0) -> float:
        """Wait until it is online."""
        return self.wait(lambda: bool(self.states) and self.state.state is CameraState.ONLINE, "online", seconds)

    def wait_reason(self, reason: StatusReason, seconds: float = 10.0) -> CaptureState:
        """Wait until it is offline for `reason` and return that state."""
        self.wait(lambda: reason in self.reasons, f"offline, {reason}", seconds)
        return next(state for state in self.states if state.reason is reason)

    def wait(self, fact: Callable[[], bool], what: str, seconds: float = 10.0) -> float:
        """Wait until `fact` holds; fail naming `what` after `seconds`."""
        began = time.monotonic()
        with self._changed:
            held = self._changed.wait_for(fact, seconds)
        assert held, f"not within {seconds} s: {what}; {len(self.frames)} frames; last said: {self.states[-1:]}"
        return time.monotonic() - began

    def rate(self, seconds: float) -> float:
        """Watch for `seconds`; return the frames per second that arrived meanwhile, by their own times."""
        before = len(self.frames)
        threading.Event().wait(seconds)
        times = [frame.captured_monotonic for frame in self.frames[before:]]
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0

    def __enter__(self) -> Self:
        self.capture.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.capture.stop()
        assert self.capture.join(10), "the capture's thread did not end"


def file_camera(path: Path, *, analyse_fps: float = 5) -> WatchedCamera:
    """Return a camera that plays `path`, in whose folder files are allowed."""
    return WatchedCamera(f"file://{path}", analyse_fps=analyse_fps, settings=below(path.parent))


def connections_to(port: int) -> int:
    """Return how many sockets of this process are connected to `port` of loopback, from the client's side."""
    return sum(bool(known.raddr) and known.raddr.port == port for known in psutil.Process().net_connections("tcp"))


def capture_threads() -> list[str]:
    """Return the names of the threads of captures that run now."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("capture-")]
