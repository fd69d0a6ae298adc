"""The thread that ends reads of libav: it finds the one connection it is to look after, and no other."""

import errno
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from contract.errors import StatusReason
from tests.support.clocks import SetClock
from tests.support.processes import wait_until
from workers.capture import socket_guard
from workers.capture.failures import CaptureStoppedError
from workers.capture.socket_guard import besides_libav, opening
from workers.capture.watch import Watch


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_a_read_that_is_overdue_is_ended_and_others_of_the_same_host_go_on(server: socket.socket) -> None:
    """Given two connections to one port, when the deadline of one passes, then it alone ends."""
    host, port = server.getsockname()
    clocks = [SetClock(), SetClock()]
    watches = [Watch(f"rtsp://{host}:{port}/x", clock) for clock in clocks]
    made, guarded = [], []
    for watch in watches:
        with opening(f"rtsp://{host}:{port}/x", watch) as its:
            assert its is not None
            made.append(socket.create_connection((host, port)))
            guarded += its.made(watch) or []
    assert len(guarded) == 2
    for watch in watches:
        watch.expect(8.0, StatusReason.STREAM_STALLED)
    clocks[0].advance(8.1)
    made[0].settimeout(10)
    assert made[0].recv(1) == b""
    made[1].settimeout(0.5)
    with pytest.raises(TimeoutError):
        made[1].recv(1)
    for each in guarded:
        each.close()
    for connection in made:
        connection.close()


def test_the_turn_is_given_back_as_soon_as_the_connection_is_there(server: socket.socket) -> None:
    """Given one who has connected and goes on opening, another one of the same host has the turn at once."""
    host, port = server.getsockname()
    watches = [Watch("rtsp://h/x", SetClock()) for _ in range(2)]
    with opening(f"rtsp://{host}:{port}/x", watches[0]) as first, socket.create_connection((host, port)) as mine:
        assert first is not None
        with opening(f"rtsp://{host}:{port}/y", watches[1]) as second, socket.create_connection((host, port)):
            assert second is not None
            (guards_other,) = second.made(watches[1]) or []
        (guards_mine,) = first.made(watches[0]) or []
        guards_mine.cut()
        mine.settimeout(10)
        assert mine.recv(1) == b""
    guards_mine.close()
    guards_other.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody wait for a turn for longer than 0.3 s."""
    monkeypatch.setattr(socket_guard, "TURN_SECONDS", 0.3)


def watch_of(url: str) -> Watch:
    """Return a watch whose clock stands still."""
    return Watch(url, SetClock())


@pytest.mark.usefixtures("impatient")
def test_a_connection_that_cannot_be_told_from_others_is_not_guarded(server: socket.socket) -> None:
    """Given somebody who connects without a turn meanwhile, then nothing is taken for the connection."""
    host, port = server.getsockname()
    url = f"rtsp://{host}:{port}/x"
    with opening(url, watch_of(url)) as its:
        assert its is not None
        with opening(url, watch_of(url)) as other, socket.create_connection((host, port)):
            assert other is None  # it has waited long enough
            assert its.made(watch_of(url)) is None


def test_a_connection_that_was_not_seen_is_read_with_a_limit(server: socket.socket) -> None:
    """Given a host of which libav finds another address than we do, Then its connection is not said to have ended.

    Who believed that would read it without a limit and without a guard.
    """
    url = f"rtsp://localhost:{server.getsockname()[1] + 1}/x"
    with opening(url, watch_of(url)) as its, socket.create_connection(server.getsockname()):
        assert its is not None
        assert its.made(watch_of(url)) is None


def test_a_connection_that_has_ended_already_has_none(server: socket.socket) -> None:
    """Given a camera that hangs up at once, When its connection was seen, Then there is nothing to guard."""
    host, port = server.getsockname()
    url = f"rtsp://{host}:{port}/x"
    with opening(url, watch_of(url)) as its:
        assert its is not None
        with socket.create_connection((host, port)):
            wait_until(its.look, "the connection is seen")
        assert its.made(watch_of(url)) == []


@pytest.mark.usefixtures("impatient")
def test_a_process_without_descriptors_left_loses_neither_guard_nor_turn(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given no descriptor to look with for a while, Then connections are found afterwards, and others have a turn."""
    host, port = server.getsockname()
    url = f"rtsp://{host}:{port}/x"

    def none_left() -> Iterator[tuple[str, int]]:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with opening(url, watch_of(url)) as its:
        assert its is not None
        with monkeypatch.context() as patch:
            patch.setattr(socket_guard, "_files", none_left)
            unseen = socket.create_connection((host, port))
            time.sleep(0.1)  # the guard looks every few milliseconds
        (guarded,) = its.made(watch_of(url)) or []
        guarded.close()
        unseen.close()
    with monkeypatch.context() as patch:
        patch.setattr(socket_guard, "_files", none_left)
        with pytest.raises(OSError, match="open files"), opening(url, watch_of(url)):
            pass
    clock = SetClock()
    watch = Watch(url, clock)
    with opening(url, watch) as its, socket.create_connection((host, port)) as mine:
        assert its is not None
        (guarded,) = its.made(watch) or []
        watch.expect(1.0, StatusReason.STREAM_STALLED)
        clock.advance(1.1)
        mine.settimeout(10)
        assert mine.recv(1) == b"", "the guard's thread ends what is overdue"
        guarded.close()


def test_what_has_come_and_was_not_read_is_known(server: socket.socket) -> None:
    """Given a guarded connection, Then it says how many bytes wait in it; none once they are read, or it has ended."""
    host, port = server.getsockname()
    url = f"rtsp://{host}:{port}/x"
    with opening(url, watch_of(url)) as its, socket.create_connection((host, port)) as mine:
        assert its is not None
        (guarded,) = its.made(watch_of(url)) or []
        camera, _ = server.accept()
        assert guarded.unread_bytes == 0
        camera.sendall(b"0123456789")
        wait_until(lambda: guarded.unread_bytes == 10, "ten bytes wait")
        mine.recv(4)
        assert guarded.unread_bytes == 6
        mine.recv(6)
        camera.close()
        guarded.close()
        assert guarded.unread_bytes == 0


def test_tries_to_reach_a_host_are_not_taken_for_streams_of_it(server: socket.socket) -> None:
    """Given cameras of one host that are being reached, When another one of it connects, Then it alone is guarded."""
    host, port = server.getsockname()
    url = f"rtsp://{host}:{port}/x"
    with opening(url, watch_of(url)) as its, socket.socket() as probe:
        assert its is not None
        with besides_libav(probe):
            probe.connect((host, port))
            assert not its.look()
            with socket.create_connection((host, port)) as mine:
                (guarded,) = its.made(watch_of(url)) or []
                guarded.cut()
                mine.settimeout(10)
                assert mine.recv(1) == b""
                guarded.close()
        probe.settimeout(0.3)
        with pytest.raises(TimeoutError):
            probe.recv(1)


@pytest.mark.usefixtures("impatient")
def test_who_does_not_get_a_turn_in_time_goes_without(server: socket.socket) -> None:
    """Given somebody who connects to a host and takes long, others do not wait for ever, nor when asked to stop."""
    host, port = server.getsockname()
    url = f"rtsp://{host}:{port}/x"
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with opening(url, watch_of(url)):
            inside.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(10)
    with opening(url, watch_of(url)) as its:
        assert its is None
    with opening(f"rtsp://{host}:{port + 1}/y", watch_of(url)) as other:
        assert other is not None
    leaving = watch_of(url)
    leaving.stop()
    with pytest.raises(CaptureStoppedError), opening(url, leaving):
        pass
    done.set()
    holder.join()
