"""Recorded footage in a real browser, with hls.js and without, against the time burnt into its pictures."""

import re
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from camera_ctrler.api.app import create_app
from camera_ctrler.api.services import services_of
from contract.recordings import Segment
from tests.support.api_server import ApiServer
from tests.support.farm_state import settings_for
from tests.support.footage import Look, write_segments
from tests.support.player_page import open_player
from tests.support.recorded_camera import START, RecordedCamera
from tests.support.valkey_server import ValkeyServer, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Milliseconds of a picture.
FRAME_MS = 40
FIRST = Look(size=(320, 180), gop=25, sound=True)
SECOND = Look(size=(480, 270), gop=50, b_frames=2)


@pytest.fixture
def recorded(tmp_path: Path, own_valkey: ValkeyServer) -> Iterator[tuple[ApiServer, RecordedCamera]]:
    """The API with a camera: 12 s in three files, a gap of 20 s, 8 s in two files of another size with B-frames."""
    settings = settings_for(tmp_path, own_valkey.url, api_port=free_port())
    services = services_of(create_app(settings))
    services.registry.migrate()
    camera = RecordedCamera(services).register()
    camera.record(START, 3, seconds=4.0, look=FIRST)
    camera.record(START + 32_000, 2, seconds=4.0, look=SECOND)
    server = ApiServer(settings, tmp_path / "api.log")
    server.start()
    yield server, camera
    server.stop()
    services.close()


def base_url(server: ApiServer) -> str:
    """Return where a server is."""
    return f"http://127.0.0.1:{server.settings.api_port}"


def playlist_of(segments: list[Segment]) -> str:
    """Return the path of a playlist of all that was recorded."""
    return f"/api/v1/cameras/lobby/recordings.m3u8?from_ms={segments[0].start_ms}&to_ms={segments[-1].end_ms}"


def test_hls_js_plays_across_files_a_gap_and_another_size_with_right_times(
    recorded: tuple[ApiServer, RecordedCamera],
) -> None:
    """Given files, a gap and another size, when all is played, then every picture has the time burnt into it."""
    server, camera = recorded
    with open_player(base_url(server)) as player:
        player.play(playlist_of(camera.segments), rate=2.0)
        player.wait_for_end(60)
        shown, errors = player.shown, player.errors
    assert not [error for error in errors if "fatal" in error], errors
    read = [each for each in shown if each["burnt"] is not None]
    assert len(read) > len(shown) * 0.9
    off = [each["wall"] - each["burnt"] for each in read if each["wall"] is not None]
    print(f"{len(shown)} pictures, wall clock off by {min(off):.1f} to {max(off):.1f} ms, {errors}")
    assert len(off) > len(read) * 0.95
    # A browser that is short of CPU says of a picture what was true of the one before.
    assert np.quantile(np.abs(off), 0.9) <= FRAME_MS
    assert max(map(abs, off)) <= 4 * FRAME_MS
    assert {each["width"] for each in read} == {320, 480}
    for segment in camera.segments:
        inside = [each for each in read if segment.start_ms <= each["burnt"] < segment.end_ms]
        assert len(inside) > 20, f"pictures of the file at {segment.start_ms}"
    assert all(after["burnt"] >= before["burnt"] - FRAME_MS for before, after in pairwise(read))


def test_a_seek_shows_the_very_picture(recorded: tuple[ApiServer, RecordedCamera]) -> None:
    """Given a playlist, when a place is sought, also behind a gap, then the picture there has the right time."""
    server, camera = recorded
    with open_player(base_url(server)) as player:
        player.play(playlist_of(camera.segments), rate=1.0)
        player.page.wait_for_function("shown.length > 3", timeout=30_000)
        player.page.evaluate("video.pause()")
        for place in (10.34, 1.02, 15.7, 7.9):
            found = player.seek(place)
            assert found["burnt"] is not None
            assert abs(found["wall"] - found["burnt"]) <= FRAME_MS
            assert abs(found["media"] - place) <= 2 * FRAME_MS / 1000


def test_chromium_plays_it_by_itself(recorded: tuple[ApiServer, RecordedCamera]) -> None:
    """Given a browser that knows HLS, when it plays without hls.js, then all files are shown in order."""
    server, camera = recorded
    with open_player(base_url(server)) as player:
        if not player.page.evaluate("video.canPlayType('application/vnd.apple.mpegurl')"):
            pytest.skip("this Chromium plays no HLS by itself")
        player.play(playlist_of(camera.segments), hls_js=False, rate=2.0)
        player.wait_for_end(60)
        shown, errors = player.shown, player.errors
    assert errors == []
    read = [each for each in shown if each["burnt"] is not None]
    for segment in camera.segments:
        assert [each for each in read if segment.start_ms <= each["burnt"] < segment.end_ms]
    assert all(after["burnt"] >= before["burnt"] - FRAME_MS for before, after in pairwise(read))


