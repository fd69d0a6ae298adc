"""Files that are named as cameras and are not allowed."""

import os
from pathlib import Path

import pytest

from contract.errors import StatusReason
from tests.support.clips import Clips
from tests.support.watched_camera import QUICK, WatchedCamera, below, file_camera


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    """Clips of this test."""
    return Clips(tmp_path)


def test_files_outside_the_folder_are_forbidden_however_they_are_named(clips: Clips, tmp_path: Path) -> None:
    """Given files elsewhere, When they are named with dots, links or plainly, Then path_forbidden, and none is read."""
    inside = tmp_path / "inside"
    inside.mkdir()
    secret = clips.make("secret", seconds=1)
    (inside / "link.mp4").symlink_to(secret)
    (inside / "up").symlink_to(tmp_path)
    (inside / "folder.mp4").mkdir()
    os.mkfifo(inside / "pipe.mp4")
    named = ["../secret.mp4", "%2e%2e/secret.mp4", "link.mp4", "up/secret.mp4", "folder.mp4", "pipe.mp4"]
    for url in [*(f"file://{inside}/{name}" for name in named), f"file://{secret}", "file:///etc/passwd"]:
        with WatchedCamera(url, settings=below(inside)) as camera:
            camera.wait_reason(StatusReason.PATH_FORBIDDEN)
        assert camera.frames == []
    with WatchedCamera(f"file://{secret}", settings=QUICK) as camera:
        assert "FARM_LOCAL_VIDEO_DIR" in camera.wait_reason(StatusReason.PATH_FORBIDDEN).detail
    with WatchedCamera(f"file://{inside}/none.mp4", settings=below(inside)) as camera:
        camera.wait_reason(StatusReason.NOT_FOUND)


@pytest.mark.parametrize(
    "text", ["ffconcat version 1.0\nfile secret.mp4\n", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n"]
)
def test_a_local_list_of_files_is_not_followed(clips: Clips, text: str) -> None:
    """Given a list of files in the folder, When it is a camera, Then libav does not open what it names."""
    clips.make("secret", seconds=1)
    for ending in ("mp4", "m3u8", "ffconcat"):
        path = clips.folder / f"list.{ending}"
        path.write_text(text)
        with file_camera(path) as camera:
            camera.wait_reason(StatusReason.NOT_VIDEO)
