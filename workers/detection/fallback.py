"""Goes on without the device when its memory is full, and comes back to it later."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from workers.detection.detector import Detector, DetectorError, OutOfDeviceMemoryError
from workers.frames import Detections
from workers.pictures import BgrImage

#: Seconds without the device before it is tried again: the first time, and at most.
FIRST_WAIT_SECONDS: Final = 60.0
LONGEST_WAIT_SECONDS: Final = 600.0
#: Seconds on the device after which the next failure counts as the first one again.
CALM_SECONDS: Final = 600.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Absence:
    """When to try the device again: after a minute, and twice as long after each failure. Pure; monotonic seconds."""

    wait_seconds: float = 0.0
    #: None while the device is used.
    retry_at: float | None = None
    returned_at: float = float("-inf")

    def begin(self, now: float) -> None:
        """Take note that the device failed."""
        is_first = self.retry_at is None and now - self.returned_at >= CALM_SECONDS
        longer = FIRST_WAIT_SECONDS if is_first else max(2 * self.wait_seconds, FIRST_WAIT_SECONDS)
        self.wait_seconds = min(longer, LONGEST_WAIT_SECONDS)
        self.retry_at = now + self.wait_seconds

    def is_over(self, now: float) -> bool:
        """Whether the device is to be tried now."""
        return self.retry_at is not None and now >= self.retry_at

    def end(self, now: float) -> None:
        """Take note that the device works again."""
        self.retry_at, self.returned_at = None, now


class FallbackDetector:
    """Runs on the device while its memory suffices, else on another detector of the same classes.

    The device's detector is closed meanwhile, so that its memory helps whoever filled it, and opened anew. Opening
    takes seconds in which nothing is detected; that is once a minute at most, and mostly once in ten.

    Args:
        open_device: Opens the detector on the device; called at once, and for every return.
        open_fallback: Opens the other one; called when it is first needed.
        monotonic: The clock.

    Raises:
        DetectorError: As `open_device`, at first.
    """

    def __init__(
        self,
        open_device: Callable[[], Detector],
        open_fallback: Callable[[], Detector],
        monotonic: Callable[[], float],
    ) -> None:
        self._open_device, self._open_fallback, self._monotonic = open_device, open_fallback, monotonic
        self._device: Detector | None = open_device()
        self._fallback: Detector | None = None
        self._active: Detector = self._device
        self._absence = Absence()
        self._dropped_before = 0
        self._is_closed = False
        self.class_names: Mapping[int, str] = self._device.class_names

    @property
    def device(self) -> str:
        """The device that is used now."""
        return self._active.device

    @property
    def runtime(self) -> str:
        """What runs the model now, and why not the device."""
        why = "" if self._active is self._device else " (the device's memory is full, it is tried again)"
        return self._active.runtime + why

    @property
    def input_size(self) -> tuple[int, int]:
        """Of the detector in use."""
        return self._active.input_size

    @property
    def input_sizes(self) -> Sequence[tuple[int, int]]:
        """Of the detector in use."""
        return self._active.input_sizes

    @property
    def inputs_at_once(self) -> int:
        """Of the detector in use."""
        return self._active.inputs_at_once

    @property
    def rounds_at_once(self) -> int:
        """One: a thread that still used the device's detector would find it closed by another."""
        return 1

    @property
    def max_batch(self) -> int:
        """Of the detector in use."""
        return self._active.max_batch

    @property
    def boxes_dropped(self) -> int:
        """Boxes that all detectors of this one threw away since opening."""
        there = [detector.boxes_dropped for detector in (self._device, self._fallback) if detector is not None]
        return self._dropped_before + sum(there)

    def detect(self, images: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find objects in every image; see `Detector.detect`."""
        return self._run(lambda detector: detector.detect(images, confidence=confidence))

    def detect_inputs(self, inputs: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find objects in inputs; see `Detector.detect_inputs`."""

        def look(detector: Detector) -> list[Detections]:
            # They were made for the detector that was in use; the other one may have other sizes.
            if all(image.shape[:2] in detector.input_sizes for image in inputs):
                return detector.detect_inputs(inputs, confidence=confidence)
            return detector.detect(inputs, confidence=confidence)

        return self._run(look)

    def _run(self, look: Callable[[Detector], list[Detections]]) -> list[Detections]:
        if self._is_closed:
            raise DetectorError("the detector was closed; open another one")
        if self._absence.is_over(self._monotonic()):
            self._come_back()
        try:
            return look(self._active)
        except OutOfDeviceMemoryError as error:
            if self._active is not self._device:
                raise
            self._leave(str(error))
        return look(self._active)

    def _leave(self, reason: str) -> None:
        # Opened first: where there is no other detector, the device's is kept.
        if self._fallback is None:
            self._fallback = self._opened_fallback()
        self._close_device()
        self._active = self._fallback
        self._absence.begin(self._monotonic())
        log.error(
            "detecting without the device, its memory is full",
            reason=reason,
            runtime=self._active.runtime,
            tried_again_in_seconds=self._absence.wait_seconds,
        )

    def _opened_fallback(self) -> Detector:
        fallback = self._open_fallback()
        if dict(fallback.class_names) != dict(self.class_names):
            fallback.close()
            raise DetectorError("the detector to fall back to knows other classes; give it the same model")
        return fallback

    def _come_back(self) -> None:
        try:
            self._device = self._open_device()
        except DetectorError as error:
            self._absence.begin(self._monotonic())
            log.warning(
                "the device cannot be used yet", reason=str(error), tried_again_in_seconds=self._absence.wait_seconds
            )
            return
        self._active = self._device
        self._absence.end(self._monotonic())
        log.info("detecting on the device again", device=self._active.device, runtime=self._active.runtime)

    def _close_device(self) -> None:
        if self._device is not None:
            self._dropped_before += self._device.boxes_dropped
            self._device.close()
            self._device = None

    def close(self) -> None:
        """Give all memory back; may be called twice."""
        self._is_closed = True
        self._close_device()
        if self._fallback is not None:
            self._fallback.close()