def write_as_it_happens(camera: RecordedCamera, segments: list[Segment], stopping: threading.Event) -> None:
    """Let files grow fragment by fragment when their time has come, and tell of them as a worker does."""
    whole = [camera.file(segment).read_bytes() for segment in segments]
    for segment in segments:
        camera.file(segment).unlink()
    for number, (segment, data) in enumerate(zip(segments, whole, strict=True)):
        places = [match.start() - 4 for match in re.finditer(b"moof", data)] + [len(data)]
        for count, end in enumerate(places[1:], start=1):
            due_ms = segment.start_ms + count * 1_000
            if stopping.wait(max(0.0, due_ms / 1000 - time.time())):
                return
            camera.file(segment).write_bytes(data[:end])
            growing = segment.model_copy(update={"end_ms": due_ms, "size_bytes": end})
            camera.tell(segments[number - 1 : number] if count == 1 else [], growing)


@pytest.mark.long
def test_hls_js_follows_what_is_being_recorded(recorded: tuple[ApiServer, RecordedCamera]) -> None:
    """Given files that grow, when the live playlist is played, then it goes on across them, some seconds behind."""
    server, camera = recorded
    segments = write_segments(camera.root, "lobby", time.time_ns() // 1_000_000 + 1_500, 8, seconds=4.0, look=FIRST)
    stopping = threading.Event()
    writing = threading.Thread(target=write_as_it_happens, args=(camera, segments, stopping))
    writing.start()
    try:
        stopping.wait(max(0.0, segments[2].start_ms / 1000 - time.time()))
        with open_player(base_url(server)) as player:
            player.play("/api/v1/cameras/lobby/recordings.m3u8")
            player.page.wait_for_function(
                f"shown.length && shown.at(-1).burnt > {segments[5].start_ms}", timeout=60_000
            )
            shown, errors = player.shown, player.errors
    finally:
        stopping.set()
        writing.join()
    assert not [error for error in errors if "fatal" in error], errors
    read = [each for each in shown if each["burnt"] is not None]
    behind = [each["clock"] - each["burnt"] for each in read]
    off = [each["wall"] - each["burnt"] for each in read if each["wall"] is not None]
    late = f"{min(behind) / 1000:.1f} to {max(behind) / 1000:.1f} s behind"
    print(f"{len(read)} pictures, {late}, wall clock off by {min(off):.0f} to {max(off):.0f} ms")
    assert max(map(abs, off)) <= FRAME_MS
    assert min(behind) > 0
    assert max(behind) < 16_000
    assert all(after["burnt"] >= before["burnt"] - FRAME_MS for before, after in pairwise(read))


@pytest.mark.long
@pytest.mark.parametrize("exact", ["false", "true"])
def test_chromium_plays_a_clip_in_which_some_pictures_were_encoded_anew(
    recorded: tuple[ApiServer, RecordedCamera], exact: str
) -> None:
    """Given a clip over a gap and another size, also cut exactly, then the browser shows it from end to end."""
    server, camera = recorded
    begin_ms, end_ms = START + 500, camera.segments[-1].end_ms - 700
    with open_player(base_url(server)) as player:
        path = f"/api/v1/cameras/lobby/clip.mp4?from_ms={begin_ms}&to_ms={end_ms}&exact={exact}"
        player.play(path, hls_js=False, rate=2.0)
        player.wait_for_end(60)
        shown, errors = player.shown, player.errors
    assert errors == []
    burnt = [each["burnt"] for each in shown if each["burnt"] is not None]
    assert {each["width"] for each in shown} == {320}
    if exact == "true":
        assert begin_ms <= burnt[0] < begin_ms + 400
        assert end_ms - 400 < burnt[-1] < end_ms
    for segment in camera.segments:
        assert len([at for at in burnt if segment.start_ms <= at < segment.end_ms]) > 15
    assert all(after >= before - FRAME_MS for before, after in pairwise(burnt))


def test_hls_js_begins_with_the_picture_that_was_asked_for(recorded: tuple[ApiServer, RecordedCamera]) -> None:
    """Given a playlist from the middle of a file on, when it is played, then no picture before that time is shown."""
    server, camera = recorded
    begin_ms = camera.segments[1].start_ms + 1_500
    with open_player(base_url(server)) as player:
        path = f"/api/v1/cameras/lobby/recordings.m3u8?from_ms={begin_ms}&to_ms={camera.segments[2].end_ms}"
        player.play(path)
        player.page.wait_for_function("shown.filter((each) => each.burnt).length > 5", timeout=30_000)
        burnt = [each["burnt"] for each in player.shown if each["burnt"] is not None]
    # The file's first picture may flash up before the player has moved on to where it was told to begin.
    assert all(each >= begin_ms - 2 * FRAME_MS for each in burnt[1:])
    assert burnt[1] <= begin_ms + 500
