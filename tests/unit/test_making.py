"""How far a file is: told by the thread that makes it, heard by the one that answers."""

import threading

import pytest

from camera_ctrler.playback.errors import ClipInterruptedError
from camera_ctrler.playback.making import Making


def test_what_is_told_is_heard_at_once_and_never_goes_back() -> None:
    """Given a thread that makes something, who waits hears of more, and then that it is over."""
    making = Making(threading.Event())
    heard: list[tuple[float, bool]] = []

    def make() -> None:
        for done in (0.25, 0.1, 0.5):
            making.tell(done)
        making.end()

    threading.Thread(target=make).start()
    while not heard or not heard[-1][1]:
        heard.append(making.wait(heard[-1][0] if heard else 0.0, 10.0))
    assert heard[-1] == (0.5, True)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)


def test_nothing_new_is_said_after_a_while() -> None:
    """Given a thread that is silent, who waits is let go all the same."""
    assert Making(threading.Event()).wait(0.0, 0.01) == (0.0, False)


def test_who_makes_stops_when_nobody_wants_it_or_the_server_stops() -> None:
    """Given a client that has gone, or a server that stops, then the next word is refused."""
    gone = Making(threading.Event())
    gone.cancel()
    stopping = threading.Event()
    ending = Making(stopping)
    ending.tell(0.5)
    stopping.set()
    for making in (gone, ending):
        with pytest.raises(ClipInterruptedError):
            making.tell(0.6)
