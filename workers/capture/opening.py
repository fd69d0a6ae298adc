"""Makes the capture of an assignment; the worker's process hands this to its pipeline."""

from collections.abc import Callable

from contract.assignments import Assignment
from contract.camera_urls import CameraSecrets, join_secrets
from contract.cameras import CameraState
from contract.errors import StatusReason
from runtime.clock import Clock
from runtime.secret_box import SecretBox, SecretKeyError
from runtime.settings import WorkerSettings
from workers.capture.camera_capture import CameraCapture
from workers.capture.state import CaptureSettings, CaptureState
from workers.frames import Frame

OnFrame = Callable[[Frame], None]
OnState = Callable[[CaptureState], None]


class UndecipheredCapture:
    """Stands for a camera whose password this worker cannot decrypt: says so, and does nothing."""

    def __init__(self, detail: str, on_state: OnState) -> None:
        self._detail = detail
        self._on_state = on_state

    def start(self) -> None:
        """Say what is wrong."""
        self._on_state(CaptureState(CameraState.OFFLINE, StatusReason.SECRET_KEY_MISSING, self._detail))

    def stop(self) -> None:
        """Do nothing."""

    def join(self, timeout: float | None = None) -> bool:
        """Say that it has ended."""
        del timeout
        return True

    def update(self, *, analyse_fps: float, epoch: int) -> None:
        """Do nothing: only another key helps, and that needs another start of the worker."""
        del analyse_fps, epoch


def capture_opener(
    settings: WorkerSettings, clock: Clock
) -> Callable[[Assignment, OnFrame, OnState], CameraCapture | UndecipheredCapture]:
    """Return the function that makes the capture of an assignment; it does not start it.

    Raises:
        SecretKeyError: The worker's key is malformed.
    """
    box = SecretBox.from_settings(settings)
    capture_settings = CaptureSettings.of(settings)

    def open_capture(
        assignment: Assignment, on_frame: OnFrame, on_state: OnState
    ) -> CameraCapture | UndecipheredCapture:
        try:
            url = _url_with_secrets(assignment, box)
        except SecretKeyError as error:
            return UndecipheredCapture(str(error), on_state)
        return CameraCapture(
            assignment.camera_id,
            url,
            epoch=assignment.epoch,
            analyse_fps=assignment.settings.analyse_fps,
            settings=capture_settings,
            clock=clock,
            on_frame=on_frame,
            on_state=on_state,
        )

    return open_capture


def _url_with_secrets(assignment: Assignment, box: SecretBox) -> str:
    if assignment.secrets is None:
        return assignment.url
    secrets = CameraSecrets.model_validate_json(box.decrypt(assignment.secrets))
    return join_secrets(assignment.url, secrets)
