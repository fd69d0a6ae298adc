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
from tests.support.clips import Clips
from tests.support.footage import Look, write_footage
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
