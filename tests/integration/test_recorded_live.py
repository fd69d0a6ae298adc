"""What a real recorder writes of a real camera is played: live, as a range, as a clip, as pictures."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from camera_ctrler.api.services import services_of
from contract.recordings import Segment
from tests.integration.test_recorded_clip import decoded
from tests.integration.test_recorded_hls import played, playlist
from tests.support.farm_state import now_ms
from tests.support.footage import Look, write_footage
from tests.support.live_recording import LiveRecording
from tests.support.recorded_camera import RecordedCamera
from tests.support.rtsp_server import RtspServer

SMALL = Look(size=(320, 240), fps=25, gop=25)
STREAMS = {"plain": SMALL, "reordered": replace(SMALL, gop=50, b_frames=2), "loud": replace(SMALL, sound=True)}


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """Serve a clip of 8 s for each kind of stream, again and again."""
    folder: Path = tmp_path_factory.mktemp("media")
    for name, look in STREAMS.items():
        write_footage(folder / f"{name}.mp4", 0, seconds=8, look=look)
    with RtspServer(folder) as running:
        yield running


@pytest.fixture
def segments(app: Flask, api: FlaskClient, redis_client: redis.Redis, cameras: RtspServer) -> dict[str, list[Segment]]:
    """Record all streams at the same time, each as a camera of its name, while their live playlists are read."""
    recorded = {name: RecordedCamera(services_of(app), name).register() for name in STREAMS}
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(LiveRecording(cameras.url(name), each.root, redis_client, camera_id=name))
            for name, each in recorded.items()
        }
        for seconds in (6, 14):
            for name, recording in running.items():
                recording.wait_recorded(seconds)
                _check_live(api, name)
    told = {name: recording.told() for name, recording in running.items()}
    for name, each in recorded.items():
        each.index.add(told[name])  # as the manager does
    return told


@pytest.mark.slow
def test_what_a_recorder_writes_is_played(api: FlaskClient, segments: dict[str, list[Segment]]) -> None:
    """Given cameras that are recorded, then their live playlists grow, and afterwards every picture plays in time."""
    for name, its in segments.items():
        assert len(its) >= 2
        begin_ms, end_ms = its[0].start_ms, its[-1].end_ms
        path = f"/api/v1/cameras/{name}/recordings.m3u8?from_ms={begin_ms}&to_ms={end_ms}"
        text = api.get(path).text
        assert text.count("#EXT-X-MAP") == 1
        whole = played(api, path)
        steps = [after - before for (before, _), (after, _) in pairwise(whole)]
        assert max(map(abs, steps)) < _longest(name)
        assert whole[0][0] == pytest.approx(begin_ms / 1000, abs=0.085)  # this demuxer adds negative offsets
        if not STREAMS[name].sound:
            assert "#EXT-X-DISCONTINUITY\n" not in text, "files of one stream follow each other"
            assert len(whole) == pytest.approx((end_ms - begin_ms) / 40, abs=3)
        _check_clip(api, name, begin_ms + 1_300, end_ms - 700)


def _longest(name: str) -> float:
    """Return the longest step (s) between two pictures of a stream whose pictures are 40 ms apart.

    On a machine that is busy with other tests they arrive late, and what a file begins with is placed by that. Where it
    begins its clip of sound and picture anew, this server leaves a second or two out.
    """
    return 4.0 if STREAMS[name].sound else 0.25


def _check_live(api: FlaskClient, name: str) -> None:
    path = _live(api, name)
    assert playlist(api, path)
    live = played(api, path)
    assert time.time() - live[-1][0] < 15, "a keyframe every two seconds, parts of two to four, and a slow machine"
    assert max(after - before for (before, _), (after, _) in pairwise(live)) < _longest(name)
    newest = api.get(f"/api/v1/cameras/{name}/recorded.jpg")
    assert newest.status_code == 200
    assert 0 <= time.time() - int(newest.headers["X-Captured-At-Ms"]) / 1000 < 10


def _check_clip(api: FlaskClient, name: str, begin_ms: int, end_ms: int) -> None:
    exact = api.get(f"/api/v1/cameras/{name}/clip.mp4?from_ms={begin_ms}&to_ms={end_ms}&exact=true")
    found = decoded(exact.data)
    assert max(after - before for (before, _), (after, _) in pairwise(found.pictures)) < _longest(name) * 1000
    if STREAMS[name].sound:
        whole_seconds = (end_ms - begin_ms) / 1000
        assert 0.4 * whole_seconds < found.sound_seconds < whole_seconds + 3
    else:
        assert len(found.pictures) == pytest.approx((end_ms - begin_ms) / 40, abs=3)


def _live(api: FlaskClient, name: str) -> str:
    """Return the path of the live playlist that the entrance leads to."""
    entrance = f"/api/v1/cameras/{name}/recordings.m3u8"
    for _ in range(40):
        answer = api.get(entrance)
        if answer.status_code == 200:
            path = f"{entrance}?from_ms={re.findall(r'from_ms=([0-9]+)', answer.text)[0]}"
            if "m4s" in api.get(path).text:
                return path
        time.sleep(0.25)
    raise AssertionError(f"no live playlist at {now_ms()}: {answer.text}")
