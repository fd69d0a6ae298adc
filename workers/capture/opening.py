"""Makes the capture of an assignment; the worker's process hands this to its pipeline."""

from collections.abc import Callable
from urllib.parse import urlsplit

from contract.assignments import Assignment
from contract.camera_urls import CameraSecrets, join_secrets
from contract.cameras import CameraState
from contract.errors import StatusReason
from contract.recordings import RecordMode
from runtime.clock import Clock
from runtime.secret_box import SecretBox, SecretKeyError
from runtime.settings import WorkerSettings
from workers.capture.camera_capture import CameraCapture, CaptureOrder
from workers.capture.hardware import check_decode_device
from workers.capture.packet_capture import PacketCapture
from workers.capture.state import CaptureSettings, CaptureState
from workers.frames import Frame
from workers.mask_painter import MaskPainter
from workers.media import MediaTap
from workers.stage_meter import StageMeter

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


class TwoStreamCapture:
    """A camera whose smaller stream is analysed while its main stream is recorded; neither waits for the other."""

    def __init__(self, analysed: CameraCapture, recorded: PacketCapture) -> None:
        self._analysed = analysed
        self._recorded = recorded

    def start(self) -> None:
        """Begin to connect, twice."""
        self._analysed.start()
        self._recorded.start()

    def stop(self) -> None:
        """Ask both to end; see `CameraCapture.stop`."""
        self._recorded.stop()
        self._analysed.stop()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until both have ended, `timeout` seconds each; False if one has not."""
        ended = [self._analysed.join(timeout), self._recorded.join(timeout)]
        return all(ended)

    def update(self, *, analyse_fps: float, epoch: int) -> None:
        """Change rate and epoch without connecting again."""
        self._analysed.update(analyse_fps=analyse_fps, epoch=epoch)


def capture_opener(
    settings: WorkerSettings, clock: Clock, meter: StageMeter | None = None
) -> Callable[[Assignment, OnFrame, OnState, MediaTap | None], CameraCapture | TwoStreamCapture | UndecipheredCapture]:
    """Return the function that makes the capture of an assignment; it does not start it.

    The tap gets the packets of a camera that is recorded; the meter is told what captures spend.

    Raises:
        SecretKeyError: The worker's key is malformed.
        DecodeDeviceError: FARM_DECODE_DEVICE cannot be used.
    """
    check_decode_device(settings.decode_device)
    box = SecretBox.from_settings(settings)
    capture_settings = CaptureSettings.of(settings)

    def open_capture(
        assignment: Assignment, on_frame: OnFrame, on_state: OnState, tap: MediaTap | None
    ) -> CameraCapture | TwoStreamCapture | UndecipheredCapture:
        try:
            url, main_url = urls_with_secrets(assignment, box)
        except SecretKeyError as error:
            return UndecipheredCapture(str(error), on_state)
        if assignment.recording.record is RecordMode.OFF:
            tap = None
        has_two = tap is not None and main_url is not None
        analysed = CameraCapture(
            assignment.camera_id,
            url,
            order=CaptureOrder(assignment.settings.analyse_fps, assignment.epoch),
            settings=capture_settings,
            clock=clock,
            on_frame=on_frame,
            on_state=on_state,
            tap=None if has_two else tap,
            meter=meter,
            painter=MaskPainter(assignment.masks) if assignment.masks else None,
        )
        if tap is None or main_url is None:
            return analysed
        recorded = PacketCapture(
            assignment.camera_id, main_url, tap, settings=capture_settings, clock=clock, meter=meter
        )
        return TwoStreamCapture(analysed, recorded)

    return open_capture


def urls_with_secrets(assignment: Assignment, box: SecretBox) -> tuple[str, str | None]:
    """Return the URLs of a camera's streams, secrets included; None: it has no second one.

    Raises:
        SecretKeyError: They were encrypted with another key.
    """
    secrets = _decrypted(assignment.secrets, box)
    url = join_secrets(assignment.url, secrets)
    if assignment.main_url is None:
        return url, None
    main = _decrypted(assignment.main_secrets, box)
    # A camera has one account for its streams, and people write it once; another host must not be told of it.
    if main.username is None and urlsplit(assignment.main_url).hostname == urlsplit(assignment.url).hostname:
        main = main.model_copy(update={"username": secrets.username, "password": secrets.password})
    return url, join_secrets(assignment.main_url, main)


def _decrypted(token: str | None, box: SecretBox) -> CameraSecrets:
    return CameraSecrets() if token is None else CameraSecrets.model_validate_json(box.decrypt(token))
