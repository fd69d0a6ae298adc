"""A camera that gives one picture per request, asked as often as it is analysed."""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from contract.errors import StatusReason
from workers.capture.failures import failed
from workers.capture.http_client import HttpBody, HttpClient
from workers.capture.sampling import RateMeter, Sampler
from workers.capture.source_kinds import SourceKind, kind_of_answer
from workers.capture.state import StreamFacts
from workers.capture.streams import DuePicture, StreamContext
from workers.pictures import BgrImage, BgrPicture

#: Largest picture in bytes; a JPEG of 8K at best quality has some 20 MB.
MAX_PICTURE_BYTES: Final = 32 * 1024 * 1024
#: Most pixels of a picture; a small file can claim to be an enormous picture.
MAX_PIXELS: Final = 64_000_000
#: Damaged pictures in a row after which the camera counts as failing.
HOPELESS_PICTURES: Final = 3
#: Longest wait before a changed rate is heard, seconds.
_TICK_SECONDS: Final = 0.25
_READ_BYTES: Final = 65_536
_JPEG_START: Final = b"\xff\xd8"
_JPEG_END: Final = b"\xff\xd9"


class SnapshotStream:
    """Polls a URL that answers with a picture."""

    def __init__(self, client: HttpClient, first: HttpBody, context: StreamContext, sampler: Sampler) -> None:
        self._client = client
        self._first: HttpBody | None = first
        self._context = context
        self._sampler = sampler
        self._meter = RateMeter()
        self._codec = first.content_type.partition(";")[0].partition("/")[2].strip().lower()
        self._size = (0, 0)
        self._errors = 0

    @property
    def facts(self) -> StreamFacts:
        """What is known of it by now."""
        return StreamFacts(
            codec=self._codec,
            width=self._size[0],
            height=self._size[1],
            stream_fps=self._meter.per_second(),
            decode_mode="snapshots",
            decode_errors=self._errors,
        )

    def pictures(self) -> Iterator[DuePicture | None]:
        """Yield a picture each time one is due; see `CameraStream`."""
        clock, slots, watch = self._context.clock, self._sampler.slots, self._context.watch
        damaged_in_a_row = 0
        while True:
            while wait := slots.seconds_until_due(clock.monotonic()):
                watch.sleep(min(wait, _TICK_SECONDS))
                yield None
            asked_at = clock.monotonic()
            data = self._fetch()
            at, at_ms = clock.monotonic(), clock.now_ms()
            slots.taken(asked_at)
            self._meter.add(at)
            image = decode_picture(data)
            if image is not None:
                damaged_in_a_row = 0
                self._size = (image.shape[1], image.shape[0])
                painter = self._context.painter
                yield DuePicture(BgrPicture(image if painter is None else painter.image(image)), at_ms, at)
                continue
            self._errors += 1
            damaged_in_a_row += 1
            if damaged_in_a_row >= HOPELESS_PICTURES:
                raise failed(StatusReason.DECODE_FAILED, self._context.url)
            yield None

    def _fetch(self) -> bytes:
        settings, watch = self._context.settings, self._context.watch
        watch.expect(settings.stall_timeout_seconds, StatusReason.TIMEOUT)
        body, self._first = self._first or self._client.get(), None
        try:
            if kind_of_answer(body.content_type, body.url) is not SourceKind.SNAPSHOT:
                raise failed(StatusReason.NOT_VIDEO, self._context.url, "the answer is no picture any more")
            with watch.cutting(body.cut):
                return self._read(body)
        finally:
            body.close()

    def _read(self, body: HttpBody) -> bytes:
        data = bytearray()
        while part := body.read(_READ_BYTES):
            data += part
            self._context.watch.check()
            if len(data) > MAX_PICTURE_BYTES:
                raise failed(
                    StatusReason.NOT_VIDEO, self._context.url, f"the picture has more than {MAX_PICTURE_BYTES} bytes"
                )
        return bytes(data)

    def close(self) -> None:
        """Hang up."""
        if self._first is not None:
            self._first.close()
        self._client.close()


def decode_picture(data: bytes) -> BgrImage | None:
    """Decode one JPEG.

    Returns:
        Shape (H, W, 3), BGR, uint8; None if it is damaged, cut off, or enormous.
    """
    # OpenCV fills what is missing at the end with grey, which would be analysed as if it had been seen.
    if not data.startswith(_JPEG_START) or _JPEG_END not in data[-1024:]:
        return None
    width, height = jpeg_size(data)
    if not 0 < width * height <= MAX_PIXELS:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if image is None else np.ascontiguousarray(image, np.uint8)


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Return width and height that a JPEG claims to have; 0, 0 where it does not say.

    Source:
        ITU-T T.81, annex B.2: markers, and the frame header (SOF).
    """
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker, length = data[position + 1], int.from_bytes(data[position + 2 : position + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = (int.from_bytes(data[position + at : position + at + 2], "big") for at in (5, 7))
            return width, height
        position += 1 if marker == 0xFF else 2 + length
    return 0, 0
