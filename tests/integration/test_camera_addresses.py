"""Cameras are not asked at addresses that no camera may have, whatever names stand for and servers lead to."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from camera_ctrler.registry import Registry
from contract import camera_addresses
from contract.camera_addresses import CameraAddresses
from contract.camera_specs import CameraCreate, CameraPatch
from contract.errors import InvalidUrlError, StatusReason
from runtime.secret_box import SecretBox
from tests.support.clips import Clips
from tests.support.http_camera import HttpCamera, body, jpeg, redirect
from tests.support.rtsp_server import RtspServer
from tests.support.watched_camera import QUICK, WatchedCamera

METADATA = "169.254.169.254"
#: A second address of loopback that some tests declare refused, for what listens there can be reached.
REFUSED = "127.0.0.2"
_real_getaddrinfo = socket.getaddrinfo


class Resolver:
    """Answers for one name with one address after the other; the last one stays. Counts how often it is asked."""

    def __init__(self, name: str, *addresses: str) -> None:
        self.name = name
        self.addresses = list(addresses)
        self.asked = 0

    def __call__(self, host: Any, port: Any, *args: Any, **more: Any) -> Any:
        """Answer as `socket.getaddrinfo` does."""
        if host != self.name:
            return _real_getaddrinfo(host, port, *args, **more)
        self.asked += 1
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return _real_getaddrinfo(address, port, *args, **more)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Resolver]:
    """Make a resolver that all of this process uses; libav, which has its own, does not know the name at all."""

    def make(*addresses: str) -> Resolver:
        made = Resolver("cam.rebinding.test", *addresses)
        monkeypatch.setattr(socket, "getaddrinfo", made)
        return made

    return make


@pytest.fixture
def refused_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declare a second address of loopback refused."""
    monkeypatch.setattr(
        camera_addresses, "REFUSED", (*camera_addresses.REFUSED, (ip_network(f"{REFUSED}/32"), "refused in this test"))
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """Serve a clip over RTSP."""
    clips = Clips(tmp_path_factory.mktemp("media"))
    clips.make("squares")
    with RtspServer(clips.folder) as running:
        yield running


@contextmanager
def listening(host: str, answer: Callable[[bytes], bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Answer each request on a port of `host`; give the port, and what came."""
    listener, came = socket.create_server((host, 0)), []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    while asked := connection.recv(4096):
                        came.append(asked)
                        connection.sendall(answer(asked))
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1]), came
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _named(url: str) -> str:
    return url.replace("127.0.0.1", "cam.rebinding.test")


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_name_that_stands_for_a_refused_address_is_not_connected_to(
    resolver: Callable[..., Resolver], scheme: str
) -> None:
    """Given a name that stands for a metadata service, then the camera is offline with that reason, at once."""
    resolver(METADATA)
    with WatchedCamera(f"{scheme}://cam.rebinding.test/latest/meta-data") as watched:
        state = watched.wait_reason(StatusReason.ADDRESS_REFUSED, seconds=1.5)
    assert METADATA in state.detail


def test_a_name_that_changes_after_it_was_judged_does_not_lead_elsewhere(
    resolver: Callable[..., Resolver], server: RtspServer
) -> None:
    """Given a name whose second answer would be a metadata service, then RTSP goes to the address that was judged."""
    rebinding = resolver("127.0.0.1", METADATA)
    with WatchedCamera(_named(server.url("squares"))) as watched:
        watched.wait_frames(2)
        assert rebinding.asked == 1
    with WatchedCamera(_named(server.url("squares"))) as later:
        later.wait_reason(StatusReason.ADDRESS_REFUSED)


def test_a_web_camera_is_connected_to_where_it_was_judged(resolver: Callable[..., Resolver]) -> None:
    """Given a snapshot camera whose name changes, then it goes where it was judged, and the next one nowhere."""
    with HttpCamera() as camera:
        camera.answers["/shot.jpg"] = body(jpeg(), "image/jpeg")
        rebinding = resolver("127.0.0.1", METADATA)
        with WatchedCamera(_named(camera.url("/shot.jpg"))) as watched:
            watched.wait_frames(2)
        assert rebinding.asked == 1
        with WatchedCamera(_named(camera.url("/shot.jpg"))) as later:
            later.wait_reason(StatusReason.ADDRESS_REFUSED)


@pytest.mark.usefixtures("refused_loopback")
def test_a_redirect_to_a_refused_address_is_not_followed() -> None:
    """Given a web camera that redirects, then nothing comes to an address that is refused."""
    with (
        listening(REFUSED, lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (port, came),
        HttpCamera() as camera,
    ):
        camera.answers["/shot.jpg"] = redirect(f"http://{REFUSED}:{port}/latest/meta-data")
        with WatchedCamera(camera.url("/shot.jpg")) as watched:
            watched.wait_reason(StatusReason.ADDRESS_REFUSED)
        assert came == []
        camera.answers["/shot.jpg"] = redirect(f"http://{METADATA}/latest/meta-data")
        with WatchedCamera(camera.url("/shot.jpg")) as watched:
            watched.wait_reason(StatusReason.ADDRESS_REFUSED, seconds=1.5)


@pytest.mark.usefixtures("refused_loopback")
def test_nothing_is_received_where_an_rtsp_server_redirects_to_a_refused_address(server: RtspServer) -> None:
    """Given an RTSP server that sends elsewhere, then no frame comes from there: libav follows, and we hang up."""
    with (
        _forwarded(REFUSED, server.port) as elsewhere,
        listening("127.0.0.1", lambda asked: _moved(asked, f"rtsp://{REFUSED}:{elsewhere}/squares")) as (port, came),
        WatchedCamera(f"rtsp://127.0.0.1:{port}/squares") as watched,
    ):
        watched.wait_reason(StatusReason.ADDRESS_REFUSED)
        assert came
        assert watched.frames == []


def test_a_camera_behind_a_redirect_that_falls_silent_is_noticed(server: RtspServer) -> None:
    """Given an RTSP server that sends elsewhere, when nothing comes from there any more, then the camera is offline."""
    is_silent = threading.Event()
    with (
        _forwarded("127.0.0.1", server.port, is_silent) as elsewhere,
        listening("127.0.0.1", lambda asked: _moved(asked, f"rtsp://127.0.0.1:{elsewhere}/squares")) as (port, _),
        WatchedCamera(f"rtsp://127.0.0.1:{port}/squares") as watched,
    ):
        watched.wait_frames(3)
        is_silent.set()
        watched.wait_reason(StatusReason.STREAM_STALLED)


def _moved(asked: bytes, location: str) -> bytes:
    number = asked.decode(errors="replace").partition("CSeq: ")[2].partition("\r\n")[0]
    return f"RTSP/1.0 302 Moved\r\nCSeq: {number}\r\nLocation: {location}\r\n\r\n".encode()


@contextmanager
def _forwarded(host: str, upstream_port: int, is_silent: threading.Event | None = None) -> Iterator[int]:
    """Forward connections on a port of `host`; what comes once `is_silent` is set goes nowhere."""
    listener = socket.create_server((host, 0))

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                if is_silent is None or not is_silent.is_set():
                    target.sendall(data)
        except OSError:
            pass
        finally:
            target.close()

    def serve() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", upstream_port))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=pump, args=(one, other), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_a_site_may_allow_its_link_local_cameras(resolver: Callable[..., Resolver]) -> None:
    """Given a network that is allowed, then a camera there is tried like any other."""
    resolver(METADATA)
    settings = replace(QUICK, addresses=CameraAddresses("169.254.0.0/16"), connect_timeout_seconds=1)
    with WatchedCamera("rtsp://cam.rebinding.test/x", settings=settings) as watched:
        watched.wait(lambda: bool(watched.reasons), "it is tried")
    assert StatusReason.ADDRESS_REFUSED not in watched.reasons


def test_a_camera_with_a_refused_address_is_not_registered(tmp_path: Path) -> None:
    """Given literal addresses, then registering and changing to them is refused in words; a setting allows them."""
    url = f"http://{METADATA}/latest/meta-data"
    box = SecretBox("M" * 43 + "=")
    registry = Registry(f"sqlite:///{tmp_path}/r.sqlite3", box)
    registry.migrate()
    registry.add(CameraCreate(id="good", url="rtsp://192.0.2.1/x"))
    for wrong in ({"url": url}, {"url": "rtsp://h/x", "main_url": "rtsp://[fe80::1]/x"}, {"url": "http://2852039166/"}):
        with pytest.raises(InvalidUrlError, match="FARM_CAMERA_ADDRESSES_ALLOWED"):
            registry.add(CameraCreate.model_validate(wrong))
        with pytest.raises(InvalidUrlError, match="link-local"):
            registry.update("good", CameraPatch.model_validate(wrong))
    assert [camera.id for camera in registry.all()] == ["good"]
    registry.close()
    allowing = Registry(f"sqlite:///{tmp_path}/r.sqlite3", box, addresses=CameraAddresses("169.254.0.0/16"))
    allowing.add(CameraCreate(id="odd", url=url))
    allowing.close()
