"""What a real recorder writes of a real camera is played: live, as a range, as a clip, as pictures."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from camera_ctrler.api.services import services_of
from tests.integration.test_recorded_clip import decoded
from tests.integration.test_recorded_hls import played, playlist
from tests.support.farm_state import now_ms
from tests.support.footage import Look, write_footage
from tests.support.live_recording import CAMERA, LiveRecording
from tests.support.recorded_camera import RecordedCamera
from tests.support.rtsp_server import RtspServer

PATH = f"/api/v1/cameras/{CAMERA}"
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


@pytest.mark.slow
@pytest.mark.parametrize("name", STREAMS)
def test_what_a_recorder_writes_is_played(
    app: Flask, api: FlaskClient, redis_client: redis.Redis, cameras: RtspServer, name: str
) -> None:
    """Given a camera that is recorded, then its live playlist grows, and afterwards every picture is played in time."""
    camera = RecordedCamera(services_of(app), CAMERA).register()
    with LiveRecording(cameras.url(name), camera.root, redis_client) as recording:
        recording.wait_recorded(6)
        assert playlist(api, _live(api))
        recording.wait_recorded(14)
        late_path = _live(api)
        late = played(api, late_path)
        behind = time.time() - late[-1][0]
        newest = api.get(f"{PATH}/recorded.jpg")
    assert behind < 10, "a keyframe every two seconds, parts of two to four, and a slow machine"
    assert newest.status_code == 200
    assert 0 <= time.time() - int(newest.headers["X-Captured-At-Ms"]) / 1000 < 10
    # Pictures are 40 ms apart; on a machine that is busy with other tests they arrive late, and what a file begins with
    # is placed by that. Where it begins its clip of sound and picture anew, this server leaves a second or two out.
    longest = 4.0 if STREAMS[name].sound else 0.25
    assert max(after - before for (before, _), (after, _) in pairwise(late)) < longest

    camera.index.add(recording.told())  # as the manager does
    segments = recording.told()
    begin_ms, end_ms = segments[0].start_ms, segments[-1].end_ms
    assert len(segments) >= 2
    text = api.get(f"{PATH}/recordings.m3u8?from_ms={begin_ms}&to_ms={end_ms}").text
    assert text.count("#EXT-X-MAP") == 1
    whole = played(api, f"{PATH}/recordings.m3u8?from_ms={begin_ms}&to_ms={end_ms}")
    steps = [after - before for (before, _), (after, _) in pairwise(whole)]
    assert max(map(abs, steps)) < longest
    assert whole[0][0] == pytest.approx(begin_ms / 1000, abs=0.085)  # this demuxer adds negative offsets

    exact = api.get(f"{PATH}/clip.mp4?from_ms={begin_ms + 1_300}&to_ms={end_ms - 700}&exact=true")
    found = decoded(exact.data)
    assert max(after - before for (before, _), (after, _) in pairwise(found.pictures)) < longest * 1000
    if STREAMS[name].sound:
        whole_seconds = (end_ms - begin_ms - 2_000) / 1000
        assert 0.4 * whole_seconds < found.sound_seconds < whole_seconds + 3
    else:
        assert "#EXT-X-DISCONTINUITY\n" not in text, "files of one stream follow each other"
        assert len(whole) == pytest.approx((end_ms - begin_ms) / 40, abs=3)
        assert len(found.pictures) == pytest.approx((end_ms - begin_ms - 2_000) / 40, abs=3)


def _live(api: FlaskClient) -> str:
    """Return the path of the live playlist that the entrance leads to."""
    for _ in range(40):
        answer = api.get(f"{PATH}/recordings.m3u8")
        if answer.status_code == 200:
            path = f"{PATH}/recordings.m3u8?from_ms={re.findall(r'from_ms=([0-9]+)', answer.text)[0]}"
            if "m4s" in api.get(path).text:
                return path
        time.sleep(0.25)
    raise AssertionError(f"no live playlist at {now_ms()}: {answer.text}")
