"""Recording and analysis of one camera in one worker: what the one tells the other, and what neither may do to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from contract.recordings import KeptFor, RecordMode
from tests.support.clips import Clips
from tests.support.live_recording import contents_of
from tests.support.recording_pipeline import RecordingPipeline, recording_pipeline
from tests.support.rtsp_server import RtspServer, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """Serve a small and a large stream of moving squares, and a picture in which nothing moves."""
    clips = Clips(tmp_path_factory.mktemp("media"))
    clips.make("sub", size=(320, 240), fps=10, gop=10)
    clips.make("main", size=(640, 360), fps=10, gop=10)
    clips.make("still", size=(320, 240), fps=10, gop=10, seconds=0.1)
    with RtspServer(clips.folder) as running:
        yield running


@pytest.fixture
def running(tmp_path: Path, redis_client: redis.Redis) -> Iterator[RecordingPipeline]:
    """A pipeline without cameras."""
    with recording_pipeline(tmp_path, redis_client) as started:
        yield started


@pytest.mark.slow
def test_the_main_stream_is_recorded_while_the_smaller_one_is_analysed(
    running: RecordingPipeline, server: RtspServer
) -> None:
    """Given a camera with two streams, then its footage is large, its frames are small and both go on."""
    running.watch(server.url("sub"), main_url=server.url("main"), cam=RecordMode.CONTINUOUS)
    wait_until(lambda: running.seconds("cam") >= 4, "it is recorded", seconds=40)
    status = running.status("cam")
    assert (status.width, status.height) == (320, 240)
    assert status.frames_analysed > 0
    assert {each.size for each in contents_of(running.frames, "cam")} == {(640, 360)}


@pytest.mark.slow
def test_a_track_makes_a_recording_of_events_with_what_was_seen(running: RecordingPipeline, server: RtspServer) -> None:
    """Given a camera that records events, when somebody comes and goes, then that is recorded, and nothing else."""
    running.watch(server.url("sub"), cam=RecordMode.EVENTS, analyse_fps=5)
    wait_until(lambda: running.status("cam").frames_analysed > 10, "it is analysed", seconds=40)
    assert running.status("cam").recording.detail == "waiting for an event"
    running.detector.somebody_is_there = True
    wait_until(lambda: running.seconds("cam") >= 3, "it is recorded", seconds=40)
    running.detector.somebody_is_there = False
    wait_until(lambda: len(running.told("cam")) == 1, "the file is told of", seconds=40)
    segment = running.told("cam")[0]
    assert (segment.kept_for, segment.seen) == (KeptFor.EVENT, {"person": 1})
    assert segment.motion > 0
    (only,) = contents_of(running.frames, "cam")
    # From the pre-roll to the post-roll, in whole GOPs.
    assert only.decoded[-1] >= 5


@pytest.mark.slow
def test_motion_is_recorded_where_something_moves_and_only_there(
    running: RecordingPipeline, server: RtspServer
) -> None:
    """Given a camera that sees squares move and one that sees a still picture, then only the first is recorded."""
    running.watch(server.url("sub"), moving=RecordMode.MOTION)
    wait_until(lambda: running.seconds("moving") >= 4, "it is recorded", seconds=40)
    running.watch(server.url("still"), still=RecordMode.MOTION)
    wait_until(lambda: running.status("still").frames_analysed > 10, "it is analysed", seconds=40)
    assert running.seconds("still") == 0
    assert running.told("moving")[-1].kept_for is KeptFor.MOTION
    assert running.told("moving")[-1].motion > 0.5


@pytest.mark.slow
def test_recording_is_switched_on_and_off_while_the_camera_is_watched(
    running: RecordingPipeline, server: RtspServer
) -> None:
    """Given a camera that is only watched, when its assignment says so it is recorded, and later no more."""
    running.watch(server.url("sub"), cam=RecordMode.OFF)
    wait_until(lambda: running.status("cam").frames_analysed > 2, "it is analysed", seconds=40)
    running.watch(server.url("sub"), cam=RecordMode.CONTINUOUS, epoch=2)
    wait_until(lambda: running.seconds("cam") >= 3, "it is recorded", seconds=40)
    running.watch(server.url("sub"), cam=RecordMode.OFF, epoch=3)
    wait_until(lambda: len(running.told("cam")) == 1, "the file is finished", seconds=40)
    analysed = running.status("cam").frames_analysed
    wait_until(lambda: running.status("cam").frames_analysed > analysed + 2, "it is analysed on", seconds=40)
    assert [each.epoch for each in contents_of(running.frames, "cam")] == [2]
    assert running.feed.hot("cam").open is None
