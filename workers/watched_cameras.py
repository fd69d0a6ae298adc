"""Which cameras a worker watches: begins, changes and ends them as their assignments say."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from contract.assignments import Assignment
from contract.recordings import RecordMode
from runtime.clock import Clock
from runtime.spool import Spool
from runtime.worker_link import Numbers
from workers.camera_run import CameraRun, Tally
from workers.capture.state import CaptureState
from workers.crops.camera_crops import CameraCrops
from workers.frames import Frame
from workers.media import MediaTap
from workers.motion.attention import Attention
from workers.recording.camera_recorder import CameraRecorder
from workers.recording.masked_tap import MaskedTap
from workers.recording.recorder import Recorder
from workers.tracking.tracker import CameraTracker

log = structlog.get_logger(__name__)


class Capture(Protocol):
    """One camera's stream, on a thread of its own."""

    def start(self) -> None:
        """Begin to connect."""

    def stop(self) -> None:
        """Ask it to end; returns at once."""

    def join(self, timeout: float | None = None) -> bool:
        """Wait until it has ended; False if it has not."""
        ...

    def update(self, *, analyse_fps: float, epoch: int) -> None:
        """Change rate and epoch without connecting again."""


class CaptureOpener(Protocol):
    """Makes the capture of an assignment; does not start it."""

    def __call__(
        self,
        assignment: Assignment,
        on_frame: Callable[[Frame], None],
        on_state: Callable[[CaptureState], None],
        tap: MediaTap,
        /,
    ) -> Capture:
        """Return the capture; `tap` gets the packets of a camera that is recorded."""
        ...


@dataclass(frozen=True, slots=True)
class CameraParts:
    """Makes what belongs to one camera alone."""

    open_capture: CaptureOpener
    new_tracker: Callable[[], CameraTracker]
    #: Is given the camera's id.
    new_attention: Callable[[str], Attention]
    new_crops: Callable[[], CameraCrops]


@dataclass(slots=True)
class Watched:
    """One camera with what belongs to it alone."""

    run: CameraRun
    capture: Capture
    tracker: CameraTracker
    recording: CameraRecorder
    #: Blacks out what its masks hide before it is recorded; None: it has none.
    masked: MaskedTap | None


class CameraListener(Protocol):
    """Hears what the cameras do; nothing of it may block."""

    def arrived(self, run: CameraRun, frame: Frame) -> None:
        """Take a due frame; called on the capture's thread."""

    def capture_changed(self, run: CameraRun, state: CaptureState) -> None:
        """Take note of what a capture says; called on its thread."""

    def left(self, run: CameraRun) -> None:
        """Take note that a camera was given up: its capture calls nothing any more."""


