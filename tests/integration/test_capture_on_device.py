"""Decoding on an NVIDIA device, as far as it can be seen on a machine without one."""

from collections.abc import Iterator
from dataclasses import replace

import av
import pytest

from tests.support.clips import Clips
from tests.support.rtsp_server import RtspServer
from tests.support.watched_camera import QUICK, WatchedCamera
from workers.capture.hardware import DecodeDeviceError, accelerator, check_decode_device
from workers.detection.devices import count_driver_devices

without_gpu = pytest.mark.skipif(count_driver_devices() > 0, reason="there is an NVIDIA device")
with_gpu = pytest.mark.skipif(count_driver_devices() == 0, reason="no NVIDIA device")


@pytest.fixture
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Where clips are made."""
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def server(clips: Clips) -> Iterator[RtspServer]:
    """Serve one stream."""
    clips.make("lost", fps=10, gop=10, seconds=3)
    with RtspServer(clips.folder) as running:
        yield running


def test_the_cpu_needs_no_accelerator() -> None:
    """Given cpu, nothing is asked of any device."""
    check_decode_device("cpu")
    assert accelerator("cpu") is None


@without_gpu
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_device_that_is_not_there_is_named_with_the_remedy(device: str) -> None:
    """Given no NVIDIA device, When one is to decode, Then the message names the setting and what to look at."""
    with pytest.raises(DecodeDeviceError, match=f"FARM_DECODE_DEVICE={device}, .*nvidia-smi.*FARM_DECODE_DEVICE=cpu"):
        check_decode_device(device)


@without_gpu
def test_a_device_that_was_lost_leaves_cameras_to_the_cpu(server: RtspServer) -> None:
    """Given a device that cannot be used any more, When a camera is opened, Then its frames come all the same."""
    with WatchedCamera(server.url("lost"), settings=replace(QUICK, decode_device="cuda")) as camera:
        camera.wait_frames(3)


@with_gpu
def test_frames_of_the_device_equal_those_of_the_cpu(clips: Clips) -> None:
    """Given a clip, When the device decodes, Then the brightness of each frame is that of the CPU's, or 1 beside."""
    path = clips.make("device", fps=10, gop=10, seconds=2)
    with av.open(path) as on_cpu, av.open(path, hwaccel=accelerator("cuda")) as on_device:
        assert on_device.streams.video[0].codec_context.is_hwaccel
        for expected, seen in zip(on_cpu.decode(video=0), on_device.decode(video=0), strict=True):
            ours, theirs = expected.to_ndarray(format="gray"), seen.to_ndarray(format="gray")
            assert abs(ours.astype(int) - theirs).max() <= 1
