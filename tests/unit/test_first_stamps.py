"""Times of a stream's first packets, which libav leaves out."""

from hypothesis import given
from hypothesis import strategies as st

from workers.recording.first_stamps import MOST_PACKETS, Stamp, completed


def test_stamps_that_are_all_there_are_taken_as_they_are() -> None:
    """Given a first packet with both times, then nothing is waited for."""
    assert completed([Stamp(1.0, 1.2)]) == [Stamp(1.0, 1.2)]


def test_a_first_picture_without_times_is_one_picture_before_the_second() -> None:
    """Given RTSP, whose first packet has no time, then it lies one interval before, as soon as that is known."""
    assert completed([Stamp(None, None)]) is None
    assert completed([Stamp(None, None), Stamp(4.0, 4.0)]) is None
    assert completed([Stamp(None, None), Stamp(4.0, 4.0), Stamp(5.0, 5.0)]) == [
        Stamp(3.0, 3.0),
        Stamp(4.0, 4.0),
        Stamp(5.0, 5.0),
    ]


def test_decode_times_are_counted_back_from_the_first_that_is_known() -> None:
    """Given a stream with B-frames as libav gives it, then its first pictures are decoded one interval apart."""
    given_stamps = [Stamp(None, None), Stamp(None, 3.0), Stamp(None, 1.0), Stamp(1.0, 2.0), Stamp(2.0, 6.0)]
    assert completed(given_stamps) == [
        Stamp(-2.0, 0.0),
        Stamp(-1.0, 3.0),
        Stamp(0.0, 1.0),
        Stamp(1.0, 2.0),
        Stamp(2.0, 6.0),
    ]


_TIMES = st.none() | st.floats(-100, 100)


@given(st.lists(st.builds(Stamp, _TIMES, _TIMES), min_size=MOST_PACKETS, max_size=MOST_PACKETS))
def test_nothing_is_waited_for_longer_than_streams_reorder(stamps: list[Stamp]) -> None:
    """Given any twenty packets, then there is an answer, as long as they are, and what was known is as it was."""
    filled = completed(stamps)
    assert filled is not None
    assert len(filled) == len(stamps)
    for before, after in zip(stamps, filled, strict=True):
        assert before.decode is None or after.decode == before.decode
        assert before.present is None or after.present == before.present
