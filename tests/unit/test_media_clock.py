"""Where packets lie in time: by the camera's stamps as far as they can be believed, by arrival as a whole."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.recording.media_clock import MediaClock, Placed

#: Unix ms that belongs to the monotonic 0 of these tests.
ZERO_MS = 1_700_000_000_000
FPS = 25


class Camera:
    """A camera whose clock, and whose network, can be made to misbehave; feeds a `MediaClock`."""

    def __init__(self, seed: int = 0) -> None:
        self.clock = MediaClock()
        self.now = 1_000.0
        self.stamp = 50.0
        #: Seconds of its clock in a second.
        self.rate = 1.0
        #: What the wall clock of the worker is ahead by, seconds.
        self.wall_ahead = 0.0
        self.placed: list[Placed] = []
        #: How far the wall clock of each packet was from when its picture was taken, seconds.
        self.errors: list[float] = []
        self._random = random.Random(seed)  # noqa: S311 - nothing secret

    def play(self, seconds: float, *, jitter: float = 0.0, stamped: bool = True, burst_every: int = 0) -> None:
        """Send pictures for a while.

        Args:
            seconds: How long.
            jitter: Most seconds that a packet is late by.
            stamped: Whether packets have times.
            burst_every: Keyframes come this often (packets) and hold up all packets for 0.45 s; 0: never.
        """
        arrived = self.now
        for number in range(round(seconds * FPS)):
            self.now += 1 / FPS
            self.stamp += self.rate / FPS
            late = self._random.uniform(0, jitter)
            if burst_every and number % burst_every < 11:
                late += max(0.0, 0.45 - number % burst_every / FPS)
            arrived = max(arrived, self.now + late)
            stamp = self.stamp if stamped else None
            at_ms = ZERO_MS + round((arrived + self.wall_ahead) * 1000)
            placed = self.clock.place(stamp, stamp, arrived, at_ms)
            self.placed.append(placed)
            taken_ms = ZERO_MS + (self.now + self.wall_ahead) * 1000
            self.errors.append((self.clock.wall_ms(placed.seconds + placed.shown_after) - taken_ms) / 1000)

    @property
    def believed(self) -> bool:
        """Whether its stamps count."""
        return self.clock.trusts_stamps

    @property
    def jumps(self) -> int:
        """How often it was told that a new file had better begin."""
        return sum(placed.jumped for placed in self.placed)

    def worst_error(self, last_seconds: float) -> float:
        """Return the largest error of the last seconds."""
        return max(abs(error) for error in self.errors[-round(last_seconds * FPS) :])


@given(
    st.lists(
        st.tuples(
            st.none() | st.floats(-1e6, 1e6),
            st.none() | st.floats(-1e6, 1e6),
            st.floats(0, 20),
            st.integers(-10_000_000, 10_000_000),
        ),
        min_size=1,
        max_size=80,
    )
)
def test_places_rise_strictly_whatever_arrives(packets: list[tuple[float | None, float | None, float, int]]) -> None:
    """Given any stamps, pauses and clock steps, then every packet is decoded after the one before and shown after."""
    clock, at, places = MediaClock(), 5.0, []
    for decode, present, pause, step_ms in packets:
        at += pause
        placed = clock.place(decode, present, at, ZERO_MS + round(at * 1000) + step_ms)
        places.append(placed)
        assert placed.shown_after >= 0
        assert clock.wall_ms(placed.seconds) >= 0
    assert all(after.seconds > before.seconds for before, after in pairwise(places))


@given(st.integers(0, 1000), st.floats(0, 0.2), st.floats(-0.0005, 0.0005), st.booleans())
def test_jitter_and_drift_do_not_disturb_the_distances_of_pictures(
    seed: int, jitter: float, drift: float, bursts: bool
) -> None:
    """Given late packets, held-up keyframes and a drifting clock, then distances stay and the time is right."""
    camera = Camera(seed)
    camera.rate = 1 + drift
    camera.play(40, jitter=jitter, burst_every=50 if bursts else 0)
    assert camera.jumps == 0
    gaps = [after.seconds - before.seconds for before, after in pairwise(camera.placed)]
    assert max(gaps) - min(gaps) < 1e-6
    assert camera.worst_error(20) < 0.06


def test_the_time_is_right_within_a_picture_after_hours_of_drift() -> None:
    """Given a clock that is a quarter of a thousandth too quick, after an hour the time is right."""
    camera = Camera()
    camera.rate = 1.00025
    camera.play(3600, jitter=0.02)
    assert camera.jumps == 0
    assert camera.worst_error(3000) < 1 / FPS


def test_files_that_follow_each_other_neither_overlap_nor_leave_gaps_while_delays_change() -> None:
    """Given a delay that grows by 0.3 s for good, then from ten seconds to the next the line moves by far less."""
    camera = Camera()
    camera.play(60)
    at_border = [camera.clock.offset]
    for _ in range(12):
        camera.now += 0.3 if len(at_border) == 1 else 0
        camera.play(10)
        at_border.append(camera.clock.offset)
    assert camera.jumps == 0
    assert max(abs(after - before) for before, after in pairwise(at_border)) < 0.25
    assert at_border[-1] - at_border[0] == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("jump", [7_200.0, -7_200.0, -95_443.7, 30.0, -1.5])
def test_a_jump_of_the_cameras_clock_cuts_once_and_loses_no_time(jump: float) -> None:
    """Given a camera whose clock is set (or wraps), then it is told once and the wall clock stays right."""
    camera = Camera()
    camera.play(30, jitter=0.02)
    camera.stamp += jump
    camera.play(30, jitter=0.02)
    assert camera.jumps == 1
    assert camera.worst_error(29) < 0.08
    assert camera.placed[-1].seconds == pytest.approx(60, abs=0.2)


def test_a_network_that_stalls_and_catches_up_is_no_jump() -> None:
    """Given five seconds that arrive late and at once, then distances and time stay as they were."""
    camera = Camera()
    camera.play(30)
    stalled_until = camera.now + 5
    for _ in range(5 * FPS):
        camera.now += 1 / FPS
        camera.stamp += 1 / FPS
        at_ms = ZERO_MS + round(stalled_until * 1000)
        camera.placed.append(camera.clock.place(camera.stamp, camera.stamp, stalled_until, at_ms))
    camera.play(10)
    assert camera.jumps == 0
    assert camera.placed[-1].seconds == pytest.approx(45 - 1 / FPS, abs=0.001)
    assert camera.worst_error(10) < 0.1


def test_packets_that_are_missing_leave_a_hole_of_their_length() -> None:
    """Given five seconds that never arrive, then what follows lies five seconds later."""
    camera = Camera()
    camera.play(10)
    camera.now += 5
    camera.stamp += 5
    camera.play(10)
    assert camera.jumps == 0
    assert camera.placed[-1].seconds == pytest.approx(25 - 1 / FPS, abs=0.001)


@pytest.mark.parametrize("rate", [0.5, 2.0, 0.9, 1.12])
def test_stamps_that_run_at_another_rate_than_life_are_not_believed(rate: float) -> None:
    """Given stamps at a wrong rate, then arrival counts before long: a minute of life is a minute of footage."""
    camera = Camera()
    camera.rate = rate
    camera.play(60)
    before = camera.placed[-1].seconds
    camera.play(60, jitter=0.03)
    assert not camera.clock.trusts_stamps
    assert camera.placed[-1].seconds - before == pytest.approx(60, abs=0.2)
    assert camera.worst_error(30) < 0.15


def test_stamps_that_become_right_are_believed_again() -> None:
    """Given stamps that ran twice as fast for a minute, when they are right for two, then they count again."""
    camera = Camera()
    camera.rate = 2.0
    camera.play(60)
    assert not camera.believed
    camera.rate = 1.0
    camera.play(180, jitter=0.05)
    assert camera.clock.trusts_stamps
    assert camera.worst_error(60) < 0.1


def test_stamps_that_jump_again_and_again_are_not_believed() -> None:
    """Given a jump every five seconds, then arrival counts: footage is neither stretched nor compressed."""
    camera = Camera()
    for step in range(12):
        camera.stamp += 100 if step % 2 else -3_000
        camera.play(5)
    assert not camera.clock.trusts_stamps
    assert camera.placed[-1].seconds == pytest.approx(60, abs=0.5)
    assert camera.worst_error(20) < 0.1


def test_without_stamps_arrival_counts() -> None:
    """Given packets without times, then they lie where they arrived."""
    camera = Camera()
    camera.play(20, stamped=False)
    assert camera.placed[-1].seconds == pytest.approx(20 - 1 / FPS, abs=0.001)
    assert camera.worst_error(10) < 0.05


def test_a_step_of_the_workers_clock_is_told_and_followed_at_once() -> None:
    """Given a worker whose clock is set by an hour, then the footage from then on has the new time."""
    camera = Camera()
    camera.play(20)
    camera.wall_ahead = -3_600
    camera.play(20)
    assert camera.jumps == 1
    assert camera.worst_error(20) < 0.05


def test_pictures_of_a_stream_with_b_frames_have_the_time_they_were_taken() -> None:
    """Given decode times before presentation times, then the wall clock is that of the presentation."""
    clock, at = MediaClock(), 100.0
    # Decoded as I P B B P B B ...: a packet arrives when it was encoded, right after the last picture it needs.
    for number in range(0, 600, 3):
        for order, shown in enumerate((number + 3, number + 1, number + 2)):
            at = 100 + (number + 3) / FPS
            decode = (number + order - 1) / FPS
            placed = clock.place(decode, shown / FPS, at, ZERO_MS + round(at * 1000))
            error = clock.wall_ms(placed.seconds + placed.shown_after) - (ZERO_MS + (100 + shown / FPS) * 1000)
            assert abs(error) <= 45


def test_a_stream_that_begins_with_an_old_gop_in_a_burst_is_settled_on_the_right_time() -> None:
    """Given a server that sends the last four seconds at once, when it is settled, then the time is right."""
    clock, stamp = MediaClock(), 0.0
    for _ in range(100):
        stamp += 1 / FPS
        clock.place(stamp, stamp, 500.0, ZERO_MS + 500_000)
    settled_at_once = clock.is_settled
    for number in range(40):
        stamp += 1 / FPS
        at = 500.0 + (number + 1) / FPS
        placed = clock.place(stamp, stamp, at, ZERO_MS + round(at * 1000))
    assert (settled_at_once, clock.is_settled) == (False, True)
    assert abs(clock.wall_ms(placed.seconds) - (ZERO_MS + at * 1000)) < 50
