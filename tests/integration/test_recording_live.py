"""Real RTSP cameras, recorded by a real recorder: every packet is on the disk, at its time, and Redis is told."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path

import pytest
import redis

from contract import keys
from contract.errors import StatusReason
from contract.recording_paths import segment_path
from contract.recordings import RecordingState, RecordingStatus, Segment
from runtime.clock import SystemClock
from tests.support.clips import Clips
from tests.support.footage import Look, write_footage
from tests.support.http_camera import HttpCamera, body
from tests.support.live_recording import CAMERA, FileContents, LiveRecording, contents_of, packet_times
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer

SMALL = Look(size=(320, 240), fps=25, gop=25)
STREAMS = {
    "h264": SMALL,
    "hevc": replace(SMALL, codec="hevc"),
    "h264-b-frames": replace(SMALL, b_frames=2),
    "hevc-b-frames": replace(SMALL, codec="hevc", b_frames=2),
    "keyframes-every-8-s": replace(SMALL, gop=200),
}


@dataclass(frozen=True)
class Recorded:
    """What was recorded of a live stream for a file and some of the next, and what was said of it meanwhile."""

    found: list[FileContents]
    told: list[Segment]
    status: RecordingStatus
    #: Unix seconds.
    ended_at: float


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """Serve one clip of 8 s for each kind of stream."""
    folder = tmp_path_factory.mktemp("media")
    for name, look in STREAMS.items():
        write_footage(folder / f"{name}.mp4", 0, seconds=8, look=look)
    write_footage(folder / "sound.mp4", 0, seconds=8, look=replace(SMALL, sound=True))
    with RtspServer(folder) as running:
        yield running


@pytest.fixture(scope="module")
def recorded(
    tmp_path_factory: pytest.TempPathFactory, valkey_server: ValkeyServer, server: RtspServer
) -> dict[str, Recorded]:
    """Record every kind of stream at the same time."""
    root = tmp_path_factory.mktemp("frames")

    def record(name: str) -> Recorded:
        with LiveRecording(server.url(name), root, client, camera_id=name) as camera:
            camera.wait_recorded(13)
            status, ended_at = camera.status, time.time()
        return Recorded(contents_of(root, name), camera.told(), status, ended_at)

    with valkey_server.client() as client, ThreadPoolExecutor(len(STREAMS)) as each:
        return dict(zip(STREAMS, each.map(record, STREAMS), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", STREAMS)
def test_every_picture_of_a_live_camera_is_recorded_at_its_time(recorded: dict[str, Recorded], name: str) -> None:
    """Given a live stream, when it is recorded, then no picture is missing and the clock of the files is the wall's."""
    its, look = recorded[name], STREAMS[name]
    assert its.status.state is RecordingState.RECORDING
    assert set(its.status.packets_lost) <= {"before_keyframe"}
    assert [each.codec for each in its.found] == [look.codec] * len(its.found)
    for each in its.found:
        assert each.begins_with_keyframe
        assert each.decoded[0] == 0
        assert len(each.shown) == len(each.decoded)
        assert each.shown == sorted(each.shown)
        gaps = [after - before for before, after in pairwise(each.decoded)]
        assert max(gaps) == pytest.approx(0.04, abs=0.01)
        assert min(gaps) == pytest.approx(0.04, abs=0.01)
    assert all(abs(after.start_ms - before.end_ms - 40) < 60 for before, after in pairwise(its.found))
    # The recorder is behind by a round and a fragment; the machine may be slow.
    assert -3 < packet_times(its.found)[-1] - its.ended_at < 1
    for told, file in zip(its.told, its.found, strict=True):
        assert file.path.as_posix().endswith(segment_path(name, told.start_ms, told.epoch))
        assert told.size_bytes == file.path.stat().st_size


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


@pytest.mark.long
def test_recording_goes_on_while_redis_is_away_and_what_it_missed_is_told_later(
    tmp_path: Path, own_valkey: ValkeyServer, server: RtspServer
) -> None:
    """Given a Redis that is killed, when it is back, then it is told of every file, and none has a gap."""
    with own_valkey.client() as client, LiveRecording(server.url("h264"), tmp_path, client) as camera:
        camera.wait_recorded(2)
        own_valkey.kill()
        camera.wait(lambda: camera.recorder.segments_waiting > 0, "a file waits to be told of")
        camera.wait_recorded(14)
        own_valkey.start()
        camera.wait(lambda: camera.recorder.segments_waiting == 0, "all is told")
        assert camera.told()
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
            recording.wait(lambda: recording.status.seconds >= 12, "all of the first round is recorded", 60)
    found = contents_of(tmp_path)
    # The server sends it again and again; a machine that is busy may begin more files than one of a size.
    rounds = [(size, sum(len(each.shown) for each in its)) for size, its in groupby(found, lambda each: each.size)]
    assert rounds[:2] == [((320, 240), 40), ((640, 360), 40)]
    told = [(each.width, each.height) for each in recording.told()]
    assert told == [each.size for each in found]


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
