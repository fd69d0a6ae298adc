"""What one worker knows of one camera it watches: settings, counters, and the status made of them."""

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.assignments import Assignment
from contract.cameras import CameraState, CameraStatus
from contract.detections import AnalysisResult, TrackedDetection
from contract.errors import StatusReason
from runtime.clock import Clock
from workers.capture.state import CaptureState
from workers.frames import Detections, Frame

#: Seconds over which rates and ages are measured.
WINDOW_SECONDS: Final = 10.0


class CameraRun:
    """One camera under one worker. Counters may be written by any thread; the rest by the detector's."""

    def __init__(self, assignment: Assignment, worker_id: str, clock: Clock) -> None:
        self._worker_id = worker_id
        self._clock = clock
        self._lock = threading.Lock()
        self._assignment = assignment
        self._capture = CaptureState(state=CameraState.CONNECTING)
        self._seq = 0
        self._analysed = self._saved = 0
        self._dropped: Counter[str] = Counter()
        #: (monotonic seconds of publication, age in ms) of recent results.
        self._recent: deque[tuple[float, float]] = deque(maxlen=512)
        self._saving_reason: StatusReason | None = None
        #: Set when a write was refused: another worker has the camera.
        self.superseded = False
        #: Set when this worker has given the camera up.
        self.left = False

    @property
    def assignment(self) -> Assignment:
        """What the manager asked for."""
        return self._assignment

    @property
    def epoch(self) -> int:
        """Epoch that writes are made under."""
        return self._assignment.epoch

    def reassign(self, assignment: Assignment) -> None:
        """Go on under a newer epoch, perhaps with other settings."""
        with self._lock:
            self._assignment = assignment
            self._seq = 0
            self.superseded = False

    def refused(self, epoch: int) -> bool:
        """Take note that a write under `epoch` was refused; True if that means that another worker has the camera.

        It does not where this worker has been given a newer epoch meanwhile.
        """
        with self._lock:
            if epoch != self._assignment.epoch or self.superseded:
                return False
            self.superseded = True
            return True

    def capture_changed(self, state: CaptureState) -> None:
        """Take note of what the capture says."""
        with self._lock:
            self._capture = state

    def drop(self, reason: str, count: int = 1) -> None:
        """Count a frame that was due and was not analysed, saved or published."""
        with self._lock:
            self._dropped[reason] += count

    def saving_failed(self, reason: StatusReason) -> None:
        """Take note that frames cannot be saved now."""
        with self._lock:
            self._saving_reason = reason
            self._dropped[reason.value] += 1

    def saved(self) -> None:
        """Count a saved frame."""
        with self._lock:
            self._saved += 1
            self._saving_reason = None

    def published(self, frame: Frame) -> None:
        """Count a result that Redis has accepted."""
        now = self._clock.monotonic()
        with self._lock:
            self._analysed += 1
            self._recent.append((now, (now - frame.captured_monotonic) * 1000))

    def result(self, frame: Frame, detections: Detections, class_names: Mapping[int, str]) -> AnalysisResult | None:
        """Make the message for one analysed frame; `detections` have passed tracking and this camera's filter.

        None: the frame was captured under another epoch than that of the assignment, and no number of it is used up.
        """
        with self._lock:
            if frame.epoch != self._assignment.epoch:
                return None
            self._seq += 1
            seq = self._seq
        boxes = padded(detections.xyxy, self._assignment.settings.box_padding, frame.width, frame.height)
        track_ids = detections.track_id if detections.track_id is not None else np.full(len(detections), -1)
        return AnalysisResult(
            camera_id=frame.camera_id,
            epoch=frame.epoch,
            seq=seq,
            worker_id=self._worker_id,
            captured_at_ms=frame.captured_at_ms,
            published_at_ms=frame.captured_at_ms,
            width=frame.width,
            height=frame.height,
            detections=[
                TrackedDetection(
                    xyxy=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
                    confidence=float(confidence),
                    class_id=int(class_id),
                    class_name=class_names.get(int(class_id), str(class_id)),
                    track_id=int(track_id) if track_id >= 0 else None,
                )
                for box, confidence, class_id, track_id in zip(
                    # As float64: a float32 that was rounded has all its digits again when it is written as text.
                    np.round(boxes.astype(np.float64), 1),
                    np.round(detections.confidence.astype(np.float64), 4),
                    detections.class_id,
                    track_ids,
                    strict=True,
                )
            ],
        )

    def status(self, class_names: Mapping[int, str]) -> CameraStatus:
        """Make the status message."""
        now = self._clock.monotonic()
        with self._lock:
            recent = [age for at, age in self._recent if now - at <= WINDOW_SECONDS]
            capture, settings = self._capture, self._assignment.settings
            unknown = sorted(set(settings.classes) - set(class_names.values()))
            detail = capture.detail or (f"classes the model does not know: {', '.join(unknown)}" if unknown else "")
            return CameraStatus(
                camera_id=self._assignment.camera_id,
                worker_id=self._worker_id,
                epoch=self._assignment.epoch,
                state=capture.state,
                reason=capture.reason,
                detail=detail,
                updated_at_ms=self._clock.now_ms(),
                last_frame_at_ms=capture.last_frame_at_ms,
                stream_fps=round(capture.stream_fps, 2),
                analysed_fps=round(len(recent) / WINDOW_SECONDS, 2),
                width=capture.width,
                height=capture.height,
                codec=capture.codec,
                decode_mode=capture.decode_mode,
                frames_analysed=self._analysed,
                frames_saved=self._saved,
                frames_dropped=dict(self._dropped),
                reconnects=capture.reconnects,
                age_ms=round(median(recent), 1) if recent else 0.0,
                saving_reason=self._saving_reason,
            )

    def totals(self) -> "Totals":
        """Return what was counted."""
        with self._lock:
            return Totals(self._analysed, self._dropped.total())


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over the life of a camera under a worker, or of several."""

    analysed: int
    dropped: int

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(self.analysed + other.analysed, self.dropped + other.dropped)


def padded(xyxy: NDArray[np.float32], padding: float, width: int, height: int) -> NDArray[np.float32]:
    """Widen boxes on each side by a share of their size, and keep them inside the frame.

    Args:
        xyxy: Shape (N, 4), ``xyxy`` in pixels.
        padding: Share of the box's width (and height) added on the left and right (above and below).
        width: Of the frame, pixels.
        height: Of the frame, pixels.

    Returns:
        Shape (N, 4), ``xyxy`` in pixels.
    """
    if padding == 0 or len(xyxy) == 0:
        return xyxy
    size = (xyxy[:, 2:] - xyxy[:, :2]) * np.float32(padding)
    wide = np.concatenate([xyxy[:, :2] - size, xyxy[:, 2:] + size], axis=1)
    limits = np.array([width, height, width, height], np.float32)
    return np.asarray(np.clip(wide, 0, limits), np.float32)
