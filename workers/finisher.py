"""What happens to a frame once it has been looked at: track, save, publish; in each camera's order."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import structlog

from contract.detections import AnalysisResult
from contract.errors import StatusReason
from contract.workers import Stage
from runtime.clock import Clock
from runtime.lanes import Lanes
from runtime.volume_files import VolumeFullError
from workers.camera_run import CameraRun
from workers.due_frame import DueFrame
from workers.events import CameraEvents
from workers.frames import Detections
from workers.publisher import Publisher
from workers.recording.wishes import Look
from workers.saving.saver import FrameSaver, shall_save
from workers.stage_meter import StageMeter
from workers.tracking.tracker import CameraTracker
from workers.watched_cameras import WatchedCameras

FINISHING_LANES: Final = 2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Looked:
    """One frame with what is known to be in it."""

    due: DueFrame
    detections: Detections
    #: Monotonic seconds when it was left to be finished.
    at: float


class Finisher:
    """Two threads; all of a camera is done on the same one, in order."""

    def __init__(
        self,
        cameras: WatchedCameras,
        saver: FrameSaver,
        publisher: Publisher,
        clock: Clock,
        meter: StageMeter,
        *,
        class_names: Callable[[], Mapping[int, str]],
        new_tracker: Callable[[], CameraTracker],
    ) -> None:
        """Start the threads.

        Args:
            cameras: Has tracker and recording of every camera.
            saver: Makes JPEG files.
            publisher: Takes results and events.
            clock: Times previews.
            meter: Is told what tracking and saving take.
            class_names: Returns the detector's.
            new_tracker: Makes a tracker for a camera whose own has failed.
        """
        self._cameras = cameras
        self._saver = saver
        self._publisher = publisher
        self._clock = clock
        self._meter = meter
        self._class_names = class_names
        self._new_tracker = new_tracker
        self._lanes: Lanes[_Looked] = Lanes(
            FINISHING_LANES,
            "finishing",
            self._work,
            lambda item: item.due.run.drop("saving_backlog"),
            failed=lambda item: item.due.run.drop("saving_failed"),
        )

    def put(self, due: DueFrame, detections: Detections) -> None:
        """Leave a frame that was looked at; never blocks."""
        self._lanes.put(due.frame.camera_id, _Looked(due, detections, self._clock.monotonic()))

    def close(self, timeout_seconds: float) -> int:
        """Finish what waits; return how much was left undone."""
        return self._lanes.close(timeout_seconds)

    # --- a lane's thread -----------------------------------------------------------------------------------------

    def _work(self, item: _Looked) -> None:
        run = item.due.run
        self._meter.waited(Stage.TRACK, self._clock.monotonic() - item.at)
        with self._meter.timing(Stage.TRACK) as tracking:
            result = self._tracked(item)
        run.spent(tracking.cpu)
        if result is not None:
            self._publish(item.due, result)

    def _tracked(self, item: _Looked) -> AnalysisResult | None:
        """Return the result of a frame; None where there is none, which has been counted then."""
        run, frame = item.due.run, item.due.frame
        watched = self._cameras.get(frame.camera_id)
        if watched is None or watched.run is not run:
            run.drop("given_up")
            return None
        try:
            tracked = watched.tracker.update(
                item.detections, captured_monotonic=frame.captured_monotonic, frame_size=(frame.height, frame.width)
            )
        except Exception:  # one camera's trouble must not cost the others theirs
            log.exception("tracking_failed", camera=frame.camera_id)
            run.drop("tracking_failed")
            watched.tracker = self._new_tracker()
            run.tell(CameraEvents.tracks_lost, lambda event: self._publisher.put_event(run, event))
            return None
        result = run.result(frame, self._reported(tracked, run), self._class_names())
        if result is None:
            run.drop("given_up")
        elif result.detections:
            watched.recording.looked(_look(frame.captured_monotonic, result))
        return result

    def _reported(self, tracked: Detections, run: CameraRun) -> Detections:
        """Keep what the camera's settings ask for."""
        settings = run.assignment.settings
        keep = tracked.confidence >= settings.confidence
        if settings.classes:
            wanted = [class_id for class_id, name in self._class_names().items() if name in settings.classes]
            keep &= np.isin(tracked.class_id, wanted)
        return tracked.select(keep)

    def _publish(self, due: DueFrame, result: AnalysisResult) -> None:
        """Save one frame as its camera asks, and hand what was found in it to the publisher."""
        run, at = due.run, due.frame.captured_monotonic
        wants_file = shall_save(run.assignment.settings.save_frames, len(result.detections))
        wants_preview = run.previews.is_due(self._clock.monotonic(), is_watched=run.is_watched)
        preview = None
        if wants_file or wants_preview:
            with self._meter.timing(Stage.SAVE) as saving:
                if wants_file:
                    result = self._saved(due, result)
                preview = self._preview(due) if wants_preview else None
            run.spent(saving.cpu)
        self._publisher.put_result(run, result, at, preview)
        # After the result and the picture that they point at. A result makes the camera this worker's under its epoch:
        # what its capture has said may be told then.
        run.tell(
            lambda events: [*events.accepted(result.epoch), *events.saw(result, at)],
            lambda event: self._publisher.put_event(run, event),
        )

    def _saved(self, due: DueFrame, result: AnalysisResult) -> AnalysisResult:
        """Write the frame to the volume; return the result with its path, or as it was where that failed."""
        run = due.run
        try:
            path = self._saver.save(due.frame)
        except VolumeFullError:
            run.saving_failed(StatusReason.DISK_FULL)
            return result
        except (OSError, ValueError) as error:  # ValueError: it cannot be made a JPEG
            log.error("frame_not_saved", camera=due.frame.camera_id, error=str(error))
            run.saving_failed(StatusReason.UNKNOWN)
            return result
        run.saved()
        return result.model_copy(update={"frame_path": path})

    def _preview(self, due: DueFrame) -> bytes | None:
        try:
            return self._saver.preview(due.frame)
        except ValueError as error:
            log.error("no_preview", camera=due.frame.camera_id, error=str(error))
            return None


def _look(at: float, result: AnalysisResult) -> Look:
    seen = Counter(detection.class_name for detection in result.detections)
    is_tracked = any(detection.track_id is not None for detection in result.detections)
    return Look(at, seen=seen, is_tracked=is_tracked)
