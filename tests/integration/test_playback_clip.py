"""Saved frames as one MP4: times, sizes, damaged frames, ranges of bytes, and nothing left behind."""

import io
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from numpy.typing import NDArray

from camera_ctrler.api.resources import footage
from camera_ctrler.api.services import services_of
from camera_ctrler.playback import clip_store
from camera_ctrler.playback.clip_store import ClipStore, TooManyClipsError
from camera_ctrler.playback.errors import ClipInterruptedError, NothingToPlayError
from camera_ctrler.playback.picture_encoder import clip_size, fit
from camera_ctrler.playback.saved_frames.clip import ClipFigures, ClipMaker
from contract.frame_paths import frame_path
from runtime.frame_store import FrameStore
from tests.support.clips import picture
from tests.support.clocks import SetClock
from tests.support.farm_state import FarmState, jpeg_of

#: Start of an hour, so that ranges below cross the end of one.
START = 1_790_001_600_000 + 3_599_000


def _decoded(data: bytes) -> tuple[list[float], list[NDArray[np.uint8]], av.VideoStream]:
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        times = [round(float(frame.time or 0), 4) for frame in frames]
        return times, [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames], stream


def _save(store: FrameStore, times: list[int], size: tuple[int, int] = (320, 240)) -> None:
    for number, time_ms in enumerate(times):
        store.save(frame_path("lobby", time_ms), jpeg_of(number * 5, size))


@pytest.mark.parametrize("speed", [1.0, 4.0, 2.5])
def test_a_clip_shows_each_frame_when_it_was_captured(tmp_path: Path, speed: float) -> None:
    """Given frames 1 s, 0.5 s and an hour apart, then the clip has them at those distances, the hour cut to 1 s."""
    store = FrameStore(tmp_path)
    times = [START, START + 1_000, START + 1_500, START + 3_601_500]
    _save(store, times)
    figures = ClipMaker(store, threading.Event()).make("lobby", times, speed, tmp_path / "clip.mp4")
    assert figures == ClipFigures(frames=4, skipped=0, width=320, height=240)
    shown, images, stream = _decoded((tmp_path / "clip.mp4").read_bytes())
    assert shown == pytest.approx([0, 1 / speed, 1.5 / speed, 2.5 / speed], abs=0.001)
    assert stream.codec_context.name == "h264"
    assert stream.codec_context.pix_fmt == "yuv420p"
    assert float((stream.duration or 0) * (stream.time_base or 0)) == pytest.approx(3.5 / speed, abs=0.01)
    for number, image in enumerate(images):
        wanted = picture(number * 5, (320, 240)).astype(int)
        assert np.abs(image.astype(int) - wanted).mean() < 6, "the right picture at the right time"


def test_a_frame_of_another_size_is_fitted_into_the_first_ones(tmp_path: Path) -> None:
    """Given frames that change from 4:3 to 16:9 and to odd sizes, then all are there, with black bars."""
    store = FrameStore(tmp_path)
    sizes = [(320, 240), (640, 360), (101, 75), (320, 240)]
    times = [START + number * 100 for number in range(4)]
    for time_ms, size in zip(times, sizes, strict=True):
        store.save(frame_path("lobby", time_ms), jpeg_of(9, size))
    figures = ClipMaker(store, threading.Event()).make("lobby", times, 1, tmp_path / "clip.mp4")
    assert (figures.frames, figures.width, figures.height) == (4, 320, 240)
    _, images, _ = _decoded((tmp_path / "clip.mp4").read_bytes())
    assert [image.shape for image in images] == [(240, 320, 3)] * 4
    assert images[1][:20].mean() < 12
    assert images[1][120].mean() > 40


def test_damaged_and_vanished_frames_are_left_out_and_counted(tmp_path: Path) -> None:
    """Given frames that are cut off, empty, no JPEG, or deleted meanwhile, then the others make the clip."""
    store = FrameStore(tmp_path)
    times = [START + number * 500 for number in range(7)]
    _save(store, times)
    for number, data in ((0, b""), (2, jpeg_of(0)[:900]), (3, b"\xff\xd8 no picture \xff\xd9"), (4, b"GIF89a")):
        (tmp_path / frame_path("lobby", times[number])).write_bytes(data)
    (tmp_path / frame_path("lobby", times[5])).unlink()
    figures = ClipMaker(store, threading.Event()).make("lobby", times, 1, tmp_path / "clip.mp4")
    assert (figures.frames, figures.skipped) == (2, 5)
    shown, _, _ = _decoded((tmp_path / "clip.mp4").read_bytes())
    assert shown[1] - shown[0] == pytest.approx(2.5, abs=0.001)


