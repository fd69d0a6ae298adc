"""Which frames are due, and when only keyframes are decoded."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.capture.sampling import DecodeMode, DueSlots, RateMeter, Sampler


def play(
    sampler: Sampler, *, fps: float, gop: int, seconds: float, start: float = 100.0, media: bool = True
) -> list[float]:
    """Let a stream arrive; return when frames were taken, as a decoder would offer them."""
    taken = []
    for number in range(round(seconds * fps)):
        at, is_keyframe = start + number / fps, number % gop == 0
        sampler.saw_packet(is_keyframe=is_keyframe, at=at, media_seconds=number / fps if media else None)
        offered = is_keyframe or sampler.mode is DecodeMode.ALL
        if offered and sampler.is_due(at):
            sampler.slots.taken(at)
            taken.append(at)
    return taken


def test_the_first_frame_after_opening_is_due_at_once() -> None:
    """Given a slow rate, When the first frame comes, Then it is due: nobody waits for a new camera."""
    slots = DueSlots(60.0)
    assert slots.is_due(5.0)
    slots.taken(5.0)
    assert not slots.is_due(6.0)


@given(
    fps=st.floats(1, 60),
    share=st.floats(0.02, 1.0),
    jitter=st.lists(st.floats(0, 0.45), min_size=50, max_size=50),
)
def test_the_rate_is_kept_whatever_the_jitter(fps: float, share: float, jitter: list[float]) -> None:
    """Given frames that arrive late by chance, When they are sampled, Then the rate asked for is kept within 5 %."""
    wanted = fps * share
    count = round(60 / share) if share > 0.2 else round(20 / share)
    slots, taken = DueSlots(1 / wanted), 0
    for number in range(count):
        at = (number + jitter[number % 50]) / fps
        if slots.is_due(at, 1 / fps):
            slots.taken(at)
            taken += 1
    expected = wanted * count / fps
    assert abs(taken - expected) <= max(2.0, 0.05 * expected)


@given(pause=st.floats(2, 500), burst=st.integers(2, 400))
def test_a_burst_after_a_pause_gives_one_frame_and_not_all_that_were_missed(pause: float, burst: int) -> None:
    """Given a stream that hung, When all it held back arrives at once, Then the missed slots are not made up for."""
    slots = DueSlots(1.0)
    slots.taken(0.0)
    taken = 0
    for number in range(burst):
        at = pause + number / 10_000
        if slots.is_due(at, 1e-4):
            slots.taken(at)
            taken += 1
    assert taken == 1


def test_a_higher_rate_is_heard_before_the_old_slot_comes() -> None:
    """Given one frame a minute, When ten a second are wanted, Then the next is due a tenth of a second later."""
    slots = DueSlots(60.0)
    slots.taken(0.0)
    slots.change_interval(0.1, 1.0)
    assert not slots.is_due(1.05)
    assert slots.is_due(1.1)


def test_frequent_keyframes_are_decoded_alone() -> None:
    """Given a keyframe a second, When one frame a second is wanted, Then only keyframes are decoded, all of them."""
    sampler = Sampler(1.0)
    taken = play(sampler, fps=25, gop=25, seconds=30)
    assert sampler.mode is DecodeMode.KEYFRAMES
    assert len(taken) == 30


def test_of_very_frequent_keyframes_every_nth_is_taken() -> None:
    """Given a keyframe every 0.4 s, When one frame a second is wanted, Then the rate is one a second on average."""
    sampler = Sampler(1.0)
    taken = play(sampler, fps=25, gop=10, seconds=60)
    assert sampler.mode is DecodeMode.KEYFRAMES
    assert 59 <= len(taken) <= 61


def test_rare_keyframes_do_not_lower_the_rate() -> None:
    """Given a keyframe every 4 s, When two frames a second are wanted, Then all frames are decoded."""
    sampler = Sampler(0.5)
    taken = play(sampler, fps=25, gop=100, seconds=20)
    assert sampler.mode is DecodeMode.ALL
    assert 39 <= len(taken) <= 41


def test_changing_to_keyframes_misses_no_slot() -> None:
    """Given a stream that is just opened, When it turns out to have enough keyframes, Then no slot is lost over it."""
    taken = play(Sampler(1.0), fps=25, gop=25, seconds=10)
    assert max(b - a for a, b in pairwise(taken)) < 1.1


def test_keyframes_that_become_rarer_bring_back_all_frames_without_waiting_for_the_next_one() -> None:
    """Given keyframe mode, When no keyframe comes any more, Then all frames are asked for within two intervals."""
    sampler = Sampler(1.0)
    play(sampler, fps=25, gop=25, seconds=5)
    modes = [sampler.mode]
    for number in range(50):
        sampler.saw_packet(is_keyframe=False, at=105 + number / 25, media_seconds=None)
        modes.append(sampler.mode)
    assert modes[0] is DecodeMode.KEYFRAMES
    assert modes[-1] is DecodeMode.ALL


def test_a_higher_rate_leaves_keyframe_mode_at_once() -> None:
    """Given keyframe mode at one frame a second, When ten are wanted, Then all frames are decoded."""
    sampler = Sampler(1.0)
    play(sampler, fps=25, gop=25, seconds=5)
    sampler.change_interval(0.1, 105.0)
    assert sampler.mode is DecodeMode.ALL


@given(jump=st.sampled_from([-3600.0, -0.5, 0.0, 3600.0, 1e9]))
def test_a_jump_of_the_streams_clock_is_no_keyframe_interval(jump: float) -> None:
    """Given a stream whose times jump, When keyframes go on arriving as before, Then the mode stays."""
    sampler = Sampler(1.0)
    for number in range(10):
        media = number + (jump if number >= 5 else 0.0)
        sampler.saw_packet(is_keyframe=True, at=100.0 + number, media_seconds=media)
        assert sampler.mode is (DecodeMode.KEYFRAMES if number >= 2 else DecodeMode.ALL)


def test_keyframes_in_one_burst_are_told_apart_by_the_streams_clock() -> None:
    """Given 8 s of stream that arrive at once, When keyframes are 4 s apart by their own times, Then all is decoded."""
    sampler = Sampler(1.0)
    for number in range(200):
        sampler.saw_packet(is_keyframe=number % 100 == 0, at=100 + number / 1e4, media_seconds=number / 25)
    assert sampler.mode is DecodeMode.ALL


def test_opening_again_forgets_the_stream() -> None:
    """Given keyframe mode, When the stream is opened again, Then its keyframes must prove themselves anew."""
    sampler = Sampler(1.0)
    play(sampler, fps=25, gop=25, seconds=5)
    sampler.restart()
    assert sampler.mode is DecodeMode.ALL
    assert sampler.is_due(105.01)
    assert sampler.frames.per_second() == 0


@given(fps=st.floats(0.5, 90))
def test_the_measured_rate_is_what_arrives(fps: float) -> None:
    """Given a steady stream, When it is measured, Then the rate is right, whatever the camera declares."""
    meter = RateMeter()
    for number in range(int(fps * 20) + 4):
        meter.add(number / fps)
    assert abs(meter.per_second() - fps) < 1e-6 * fps + 1e-6


def test_unreferenced_frames_are_left_out_only_where_there_are_many() -> None:
    """Given 25 fps, When 1 fps is wanted, Then unreferenced frames may be skipped; at 10 fps they may not."""
    seldom, often = Sampler(1.0), Sampler(0.1)
    for sampler in (seldom, often):
        play(sampler, fps=25, gop=1_000, seconds=4)
    assert seldom.may_skip_unreferenced()
    assert not often.may_skip_unreferenced()


@pytest.mark.parametrize(
    ("size", "longest"), [(2_000, 0.2), (40_000, 65_536 / 1_000_000), (4_000_000, 65_536 / 100_000_000)]
)
def test_packets_may_gather_while_no_keyframe_is_due_and_only_as_many_as_a_socket_holds(
    size: int, longest: float
) -> None:
    """Given 25 packets a second of which keyframes alone are decoded, the rest ends before the next keyframe."""
    sampler = Sampler(1.0)
    assert sampler.seconds_to_rest(0.0) == 0.0
    for number in range(101):
        at = number / 25
        sampler.saw_packet(is_keyframe=number % 25 == 0, at=at, media_seconds=at, size=size)
    assert sampler.mode is DecodeMode.KEYFRAMES
    assert sampler.seconds_to_rest(4.1) == pytest.approx(longest, rel=0.05)
    assert sampler.seconds_to_rest(4.85) == pytest.approx(min(longest, 0.05), rel=0.05)
    assert sampler.seconds_to_rest(4.95) == 0.0
    sampler.change_interval(0.1, 5.0)
    assert sampler.seconds_to_rest(5.1) == 0.0
