"""What tests of cameras that fail have in common."""

from collections.abc import Iterator

import pytest

from tests.support.clips import Clips
from tests.support.rtsp_server import RtspServer


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Clips for one file of tests; ``cam`` has 10 fps and a keyframe a second."""
    made = Clips(tmp_path_factory.mktemp("clips"))
    made.make("cam", fps=10, gop=10, seconds=4)
    return made


@pytest.fixture(scope="module")
def steady(clips: Clips) -> Iterator[RtspServer]:
    """A server that no test disturbs."""
    with RtspServer(clips.folder) as server:
        yield server


@pytest.fixture
def shaky(clips: Clips) -> Iterator[RtspServer]:
    """A server that the test may stop and freeze."""
    with RtspServer(clips.folder) as server:
        yield server