def test_nothing_that_can_be_decoded_is_an_error_with_words(tmp_path: Path) -> None:
    """Given only damaged frames, or a server that stops, then the error says so."""
    store = FrameStore(tmp_path)
    store.save(frame_path("lobby", START), b"junk")
    with pytest.raises(NothingToPlayError, match="choose another range"):
        ClipMaker(store, threading.Event()).make("lobby", [START], 1, tmp_path / "clip.mp4")
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(ClipInterruptedError):
        ClipMaker(store, stopping).make("lobby", [START], 1, tmp_path / "clip.mp4")


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((320, 240), (320, 240)),
        ((321, 241), (320, 240)),
        ((3840, 2160), (1920, 1080)),
        ((1080, 3840), (540, 1920)),
        ((1, 1), (2, 2)),
    ],
)
def test_a_clip_has_even_sides_of_at_most_1920(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    """Given any first frame, then H.264 can take the clip's size and browsers can decode it."""
    assert clip_size(*size) == wanted
    assert fit(np.zeros((size[1], size[0], 3), np.uint8), *wanted).shape == (wanted[1], wanted[0], 3)


# --- over the API ----------------------------------------------------------------------------------------------------

CLIP = "/api/v1/cameras/lobby/playback.mp4"
RANGE = f"from_ms={START}&to_ms={START + 10_000}"


@pytest.fixture
def footage_api(api: FlaskClient, farm_state: FarmState) -> FlaskClient:
    """The API with twelve frames of camera ``lobby``, a quarter second apart, the third one damaged."""
    farm_state.camera("lobby")
    times = [START + number * 250 for number in range(12)]
    _save(farm_state.store, times)
    (farm_state.store.root / frame_path("lobby", times[2])).write_bytes(b"junk")
    return api


def test_a_clip_is_downloaded_whole_with_its_figures(footage_api: FlaskClient) -> None:
    """Given a range, then the answer is the clip, its name says camera and time, its headers count frames."""
    answer = footage_api.get(f"{CLIP}?{RANGE}")
    assert (answer.status_code, answer.content_type) == (200, "video/mp4")
    assert len(_decoded(answer.data)[0]) == 11
    assert (answer.headers["X-Frames"], answer.headers["X-Skipped-Frames"]) == ("11", "1")
    assert 'filename="lobby-2026' in answer.headers["Content-Disposition"]
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_any_piece_of_a_clip_can_be_asked_for(footage_api: FlaskClient) -> None:
    """Given ranges of bytes, then 206 with exactly those, 416 beyond the end, 304 to a known tag."""
    whole = footage_api.get(f"{CLIP}?{RANGE}")
    size = len(whole.data)
    for header, piece in (
        ("bytes=0-99", slice(0, 100)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-50", slice(size - 50, None)),
    ):
        answer = footage_api.get(f"{CLIP}?{RANGE}", headers={"Range": header})
        assert answer.status_code == 206
        assert answer.data == whole.data[piece]
        assert answer.headers["Content-Range"].endswith(f"/{size}")
    beyond = footage_api.get(f"{CLIP}?{RANGE}", headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.content_type) == (416, "application/problem+json")
    assert beyond.headers["Content-Range"] == f"bytes */{size}"
    known = footage_api.get(f"{CLIP}?{RANGE}", headers={"If-None-Match": whole.headers["ETag"]})
    assert (known.status_code, known.data) == (304, b"")


def test_a_clip_is_made_once_until_its_frames_change(
    app: Flask, footage_api: FlaskClient, farm_state: FarmState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given many requests for one clip, then it is encoded once; a frame that comes later makes it anew."""
    made: list[float] = []
    maker = services_of(app).clip_maker
    real = ClipMaker.make

    def counted(self: ClipMaker, camera_id: str, times: list[int], speed: float, path: Path) -> ClipFigures:
        made.append(speed)
        return real(self, camera_id, times, speed, path)

    monkeypatch.setattr(ClipMaker, "make", counted)
    assert isinstance(maker, ClipMaker)
    for _ in range(3):
        footage_api.get(f"{CLIP}?{RANGE}")
    footage_api.get(f"{CLIP}?{RANGE}&speed=2")
    assert made == [1.0, 2.0]
    farm_state.save("lobby", START + 5_000)
    assert footage_api.get(f"{CLIP}?{RANGE}").headers["X-Frames"] == "12"
    assert made == [1.0, 2.0, 1.0]


def test_too_many_frames_are_refused_before_any_is_read(
    footage_api: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a range with more frames than a clip may have, then 400 names the limit; just as many are fine."""
    monkeypatch.setattr(footage, "MAX_CLIP_FRAMES", 11)
    answer = footage_api.get(f"{CLIP}?{RANGE}")
    assert answer.status_code == 400
    assert "more than 11 frames" in answer.text
    monkeypatch.setattr(footage, "MAX_CLIP_FRAMES", 12)
    assert footage_api.get(f"{CLIP}?{RANGE}").status_code == 200


def test_no_file_of_a_clip_stays_on_disk(
    footage_api: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given clips that were made, asked for and failed, then the temporary folder is empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert footage_api.get(f"{CLIP}?{RANGE}").status_code == 200
    assert footage_api.get(f"{CLIP}?from_ms={START + 500}&to_ms={START + 501}").status_code == 404
    assert list(folder.iterdir()) == []


# --- the store -------------------------------------------------------------------------------------------------------


def _writer(data: bytes) -> clip_store.Make[ClipFigures]:
    def make(path: Path) -> ClipFigures:
        path.write_bytes(data)
        return ClipFigures(1, 0, 2, 2)

    return make


@pytest.fixture
def clips() -> Iterator[ClipStore[ClipFigures]]:
    """A store with a clock of its own."""
    store: ClipStore[ClipFigures] = ClipStore(SetClock())
    yield store
    store.close()


def test_a_clip_that_is_being_read_outlives_its_place_in_the_store(
    clips: ClipStore[ClipFigures], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given room for one clip, when another is made, then the reader of the first still reads all of it."""
    monkeypatch.setattr(clip_store, "MAX_CLIPS", 1)
    reader = clips.open(("a",), _writer(b"first"))
    assert reader.read(2) == b"fi"
    with clips.open(("b",), _writer(b"second")) as other:
        assert other.read() == b"second"
    assert reader.read() == b"rst"
    reader.close()
    with clips.open(("a",), _writer(b"made anew")) as anew:
        assert anew.read() == b"made anew"


def test_a_clip_is_made_anew_after_its_lifetime() -> None:
    """Given a clip older than its lifetime, then the next request makes another."""
    clock = SetClock()
    store: ClipStore[ClipFigures] = ClipStore(clock)
    store.open(("a",), _writer(b"old")).close()
    clock.advance(clip_store.LIFETIME_SECONDS + 1)
    with store.open(("a",), _writer(b"new")) as clip:
        assert clip.read() == b"new"
    store.close()


def test_a_clip_that_fails_leaves_the_way_free(clips: ClipStore[ClipFigures]) -> None:
    """Given a maker that raises, then its error comes through, and the next request may succeed."""

    def broken(_path: Path) -> ClipFigures:
        raise NothingToPlayError("nothing")

    for _ in range(clip_store.MAX_MAKING + 1):
        with pytest.raises(NothingToPlayError):
            clips.open(("a",), broken)
    clips.open(("a",), _writer(b"x")).close()


def test_who_finds_all_turns_taken_is_told_after_a_while(
    clips: ClipStore[ClipFigures], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given as many clips in the making as may be, then one more waits, and is told to come again."""
    monkeypatch.setattr(clip_store, "PATIENCE_SECONDS", 0.05)
    go_on, begun = threading.Event(), threading.Semaphore(0)

    def slow(path: Path) -> ClipFigures:
        begun.release()
        assert go_on.wait(10)
        return _writer(b"x")(path)

    threads = [
        threading.Thread(target=lambda name=name: clips.open((name,), slow).close())
        for name in range(clip_store.MAX_MAKING)
    ]
    for thread in threads:
        thread.start()
        assert begun.acquire(timeout=10)
    with pytest.raises(TooManyClipsError):
        clips.open(("other",), _writer(b"x"))
    with pytest.raises(TooManyClipsError):
        clips.open((0,), _writer(b"x"))
    go_on.set()
    for thread in threads:
        thread.join(10)
    clips.open(("other",), _writer(b"x")).close()
