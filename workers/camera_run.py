"""What one worker knows of one camera it watches: settings, counters, and the status made of them."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.assignments import Assignment
from contract.cameras import CameraState, CameraStatus
from contract.detections import AnalysisResult, TrackedDetection
from contract.errors import StatusReason
from contract.events import Event
from contract.recordings import RecordingStatus
from contract.workers import Holding
from contract.zones import mark_of_masks
from runtime.clock import Clock
from runtime.worker_link import Numbers
from workers.capture.state import CaptureState
from workers.costs import Mean, Rate
from workers.crops.camera_crops import CameraCrops
from workers.crops.memory import CropMemory
from workers.events import CameraEvents
from workers.frames import Detections, Frame
from workers.motion.attention import Attention
from workers.motion.motion_score import MotionScore
from workers.recording.camera_recorder import CameraRecorder
from workers.saving.preview_times import PreviewTimes
from workers.stage_meter import StageMeter

#: Seconds over which rates and ages are measured.
WINDOW_SECONDS: Final = 10.0
#: Weight of the newest frame in how much of the detector a camera takes: a scene is busy for minutes, not for a frame.
SHARE_WEIGHT: Final = 0.01
#: Seconds at the start that say nothing of it: whole frames are looked at until the scene is known.
SHARE_AFTER_SECONDS: Final = 60.0


#: Why crops are not saved that found no room in memory.
NO_MEMORY: Final = "memory"


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of frames over the life of a worker."""

    analysed: int
    dropped: int


class Tally:
    """Counts of a whole worker's frames. Safe to use from several threads."""

    def __init__(self, meter: StageMeter | None = None) -> None:
        """Begin with none; `meter` is told of drops as they come."""
        self._meter = meter
        self._lock = threading.Lock()
        self._analysed = self._dropped = 0

    def analysed(self) -> None:
        """Count a frame that has a result."""
        with self._lock:
            self._analysed += 1

    def dropped(self, reason: str) -> None:
        """Count a frame that was due and has none."""
        with self._lock:
            self._dropped += 1
        if self._meter is not None:
            self._meter.drop(reason)

    @property
    def totals(self) -> Totals:
        """What was counted so far."""
        with self._lock:
            return Totals(self._analysed, self._dropped)


