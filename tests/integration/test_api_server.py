"""The API as gunicorn serves it: live views, many viewers, and an end that is quick and in order."""

import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
import redis

from camera_ctrler.api.live_hub import TRUSTED_SECONDS
from camera_ctrler.api.long_answers import CHECK_SECONDS
from camera_ctrler.api.server import HEADER_SECONDS, ListenError, listen
from camera_ctrler.api.services import REDIS_SECONDS, RESERVED_THREADS, Services
from contract import keys
from contract.cameras import CameraState
from contract.errors import StatusReason
from runtime import exit_codes
from tests.support.api_server import REPOSITORY, ApiServer, PictureStream, environment_of
from tests.support.farm_state import FarmState, jpeg_of, now_ms, settings_for
from tests.support.processes import wait_until
from tests.support.valkey_server import ValkeyServer, free_port

LIVE = "/api/v1/cameras/lobby/live.mjpeg"


@pytest.fixture(scope="module")
def own_server() -> Iterator[ValkeyServer]:
    """A Valkey of this module's own, for it is restarted."""
    server = ValkeyServer()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, own_server: ValkeyServer) -> Iterator[ApiServer]:
    """One server for all tests that leave it running."""
    folder: Path = tmp_path_factory.mktemp("server")
    running = ApiServer(settings_for(folder, own_server.url, api_port=free_port(), api_threads=16), folder / "log")
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def state(server: ApiServer, own_server: ValkeyServer) -> Iterator[FarmState]:
    """State behind the running server, empty when the test begins."""
    services = Services.create(server.settings)
    for camera in services.registry.all():
        services.registry.remove(camera.id)
    with own_server.client() as client:
        client.flushall()
        yield FarmState(client, services.store, services)
    services.close()


def _subscribers(client: redis.Redis) -> int:
    return int(client.pubsub_numsub(keys.camera_channel("lobby"))[0][1])


