"""Cameras whose frames change their size, with a restart or in the middle of the stream."""

from collections.abc import Iterator

import pytest

from tests.support.clips import Clips
from tests.support.fault_farm import ANALYSE_FPS, FaultFarm, fault_farm, now_ms
from tests.support.http_camera import HttpCamera, body
from tests.support.rtsp_server import RtspServer


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultFarm]:
    """A farm of one worker with cameras that nothing happens to."""
    with fault_farm(tmp_path_factory.mktemp("farm"), workers=("one",), cameras=("a", "b")) as started:
        yield started


def sizes(farm: FaultFarm, camera_id: str) -> set[tuple[int, int]]:
    """Return every frame size that results of a camera had."""
    return {(result.width, result.height) for result in farm.watcher.results(camera_id)}


@pytest.mark.slow
def test_a_camera_that_restarts_with_another_size_is_analysed_at_that_size(
    farm: FaultFarm, clips: Clips, shaky: RtspServer
) -> None:
    """Given a camera of 320x240, when it restarts with 640x360, then results and status have the new size."""
    path = clips.folder / "set.mp4"
    path.write_bytes(clips.make("cam").read_bytes())
    farm.farm.add_camera("set", shaky.url("set"), analyse_fps=ANALYSE_FPS)
    farm.farm.wait_for(lambda: sizes(farm, "set") == {(320, 240)}, "it is analysed", 20)
    since_ms, pids = now_ms(), farm.pids()
    path.write_bytes(clips.make("larger", size=(640, 360)).read_bytes())
    shaky.restart()
    farm.farm.wait_for(lambda: (640, 360) in sizes(farm, "set"), "the new size is analysed", 20)
    farm.wait_status("set", state="online", width=640, height=360)
    farm.wait_analysed()
    farm.assert_undisturbed(*farm.cameras, since_ms=since_ms)
    assert farm.pids() == pids


@pytest.mark.slow
def test_a_size_that_changes_in_the_middle_of_a_stream_is_followed_without_connecting_again(
    farm: FaultFarm, clips: Clips
) -> None:
    """Given MPEG-TS over HTTP that goes from 320x240 to 640x360, when it is analysed, then at both sizes."""
    stream = clips.changing_resolution(seconds_each=4).read_bytes()
    with HttpCamera() as camera:
        camera.answers["/live.ts"] = body(stream, "video/mp2t")
        farm.farm.add_camera("changing", camera.url("/live.ts"), analyse_fps=ANALYSE_FPS)
        farm.farm.wait_for(lambda: sizes(farm, "changing") == {(320, 240), (640, 360)}, "both sizes are analysed", 40)
    farm.wait_analysed()
