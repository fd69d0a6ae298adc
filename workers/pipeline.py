"""All cameras of one worker in one pipeline: capture → gate → detect in rounds → track → save → crop → publish.

This is the one place where the stages meet. Every queue between them is bounded and the newest frame wins:

    captures (a thread each; what moved?) → Mailbox (a slot per camera) → detector (rounds, a thread or two)
        → Finisher (track, encode, save, crop) → Publisher (one thread; Redis, or a spool on disk while Redis is away)

A frame of which nothing is to be looked at goes from its capture to the finisher. Beside all this, and waiting for none
of it, the recorder (one thread) writes the packets that captures hand it.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Final

import structlog

from contract.assignments import Assignment
from contract.cameras import CameraStatus, DetectOn
from contract.events import Event
from contract.recordings import RecordMode
from contract.workers import Holding, Stage
from runtime.clock import Clock
from runtime.spool import Spool
from runtime.worker_link import Numbers, WorkerLink
from workers.camera_run import CameraRun, Tally, Totals
from workers.capture.state import CaptureState
from workers.crops.camera_crops import CameraCrops
from workers.crops.saver import CropSaver
from workers.detection.detector import Detector
from workers.detection.parts import PartsDetector
from workers.detection_ledger import DetectionLedger
from workers.detection_thread import DetectionSettings, DetectionThread
from workers.due_frame import DueFrame
from workers.events import CameraEvents
from workers.finisher import Finisher
from workers.frames import Detections, Frame, Wanted
from workers.mailbox import Mailbox, Place
from workers.motion.attention import Attention
from workers.motion.motion_score import MOVED_SHARE
from workers.publisher import Publisher
from workers.recording.recorder import Recorder
from workers.recording.wishes import Look
from workers.saving.saver import FrameSaver
from workers.stage_meter import StageMeter
from workers.tracking.tracker import CameraTracker
from workers.watched_cameras import CameraParts, CaptureOpener, WatchedCameras, numbers_in

#: Seconds after which motion is looked for in a camera's frame even if the detector will not come to it: a recording
#: asks for it.
GATE_SECONDS: Final = 0.4

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stages:
    """What a pipeline is made of."""

    open_capture: CaptureOpener
    detector: Detector
    new_tracker: Callable[[], CameraTracker]
    #: Makes the attention of a camera.
    new_attention: Callable[[str], Attention]
    #: Chooses a camera's crops.
    new_crops: Callable[[], CameraCrops]
    saver: FrameSaver
    crop_saver: CropSaver
    recorder: Recorder
    link: WorkerLink
    #: Closed with the pipeline.
    spool: Spool
    meter: StageMeter


class Pipeline:
    """Runs every camera that `apply` gives it."""

    def __init__(
        self,
        settings: DetectionSettings,
        stages: Stages,
        *,
        worker_id: str,
        clock: Clock,
        on_superseded: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._detector = stages.detector
        self._recorder = stages.recorder
        self._meter = stages.meter
        self._on_superseded = on_superseded
        self._tally = Tally(stages.meter)
        self._largest_side = max(stages.detector.input_size)
        self._cameras = WatchedCameras(
            CameraParts(stages.open_capture, stages.new_tracker, stages.new_attention, stages.new_crops),
            stages.recorder,
            self,
            worker_id=worker_id,
            clock=clock,
            tally=self._tally,
            used=numbers_in(stages.spool),
        )
        self._mailbox = Mailbox(clock)
        self._publisher = Publisher(stages.link, stages.spool, clock, self._refused, stages.meter)
        self._finisher = Finisher(
            self._cameras,
            stages.saver,
            stages.crop_saver,
            self._publisher,
            clock,
            stages.meter,
            class_names=lambda: stages.detector.class_names,
            new_tracker=stages.new_tracker,
        )
        self._ledger = DetectionLedger(clock, threads=settings.threads)
        self._detection = [
            DetectionThread(
                settings,
                PartsDetector(stages.detector),
                self._mailbox,
                self._ledger,
                stages.meter,
                is_current=self._is_current,
                finish=self._finish,
            )
            for _ in range(stages.detector.rounds_at_once)
        ]

    def start(self) -> None:
        """Begin to analyse and to record what arrives."""
        self._recorder.start()
        for thread in self._detection:
            thread.start()

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
        run.crops.close()
        self._tell(run, CameraEvents.left)
        self._publisher.forget(run.assignment.camera_id)

    def statuses(self) -> list[tuple[CameraRun, CameraStatus]]:
        """Return the status of every camera that other workers have not taken over."""
        runs = [watched.run for watched in self._cameras.all() if not watched.run.superseded]
        now = self._clock.monotonic()
        for run in runs:
            self._tell(run, lambda events: events.time_passed(now))
            if run.crops.are_due_in_silence(now):
                self._finisher.put_silent(run)
        return [(run, run.status(self._detector.class_names)) for run in runs]

    def watched_by_people(self, camera_ids: Set[str]) -> None:
        """Take note of the cameras whose previews somebody looks at now."""
        for watched in self._cameras.all():
            watched.run.is_watched = watched.run.assignment.camera_id in camera_ids

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
    def detect_ms(self) -> float:
        """Milliseconds of detection per frame, lately."""
        return self._ledger.detect_ms

    @property
    def detect_seconds(self) -> float | None:
        """CPU-seconds of detection per full input; on a GPU, seconds of the thread that waits for it."""
        return self._ledger.detect_seconds

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
        """Whether the threads that detect live."""
        return all(thread.is_alive for thread in self._detection)

    @property
    def unserved_seconds(self) -> float:
        """For how long no detection has succeeded although frames came; see `DetectionLedger.unserved_seconds`."""
        return self._ledger.unserved_seconds

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
        settings, at = run.assignment.settings, frame.captured_monotonic
        due = DueFrame(run, frame, lambda: self._find_wanted(run, frame), weight=settings.analyse_fps)
        # While the detector is behind, only the frame that it takes next is worth it; at other times captures do it,
        # all at once.
        if at - run.gated_at >= GATE_SECONDS or self._mailbox.is_idle(frame.camera_id):
            _ = due.wanted
        place, pushed_out = self._mailbox.put(due)
        if pushed_out is not None:
            pushed_out.run.drop("overload")
        if place is Place.PASSES:
            self._finish(due, None)

    def _find_wanted(self, run: CameraRun, frame: Frame) -> Wanted:
        """Find out what of a frame is to be looked at: all of it where that cannot be found out."""
        try:
            return self._gated(run, frame)
        except Exception as error:  # also on the detector's thread, where one bad frame must not end it
            log.warning("gate_failed", camera=frame.camera_id, error=str(error))
            return Wanted(is_whole=True, side=self._largest_side)

    def _gated(self, run: CameraRun, frame: Frame) -> Wanted:
        """Return what of a frame is to be looked at, and tell the recording whether something moves."""
        settings, at = run.assignment.settings, frame.captured_monotonic
        is_recorded = run.recording is not None and run.assignment.recording.record is not RecordMode.OFF
        wanted = Wanted(is_whole=True, side=self._largest_side)
        if is_recorded or settings.detect_on is DetectOn.MOTION:
            with run.gating, self._meter.timing(Stage.GATE):
                run.gated_at = at
                motion = run.motion.update(frame.picture.luma(), at)
                if settings.detect_on is DetectOn.MOTION:
                    wanted = run.attention.saw(motion, at, (frame.height, frame.width))
            if run.recording is not None and is_recorded:
                run.recording.looked(Look(at, moved=motion.share >= MOVED_SHARE))
        return wanted

    def _is_current(self, due: DueFrame) -> bool:
        found = self._cameras.get(due.frame.camera_id)
        if found is not None and found.run is due.run and due.run.epoch == due.frame.epoch and not due.run.superseded:
            return True
        due.run.drop("given_up")
        return False

    def _finish(self, due: DueFrame, fresh: Detections | None) -> None:
        """Hand a frame on with what is known to be in it: what was found now, and what stands there still."""
        found, frame = Detections() if fresh is None else fresh, due.frame
        if fresh is None:
            due.run.detected(0.0)
        if due.run.assignment.settings.detect_on is DetectOn.MOTION:
            size = frame.height, frame.width
            found = due.run.attention.looked(due.wanted, found, frame.captured_monotonic, size)
        self._finisher.put(due, found)

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
        for thread in self._detection:
            thread.join(max(0.0, deadline - self._clock.monotonic()))
        frames_left = self._finisher.close(max(0.1, deadline - self._clock.monotonic()))
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
