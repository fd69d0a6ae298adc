"""What happens to a frame once it has been looked at: track, save, crop, publish; in each camera's order."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from contract.cameras import SaveMode
from contract.crops import Crop
from contract.detections import AnalysisResult
from contract.errors import StatusReason
from contract.workers import Stage
from runtime.clock import Clock
from runtime.lanes import Lanes
from runtime.volume_files import VolumeFullError
from workers.camera_run import CameraRun
from workers.crops.camera_crops import ChosenCrops
from workers.crops.saver import CropSaver
from workers.due_frame import DueFrame
from workers.events import CameraEvents, SavedCrops
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


@dataclass(frozen=True, slots=True)
class _Silence:
    """Word that no frame of a camera may come for long."""

    run: CameraRun


@dataclass(frozen=True, slots=True)
class _Tracked:
    """What is known of a frame when its objects have been followed."""

    result: AnalysisResult
    #: All boxes, those too that the camera's settings leave out of the result.
    boxes: Detections
    #: Shape (N,): which of them the result names.
    reported: NDArray[np.bool_]


class Finisher:
    """Two threads; all of a camera is done on the same one, in order."""

    def __init__(
        self,
        cameras: WatchedCameras,
        saver: FrameSaver,
        crop_saver: CropSaver,
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
            crop_saver: The same of crops.
            publisher: Takes results and events.
            clock: Times previews.
            meter: Is told what tracking and saving take.
            class_names: Returns the detector's.
            new_tracker: Makes a tracker for a camera whose own has failed.
        """
        self._cameras = cameras
        self._saver = saver
        self._crop_saver = crop_saver
        self._publisher = publisher
        self._clock = clock
        self._meter = meter
        self._class_names = class_names
        self._new_tracker = new_tracker
        self._lanes: Lanes[_Looked | _Silence] = Lanes(
            FINISHING_LANES,
            "finishing",
            self._work,
            lambda item: _drop(item, "saving_backlog"),
            failed=lambda item: _drop(item, "saving_failed"),
        )

    def put(self, due: DueFrame, detections: Detections) -> None:
        """Leave a frame that was looked at; never blocks."""
        self._lanes.put(due.frame.camera_id, _Looked(due, detections, self._clock.monotonic()))

    def put_silent(self, run: CameraRun) -> None:
        """Leave word that no frame of a camera may come for long: crops that wait are saved; never blocks."""
        self._lanes.put(run.assignment.camera_id, _Silence(run))

    def close(self, timeout_seconds: float) -> int:
        """Finish what waits, and save crops of tracks that are about to end; return how much was left undone."""
        deadline = self._clock.monotonic() + timeout_seconds
        left = self._lanes.close(timeout_seconds)
        for watched in self._cameras.all():
            # Where a lane has not ended the volume may hang, and this thread must not.
            if left or self._clock.monotonic() >= deadline:
                break
            self._save_held(watched.run, are_ending=True)
        return left

    # --- a lane's thread -----------------------------------------------------------------------------------------

    def _work(self, item: _Looked | _Silence) -> None:
        if isinstance(item, _Silence):
            self._save_held(item.run, are_ending=False)
            return
        run = item.due.run
        self._meter.waited(Stage.TRACK, self._clock.monotonic() - item.at)
        with self._meter.timing(Stage.TRACK) as tracking:
            tracked = self._tracked(item)
        run.spent(tracking.cpu)
        if tracked is not None:
            self._publish(item.due, tracked)

    def _tracked(self, item: _Looked) -> _Tracked | None:
        """Follow the objects into a frame; None where that leads to no result, which has been counted then."""
        run, frame = item.due.run, item.due.frame
        watched = self._cameras.get(frame.camera_id)
        if watched is None or watched.run is not run:
            run.drop("given_up")
            return None
        if len(item.detections) and run.assignment.settings.save_frames is not SaveMode.NONE:
            frame.picture.bgr()  # for the file; once they are there, looking at the pixels of boxes costs half
        try:
            tracked = watched.tracker.update(
                item.detections,
                captured_monotonic=frame.captured_monotonic,
                frame_size=(frame.height, frame.width),
                picture=frame.picture,
            )
        except Exception:  # one camera's trouble must not cost the others theirs
            log.exception("tracking_failed", camera=frame.camera_id)
            run.drop("tracking_failed")
            watched.tracker = self._new_tracker()
            self._save_held(run, are_ending=True)
            run.crops.begin_anew()
            run.tell(CameraEvents.tracks_lost, lambda event: self._publisher.put_event(run, event))
            return None
        reported = self._reported(tracked, run)
        result = run.result(frame, tracked.select(reported), self._class_names())
        if result is None:
            run.drop("given_up")
            return None
        if result.detections:
            watched.recording.looked(_look(frame.captured_monotonic, result))
        return _Tracked(result, tracked, reported)

    def _reported(self, tracked: Detections, run: CameraRun) -> NDArray[np.bool_]:
        """Return which boxes the camera's settings ask for, shape (N,)."""
        settings = run.assignment.settings
        keep = tracked.confidence >= settings.confidence
        if settings.classes:
            wanted = [class_id for class_id, name in self._class_names().items() if name in settings.classes]
            keep &= np.isin(tracked.class_id, wanted)
        return np.asarray(keep, bool)

    def _publish(self, due: DueFrame, tracked: _Tracked) -> None:
        """Save one frame as its camera asks, and hand what was found in it to the publisher."""
        run, at, result = due.run, due.frame.captured_monotonic, tracked.result
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
        saved = self._cropped(due, tracked)
        # After the result and the pictures that they point at. A result makes the camera this worker's under its epoch:
        # what its capture has said may be told then.
        run.tell(
            lambda events: [*events.accepted(result.epoch), *events.saw(result, at, saved)],
            lambda event: self._publisher.put_event(run, event),
        )

    def _cropped(self, due: DueFrame, tracked: _Tracked) -> list[SavedCrops]:
        """Look for crops worth keeping in a frame, and save those whose time has come."""
        run = due.run
        with self._meter.timing(Stage.CROP) as cropping:
            chosen = run.crops.saw(
                due.frame,
                tracked.boxes,
                tracked.reported,
                self._class_names(),
                run.assignment.settings.box_padding,
            )
            saved = [self._save_crops(run, each) for each in chosen]
        run.spent(cropping.cpu)
        return saved

    def _save_held(self, run: CameraRun, *, are_ending: bool) -> None:
        """Save the crops of a camera that wait, and tell of them, at the latest when the tracks end."""
        for chosen in run.crops.all_that_is_held():
            saved = self._save_crops(run, replace(chosen, is_last=chosen.is_last or are_ending))
            run.tell(
                lambda events: events.cropped(saved),  # noqa: B023 - used at once
                lambda event: self._publisher.put_event(run, event),
            )

    def _save_crops(self, run: CameraRun, chosen: ChosenCrops) -> SavedCrops:
        """Write the crops of one object to the volume; return those that are there."""
        crops: list[Crop] = []
        reason: StatusReason | None = None
        error: Exception | None = None
        for cut in chosen.cuts:
            try:
                crops.append(self._crop_saver.save(run.assignment.camera_id, chosen.track_id, cut))
            except VolumeFullError as full:
                reason, error = StatusReason.DISK_FULL, full
                break
            except OSError as failed:
                reason, error = StatusReason.UNKNOWN, failed
                break
        if crops:
            run.crops_saved(len(crops))
        if reason is not None:
            if run.crops_lost(reason, len(chosen.cuts) - len(crops)):
                log.error("crops_not_saved", camera=run.assignment.camera_id, error=str(error))
            if not crops:
                run.crops.not_saved(chosen.track_id, self._clock.monotonic())
        return SavedCrops(chosen.track_id, crops, can_wait=chosen.is_last)

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


def _drop(item: _Looked | _Silence, reason: str) -> None:
    """Count a frame that was not finished."""
    if isinstance(item, _Looked):
        item.due.run.drop(reason)


def _look(at: float, result: AnalysisResult) -> Look:
    seen = Counter(detection.class_name for detection in result.detections)
    is_tracked = any(detection.track_id is not None for detection in result.detections)
    return Look(at, seen=seen, is_tracked=is_tracked)
