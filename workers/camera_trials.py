"""Tries cameras for people who set them up, beside the cameras that are watched and without disturbing them."""

import threading
from base64 import b64encode
from typing import Final

import redis
import structlog

from contract.camera_trials import PICTURE_SIDE, TRIAL_SECONDS, CameraTrialReply, CameraTrialRequest, TrialStream
from contract.errors import StatusReason
from runtime.clock import Clock
from runtime.secret_box import SecretBox, SecretKeyError
from runtime.trial_link import TrialLink
from workers.capture.opening import urls_with_secrets
from workers.capture.probe import ProbeResult, probe
from workers.capture.state import CaptureSettings
from workers.jpeg import encode_preview
from workers.mask_painter import MaskPainter

#: Trials at a time; others wait in Redis.
AT_ONCE: Final = 2
#: Seconds until Redis is asked again after it was away.
AWAY_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class CameraTrials:
    """Answers trials, on threads of its own."""

    def __init__(
        self, link: TrialLink, worker_id: str, settings: CaptureSettings, box: SecretBox, clock: Clock
    ) -> None:
        """Prepare; `start` begins.

        Args:
            link: To who asks.
            worker_id: Who answers.
            settings: As cameras are watched.
            box: Decrypts passwords.
            clock: Times the trials.
        """
        self._link = link
        self._worker_id = worker_id
        self._settings = settings
        self._box = box
        self._clock = clock
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to answer."""
        for number in range(AT_ONCE):
            threading.Thread(target=self._run, name=f"camera-trials-{number}", daemon=True).start()

    def stop(self) -> None:
        """Take no more; returns at once, and what is being tried is not waited for."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                request = self._link.take(self._worker_id)
                if request is not None:
                    self._link.reply(self._answer(request))
            except redis.RedisError:  # who waits gives up by itself
                self._stopped.wait(AWAY_SECONDS)

    def _answer(self, request: CameraTrialRequest) -> CameraTrialReply:
        try:
            url, main_url = urls_with_secrets(request.camera, self._box)
            if request.stream is TrialStream.RECORDED and main_url is not None:
                url = main_url
            painter = MaskPainter(request.camera.masks) if request.camera.masks else None
            found = probe(url, self._settings, timeout_seconds=TRIAL_SECONDS, clock=self._clock, painter=painter)
            reply = reply_of(request.request_id, self._worker_id, found)
        except SecretKeyError as error:
            return self._failed(request, StatusReason.SECRET_KEY_MISSING, str(error))
        except Exception:  # the outermost loop of this thread: one trial must not end all others
            log.exception("camera_trial_failed", camera=request.camera.camera_id)
            return self._failed(request, StatusReason.UNKNOWN, "unexpected failure; see the worker's log")
        log.info("camera_tried", camera=request.camera.camera_id, reason=reply.reason, codec=reply.codec)
        return reply

    def _failed(self, request: CameraTrialRequest, reason: StatusReason, detail: str) -> CameraTrialReply:
        return CameraTrialReply(request_id=request.request_id, worker_id=self._worker_id, reason=reason, detail=detail)


def reply_of(request_id: str, worker_id: str, found: ProbeResult) -> CameraTrialReply:
    """Return what people are told of what was found."""
    picture = b"" if found.image is None else encode_preview(found.image, PICTURE_SIDE)
    return CameraTrialReply(
        request_id=request_id,
        worker_id=worker_id,
        reason=found.reason,
        detail=found.detail,
        codec=found.codec,
        width=found.width,
        height=found.height,
        fps=round(found.stream_fps, 2),
        latency_ms=round(found.latency_ms, 1),
        gop_seconds=None if found.gop_seconds is None else round(found.gop_seconds, 2),
        warnings=list(found.warnings),
        picture=b64encode(picture).decode(),
    )
