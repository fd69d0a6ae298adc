"""Threads with bounded queues: nothing blocks, nothing is dropped uncounted, one bad piece of work ends nothing."""

import threading
import time
from collections import defaultdict

import pytest

from runtime.lanes import Lane, Lanes


class Worked:
    """Takes note of what was done and what was dropped; work waits while `gate` is not set."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.done: list[int] = []
        self.dropped: list[int] = []

    def work(self, item: int) -> None:
        """Do one piece of work."""
        self.begun.set()
        assert self.gate.wait(10)
        if item < 0:
            raise ValueError("this piece of work is bad")
        self.done.append(item)


def test_a_full_lane_drops_the_oldest_waiting_work_and_says_so() -> None:
    """Given a lane of three that is busy, when five more arrive, then the oldest two of them are dropped."""
    worked = Worked()
    lane = Lane("test", worked.work, worked.dropped.append, length=3)
    lane.put(0)
    assert worked.begun.wait(10)
    for item in range(1, 6):
        lane.put(item)
    worked.gate.set()
    assert lane.close(10) == 0
    assert worked.done == [0, 3, 4, 5]
    assert worked.dropped == [1, 2]


def test_work_that_fails_is_counted_and_does_not_end_the_lane() -> None:
    """Given a bad piece of work, when it fails, then it is dropped and what follows is done."""
    worked = Worked()
    worked.gate.set()
    lane = Lane("test", worked.work, worked.dropped.append)
    for item in (1, -1, 2):
        lane.put(item)
    assert lane.close(10) == 0
    assert (worked.done, worked.dropped) == ([1, 2], [-1])


def test_a_lane_that_cannot_finish_in_time_drops_and_counts_what_is_left() -> None:
    """Given work that hangs, when the lane is closed, then it returns in time and every piece is accounted for."""
    worked = Worked()
    lane = Lane("test", worked.work, worked.dropped.append)
    for item in range(3):
        lane.put(item)
    assert worked.begun.wait(10)
    assert lane.close(0.05) == 3
    assert worked.dropped == [1, 2]
    worked.gate.set()
    assert lane.close(10) == 0
    assert worked.done == [0]


def test_work_that_comes_after_the_end_is_dropped_and_counted() -> None:
    """Given a closed lane, when work arrives, then it is told of as dropped and not kept for ever."""
    worked = Worked()
    worked.gate.set()
    lane = Lane("test", worked.work, worked.dropped.append)
    lane.close(10)
    lane.put(7)
    assert (worked.done, worked.dropped) == ([], [7])


@pytest.mark.parametrize("count", [1, 3])
def test_work_of_one_key_keeps_its_order(count: int) -> None:
    """Given several lanes, when work of many keys arrives, then each key's work is done in order."""
    done: dict[str, list[int]] = defaultdict(list)

    def work(item: tuple[str, int]) -> None:
        done[item[0]].append(item[1])

    lanes: Lanes[tuple[str, int]] = Lanes(count, "test", work, lambda item: pytest.fail(f"dropped {item}"))
    for item in range(20):
        for key in ("a", "b", "c", "d"):
            lanes.put(key, (key, item))
        time.sleep(0.001)  # lanes are bounded: let them follow
    assert lanes.close(10) == 0
    assert done == {key: list(range(20)) for key in ("a", "b", "c", "d")}


def test_lanes_that_hang_share_one_time_limit() -> None:
    """Given four lanes that hang, when they are closed within 0.2 s, that is the limit for all together."""
    worked = Worked()
    lanes: Lanes[int] = Lanes(4, "test", worked.work, worked.dropped.append)
    for number in range(64):
        lanes.put(f"key-{number}", number)
    assert worked.begun.wait(10)
    before = time.monotonic()
    assert lanes.close(0.2) == 64
    assert time.monotonic() - before < 2
    worked.gate.set()
