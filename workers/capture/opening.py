"""Opens a camera's stream in the way its URL and its server's first answer call for."""

import socket
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import av.logging

from contract.assignments import Assignment
from contract.camera_urls import CameraSecrets, check_camera_url, join_secrets
from contract.errors import InvalidUrlError, StatusReason
from runtime.clock import Clock
from runtime.secret_box import SecretBox, SecretKeyError
from runtime.settings import WorkerSettings
from workers.capture.camera_capture import CameraCapture
from workers.capture.failures import CaptureError
from workers.capture.libav_source import LibavSource
from workers.capture.sampling import Sampler
from workers.capture.snapshot_source import HttpCamera, SnapshotSource
from workers.capture.source import CaptureSettings, Source
from workers.capture.source_kind import SourceKind, kind_of_content, local_file
from workers.capture.state import CaptureState
from workers.frames import Frame

DEFAULT_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}

# libav reports from its own threads, and handing those lines to Python can wait for the interpreter for ever.
# What matters of them arrives as exceptions.
av.logging.set_level(None)


def open_source(url: str, settings: CaptureSettings, sampler: Sampler, clock: Clock, stop: threading.Event) -> Source:
    """Open the stream at `url`.

    Raises:
        CaptureError: Or an error that `failures.failure_of` can name.
    """
    try:
        scheme = urlsplit(check_camera_url(url)).scheme
    except InvalidUrlError as error:
        raise CaptureError(StatusReason.URL_INVALID, str(error)) from error
    if scheme == "file":
        path = local_file(url, settings.local_video_dir)
        return LibavSource(str(path), SourceKind.FILE, settings, sampler=sampler, clock=clock, stop=stop)
    _knock(url, settings.connect_timeout_seconds)
    if scheme in {"rtsp", "rtsps"}:
        return LibavSource(url, SourceKind.RTSP, settings, sampler=sampler, clock=clock, stop=stop)
    camera = HttpCamera(url, settings)
    try:
        with camera.ask() as answer:
            kind = kind_of_content(answer.headers.get("Content-Type", ""), urlsplit(answer.url).path)
        if kind is SourceKind.SNAPSHOT:
            return SnapshotSource(camera, sampler, clock, stop)
    except Exception:
        camera.close()
        raise
    camera.close()
    return LibavSource(url, kind, settings, sampler=sampler, clock=clock, stop=stop)


def _knock(url: str, timeout_seconds: float) -> None:
    """Connect and hang up: the operating system says why that fails, which libav does not."""
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    with socket.create_connection((parts.hostname or "", port), timeout_seconds):
        pass


def capture_opener(
    settings: WorkerSettings, clock: Clock
) -> Callable[[Assignment, Callable[[Frame], None], Callable[[CaptureState], None]], CameraCapture]:
    """Return what makes the capture of an assignment."""
    capture_settings = CaptureSettings.from_settings(settings)
    box = SecretBox.from_settings(settings)

    def open_capture(
        assignment: Assignment, on_frame: Callable[[Frame], None], on_state: Callable[[CaptureState], None]
    ) -> CameraCapture:
        def open_stream(sampler: Sampler, stop: threading.Event) -> Source:
            return open_source(_full_url(assignment, box), capture_settings, sampler, clock, stop)

        return CameraCapture(
            assignment.camera_id,
            epoch=assignment.epoch,
            analyse_fps=assignment.settings.analyse_fps,
            open_stream=open_stream,
            settings=capture_settings,
            on_frame=on_frame,
            on_state=on_state,
            clock=clock,
        )

    return open_capture


def _full_url(assignment: Assignment, box: SecretBox) -> str:
    """Put the secrets back into the URL; they are decrypted only while a stream is opened."""
    if assignment.secrets is None:
        return assignment.url
    try:
        secrets = CameraSecrets.model_validate_json(box.decrypt(assignment.secrets))
    except SecretKeyError as error:
        raise CaptureError(StatusReason.SECRET_KEY_MISSING) from error
    return join_secrets(assignment.url, secrets)
