"""The one thread of a worker that detects: takes what is due of all cameras, in rounds, and hands on what it found."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from contract.workers import Stage
from runtime.clock import Clock
from workers.costs import Mean, detection_cpu_seconds
from workers.detection.detector import DetectorError
from workers.detection.parts import Part, PartsDetector
from workers.due_frame import DueFrame
from workers.frames import Detections
from workers.mailbox import Mailbox
from workers.native_threads import NativeThreads
from workers.stage_meter import StageMeter

#: Trackers match faint boxes to known tracks, and ignore fainter ones than this; what is reported is filtered
#: afterwards by each camera's own setting.
TRACKING_CONFIDENCE: Final = 0.2
#: Weight of the newest round in the running mean of detection time.
SMOOTHING: Final = 0.1
#: Seconds without a frame that count, at most, as time in which none was served: a camera that is gone says nothing
#: of the detector, and one of which a frame is wanted every minute must not hide that none succeeds.
QUIET_SECONDS: Final = 10.0

#: Of the runtime's threads. The thread itself keeps its own: one that waits for a CPU while it has the interpreter
#: would hold up all others.
NICENESS: Final = 5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """How the detector is used."""

    #: Seconds to wait for more frames while there is room in a round.
    gather_seconds: float
    #: Threads of the detector on the CPU.
    threads: int = 1


class DetectionThread:
    """Empties the mailbox until that is closed."""

    def __init__(
        self,
        settings: DetectionSettings,
        detector: PartsDetector,
        mailbox: Mailbox,
        clock: Clock,
        meter: StageMeter,
        *,
        is_current: Callable[[DueFrame], bool],
        finish: Callable[[DueFrame, Detections | None], None],
    ) -> None:
        """Prepare; `start` begins.

        Args:
            settings: How rounds are filled.
            detector: Used on this thread alone.
            mailbox: Where frames come from.
            clock: Times rounds.
            meter: Is told what detection takes, and how long frames wait before it.
            is_current: Tells whether a frame's camera is still this worker's; counts it where it is not.
            finish: Takes what was found in a frame, None where nothing of it was looked at; must not block.
        """
        self._settings = settings
        self._detector = detector
        self._mailbox = mailbox
        self._clock = clock
        self._meter = meter
        self._is_current = is_current
        self._finish = finish
        self._thread = threading.Thread(target=self._run, name="detector", daemon=True)
        #: Milliseconds of detection per frame, lately.
        self.detect_ms = 0.0
        self._cost = Mean()
        self._native = NativeThreads(NICENESS)
        #: Monotonic seconds since when frames have been waiting for a detection that has not succeeded; None: none.
        self._unserved_since: float | None = None
        #: Monotonic seconds when the last round was done with.
        self._tried_at = 0.0
        self._is_detecting = False

    def start(self) -> None:
        """Begin to detect."""
        self._thread.start()

    def join(self, timeout_seconds: float) -> None:
        """Wait until the mailbox, which was closed before, is empty."""
        self._thread.join(timeout_seconds)

    @property
    def is_alive(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    @property
    def detect_seconds(self) -> float | None:
        """CPU-seconds of detection per full input; on a GPU, seconds of the thread that waits for it."""
        return self._cost.value

    @property
    def unserved_seconds(self) -> float:
        """For how long no detection has succeeded although frames came; it stands still while none come.

        0 while the detector works, or has never been asked.
        """
        since, tried_at = self._unserved_since, self._tried_at
        if since is None:
            return 0.0
        until = self._clock.monotonic() if self._is_detecting else tried_at
        return max(0.0, until - since)

    # --- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while dues := self._mailbox.take(self._detector.new_round, self._settings.gather_seconds):
            try:
                self._round([due for due in dues if self._is_current(due)])
            except Exception:  # the outermost loop of this thread: what is wrong with one round must not end it
                log.exception("round_failed", cameras=[due.frame.camera_id for due in dues])
                for due in dues:
                    due.run.drop("detector_failed")
            finally:
                self._mailbox.done(dues)

    def _round(self, dues: list[DueFrame]) -> None:
        looked_at = [due for due in dues if not due.wanted.is_nothing]
        found = self._timed(looked_at) if looked_at else []
        for due, detections in zip(looked_at, found, strict=True):
            if detections is not None:
                self._unserved_since = None
                self._finish(due, detections)
        for due in dues:
            if due.wanted.is_nothing:
                self._finish(due, None)

    def _timed(self, dues: list[DueFrame]) -> list[Detections | None]:
        started, cpu_before, inputs_before = self._clock.monotonic(), self._cpu(), self._detector.inputs_run
        self._unserved_since = unserved_since(self._unserved_since, self._tried_at, started)
        self._is_detecting = True
        for due in dues:
            self._meter.waited(Stage.DETECT, started - due.frame.captured_monotonic)
        try:
            return self._detect(dues)
        finally:
            self._tried_at, self._is_detecting = self._clock.monotonic(), False
            inputs = self._detector.inputs_run - inputs_before
            self._note(dues, inputs, self._tried_at - started, self._cpu() - cpu_before)

    def _cpu(self) -> float:
        """Return CPU-seconds of this thread and of the runtime's; those of the process where these cannot be asked."""
        native = self._native.cpu_seconds()
        return time.process_time() if native is None else native + time.thread_time()

    def _note(self, dues: list[DueFrame], inputs: float, wall: float, cpu: float) -> None:
        took_ms = wall * 1000 / len(dues)
        self.detect_ms = took_ms if self.detect_ms == 0 else self.detect_ms + SMOOTHING * (took_ms - self.detect_ms)
        cost = wall
        if self._detector.detector.device == "cpu":
            cost = detection_cpu_seconds(wall=wall, process_cpu=cpu, threads=self._settings.threads + 1)
        self._meter.add(Stage.DETECT, cpu=cost, wall=wall, count=len(dues))
        if inputs == 0:  # it failed before anything was run
            return
        self._cost.add(cost / inputs)
        pixels = [self._detector.pixels(due.frame.width, due.frame.height, due.wanted) for due in dues]
        for due, its in zip(dues, pixels, strict=True):
            due.run.detected(inputs * its / sum(pixels))

    def _detect(self, dues: list[DueFrame]) -> list[Detections | None]:
        """Detect in one round; when that fails, frame by frame, so that one bad frame costs only itself."""
        confidence = min(TRACKING_CONFIDENCE, *(due.run.assignment.settings.confidence for due in dues))
        parts = [Part(due.frame.picture, due.wanted) for due in dues]
        try:
            return list(self._detector.detect(parts, confidence=confidence))
        except DetectorError as error:
            if len(dues) == 1:
                log.error("detection_failed", camera=dues[0].frame.camera_id, error=str(error))
                dues[0].run.drop("detector_failed")
                return [None]
        return [self._detect([due])[0] for due in dues]


def unserved_since(since: float | None, tried_at: float, now: float) -> float:
    """Return since when no detection has succeeded, as a round begins; long silences are taken out.

    Args:
        since: The same for the round before; None: that one succeeded, or there was none.
        tried_at: When the round before was done with; monotonic seconds, as all of these.
        now: When this one begins.
    """
    return now if since is None else since + max(0.0, now - tried_at - QUIET_SECONDS)
