"""Which queue, how many crops, when again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.recognition import RecognitionQueue
from reid.queue.placing import FRESH_MS, LONGEST_PAUSE_MS, crops_left_out, pause_ms, queue_of
from reid.queue.ticket import Ticket


@pytest.mark.parametrize(
    ("age_ms", "queue"), [(0, "default"), (FRESH_MS, "default"), (FRESH_MS + 1, "low"), (-5_000, "default")]
)
def test_what_has_just_happened_goes_before_what_is_old(age_ms: int, queue: str) -> None:
    """Given an event's age, also one of a worker whose clock is ahead, the queue is that of the fresh or of the old."""
    assert queue_of(1_000_000 - age_ms, 1_000_000) == RecognitionQueue(queue)


@pytest.mark.parametrize(
    ("crops", "waiting", "left_out"), [(5, 0, 0), (5, 100, 0), (5, 101, 1), (5, 200, 3), (5, 400, 4), (5, 9_999, 4)]
)
def test_over_the_bound_fewer_crops_are_looked_at_and_one_always_is(crops: int, waiting: int, left_out: int) -> None:
    """Given a bound of a hundred, twice as much to do leaves half of the crops, and the best one in any case."""
    assert crops_left_out(crops, waiting, 100) == left_out


@given(st.integers(0, 32), st.integers(0, 10**6), st.integers(1, 10**5))
def test_whatever_waits_at_least_one_crop_is_looked_at(crops: int, waiting: int, bound: int) -> None:
    """Given any backlog, no more is left out than there is, and something stays."""
    left_out = crops_left_out(crops, waiting, bound)
    assert 0 <= left_out <= max(0, crops - 1)


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_pauses_double_up_to_a_limit_and_are_never_the_same_for_all(attempts: int, chance: float) -> None:
    """Given any number of tries, the pause is between half and all of what is doubled with each."""
    longest = min(1_000 * 2 ** (attempts - 1), LONGEST_PAUSE_MS)
    assert longest / 2 <= pause_ms(attempts, chance) <= longest


def test_the_same_recognition_has_the_same_job_whatever_its_event_is_called() -> None:
    """Given ids with colons and dots, jobs of RQ have ids that it takes, one for each event and recogniser."""
    names = {Ticket(event, by).job_id for event in ("a.b:1:2", "a.b:12:", "a_b:1:2") for by in ("reid", "colours")}
    assert len(names) == 6
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names)
    assert Ticket("a:1:2", "reid", RecognitionQueue.LOW).job_id == Ticket("a:1:2", "reid").job_id