def _shape(jpeg: bytes | None) -> tuple[int, ...]:
    image = cv2.imdecode(np.frombuffer(jpeg or b"", np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return tuple(image.shape)


def test_a_live_view_shows_every_new_picture_soon_after_it_is_published(server: ApiServer, state: FarmState) -> None:
    """Given a viewer, when frames are analysed, then each one's own preview comes within a moment."""
    state.plan()
    state.online("lobby")
    with server.stream(f"{LIVE}?annotated=false") as stream:
        assert stream.read() == jpeg_of(1, (160, 120))
        wait_until(lambda: _subscribers(state.client) == 1, "the subscription")
        for _ in range(5):
            result = state.result("lobby")
            published = time.monotonic()
            _read_until(stream, jpeg_of(result.seq, (160, 120)))
            assert time.monotonic() - published < 1


def _read_until(stream: PictureStream, wanted: bytes) -> None:
    for _ in range(5):
        if stream.read() == wanted:
            return
    raise AssertionError("the picture did not come")


def test_all_viewers_of_a_camera_share_one_subscription_and_it_ends_with_the_last(
    server: ApiServer, state: FarmState
) -> None:
    """Given three viewers, then Redis has one subscriber, all see the picture, and nothing is left when they go."""
    state.plan()
    state.online("lobby")
    with server.stream(LIVE) as one, server.stream(LIVE) as two, server.stream(f"{LIVE}?annotated=false") as three:
        streams = (one, two, three)
        assert all(stream.read() for stream in streams)
        wait_until(lambda: _subscribers(state.client) == 1, "the subscription")
        # A viewer of the test before may not have been missed yet.
        wait_until(lambda: b"farm_api_live_viewers 3.0" in server.get("/metrics")[1], "three viewers")
        result = state.result("lobby")
        _read_until(three, jpeg_of(result.seq, (160, 120)))
        for stream in (one, two):
            assert _shape(stream.read()) == (120, 160, 3)
    wait_until(lambda: _subscribers(state.client) == 0, "the subscription to end")
    wait_until(lambda: b"farm_api_live_viewers 0.0" in server.get("/metrics")[1], "no viewers")


def test_all_listeners_to_events_share_one_reader_and_outlive_redis(
    server: ApiServer, state: FarmState, own_server: ValkeyServer
) -> None:
    """Given three listeners, then one connection waits for events, all hear each once, also after Redis was away."""
    state.camera("lobby")
    with server.events() as one, server.events() as two, server.events() as three:
        listeners = (one, two, three)
        wait_until(lambda: b"farm_api_event_listeners 3.0" in server.get("/metrics")[1], "three listeners")
        wait_until(lambda: int(state.client.info("clients")["blocked_clients"]) == 1, "one reader waits")
        state.event("lobby", 1)
        assert [listener.read() for listener in listeners] == ["lobby:1:1"] * 3
        own_server.restart(keep_data=True)
        state.event("lobby", 2)
        assert [listener.read() for listener in listeners] == ["lobby:1:2"] * 3


def test_a_camera_without_a_signal_shows_a_picture_that_says_why(server: ApiServer, state: FarmState) -> None:
    """Given a camera that is offline and has no preview, then a drawn picture comes, and the real one once it is."""
    state.plan()
    state.camera("lobby")
    state.status("lobby", CameraState.OFFLINE, StatusReason.TIMEOUT)
    with server.stream(f"{LIVE}?annotated=false") as stream:
        assert _shape(stream.read()) == (360, 640, 3)
        state.status("lobby")
        result = state.result("lobby")
        _read_until(stream, jpeg_of(result.seq, (160, 120)))


def test_a_live_view_survives_redis_and_ends_with_its_camera(
    server: ApiServer, state: FarmState, own_server: ValkeyServer
) -> None:
    """Given a viewer, when Redis dies, a picture says so; when it is back, pictures come; deletion ends the view."""
    state.plan()
    state.online("lobby")
    with server.stream(f"{LIVE}?annotated=false") as stream:
        assert _shape(stream.read()) == (120, 160, 3)
        own_server.kill()
        assert any(_shape(stream.read()) == (360, 640, 3) for _ in range(3))
        own_server.start()
        state.plan()
        state.status("lobby")
        deadline = time.monotonic() + 10
        result = state.result("lobby")
        while stream.read() != jpeg_of(result.seq, (160, 120)):
            assert time.monotonic() < deadline
        state.services.registry.remove("lobby")
        state.client.delete(keys.camera_preview("lobby"))
        started = time.monotonic()
        stream.read_all()
        assert time.monotonic() - started < 8


def test_saved_frames_are_played_at_their_spacing_divided_by_the_speed(server: ApiServer, state: FarmState) -> None:
    """Given ten frames 800 ms apart, one of them corrupt, then 16x takes 450 ms and 8x 900 ms, without that one."""
    state.camera("lobby")
    first = now_ms() - 1_000_000  # no other test saves frames then
    for number in range(10):
        state.save("lobby", first + number * 800, number)
    damaged = state.save("lobby", first + 3 * 800)
    (state.store.root / damaged).write_bytes(jpeg_of(3)[:500])
    for speed, seconds in ((16, 0.45), (8, 0.9)):
        path = f"/api/v1/cameras/lobby/playback.mjpeg?from_ms={first}&to_ms={first + 9000}&speed={speed}"
        with server.stream(path) as stream:
            started = time.monotonic()
            pictures = stream.read_all()
            took = time.monotonic() - started
        assert pictures == [jpeg_of(number) for number in range(10) if number != 3]
        assert seconds - 0.05 <= took < seconds + 0.7


def test_ten_megabytes_without_a_stated_length_are_refused(server: ApiServer) -> None:
    """Given a body in chunks that never says how long it is, then 413, and the server goes on."""
    connection = server.connection()
    chunk = b'"' + b"x" * 99_999
    try:
        connection.request(
            "POST",
            "/api/v1/cameras",
            body=iter([chunk] * 100),
            headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
            encode_chunked=True,
        )
        status = connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # it was cut off while sending, which is as good
    finally:
        connection.close()
    assert status == 413
    assert server.get("/healthz")[0] == 200


def test_unfinished_requests_give_their_threads_back_even_when_they_dribble(tmp_path: Path, state: FarmState) -> None:
    """Given as many unfinished headers as threads, some of them dribbling, then the API answers again in seconds."""
    settings = state.services.settings.model_copy(update={"api_port": free_port(), "api_threads": 4})
    small = ApiServer(settings, tmp_path / "log")
    small.start()
    clients = [socket.create_connection(("127.0.0.1", settings.api_port)) for _ in range(4)]
    ended = threading.Event()
    dribbling = threading.Thread(target=_dribble, args=(clients[:2], ended))
    try:
        for client in clients:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        dribbling.start()
        started = time.monotonic()
        assert small.get("/healthz")[0] == 200
        assert 1 < time.monotonic() - started < HEADER_SECONDS + 4
    finally:
        ended.set()
        dribbling.join()
        for client in clients:
            client.close()
        assert small.stop() == 0
    assert "Traceback" not in small.log_path.read_text()


def _dribble(clients: list[socket.socket], ended: threading.Event) -> None:
    while not ended.wait(0.3):
        for client in clients:
            with suppress(OSError):  # cut off, as it should be
                client.sendall(b"x")


def test_a_redis_that_does_not_answer_costs_all_who_ask_one_time_out(
    tmp_path: Path, state: FarmState, own_server: ValkeyServer
) -> None:
    """Given a stopped Redis and more callers than threads, then all hear it together, and the rest of the API lives."""
    settings = state.services.settings.model_copy(update={"api_port": free_port(), "api_threads": 8})
    small = ApiServer(settings, tmp_path / "log")
    small.start()
    state.plan()
    state.online("lobby")
    own_server.freeze()  # before anybody has looked, for a look serves for a while
    try:
        started = time.monotonic()
        with ThreadPoolExecutor(12) as callers:
            answers = list(callers.map(small.get, ["/api/v1/status"] * 8 + ["/healthz"] * 4))
        assert time.monotonic() - started < 2.5 * REDIS_SECONDS + 3
    finally:
        own_server.thaw()
    assert [status for status, _ in answers] == [503] * 8 + [200] * 4
    try:
        wait_until(lambda: small.get("/api/v1/status")[0] == 200, "the API to see that Redis is back", 3)
    finally:
        assert small.stop() == 0


def test_all_viewers_of_a_camera_wait_for_one_time_out(state: FarmState, own_server: ValkeyServer) -> None:
    """Given a Redis that is stopped while five watch a camera, then each hears it after one time-out."""
    state.plan()
    state.online("lobby")
    own = Services.create(state.services.settings)
    try:
        with own.live.watch("lobby") as camera:
            assert camera.picture() is not None
            own_server.freeze()
            time.sleep(TRUSTED_SECONDS + 0.1)
            started = time.monotonic()
            with ThreadPoolExecutor(5) as viewers:
                found = [viewer.exception() for viewer in [viewers.submit(camera.picture) for _ in range(5)]]
            assert time.monotonic() - started < 2.5 * REDIS_SECONDS
    finally:
        own_server.thaw()
        own.close()
    assert all(isinstance(error, redis.RedisError) for error in found)


def test_when_all_streams_are_taken_the_next_is_told_and_the_rest_of_the_api_answers(
    tmp_path: Path, state: FarmState, own_server: ValkeyServer
) -> None:
    """Given a server with one thread for streams, then a second live view is a 503, and a slot comes back."""
    port = free_port()
    settings = state.services.settings.model_copy(update={"api_port": port, "api_threads": 4})
    small = ApiServer(settings, tmp_path / "log")
    small.start()
    state.plan()
    state.online("lobby")
    try:
        with small.stream(LIVE) as stream:
            assert stream.read()
            status, body = small.get(LIVE)
            assert status == 503
            assert b"FARM_API_THREADS" in body
            assert small.get("/api/v1/status")[0] == 200
        wait_until(lambda: _can_stream(small, state), "the slot to come back")
    finally:
        assert small.stop() == 0
    assert own_server.port == 0


def _can_stream(server: ApiServer, state: FarmState) -> bool:
    state.result("lobby")  # makes the server write, and so notice who has gone
    try:
        with server.stream(LIVE) as stream:
            return stream.read() is not None
    except AssertionError:
        return False


@pytest.mark.parametrize(
    "path", ["/api/v1/events/stream", "/api/v1/live?camera=lobby", "/api/v1/cameras/lobby/live.mjpeg"]
)
def test_pages_that_were_closed_give_their_threads_back_though_nothing_happens(
    server: ApiServer, state: FarmState, path: str
) -> None:
    """Given pages that take all streams, when they are closed, then others have them before anything was to be sent."""
    state.plan()
    state.online("lobby")
    state.result("lobby")
    taken = server.settings.api_threads - RESERVED_THREADS
    for _ in range(2):  # those of the second round take what those of the first have given back
        with ExitStack() as pages:
            _open(server, path, taken, pages)
            assert server.get(path)[0] == 503


def _open(server: ApiServer, path: str, count: int, pages: ExitStack) -> None:
    for _ in range(count):
        wait_until(lambda: _opened(server, path, pages), "a stream", CHECK_SECONDS + 1.5)


def _opened(server: ApiServer, path: str, pages: ExitStack) -> bool:
    try:
        pages.enter_context(server.stream(path)).answer.read(1)
    except AssertionError:  # all are taken
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_open_streams_do_not_keep_the_server_from_stopping(
    tmp_path: Path, state: FarmState, number: signal.Signals
) -> None:
    """Given a live view, a playback and an idle connection, when the server is stopped, then all end in seconds."""
    settings = state.services.settings.model_copy(update={"api_port": free_port()})
    running = ApiServer(settings, tmp_path / "log")
    running.start()
    state.plan()
    state.online("lobby")
    first = now_ms() - 100_000
    for step in range(20):
        state.save("lobby", first + step * 4_000)
    pictures: list[bytes] = []
    with (
        running.stream(LIVE) as live,
        running.stream(f"/api/v1/cameras/lobby/playback.mjpeg?from_ms={first}&to_ms={first + 90_000}") as playback,
        socket.create_connection(("127.0.0.1", settings.api_port)),
    ):
        assert live.read()
        assert playback.read()
        threads = [live.collect(pictures), playback.collect(pictures)]
        started = time.monotonic()
        assert running.stop(number) == 0
        assert time.monotonic() - started < 8
        for thread in threads:
            thread.join(5)
            assert not thread.is_alive()
    assert "Traceback" not in running.log_path.read_text()
    with pytest.raises((ConnectionRefusedError, http.client.HTTPException)):
        running.get("/healthz")


def test_a_port_that_is_taken_is_said_with_the_setting(tmp_path: Path, own_server: ValkeyServer) -> None:
    """Given a port that something listens on, then the process ends with one sentence that names FARM_API_PORT."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"port {port} is in use already.*FARM_API_PORT"):
            listen("127.0.0.1", port)
        ended = subprocess.run(
            [sys.executable, "-m", "camera_ctrler", "--only", "api"],
            cwd=REPOSITORY,
            env=environment_of(settings_for(tmp_path, own_server.url, api_port=port)),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert ended.returncode == exit_codes.UNUSABLE
    assert "FARM_API_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.1"])
def test_an_address_of_another_machine_is_said_with_the_setting(host: str) -> None:
    """Given an address that is not ours, then the error names FARM_API_HOST."""
    with pytest.raises(ListenError, match="FARM_API_HOST"):
        listen(host, free_port())
