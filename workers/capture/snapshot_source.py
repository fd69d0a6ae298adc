"""Cameras that give one JPEG per HTTP request: asked as often as they are analysed."""

import threading
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

import cv2
import numpy as np
import requests
from requests.auth import HTTPDigestAuth

from contract.errors import StatusReason
from runtime.clock import Clock
from workers.capture.failures import CaptureError, status_reason
from workers.capture.sampling import DecodeMode, Sampler
from workers.capture.source import CaptureSettings, Received
from workers.frames import BgrImage

#: A picture of a 4K camera at the best quality has some 8 MB.
MAX_PICTURE_BYTES: Final = 24_000_000
MAX_REDIRECTS: Final = 3
MAX_BAD_PICTURES: Final = 10


class HttpCamera:
    """Asks a camera over HTTP; learns whether it wants Basic or Digest credentials."""

    def __init__(self, url: str, settings: CaptureSettings) -> None:
        self._url = url
        self._timeout = (settings.connect_timeout_seconds, settings.stall_timeout_seconds)
        self._session = requests.Session()
        self._session.max_redirects = MAX_REDIRECTS
        self._session.trust_env = False  # a proxy of the machine is not for cameras

    def ask(self) -> requests.Response:
        """Return the answer, its body unread.

        Raises:
            CaptureError: The camera answered with an error.
            requests.RequestException: It did not answer.
        """
        answer = self._session.get(self._url, stream=True, timeout=self._timeout)
        wants_digest = "digest" in answer.headers.get("WWW-Authenticate", "").lower()
        if answer.status_code == 401 and wants_digest and self._session.auth is None:
            answer.close()
            parts = urlsplit(self._url)
            self._session.auth = HTTPDigestAuth(unquote(parts.username or ""), unquote(parts.password or ""))
            answer = self._session.get(self._url, stream=True, timeout=self._timeout)
        reason = status_reason(answer.status_code)
        if reason is not None:
            answer.close()
            raise CaptureError(reason, f"HTTP status {answer.status_code}")
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


class SnapshotSource:
    """Polls one picture after the other."""

    codec = "mjpeg"
    mode = DecodeMode.ALL

    def __init__(self, camera: HttpCamera, sampler: Sampler, clock: Clock, stop: threading.Event) -> None:
        self._camera = camera
        self._sampler = sampler
        self._clock = clock
        self._stop = stop
        self._bad_in_a_row = 0
        self.decode_errors = 0

    def receive(self) -> Iterator[Received]:
        """Yield one entry for each picture; see `Source`."""
        next_at = self._clock.monotonic()
        while not self._stop.wait(max(0.0, next_at - self._clock.monotonic())):
            started = self._clock.monotonic()
            with self._camera.ask() as answer:
                data = self._read(answer)
            yield Received(self._decode(data))
            next_at = max(next_at + self._sampler.interval, started)

    @staticmethod
    def _read(answer: requests.Response) -> bytes:
        data = bytearray()
        for block in answer.iter_content(65_536):
            data += block
            if len(data) > MAX_PICTURE_BYTES:
                raise CaptureError(StatusReason.NOT_VIDEO, f"the picture has more than {MAX_PICTURE_BYTES} bytes")
        return bytes(data)

    def _decode(self, data: bytes) -> BgrImage | None:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if picture is not None:
            self._bad_in_a_row = 0
            return np.asarray(picture, np.uint8)
        self.decode_errors += 1
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= MAX_BAD_PICTURES:
            raise CaptureError(StatusReason.DECODE_FAILED, f"{MAX_BAD_PICTURES} damaged pictures in a row")
        return None

    def close(self) -> None:
        """Close the connection."""
        self._camera.close()