class WatchedCameras:
    """The cameras of one worker. Safe to use from several threads."""

    def __init__(
        self,
        parts: CameraParts,
        recorder: Recorder,
        listener: CameraListener,
        *,
        worker_id: str,
        clock: Clock,
        tally: Tally,
        used: Mapping[str, Numbers],
    ) -> None:
        """Begin with none.

        Args:
            parts: Makes captures, trackers and the like.
            recorder: Records them.
            listener: Hears what the cameras do.
            worker_id: Who watches.
            clock: For the cameras' rates and ages.
            tally: Counts frames of all cameras.
            used: Camera id -> the last numbers that a process before this one has used and Redis may not know of.
        """
        self._parts = parts
        self._recorder = recorder
        self._listener = listener
        self._worker_id = worker_id
        self._clock = clock
        self._tally = tally
        self._lock = threading.Lock()
        self._watched: dict[str, Watched] = {}
        #: Captures that were asked to end and have not yet.
        self._ending: list[Capture] = []
        #: Camera id -> epoch under which a write was refused: that assignment must not start again.
        self._refused_epochs: dict[str, int] = {}
        #: Camera id -> the last numbers that were used.
        self._used = dict(used)

    def apply(
        self,
        assignments: Mapping[str, Assignment],
        *,
        keep_missing: bool = False,
        accepted: Mapping[str, Numbers] | None = None,
    ) -> None:
        """Watch exactly the cameras in `assignments`.

        Args:
            assignments: Camera id -> assignment. One of an epoch that was refused already does not start again.
            accepted: Camera id -> the last numbers that Redis has accepted under the epoch of its assignment, for
                cameras that are not watched yet; theirs go on after them.
            keep_missing: Go on with cameras that are not in `assignments` (Redis may have lost its data), except
                those that other workers have taken over.
        """
        with self._lock:
            for camera_id, watched in list(self._watched.items()):
                wanted = assignments.get(camera_id)
                stale = watched.run.superseded and (wanted is None or wanted.epoch <= watched.run.epoch)
                if stale or (wanted is None and not keep_missing):
                    self._leave(camera_id)
                elif wanted is not None and _differs(wanted, watched.run.assignment):
                    self._reassign(camera_id, watched, wanted)
            for camera_id, wanted in assignments.items():
                if camera_id not in self._watched and wanted.epoch > self._refused_epochs.get(camera_id, 0):
                    self._begin(wanted, (accepted or {}).get(camera_id, Numbers()))
            self._ending = [capture for capture in self._ending if not capture.join(0)]
            if not keep_missing:
                refused = self._refused_epochs.items()
                self._refused_epochs = {name: epoch for name, epoch in refused if name in assignments}

    def _begin(self, assignment: Assignment, accepted: Numbers) -> None:
        numbers = accepted.newest(self._used.get(assignment.camera_id, accepted))
        recording = self._recorder.begin(assignment)
        run = CameraRun(
            assignment,
            self._worker_id,
            self._clock,
            tally=self._tally,
            numbers=numbers,
            recording=recording,
            attention=self._parts.new_attention(assignment.camera_id),
            crops=self._parts.new_crops(),
        )
        listener = self._listener
        masked = self._recorder.masked(recording, assignment.masks) if assignment.masks else None
        capture = self._parts.open_capture(
            assignment,
            lambda frame: listener.arrived(run, frame),
            lambda state: listener.capture_changed(run, _with_masking(state, masked)),
            recording if masked is None else masked,
        )
        self._watched[assignment.camera_id] = Watched(run, capture, self._parts.new_tracker(), recording, masked)
        capture.start()
        log.info("camera_taken", camera=assignment.camera_id, epoch=assignment.epoch)

    def _reassign(self, camera_id: str, watched: Watched, wanted: Assignment) -> None:
        held = watched.run.assignment
        if _streams(held) != _streams(wanted):
            self._leave(camera_id)
            self._begin(wanted, Numbers())
            return
        watched.run.reassign(wanted)
        watched.capture.update(analyse_fps=wanted.settings.analyse_fps, epoch=wanted.epoch)
        watched.recording.update(epoch=wanted.epoch, settings=wanted.recording)
        log.info("camera_changed", camera=camera_id, epoch=wanted.epoch)

    def _leave(self, camera_id: str) -> None:
        watched = self._watched.pop(camera_id)
        watched.run.left = True
        watched.capture.stop()
        self._ending.append(watched.capture)
        if watched.masked is not None:
            watched.masked.close()
        self._recorder.leave(watched.recording)
        self._listener.left(watched.run)
        self._used[camera_id] = watched.run.numbers
        if watched.run.superseded:
            self._refused_epochs[camera_id] = watched.run.epoch
        log.info("camera_left", camera=camera_id, epoch=watched.run.epoch, superseded=watched.run.superseded)

    # --- what is watched -----------------------------------------------------------------------------------------

    def get(self, camera_id: str) -> Watched | None:
        """Return a camera, or None where it is not watched."""
        with self._lock:
            return self._watched.get(camera_id)

    def all(self) -> list[Watched]:
        """Return all cameras."""
        with self._lock:
            return list(self._watched.values())

    @property
    def ids(self) -> list[str]:
        """Their ids, in order."""
        with self._lock:
            return sorted(self._watched)

    # --- end -----------------------------------------------------------------------------------------------------

    def stop_captures(self) -> None:
        """Ask all captures to end; the cameras are still watched, for what was captured is to be finished."""
        for watched in self.all():
            watched.capture.stop()

    def leave_all(self) -> list[Capture]:
        """Give all cameras up; return the captures that may not have ended yet."""
        with self._lock:
            for camera_id in list(self._watched):
                self._leave(camera_id)
            return list(self._ending)


def _streams(assignment: Assignment) -> tuple[object, ...]:
    """Return what says which streams are received: a change of any of it needs another capture."""
    recording = assignment.recording
    looked_at = assignment.url, assignment.secrets, assignment.masks
    if recording.record is RecordMode.OFF:
        return looked_at
    return *looked_at, assignment.main_url, assignment.main_secrets, recording.record_audio


def _with_masking(state: CaptureState, masked: MaskedTap | None) -> CaptureState:
    """Add to what a capture costs what masking its recording does, for the camera is placed by both."""
    return state if masked is None else replace(state, cpu_seconds=state.cpu_seconds + masked.cpu_seconds)


def _differs(wanted: Assignment, held: Assignment) -> bool:
    """Tell whether there is something to change.

    One of the same epoch may differ, too: where Redis has lost its data the manager gives a camera back under the
    epoch it had, with the settings of now.
    """
    return wanted.epoch > held.epoch or (wanted.epoch == held.epoch and wanted != held)


def numbers_in(spool: Spool) -> dict[str, Numbers]:
    """Return the newest numbers of what waits in a spool, by camera."""
    found: dict[str, Numbers] = {}
    for (kind, camera_id, epoch), number in spool.newest_numbers().items():
        waits = Numbers(epoch, seq=number) if kind == "result" else Numbers(epoch, event=number)
        found[camera_id] = found.get(camera_id, waits).newest(waits)
    return found
