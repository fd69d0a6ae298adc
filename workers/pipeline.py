"""All cameras of one worker in one pipeline: capture → detect in batches → track → save → publish.

This is the one place where the stages meet. Every queue between them is bounded and the newest frame wins:

    captures (a thread each) → Mailbox (a slot per camera) → detector (one thread, batches)
        → lanes (encode and save) → Publisher (one thread; Redis, or a spool on disk while Redis is away)

Beside it, and waiting for none of it, the recorder (one thread) writes the packets that captures hand it.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import structlog

from contract.assignments import Assignment
from contract.cameras import CameraStatus
from contract.detections import AnalysisResult
from contract.errors import StatusReason
from contract.events import Event
from contract.recordings import RecordMode
from contract.workers import Holding
from runtime.clock import Clock
from runtime.frame_store import VolumeFullError
from runtime.lanes import Lanes
from runtime.spool import Spool
from runtime.worker_link import Numbers, WorkerLink
from workers.camera_run import CameraRun, Tally, Totals
from workers.capture.state import CaptureState
from workers.costs import Mean, detection_cpu_seconds
from workers.detection.detector import Detector, DetectorError
from workers.events import CameraEvents
from workers.frames import Detections, Frame
from workers.mailbox import Mailbox
from workers.motion.motion_score import MOVED_SHARE
from workers.publisher import Publisher
from workers.recording.recorder import Recorder
from workers.recording.wishes import Look
from workers.saving.saver import FrameSaver, shall_save
from workers.tracking.tracker import CameraTracker
from workers.watched_cameras import CaptureOpener, Watched, WatchedCameras, numbers_in

#: Trackers match faint boxes to known tracks, and ignore fainter ones than this; what is reported is filtered
#: afterwards by each camera's own setting.
TRACKING_CONFIDENCE: Final = 0.2
SAVING_LANES: Final = 2
#: Weight of the newest batch in the running mean of detection time.
SMOOTHING: Final = 0.1
#: Seconds without a frame that count, at most, as time in which none was served: a camera that is gone says nothing
#: of the detector, and one of which a frame is wanted every minute must not hide that none succeeds.
QUIET_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Analysed:
    """One frame with what was found in it, on its way to be saved."""

    run: CameraRun
    frame: Frame
    result: AnalysisResult


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """How the pipeline batches."""

    max_batch: int
    batch_wait_seconds: float
    #: Threads of the detector on the CPU.
    detect_threads: int = 1


@dataclass(frozen=True, slots=True)
class Stages:
    """What a pipeline is made of."""

    open_capture: CaptureOpener
    detector: Detector
    new_tracker: Callable[[], CameraTracker]
    saver: FrameSaver
    recorder: Recorder
    link: WorkerLink
    #: Closed with the pipeline.
    spool: Spool


class Pipeline:
    """Runs every camera that `apply` gives it."""

    def __init__(
        self,
        settings: PipelineSettings,
        stages: Stages,
        *,
        worker_id: str,
        clock: Clock,
        on_superseded: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._detector = stages.detector
        self._new_tracker = stages.new_tracker
        self._saver = stages.saver
        self._recorder = stages.recorder
        self._on_superseded = on_superseded
        self._tally = Tally()
        self._cameras = WatchedCameras(
            stages.open_capture,
            stages.new_tracker,
            stages.recorder,
            self,
            worker_id=worker_id,
            clock=clock,
            tally=self._tally,
            used=numbers_in(stages.spool),
        )
        self._mailbox = Mailbox(clock)
        self._lanes: Lanes[_Analysed] = Lanes(
            SAVING_LANES,
            "saving",
            self._save,
            lambda item: item.run.drop("saving_backlog"),
            failed=lambda item: item.run.drop("saving_failed"),
        )
        self._publisher = Publisher(stages.link, stages.spool, clock, self._refused)
        self._thread = threading.Thread(target=self._analyse_for_ever, name="detector", daemon=True)
        self.detect_ms = 0.0
        self._detect_cost = Mean()
        #: Monotonic seconds since when frames have been waiting for a detection that has not succeeded; None: none.
        self._unserved_since: float | None = None
        #: Monotonic seconds when the last batch was done with.
        self._tried_at = 0.0
        self._is_detecting = False

    def start(self) -> None:
        """Begin to analyse and to record what arrives."""
        self._recorder.start()
        self._thread.start()

    # --- cameras -------------------------------------------------------------------------------------------------

    def apply(
        self,
        assignments: Mapping[str, Assignment],
        *,
        keep_missing: bool = False,
        accepted: Mapping[str, Numbers] | None = None,
    ) -> None:
        """Watch exactly the cameras in `assignments`; see `WatchedCameras.apply`."""
        self._cameras.apply(assignments, keep_missing=keep_missing, accepted=accepted)

    def left(self, run: CameraRun) -> None:
        """Forget what waits of a camera that was given up, and tell that nothing is followed there any more."""
        if self._mailbox.discard(run.assignment.camera_id) is not None:
            run.drop("given_up")
        self._tell(run, CameraEvents.left)
        self._publisher.forget(run.assignment.camera_id)

    def statuses(self) -> list[tuple[CameraRun, CameraStatus]]:
        """Return the status of every camera that other workers have not taken over."""
        runs = [watched.run for watched in self._cameras.all() if not watched.run.superseded]
        now = self._clock.monotonic()
        for run in runs:
            self._tell(run, lambda events: events.time_passed(now))
        return [(run, run.status(self._detector.class_names)) for run in runs]

    @property
    def camera_ids(self) -> list[str]:
        """Cameras that are watched now."""
        return self._cameras.ids

    def holdings(self) -> dict[str, Holding]:
        """Return what is watched, and what each camera costs."""
        runs = [watched.run for watched in self._cameras.all()]
        return {run.assignment.camera_id: run.holding for run in runs}

    def totals(self) -> Totals:
        """Return the counts of all cameras this worker has watched."""
        return self._tally.totals

    @property
    def detect_seconds(self) -> float | None:
        """CPU-seconds of detection per frame; on a GPU, seconds of the thread that waits for it."""
        return self._detect_cost.value

    @property
    def spooled(self) -> tuple[int, int]:
        """Records that wait on disk, and the sum of their sizes in bytes."""
        return self._publisher.waiting

    @property
    def records_lost(self) -> int:
        """Records that could not be kept until Redis would take them."""
        return self._publisher.lost

    @property
    def is_analysing(self) -> bool:
        """Whether the detector's thread lives."""
        return self._thread.is_alive()

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

    @property
    def refused_writes(self) -> int:
        """Results and events refused because another worker has the camera."""
        return self._publisher.refused_writes

    # --- frames --------------------------------------------------------------------------------------------------

    def arrived(self, run: CameraRun, frame: Frame) -> None:
        """Take a due frame from a capture's thread."""
        if run.left:  # it has ended late; the camera may be watched anew, from another URL
            run.drop("given_up")
            return
        self._look_for_motion(run, frame)
        if self._mailbox.put(frame) is not None:
            run.drop("overload")

    @staticmethod
    def _look_for_motion(run: CameraRun, frame: Frame) -> None:
        """Tell the recording whether something moves: here, for it must not depend on how the detector does."""
        if run.recording is not None and run.assignment.recording.record is not RecordMode.OFF:
            motion = run.motion.update(frame.picture.luma(), frame.captured_monotonic)
            run.recording.looked(Look(frame.captured_monotonic, moved=motion.share >= MOVED_SHARE))

    def _analyse_for_ever(self) -> None:
        while frames := self._mailbox.take(self._settings.max_batch, self._settings.batch_wait_seconds):
            try:
                self._analyse(frames)
            except Exception:  # the outermost loop of this thread: what is wrong with one batch must not end it
                log.exception("batch_failed", cameras=[frame.camera_id for frame in frames])
                for frame in frames:
                    self._drop(frame, "detector_failed")

    def _analyse(self, frames: list[Frame]) -> None:
        watched = [self._cameras.get(frame.camera_id) for frame in frames]
        current = []
        for frame, found in zip(frames, watched, strict=True):
            if found is None:
                self._tally.add(dropped=1)  # of a camera that was given up this moment
                continue
            if found.run.epoch == frame.epoch and not found.run.superseded:
                current.append((frame, found))
            else:
                found.run.drop("given_up")
        if not current:
            return
        started = self._clock.monotonic()
        self._unserved_since = unserved_since(self._unserved_since, self._tried_at, started)
        self._is_detecting = True
        cpu_before = time.process_time()
        try:
            all_detections = self._detect([frame for frame, _ in current], [found.run for _, found in current])
        finally:
            self._tried_at, self._is_detecting = self._clock.monotonic(), False
        self._note_detection(self._clock.monotonic() - started, time.process_time() - cpu_before, len(current))
        for (frame, found), detections in zip(current, all_detections, strict=True):
            if detections is None:
                continue
            self._unserved_since = None
            began = time.thread_time()
            try:
                self._track(frame, found, detections)
            except Exception:  # one camera's trouble must not cost the others of its batch their frames
                log.exception("tracking_failed", camera=frame.camera_id)
                found.run.drop("tracking_failed")
                found.tracker = self._new_tracker()
                self._tell(found.run, CameraEvents.tracks_lost)
            found.run.spent(time.thread_time() - began)

    def _note_detection(self, wall: float, process_cpu: float, frames: int) -> None:
        took_ms = wall * 1000 / frames
        self.detect_ms = took_ms if self.detect_ms == 0 else self.detect_ms + SMOOTHING * (took_ms - self.detect_ms)
        if self._detector.device == "cpu":
            wall = detection_cpu_seconds(wall=wall, process_cpu=process_cpu, threads=self._settings.detect_threads)
        self._detect_cost.add(wall / frames)

    def _track(self, frame: Frame, found: Watched, detections: Detections) -> None:
        tracked = found.tracker.update(
            detections, captured_monotonic=frame.captured_monotonic, frame_size=(frame.height, frame.width)
        )
        result = found.run.result(frame, self._reported(tracked, found.run), self._detector.class_names)
        if result is None:
            found.run.drop("given_up")
        else:
            self._lanes.put(frame.camera_id, _Analysed(found.run, frame, result))
            if result.detections:
                found.recording.looked(_look(frame, result))

    def _drop(self, frame: Frame, reason: str) -> None:
        found = self._cameras.get(frame.camera_id)
        if found is not None:
            found.run.drop(reason)

    def _detect(self, frames: list[Frame], runs: list[CameraRun]) -> list[Detections | None]:
        """Detect in one batch; when that fails, frame by frame, so that one bad frame costs only itself."""
        confidence = min(TRACKING_CONFIDENCE, *(run.assignment.settings.confidence for run in runs))
        try:
            return list(self._detector.detect([frame.image for frame in frames], confidence=confidence))
        except DetectorError as error:
            if len(frames) == 1:
                log.error("detection_failed", camera=frames[0].camera_id, error=str(error))
                runs[0].drop("detector_failed")
                return [None]
        return [self._detect([frame], [run])[0] for frame, run in zip(frames, runs, strict=True)]

    def _reported(self, tracked: Detections, run: CameraRun) -> Detections:
        """Keep what the camera's settings ask for."""
        settings = run.assignment.settings
        keep = tracked.confidence >= settings.confidence
        if settings.classes:
            names = self._detector.class_names
            wanted = [class_id for class_id, name in names.items() if name in settings.classes]
            keep &= np.isin(tracked.class_id, wanted)
        return tracked.select(keep)

    def _save(self, item: _Analysed) -> None:
        """Save one frame as its camera asks, and hand what was found in it to the publisher."""
        began = time.thread_time()
        run, frame, result = item.run, item.frame, item.result
        if shall_save(run.assignment.settings.save_frames, len(result.detections)):
            try:
                result = result.model_copy(update={"frame_path": self._saver.save(frame)})
                run.saved()
            except VolumeFullError:
                run.saving_failed(StatusReason.DISK_FULL)
            except (OSError, ValueError) as error:  # ValueError: it cannot be made a JPEG
                log.error("frame_not_saved", camera=frame.camera_id, error=str(error))
                run.saving_failed(StatusReason.UNKNOWN)
        preview = self._preview(frame)
        run.spent(time.thread_time() - began)
        self._publisher.put_result(run, result, frame.captured_monotonic, preview)
        # After the result and the picture that they point at.
        self.accepted(run, result.epoch)
        self._tell(run, lambda events: events.saw(result, frame.captured_monotonic))

    def _preview(self, frame: Frame) -> bytes | None:
        try:
            return self._saver.preview(frame)
        except ValueError as error:
            log.error("no_preview", camera=frame.camera_id, error=str(error))
            return None

    def capture_changed(self, run: CameraRun, state: CaptureState) -> None:
        """Take note of what a capture says; called on its thread."""
        run.capture_changed(state)
        self._tell(run, lambda events: events.capture_changed(state, self._clock.now_ms()))

    def accepted(self, run: CameraRun, epoch: int) -> None:
        """Take note that the camera is this worker's under `epoch`: what its capture says may be told."""
        self._tell(run, lambda events: events.accepted(epoch))

    def _tell(self, run: CameraRun, make: Callable[[CameraEvents], list[Event]]) -> None:
        run.tell(make, lambda event: self._publisher.put_event(run, event))

    def _refused(self, camera_id: str, epoch: int) -> None:
        watched = self._cameras.get(camera_id)
        if watched is not None and watched.run.refused(epoch):
            log.info("camera_superseded", camera=camera_id, epoch=epoch)
            self._on_superseded()

    # --- end -----------------------------------------------------------------------------------------------------

    def close(self, timeout_seconds: float) -> None:
        """Stop all cameras, finish what was captured, and end the threads."""
        deadline = self._clock.monotonic() + timeout_seconds
        self._cameras.stop_captures()
        self._mailbox.close()
        self._thread.join(max(0.0, deadline - self._clock.monotonic()))
        frames_left = self._lanes.close(max(0.1, deadline - self._clock.monotonic()))
        ending = self._cameras.leave_all()
        self._recorder.close(max(1.0, deadline - self._clock.monotonic()))
        records_left = self._publisher.close(max(0.1, deadline - self._clock.monotonic()))
        if frames_left or records_left:
            log.warning("left_behind", frames=frames_left, records=records_left)
        # Last, for one that is stuck in libav must not take the others' time to finish.
        for capture in ending:
            capture.join(max(0.0, deadline - self._clock.monotonic()))

    def abandon(self, timeout_seconds: float) -> None:
        """Write nothing more; what waits for Redis stays on disk, and is delivered by others if the fence lets it.

        Footage is not fenced: files that are open are finished.
        """
        self._cameras.stop_captures()
        self._recorder.close(timeout_seconds)
        left = self._publisher.abandon(timeout_seconds)
        if left:
            log.warning("left_behind", frames=0, records=left)


def _look(frame: Frame, result: AnalysisResult) -> Look:
    seen = Counter(detection.class_name for detection in result.detections)
    is_tracked = any(detection.track_id is not None for detection in result.detections)
    return Look(frame.captured_monotonic, seen=seen, is_tracked=is_tracked)


def unserved_since(since: float | None, tried_at: float, now: float) -> float:
    """Return since when no detection has succeeded, as a batch begins; long silences are taken out.

    Args:
        since: The same for the batch before; None: that one succeeded, or there was none.
        tried_at: When the batch before was done with; monotonic seconds, as all of these.
        now: When this one begins.
    """
    return now if since is None else since + max(0.0, now - tried_at - QUIET_SECONDS)
