"""Going on without a device whose memory is full, and coming back to it."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.detection.detector import DetectorError, OutOfDeviceMemoryError
from workers.detection.fallback import FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, Absence, FallbackDetector
from workers.frames import Detections
from workers.pictures import BgrImage

IMAGE = np.zeros((64, 64, 3), np.uint8)


class Memory:
    """The memory of a device, and the time; a test sets both."""

    def __init__(self) -> None:
        self.is_full = False
        self.now = 0.0
        self.opened = 0
        self.closed: list[str] = []


class DeviceDetector:
    """Finds nothing, and says that memory is full while it is, if it is on a device."""

    max_batch, boxes_dropped, rounds_at_once = 8, 1, 1

    def __init__(self, memory: Memory, device: str, classes: Mapping[int, str] | None = None) -> None:
        self._memory = memory
        self.device = self.runtime = device
        self.class_names: Mapping[int, str] = classes or {0: "person"}
        self.input_sizes = ((64, 64),) if device != "cpu" else ((32, 32), (64, 64))
        self.input_size = self.input_sizes[-1]
        self.inputs_at_once = 8 if device != "cpu" else 1
        memory.opened += 1
        if device != "cpu" and memory.is_full:
            raise DetectorError("no room")

    def detect(self, images: Sequence[BgrImage], *, confidence: float) -> list[Detections]:  # noqa: ARG002 - the protocol's name
        """Find nothing."""
        if self.device != "cpu" and self._memory.is_full:
            raise OutOfDeviceMemoryError("not even one frame fits")
        return [Detections() for _ in images]

    def detect_inputs(self, inputs: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find nothing in images of its sizes."""
        assert all(image.shape[:2] in self.input_sizes for image in inputs)
        return self.detect(inputs, confidence=confidence)

    def close(self) -> None:
        """Take note."""
        self._memory.closed.append(self.device)


@pytest.fixture
def memory() -> Memory:
    """Give a device with room."""
    return Memory()


@pytest.fixture
def detector(memory: Memory) -> FallbackDetector:
    """Give a detector on that device, with the CPU to fall back to."""
    return FallbackDetector(
        lambda: DeviceDetector(memory, "cuda:0"), lambda: DeviceDetector(memory, "cpu"), lambda: memory.now
    )


def look(detector: FallbackDetector, count: int = 1) -> int:
    """Return for how many images there were answers."""
    return len(detector.detect([IMAGE] * count, confidence=0.2))


def test_with_room_on_the_device_nothing_else_is_opened(detector: FallbackDetector, memory: Memory) -> None:
    """Given room, when frames come, then the device runs them, and the fallback costs nothing."""
    assert look(detector) == 1
    assert (detector.device, detector.inputs_at_once, memory.opened) == ("cuda:0", 8, 1)


def test_full_memory_costs_no_frame_and_is_said(detector: FallbackDetector, memory: Memory) -> None:
    """Given full memory, when frames come, then the CPU answers for them, and the detector says so."""
    memory.is_full = True

    assert look(detector, 3) == 3
    assert detector.device == "cpu"
    assert "memory is full" in detector.runtime
    assert detector.inputs_at_once == 1
    # Its memory helps whoever filled it.
    assert memory.closed == ["cuda:0"]


def test_it_comes_back_to_the_device_after_a_minute(detector: FallbackDetector, memory: Memory) -> None:
    """Given room again, when a minute has passed, then the next frames are on the device, and not before."""
    memory.is_full = True
    look(detector)
    memory.is_full = False

    memory.now = FIRST_WAIT_SECONDS - 1
    look(detector)
    before = detector.device
    memory.now = FIRST_WAIT_SECONDS
    look(detector)

    assert (before, detector.device) == ("cpu", "cuda:0")
    assert "memory is full" not in detector.runtime


def test_inputs_made_for_one_detector_are_answered_by_the_other(detector: FallbackDetector, memory: Memory) -> None:
    """Given inputs of the CPU's sizes, when the device is back at that moment, then it answers for them."""
    memory.is_full = True
    look(detector)
    memory.is_full = False
    small = [np.zeros((32, 32, 3), np.uint8)]
    assert len(detector.detect_inputs(small, confidence=0.2)) == 1
    memory.now = FIRST_WAIT_SECONDS

    assert len(detector.detect_inputs(small, confidence=0.2)) == 1
    assert detector.device == "cuda:0"


def test_while_memory_stays_full_the_device_is_tried_ever_more_seldom(
    detector: FallbackDetector, memory: Memory
) -> None:
    """Given full memory for an hour, when a frame comes each second, then all are answered and the tries are few."""
    memory.is_full = True
    for second in range(3600):
        memory.now = float(second)
        assert look(detector) == 1

    # After 1, 2, 4 and 8 minutes, then every ten; besides, both detectors were opened once.
    assert memory.opened == 2 + 8
    assert detector.boxes_dropped == 2


@given(failures=st.lists(st.floats(0, 10_000), max_size=20))
def test_the_wait_is_between_a_minute_and_ten(failures: list[float]) -> None:
    """Given failures at any times, then the device is tried again, never sooner than a minute nor later than ten."""
    absence = Absence()
    for now in sorted(failures):
        absence.begin(now)
        assert FIRST_WAIT_SECONDS <= absence.wait_seconds <= LONGEST_WAIT_SECONDS
        assert not absence.is_over(now)
        assert absence.is_over(now + absence.wait_seconds)
        absence.end(now + absence.wait_seconds)
        assert not absence.is_over(now + 1e9)


def test_a_device_that_fails_again_soon_is_left_for_longer_and_after_calm_for_a_minute() -> None:
    """Given a return, when it fails within minutes, then the wait doubles; after ten calm minutes it starts anew."""
    absence = Absence()
    absence.begin(0)
    absence.end(60)
    absence.begin(100)
    soon = absence.wait_seconds
    absence.end(220)
    absence.begin(2000)

    assert (soon, absence.wait_seconds) == (2 * FIRST_WAIT_SECONDS, FIRST_WAIT_SECONDS)


def test_a_fallback_of_other_classes_is_refused_and_the_device_kept(memory: Memory) -> None:
    """Given a fallback that knows other classes, when memory is full, then the error says so each time."""
    detector = FallbackDetector(
        lambda: DeviceDetector(memory, "cuda:0"),
        lambda: DeviceDetector(memory, "cpu", {0: "bolt"}),
        lambda: memory.now,
    )
    memory.is_full = True

    with pytest.raises(DetectorError, match="knows other classes"):
        look(detector)
    assert detector.device == "cuda:0"
    memory.is_full = False
    assert look(detector) == 1


def test_closing_closes_both_and_is_final(detector: FallbackDetector, memory: Memory) -> None:
    """Given a detector that fell back, when closed twice, then nothing is left open, and it says that it is closed."""
    memory.is_full = True
    look(detector)
    detector.close()
    detector.close()

    assert set(memory.closed) == {"cuda:0", "cpu"}
    with pytest.raises(DetectorError, match="was closed"):
        look(detector)
