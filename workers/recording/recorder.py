"""Records all cameras of one worker on one thread, which does nothing but write what the captures have handed over."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from contract.assignments import Assignment
from contract.workers import Stage
from contract.zones import Polygon
from runtime.clock import Clock
from runtime.recording_feed import RecordingFeed
from workers.mask_painter import MaskPainter
from workers.recording.announcer import Announcer
from workers.recording.camera_recorder import CameraRecorder
from workers.recording.masked_tap import MaskedTap
from workers.stage_meter import StageMeter

#: Seconds between two rounds. What has arrived since the last one is lost when the process is killed, beside the
#: fragment that is not whole yet.
ROUND_SECONDS: Final = 0.3
#: Seconds between two words of what is open.
NEWS_SECONDS: Final = 1.0
#: Seconds that a capture which was asked to end may take; then the file is finished without it.
LEAVING_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Where and how much."""

    #: The frames volume.
    root: Path
    #: Most bytes of packets that wait in memory, per camera.
    buffer_bytes: int


class Recorder:
    """The recordings of one worker. Safe to use from several threads."""

    def __init__(
        self,
        settings: RecorderSettings,
        feed: RecordingFeed,
        *,
        worker_id: str,
        clock: Clock,
        meter: StageMeter | None = None,
    ) -> None:
        """Prepare; `start` begins.

        Args:
            settings: Where and how much.
            feed: Is told of files.
            worker_id: Who records.
            clock: Times rounds.
            meter: Is told what writing takes; None: nobody asks.
        """
        self._settings = settings
        self._meter = meter or StageMeter(clock)
        self._worker_id = worker_id
        self._clock = clock
        self._announcer = Announcer(feed)
        self._lock = threading.Lock()
        self._cameras: list[CameraRecorder] = []
        #: Those whose captures were asked to end -> monotonic seconds when they are finished without them.
        self._leaving: dict[CameraRecorder, float] = {}
        #: Those with a file that Redis was told of.
        self._open: set[CameraRecorder] = set()
        self._ask = threading.Event()
        self._closing = False
        self._told_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to write what arrives."""
        self._announcer.start()
        self._thread.start()

    def begin(self, assignment: Assignment) -> CameraRecorder:
        """Return the recording of a camera, to be its capture's tap; another one of it goes on until it is left."""
        camera = CameraRecorder(
            assignment.camera_id,
            self._worker_id,
            self._settings.root.resolve(),
            epoch=assignment.epoch,
            settings=assignment.recording,
            buffer_bytes=self._settings.buffer_bytes,
        )
        with self._lock:
            self._cameras.append(camera)
        return camera

    def masked(self, camera: CameraRecorder, masks: tuple[Polygon, ...]) -> MaskedTap:
        """Return what is to be the tap of a camera with masks, in place of its recording."""
        buffer_bytes = self._settings.buffer_bytes // 2
        return MaskedTap(camera, MaskPainter(masks), buffer_bytes=buffer_bytes, meter=self._meter)

    def leave(self, camera: CameraRecorder) -> None:
        """Finish a recording as soon as its capture, which was asked to end, has done so."""
        with self._lock:
            if camera in self._cameras:
                self._leaving[camera] = self._clock.monotonic() + LEAVING_SECONDS

    @property
    def segments_waiting(self) -> int:
        """Finished files that Redis was not told of yet."""
        return self._announcer.waiting

    @property
    def segments_untold(self) -> int:
        """Finished files that Redis will not be told of; they are found on the volume."""
        return self._announcer.lost

    def close(self, timeout_seconds: float) -> None:
        """Finish all files and tell of them; the captures were asked to end before."""
        deadline = self._clock.monotonic() + timeout_seconds
        with self._lock:
            for camera in self._cameras:
                self._leaving[camera] = min(self._leaving.get(camera, deadline), deadline - timeout_seconds / 3)
            self._closing = True
        self._ask.set()
        if self._thread.ident is not None:
            self._thread.join(max(0.1, deadline - self._clock.monotonic()))
        left = self._announcer.close(max(0.1, deadline - self._clock.monotonic()))
        if left or self._thread.is_alive():
            log.warning("recordings_left_behind", untold=left, unfinished=len(self._cameras))

    # --- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            self._ask.wait(ROUND_SECONDS)
            with self._lock:
                cameras, closing = list(self._cameras), self._closing
            if closing and not cameras:
                return
            if closing:
                self._ask.clear()  # from here on rounds are timed again, until the captures have ended
            with self._meter.timing(Stage.RECORD) as timing:
                for camera in cameras:
                    self._one(camera, lambda camera=camera: camera.step(self._clock.monotonic()))  # type: ignore[misc]
                timing.count = sum(camera.taken for camera in cameras)
            now = self._clock.monotonic()
            self._finish_left(now)
            if now - self._told_at >= NEWS_SECONDS:
                self._told_at = now
                for camera in cameras:
                    self._tell(camera)

    def _one(self, camera: CameraRecorder, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:  # the outermost loop of this thread: one camera's trouble must not end the others' footage
            log.exception("recording_failed", camera=camera.camera_id)

    def _finish_left(self, now: float) -> None:
        with self._lock:
            due = [camera for camera, end in self._leaving.items() if camera.is_idle or now >= end]
        for camera in due:
            self._one(camera, camera.finish)
            self._tell(camera)
            with self._lock:
                del self._leaving[camera]
                self._cameras.remove(camera)

    def _tell(self, camera: CameraRecorder) -> None:
        news = camera.news()
        self._announcer.tell(camera.camera_id, news.finished, news.opened)
        if news.opened is not None:
            self._open.add(camera)
        elif camera in self._open:
            self._open.remove(camera)
            # A camera that was connected to anew may have two recordings for a moment.
            if all(other.camera_id != camera.camera_id for other in self._open):
                self._announcer.closed(camera.camera_id)