class CameraRun:
    """One camera under one worker. Counters may be written by any thread; the rest by the detector's.

    Every frame that was due ends in one of two counts: *analysed*, when its result was accepted by Redis or handed to
    the spool; or *dropped*, with the reason. Whether an analysed frame was saved is counted apart from that, and so
    are spooled results that are refused or lost later: they belong to the worker.
    """

    def __init__(
        self,
        assignment: Assignment,
        worker_id: str,
        clock: Clock,
        *,
        tally: Tally | None = None,
        numbers: Numbers | None = None,
        recording: CameraRecorder | None = None,
        attention: Attention | None = None,
        crops: CameraCrops | None = None,
    ) -> None:
        """Begin to watch a camera.

        Args:
            assignment: What the manager asks for.
            worker_id: Who watches.
            clock: Times rates and ages.
            tally: Counts of the whole worker, added to.
            numbers: The last ones that were used under this epoch before; results and events go on after them.
            recording: The camera's recording; None: there is none.
            attention: Says what of its frames is looked at; None: one that knows nothing of the model.
            crops: Chooses crops of its tracks; None: none are.
        """
        numbers = numbers if numbers is not None and numbers.epoch == assignment.epoch else Numbers()
        self._worker_id = worker_id
        self._clock = clock
        self._tally = tally or Tally()
        self._lock = threading.Lock()
        self._assignment = assignment
        #: Those of its frames; with other ones it is another run.
        self._masks = mark_of_masks(assignment.zones)
        self._capture = CaptureState(state=CameraState.CONNECTING)
        self._seq = numbers.seq
        self._analysed = self._saved = 0
        self._dropped: Counter[str] = Counter()
        self._unsaved: Counter[str] = Counter()
        self._crops_saved = 0
        self._crops_unsaved: Counter[str] = Counter()
        #: Why no crops can be saved; None: the last ones were.
        self._crops_reason: StatusReason | None = None
        #: (monotonic seconds when it was done, age in ms then or None where it went to the spool) of recent results.
        self._recent: deque[tuple[float, float | None]] = deque(maxlen=512)
        self._saving_reason: StatusReason | None = None
        self._stream_cost, self._frame_cost = Rate(), Mean()
        self._detect_share = Mean(least_weight=SHARE_WEIGHT)
        self._began = clock.monotonic()
        #: CPU-seconds spent since a frame was finished last.
        self._spent = 0.0
        # Of its own: whoever tells of events hands them on in their order before anybody else makes the next.
        self._telling = threading.Lock()
        self._events = CameraEvents(assignment.camera_id, worker_id, assignment.epoch, numbers.event)
        self.recording = recording
        #: Used with the lock beside it.
        self.motion = MotionScore()
        self.gating = threading.Lock()
        #: When the newest frame was captured in which motion was looked for; monotonic seconds.
        self.gated_at = float("-inf")
        self.attention = attention or Attention()
        self.crops = crops or CameraCrops(frozenset(), CropMemory())
        #: Used by the finisher alone.
        self.previews = PreviewTimes()
        #: Whether somebody looks at the camera's previews.
        self.is_watched = False
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

    @property
    def numbers(self) -> Numbers:
        """The last ones that were used under this epoch."""
        with self._telling, self._lock:
            return Numbers(self._assignment.epoch, self._seq, self._events.number)

    def reassign(self, assignment: Assignment) -> None:
        """Go on with other settings, under a newer epoch or the same one."""
        with self._telling, self._lock:
            is_newer = assignment.epoch > self._assignment.epoch
            self._assignment = assignment
            if not is_newer:  # numbers go on, and whoever has the camera under this epoch has it still
                return
            self._seq = 0
            self._events.reassigned(assignment.epoch, was_anothers=self.superseded)
            self.superseded = False

    def tell(self, make: Callable[[CameraEvents], Iterable[Event]], send: Callable[[Event], None]) -> None:
        """Make events and hand them to `send`, which must not block; none while another worker has the camera."""
        with self._telling:
            for event in make(self._events):
                if not self.superseded:
                    send(event)

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
            left_out = max(0, state.frames_left_out - self._capture.frames_left_out)
            self._capture = state
            if state.state is CameraState.ONLINE:
                self._stream_cost.add(self._clock.monotonic(), state.cpu_seconds)
            else:
                self._stream_cost.pause()
        for _ in range(left_out):
            self.drop("decode_backlog")

    def spent(self, cpu_seconds: float) -> None:
        """Take note of CPU time that went into this camera's frames, apart from stream and detection."""
        with self._lock:
            self._spent += cpu_seconds

    def detected(self, share: float) -> None:
        """Take note that the detector looked at one frame, which took a share of a full input; 0: it did not."""
        with self._lock:
            if self._clock.monotonic() - self._began >= SHARE_AFTER_SECONDS:
                self._detect_share.add(share)

    @property
    def holding(self) -> Holding:
        """What this camera costs."""
        with self._lock:
            stream, frame, share = self._stream_cost.value, self._frame_cost.value, self._detect_share.value
            return Holding(
                epoch=self._assignment.epoch,
                stream_cores=None if stream is None else round(stream, 5),
                frame_seconds=None if frame is None else round(frame, 6),
                detect_share=None if share is None else round(share, 4),
            )

    def drop(self, reason: str) -> None:
        """Count a frame that was due and has no result."""
        with self._lock:
            self._dropped[reason] += 1
        self._tally.dropped(reason)

    def saving_failed(self, reason: StatusReason) -> None:
        """Count a frame that was to be saved and was not; its result is published all the same."""
        with self._lock:
            self._saving_reason = reason
            self._unsaved[reason.value] += 1

    def saved(self) -> None:
        """Count a saved frame."""
        with self._lock:
            self._saved += 1
            self._saving_reason = None

    def crops_saved(self, count: int) -> None:
        """Count crops that were saved."""
        with self._lock:
            self._crops_saved += count
            self._crops_reason = None

    def crops_lost(self, reason: StatusReason, count: int) -> bool:
        """Count crops that could not be saved; return whether that is news."""
        with self._lock:
            self._crops_unsaved[reason.value] += count
            is_news, self._crops_reason = reason is not self._crops_reason, reason
            return is_news

    def analysed(self, captured_monotonic: float, *, spooled: bool = False) -> None:
        """Count a frame whose result Redis has accepted, or the spool was given."""
        now = self._clock.monotonic()
        with self._lock:
            self._analysed += 1
            self._recent.append((now, None if spooled else (now - captured_monotonic) * 1000))
            self._frame_cost.add(self._spent)
            self._spent = 0.0
        self._tally.analysed()

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
            masks=self._masks,
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

    @property
    def _crops_dropped(self) -> dict[str, int]:
        """Crops for which there was no room in memory, as `status` counts them."""
        return {NO_MEMORY: self.crops.dropped} if self.crops.dropped else {}

    def status(self, class_names: Mapping[int, str]) -> CameraStatus:
        """Make the status message."""
        now = self._clock.monotonic()
        with self._lock:
            recent = [age for at, age in self._recent if now - at <= WINDOW_SECONDS]
            ages = [age for age in recent if age is not None]
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
                frames_unsaved=dict(self._unsaved),
                crops_saved=self._crops_saved,
                crops_unsaved=dict(self._crops_unsaved) | self._crops_dropped,
                reconnects=capture.reconnects,
                age_ms=round(median(ages), 1) if ages else 0.0,
                saving_reason=self._saving_reason,
                recording=self.recording.status(now) if self.recording else RecordingStatus(),
            )


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
