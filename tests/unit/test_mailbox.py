"""One slot per camera, the newest frame wins, and all are served in proportion to their rates."""

import threading
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.assignments import Assignment
from runtime.clock import SystemClock
from tests.support.processes import wait_until
from workers.camera_run import CameraRun
from workers.due_frame import DueFrame
from workers.frames import Frame, Wanted
from workers.mailbox import Mailbox, Place
from workers.pictures import BgrPicture

CLOCK = SystemClock()
PIXELS = BgrPicture(np.zeros((2, 2, 3), np.uint8))


def due(camera: str, number: int = 0, *, weight: float = 1.0, nothing: bool = False) -> DueFrame:
    """Make a frame that is known by its capture time."""
    run = CameraRun(Assignment(camera_id=camera, url="rtsp://h/x", epoch=1), "w", CLOCK)
    wanted = Wanted(is_whole=not nothing)
    return DueFrame(run, Frame(camera, 1, number, 0.0, PIXELS), lambda: wanted, weight=weight)


class CountedRound:
    """A round that holds so many frames."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def takes(self, width: int, height: int, wanted: Wanted) -> bool:
        """Take a frame while there is room."""
        assert (width, height, wanted.is_whole) == (2, 2, True)
        self._left -= 1
        return self._left >= 0


def take(mailbox: Mailbox, limit: int = 8, seconds: float = 0.0) -> list[DueFrame]:
    """Take a round and be done with it."""
    taken = mailbox.take(lambda: CountedRound(limit), seconds)
    mailbox.done(taken)
    return taken


def names(dues: list[DueFrame]) -> list[tuple[str, int]]:
    """Return camera and number of each frame."""
    return [(each.frame.camera_id, each.frame.captured_at_ms) for each in dues]


def test_nobody_asks_what_is_wanted_of_a_frame_that_makes_room() -> None:
    """Given a camera of which a frame is looked at, When two more come, Then the gate sees the one that is taken."""
    mailbox = Mailbox(CLOCK)
    asked: list[int] = []

    def asking(number: int) -> DueFrame:
        def find() -> Wanted:
            asked.append(number)
            return Wanted(is_whole=True)

        made = due("a", number)
        made.find_wanted = find
        return made

    assert mailbox.is_idle("a")
    mailbox.put(asking(1))
    assert not mailbox.is_idle("a")
    taken = mailbox.take(lambda: CountedRound(1), 0.0)
    assert not mailbox.is_idle("a")
    mailbox.put(asking(2))
    mailbox.put(asking(3))
    assert asked == [1]
    mailbox.done(taken)
    assert names(take(mailbox)) == [("a", 3)]
    assert asked == [1, 3]
    assert mailbox.is_idle("a")


def test_the_newest_frame_of_a_camera_wins_and_the_older_one_is_given_back() -> None:
    """Given a frame that nobody took, when a newer one arrives, then the older one is returned to be counted."""
    mailbox = Mailbox(CLOCK)
    first = due("a", 1)
    assert mailbox.put(first) == (Place.WAITS, None)
    assert mailbox.put(due("a", 2)) == (Place.WAITS, first)
    assert names(take(mailbox)) == [("a", 2)]


def test_a_camera_that_sends_often_neither_loses_nor_gains_its_place() -> None:
    """Given waiting cameras, when one of them sends again and again, then the order is that of their first frames."""
    mailbox = Mailbox(CLOCK)
    for camera in ("quick", "slow", "other"):
        mailbox.put(due(camera))
    for number in range(1, 5):
        mailbox.put(due("quick", number))
    assert names(take(mailbox, 2)) == [("quick", 4), ("slow", 0)]
    mailbox.put(due("quick", 5))
    assert names(take(mailbox)) == [("other", 0), ("quick", 5)]


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=60), st.integers(1, 3))
def test_no_camera_waits_longer_than_one_round(arrivals: list[str], limit: int) -> None:
    """Given any arrivals with a round taken after each, none waits for more of them than all the others need."""
    mailbox = Mailbox(CLOCK)
    waiting: dict[str, int] = {}
    dropped = served = 0
    for number, camera in enumerate(arrivals):
        dropped += mailbox.put(due(camera, number))[1] is not None
        waiting.setdefault(camera, 0)
        if number % 3 == 0:
            for name, _ in names(take(mailbox, limit)):
                served += 1
                del waiting[name]
            waiting = {name: rounds + 1 for name, rounds in waiting.items()}
            assert all(rounds <= 10 // limit + 1 for rounds in waiting.values())
    assert served + dropped + len(waiting) == len(arrivals)


@pytest.mark.parametrize("limit", [1, 2])
def test_where_not_all_can_be_served_each_gets_its_share(limit: int) -> None:
    """Given six cameras of 1, 2 and 4 frames a second of which a seventh can be served, all lose the same share."""
    mailbox = Mailbox(CLOCK)
    weights = {"one": 1.0, "two": 2.0, "four": 4.0, "one-more": 1.0, "two-more": 2.0, "four-more": 4.0}
    served: Counter[str] = Counter()
    for tick in range(1200):
        for camera, weight in weights.items():
            if tick % (4 // weight) == 0:
                mailbox.put(due(camera, tick, weight=weight))
        if tick % (2 * limit) == 0:
            served.update(name for name, _ in names(take(mailbox, limit)))
    shares = {camera: served[camera] / weight for camera, weight in weights.items()}
    assert min(shares.values()) >= 0.9 * max(shares.values())


def test_a_camera_that_was_silent_does_not_make_up_for_it() -> None:
    """Given a camera that sent nothing for long, when it sends again, the others are served beside it."""
    mailbox = Mailbox(CLOCK)
    for number in range(50):
        mailbox.put(due("always", number))
        take(mailbox, 1)
    served: Counter[str] = Counter()
    for number in range(20):
        mailbox.put(due("always", number))
        mailbox.put(due("back", number))
        served.update(name for name, _ in names(take(mailbox, 1)))
    assert abs(served["always"] - served["back"]) <= 1


def test_a_frame_of_which_nothing_is_wanted_passes_unless_an_older_one_is_on_its_way() -> None:
    """Given a quiet frame, it passes at once; behind one that waits or is being looked at, it keeps its place."""
    mailbox = Mailbox(CLOCK)
    quiet = due("a", 1, nothing=True)
    assert mailbox.put(quiet) == (Place.PASSES, None)
    mailbox.put(due("a", 2))
    taken = mailbox.take(lambda: CountedRound(1), 0.0)
    assert names(taken) == [("a", 2)]
    assert mailbox.put(due("a", 3, nothing=True)) == (Place.WAITS, None)
    assert mailbox.put(due("b", 1, nothing=True)) == (Place.PASSES, None)
    mailbox.done(taken)
    assert names(take(mailbox)) == [("a", 3)]
    assert mailbox.put(due("a", 4, nothing=True)) == (Place.PASSES, None)


def test_a_round_waits_for_more_but_only_as_long_as_told() -> None:
    """Given one frame, when a second arrives while the round is gathered, then both are in it."""
    mailbox = Mailbox(CLOCK)
    mailbox.put(due("a"))
    later = threading.Timer(0.05, lambda: mailbox.put(due("b")))
    later.start()
    # A third would fit: it is waited for, for as long as was said.
    assert names(take(mailbox, 3, 1.0)) == [("a", 0), ("b", 0)]
    mailbox.put(due("a"))
    assert names(take(mailbox, 2, 0.01)) == [("a", 0)]


def test_what_waits_of_a_camera_that_was_given_up_is_forgotten() -> None:
    """Given a waiting frame, when its camera is given up, then no detector sees it."""
    mailbox = Mailbox(CLOCK)
    mailbox.put(due("a"))
    mailbox.put(due("b"))
    mailbox.discard("a")
    mailbox.discard("never-there")
    assert names(take(mailbox)) == [("b", 0)]


def test_closing_wakes_a_detector_that_waits() -> None:
    """Given a detector that waits, when the mailbox is closed, it gets what is there at once, and then nothing."""
    for dues in ([], [due("a")]):
        mailbox = Mailbox(CLOCK)
        for each in dues:
            mailbox.put(each)
        answers: list[list[DueFrame]] = []
        detector = threading.Thread(target=lambda box=mailbox, got=answers: got.append(take(box, 4, 30.0)))
        detector.start()
        mailbox.close()
        detector.join(10)
        assert answers == [dues]
        assert take(mailbox, 4, 30.0) == []


def test_a_camera_that_is_given_up_while_a_frame_of_it_is_looked_at_ends_nothing() -> None:
    """Given a taken frame whose camera is given up and taken again, when it is done with, the next one is served."""
    mailbox = Mailbox(CLOCK)
    mailbox.put(due("a", 1))
    taken = mailbox.take(lambda: CountedRound(1), 0.0)
    mailbox.discard("a")
    mailbox.put(due("a", 2))
    answers: list[list[DueFrame]] = []
    detector = threading.Thread(target=lambda: answers.append(take(mailbox, 1)))
    detector.start()
    time.sleep(0.1)
    assert answers == []  # in its camera's order
    mailbox.done(taken)
    detector.join(10)
    assert [names(each) for each in answers] == [[("a", 2)]]


def taking(mailbox: Mailbox, limit: int, seconds: float = 0.0) -> tuple[threading.Thread, list[list[DueFrame]]]:
    """Take a round on a thread of its own, and keep it."""
    answers: list[list[DueFrame]] = []
    thread = threading.Thread(target=lambda: answers.append(mailbox.take(lambda: CountedRound(limit), seconds)))
    thread.start()
    return thread, answers


def test_while_a_round_is_on_its_way_the_next_one_is_taken_when_it_is_full() -> None:
    """Given a round in the detector, when frames come, then a second thread takes them once no more fit."""
    mailbox = Mailbox(CLOCK)
    mailbox.put(due("a"))
    on_its_way = mailbox.take(lambda: CountedRound(2), 0.0)
    mailbox.put(due("b"))
    thread, answers = taking(mailbox, 2)
    time.sleep(0.1)
    assert answers == []  # there is room for another one, and time
    mailbox.put(due("c"))
    mailbox.put(due("d"))
    thread.join(10)
    assert [names(each) for each in answers] == [[("b", 0), ("c", 0)]]
    mailbox.done(on_its_way)
    mailbox.done(answers[0])
    assert names(take(mailbox)) == [("d", 0)]


@pytest.mark.parametrize("ends", ["done", "closed"])
def test_a_round_with_room_left_goes_as_soon_as_the_one_before_it_has_ended(ends: str) -> None:
    """Given a second round that is not full, when the first one is done with or all ends, it is taken as it is."""
    mailbox = Mailbox(CLOCK)
    mailbox.put(due("a"))
    on_its_way = mailbox.take(lambda: CountedRound(2), 0.0)
    mailbox.put(due("b"))
    thread, answers = taking(mailbox, 2)
    time.sleep(0.1)
    assert answers == []
    if ends == "done":
        mailbox.done(on_its_way)
    else:
        mailbox.close()
    thread.join(10)
    assert [names(each) for each in answers] == [[("b", 0)]]


def test_only_one_round_at_a_time_is_filled() -> None:
    """Given two threads with nothing to do, when two frames come one after the other, then one of them takes both."""
    mailbox = Mailbox(CLOCK)
    threads = [taking(mailbox, 2, 5.0) for _ in range(2)]
    mailbox.put(due("a"))
    time.sleep(0.1)
    mailbox.put(due("b"))
    mailbox.put(due("c"))
    wait_until(lambda: any(answers for _, answers in threads), "a round")
    mailbox.close()
    for thread, _ in threads:
        thread.join(10)
    assert sorted(len(answers[0]) for _, answers in threads) == [1, 2]
