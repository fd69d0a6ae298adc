"""A thread that detects: takes what is due of all cameras, in rounds, and hands on what it found."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from contract.workers import Stage
from workers.detection.detector import DetectorError
from workers.detection.parts import Part, PartsDetector
from workers.detection_ledger import DetectionLedger
from workers.due_frame import DueFrame
from workers.frames import Detections
from workers.mailbox import Mailbox
from workers.stage_meter import StageMeter

#: Trackers match faint boxes to known tracks, and ignore fainter ones than this; what is reported is filtered
#: afterwards by each camera's own setting.
TRACKING_CONFIDENCE: Final = 0.2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """How the detector is used."""

    #: Seconds to wait for more frames while there is room in a round.
    gather_seconds: float
    #: Threads of the detector on the CPU.
    threads: int = 1


class DetectionThread:
    """Empties the mailbox, it alone or together with others, until that is closed."""

    def __init__(
        self,
        settings: DetectionSettings,
        detector: PartsDetector,
        mailbox: Mailbox,
        ledger: DetectionLedger,
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
            ledger: Shared by all such threads.
            meter: Is told what detection takes, and how long frames wait before it.
            is_current: Tells whether a frame's camera is still this worker's; counts it where it is not.
            finish: Takes what was found in a frame, None where nothing of it was looked at; must not block.
        """
        self._settings = settings
        self._detector = detector
        self._mailbox = mailbox
        self._ledger = ledger
        self._meter = meter
        self._is_current = is_current
        self._finish = finish
        self._thread = threading.Thread(target=self._run, name="detector", daemon=True)

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
                self._ledger.succeeded()
                self._finish(due, detections)
        for due in dues:
            if due.wanted.is_nothing:
                self._finish(due, None)

    def _timed(self, dues: list[DueFrame]) -> list[Detections | None]:
        began, inputs_before = self._ledger.begin(), self._detector.inputs_run
        for due in dues:
            self._meter.waited(Stage.DETECT, began.at - due.frame.captured_monotonic)
        try:
            return self._detect(dues)
        finally:
            inputs = self._detector.inputs_run - inputs_before
            on_cpu = self._detector.detector.device == "cpu"
            spent = self._ledger.end(began, frames=len(dues), inputs=inputs, on_cpu=on_cpu)
            self._meter.add(Stage.DETECT, cpu=spent.cpu, wall=spent.wall, count=len(dues))
            self._charge(dues, inputs)

    def _charge(self, dues: list[DueFrame], inputs: float) -> None:
        """Tell each camera how much of the detector it took."""
        if inputs == 0:  # it failed before anything was run
            return
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
