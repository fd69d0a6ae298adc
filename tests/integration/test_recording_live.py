"""Real RTSP cameras, recorded by a real recorder: every packet is on the disk, at its time, and Redis is told."""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import redis

from contract import keys
from contract.errors import StatusReason
from contract.recording_paths import segment_path
from contract.recordings import RecordingState
from runtime.clock import SystemClock
from tests.support.clips import Clips
from tests.support.footage import Look, write_footage
from tests.support.http_camera import HttpCamera, body
from tests.support.live_recording import CAMERA, LiveRecording, contents_of, packet_times
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer

SMALL = Look(size=(320, 240), fps=25, gop=25)
STREAMS = {
    "h264": SMALL,
    "hevc": replace(SMALL, codec="hevc"),
    "h264 with B-frames": replace(SMALL, b_frames=2),
    "hevc with B-frames": replace(SMALL, codec="hevc", b_frames=2),
    "keyframes every 8 s": replace(SMALL, gop=200),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """Serve one clip of 8 s for each kind of stream."""
    folder = tmp_path_factory.mktemp("media")
    for name, look in STREAMS.items():
        write_footage(folder / f"{name.replace(' ', '_')}.mp4", 0, seconds=8, look=look)
    write_footage(folder / "sound.mp4", 0, seconds=8, look=replace(SMALL, sound=True))
    with RtspServer(folder) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("name", STREAMS)
def test_every_picture_of_a_live_camera_is_recorded_at_its_time(
    tmp_path: Path, redis_client: redis.Redis, server: RtspServer, name: str
) -> None:
    """Given a live stream, when it is recorded, then no picture is missing and the clock of the files is the wall's."""
    with LiveRecording(server.url(name.replace(" ", "_")), tmp_path, redis_client) as camera:
        camera.wait_recorded(13)
        status = camera.status
        ended_at = time.time()
    found = contents_of(tmp_path)
    assert status.state is RecordingState.RECORDING
    assert set(status.packets_lost) <= {"before_keyframe"}
    look = STREAMS[name]
    assert [each.codec for each in found] == [look.codec] * len(found)
    for each in found:
        assert each.begins_with_keyframe
        assert each.decoded[0] == 0
        assert len(each.shown) == len(each.decoded)
        assert each.shown == sorted(each.shown)
        gaps = [after - before for before, after in pairwise(each.decoded)]
        assert max(gaps) == pytest.approx(0.04, abs=0.01)
        assert min(gaps) == pytest.approx(0.04, abs=0.01)
    assert all(abs(after.start_ms - before.end_ms - 40) < 60 for before, after in pairwise(found))
    # The recorder is behind by a round and a fragment; the machine may be slow.
    assert -3 < packet_times(found)[-1] - ended_at < 1
    told = camera.told()
    assert [tmp_path / segment_path(CAMERA, each.start_ms, each.epoch) for each in told] == [
        each.path for each in found
    ]
    assert [each.size_bytes for each in told] == [each.path.stat().st_size for each in found]


@pytest.mark.slow
def test_the_sound_of_a_live_camera_is_recorded_beside_its_picture(
    tmp_path: Path, redis_client: redis.Redis, server: RtspServer
) -> None:
    """Given AAC beside the picture, then the file has both, and they cover the same time."""
    with LiveRecording(server.url("sound"), tmp_path, redis_client) as camera:
        camera.wait_recorded(6)
    first = contents_of(tmp_path)[0]
    assert (first.sound_codec, camera.told()[0].audio) == ("aac", "aac")
    # This server sends a second of pictures ahead of their sound.
    assert first.heard[-1] == pytest.approx(first.decoded[-1], abs=1.5)


def test_the_file_that_is_open_is_told_of_and_withdrawn(
    tmp_path: Path, redis_client: redis.Redis, server: RtspServer
) -> None:
    """Given a file that is being written, then Redis knows how far it is; when the camera is left, it is withdrawn."""
    with LiveRecording(server.url("h264"), tmp_path, redis_client) as camera:
        camera.wait(lambda: camera.feed.hot(CAMERA).open is not None, "the open file is told of")
        opened = camera.feed.hot(CAMERA).open
        assert opened is not None
        assert (opened.worker_id, opened.codec, opened.width, opened.height) == ("w", "h264", 320, 240)
        path = tmp_path / segment_path(CAMERA, opened.start_ms, 1)
        assert path.stat().st_size >= opened.size_bytes > 0
    assert redis_client.exists(keys.camera_open_segment(CAMERA)) == 0
    assert [each.start_ms for each in camera.told()] == [opened.start_ms]


@pytest.mark.slow
def test_recording_goes_on_while_redis_is_away_and_what_it_missed_is_told_later(
    tmp_path: Path, own_valkey: ValkeyServer, server: RtspServer
) -> None:
    """Given a Redis that is killed, when it is back, then it is told of every file, and none has a gap."""
    with own_valkey.client() as client, LiveRecording(server.url("h264"), tmp_path, client) as camera:
        camera.wait_recorded(2)
        own_valkey.kill()
        camera.wait_recorded(24)
        assert camera.recorder.segments_waiting > 0
        own_valkey.start()
        camera.wait(lambda: camera.recorder.segments_waiting == 0, "all is told")
        assert len(camera.told()) >= 2
    found = contents_of(tmp_path)
    assert all(abs(after.start_ms - before.end_ms - 40) < 60 for before, after in pairwise(found))
    assert camera.status.packets_lost == {}


@pytest.mark.slow
def test_a_camera_that_comes_back_is_recorded_into_a_new_file(tmp_path: Path, redis_client: redis.Redis) -> None:
    """Given a camera that is off for a while, then what was recorded plays, the reason is told, and it goes on."""
    (tmp_path / "media").mkdir()
    Clips(tmp_path / "media").make("squares", fps=10, gop=10, seconds=8)
    with RtspServer(tmp_path / "media") as own:
        with LiveRecording(own.url("squares"), tmp_path, redis_client) as camera:
            camera.wait_recorded(3)
            own.stop()
            camera.wait(lambda: camera.status.reason is StatusReason.REFUSED, "the reason is told")
            assert camera.status.state is RecordingState.WAITING
            own.start()
            camera.wait(lambda: camera.status.state is RecordingState.RECORDING, "it is recorded again", 30)
            camera.wait_recorded(camera.status.seconds + 2)
        found = contents_of(tmp_path)
    assert len(found) == 2
    assert found[1].start_ms > found[0].end_ms
    assert len(camera.told()) == 2


@pytest.mark.slow
def test_a_size_that_changes_in_the_middle_of_a_live_stream_begins_a_new_file(
    tmp_path: Path, redis_client: redis.Redis
) -> None:
    """Given MPEG-TS over HTTP that goes from 320x240 to 640x360, then each file has one size and none is missing."""
    (tmp_path / "media").mkdir()
    stream = Clips(tmp_path / "media").changing_resolution(seconds_each=4).read_bytes()
    with HttpCamera() as camera:
        camera.answers["/live.ts"] = body(stream, "video/mp2t")
        with LiveRecording(camera.url("/live.ts"), tmp_path, redis_client) as recording:
            recording.wait(lambda: len(recording.told()) >= 2, "two files are told of", 40)
    found = contents_of(tmp_path)[:2]
    assert [(each.size, len(each.shown)) for each in found] == [((320, 240), 40), ((640, 360), 40)]
    assert [(each.width, each.height) for each in recording.told()[:2]] == [(320, 240), (640, 360)]


class SteppedClock(SystemClock):
    """A machine whose wall clock is set while it runs."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        """Return what the clock shows."""
        return super().now_ms() + self.ahead_ms


@pytest.mark.slow
def test_a_clock_of_the_worker_that_is_set_back_two_hours_begins_a_new_file_at_the_new_time(
    tmp_path: Path, redis_client: redis.Redis, server: RtspServer
) -> None:
    """Given a worker whose clock is corrected by two hours, then no picture is lost and both times are as they were."""
    clock = SteppedClock()
    clock.ahead_ms = 7_200_000
    with LiveRecording(server.url("h264"), tmp_path, redis_client, clock=clock) as camera:
        camera.wait_recorded(4)
        clock.ahead_ms = 0
        camera.wait_recorded(9)
        now_ms = time.time() * 1000
    after, before = contents_of(tmp_path)
    assert before.start_ms - after.start_ms == pytest.approx(7_200_000, abs=15_000)
    assert -3_000 < after.end_ms - now_ms < 1_000
    lost = before.end_ms + 40 - 7_200_000 - after.start_ms
    assert abs(lost) < 100
    assert camera.status.packets_lost == {}
