"""Crops as they lie on a volume that nobody vouches for."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from contract.crops import Crop
from reid.crop_files import CropFiles, UnreadableCropError, VolumeAwayError, is_plain, why_undecodable
from reid.errors import UnusableCropsError


def jpeg(width: int = 24, height: int = 48) -> bytes:
    """Return a picture with something on it."""
    image = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".jpg", image)[1])


def crop(path: str) -> Crop:
    """Return a crop of that path."""
    return Crop(path=path, captured_at_ms=1, xyxy=(0.0, 0.0, 1.0, 1.0), width=1, height=1, confidence=0.5, quality=0.5)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A frames volume with something on it."""
    root = tmp_path / "frames"
    (root / "lobby").mkdir(parents=True)
    return root


def reason_of(volume: Path, path: str) -> str:
    """Return why a crop cannot be used."""
    with pytest.raises(UnusableCropsError) as raised:
        CropFiles(volume).load("lobby:1:1", crop(path))
    assert raised.value.event_id == "lobby:1:1"
    return str(raised.value)


def test_a_crop_comes_back_as_the_picture_that_it_is(volume: Path) -> None:
    """Given a JPEG, its pixels are there, three channels, whatever its size, one pixel included."""
    for width, height in ((24, 48), (1, 1)):
        (volume / "lobby/a.jpg").write_bytes(jpeg(width, height))
        image = CropFiles(volume).load("e", crop("lobby/a.jpg"))
        assert image.shape == (height, width, 3)


def resized(data: bytes, width: int, height: int) -> bytes:
    """Return a JPEG whose head states another size."""
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + data[at + 9 :]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n", "is not a JPEG"),
        (jpeg()[:-40], "is cut short"),
        (b"\xff\xd8\xff\xd9", "damaged"),
        (b"\xff\xd8" + b"x" * 500 + b"\xff\xd9", "damaged"),
        (resized(jpeg(), 8_000, 6_000), "8000 x 6000 pixels"),
        (resized(jpeg(), 24, 0), "no pixels"),
    ],
    ids=["empty", "png", "cut", "nothing in it", "garbage", "48 megapixels", "no height"],
)
def test_what_is_no_usable_picture_has_its_reason(volume: Path, content: bytes, reason: str) -> None:
    """Given a file that is no crop, it is refused by name, and nothing large is made of it first."""
    (volume / "lobby/a.jpg").write_bytes(content)
    text = reason_of(volume, "lobby/a.jpg")
    assert reason in text
    assert "lobby/a.jpg" in text


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x.jpg", "lobby/../../x.jpg", "", "lobby//a.jpg", "a\0b", "a\\b", "./a"]
)
def test_paths_that_do_not_go_straight_down_are_refused(volume: Path, path: str) -> None:
    """Given a path with tricks, it is not looked for."""
    assert not is_plain(path)
    assert "not a path on the frames volume" in reason_of(volume, path)


def test_a_link_that_leads_out_of_the_volume_is_refused(volume: Path, tmp_path: Path) -> None:
    """Given a link to a picture elsewhere, or a folder that is one, nothing of it is read."""
    (tmp_path / "secret.jpg").write_bytes(jpeg())
    (volume / "lobby/link.jpg").symlink_to(tmp_path / "secret.jpg")
    (volume / "elsewhere").symlink_to(tmp_path)
    for path in ("lobby/link.jpg", "elsewhere/secret.jpg"):
        reason = reason_of(volume, path)
        assert "leads out of" in reason or "is a link" in reason


def test_what_is_no_file_is_refused_and_never_waited_for(volume: Path) -> None:
    """Given a folder, a pipe or nothing in a crop's place, it is refused at once."""
    (volume / "lobby/folder.jpg").mkdir()
    os.mkfifo(volume / "lobby/pipe.jpg")
    assert "is not a file" in reason_of(volume, "lobby/folder.jpg")
    assert "is not a file" in reason_of(volume, "lobby/pipe.jpg")
    assert "is gone" in reason_of(volume, "lobby/gone.jpg")
    assert "is gone" in reason_of(volume, "lobby/" + "x" * 300 + ".jpg")


def test_a_volume_that_is_not_there_is_nobodys_fault(tmp_path: Path) -> None:
    """Given no folder, or the empty one that a mount leaves, the volume is away and the crop is not to blame."""
    files = CropFiles(tmp_path / "frames")
    with pytest.raises(VolumeAwayError, match="cannot be read"):
        files.load("e", crop("lobby/a.jpg"))
    (tmp_path / "frames").mkdir()
    with pytest.raises(VolumeAwayError, match="mounted"):
        files.load("e", crop("lobby/a.jpg"))


def test_a_file_that_cannot_be_read_now_may_be_tried_again(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a disk that fails, the crop is not called unusable."""
    (volume / "lobby/a.jpg").write_bytes(jpeg())

    def fails(*_: object, **__: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "open", fails)
    with pytest.raises(UnreadableCropError, match="Input/output error"):
        CropFiles(volume).load("e", crop("lobby/a.jpg"))


def test_a_head_that_never_ends_is_damaged() -> None:
    """Given nothing but fill bytes, or a segment that leads beyond the end, the file is damaged."""
    assert why_undecodable(b"\xff\xd8" + b"\xff" * 100 + b"\xd9") == "is a damaged JPEG"
    assert why_undecodable(b"\xff\xd8\xff\xe0\xff\xff" + b"\0" * 50 + b"\xff\xd9") == "is a damaged JPEG"
