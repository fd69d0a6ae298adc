"""One slot per camera, the newest frame wins, cameras are served in turn."""

import threading
import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from runtime.clock import SystemClock
from workers.frames import Frame
from workers.mailbox import Mailbox
from workers.pictures import BgrPicture


def frame(camera: str, number: int = 0) -> Frame:
    """Make a frame that is known by its capture time."""
    return Frame(camera, 1, number, 0.0, BgrPicture(np.zeros((2, 2, 3), np.uint8)))


def taken(mailbox: Mailbox, limit: int = 8) -> list[tuple[str, int]]:
    """Take a batch and return camera and number of each frame."""
    return [(each.camera_id, each.captured_at_ms) for each in mailbox.take(limit, 0.0)]


def test_the_newest_frame_of_a_camera_wins_and_the_older_one_is_given_back() -> None:
    """Given a frame that nobody took, when a newer one arrives, then the older one is returned to be counted."""
    mailbox = Mailbox(SystemClock())
    first = frame("a", 1)
    assert mailbox.put(first) is None
    assert mailbox.put(frame("a", 2)) is first
    assert taken(mailbox) == [("a", 2)]


def test_a_camera_that_sends_often_neither_loses_nor_gains_its_place() -> None:
    """Given waiting cameras, when one of them sends again and again, then the order is that of their first frames."""
    mailbox = Mailbox(SystemClock())
    for camera in ("quick", "slow", "other"):
        mailbox.put(frame(camera))
    for number in range(1, 5):
        mailbox.put(frame("quick", number))
    assert taken(mailbox, 2) == [("quick", 4), ("slow", 0)]
    mailbox.put(frame("quick", 5))
    assert taken(mailbox) == [("other", 0), ("quick", 5)]


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=60), st.integers(1, 3))
def test_no_camera_waits_longer_than_one_round(arrivals: list[str], limit: int) -> None:
    """Given any arrivals with a batch taken after each, none waits for more takes than a round has."""
    mailbox = Mailbox(SystemClock())
    waiting: dict[str, int] = {}
    dropped = served = 0
    for number, camera in enumerate(arrivals):
        dropped += mailbox.put(frame(camera, number)) is not None
        waiting.setdefault(camera, 0)
        if number % 3 == 0:
            for name, _ in taken(mailbox, limit):
                served += 1
                del waiting[name]
            waiting = {name: rounds + 1 for name, rounds in waiting.items()}
            assert all(rounds <= 5 // limit + 1 for rounds in waiting.values())
    assert served + dropped + len(waiting) == len(arrivals)


def test_a_batch_waits_for_more_but_only_as_long_as_told() -> None:
    """Given one frame, when a second arrives while the batch is gathered, then both are in it."""
    mailbox = Mailbox(SystemClock())
    mailbox.put(frame("a"))
    later = threading.Timer(0.05, lambda: mailbox.put(frame("b")))
    later.start()
    assert [each.camera_id for each in mailbox.take(2, 10.0)] == ["a", "b"]
    mailbox.put(frame("a"))
    assert [each.camera_id for each in mailbox.take(2, 0.01)] == ["a"]


def test_what_waits_of_a_camera_that_was_given_up_is_forgotten() -> None:
    """Given a waiting frame, when its camera is given up, then no detector sees it."""
    mailbox = Mailbox(SystemClock())
    mailbox.put(frame("a"))
    mailbox.put(frame("b"))
    mailbox.discard("a")
    mailbox.discard("never-there")
    assert taken(mailbox) == [("b", 0)]


def test_closing_wakes_a_detector_that_waits() -> None:
    """Given a detector that waits, when the mailbox is closed, it gets what is there at once, and then nothing."""
    for frames in ([], [frame("a")]):
        mailbox = Mailbox(SystemClock())
        for each in frames:
            mailbox.put(each)
        answers: list[list[Frame]] = []
        detector = threading.Thread(target=lambda box=mailbox, got=answers: got.append(box.take(4, 30.0)))
        detector.start()
        mailbox.close()
        detector.join(10)
        assert answers == [frames]
        assert mailbox.take(4, 30.0) == []


def test_a_camera_that_is_given_up_while_more_frames_are_waited_for_does_not_end_the_detector() -> None:
    """Given a detector that has one frame and waits for more, when that one is taken back, then it goes on waiting."""
    mailbox = Mailbox(SystemClock())
    mailbox.put(frame("a"))
    answers: list[list[Frame]] = []
    detector = threading.Thread(target=lambda: answers.append(mailbox.take(2, 0.3)))
    detector.start()
    time.sleep(0.1)  # it gathers now
    mailbox.discard("a")
    detector.join(1)
    assert answers == []  # an empty batch means the end to whoever takes
    later = frame("b")
    mailbox.put(later)
    detector.join(10)
    assert answers == [[later]]
