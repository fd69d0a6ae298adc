"""Archives of each kind, empty: a folder, and a bucket of a real S3 server."""

from pathlib import Path

import pytest

from camera_ctrler.recordings import s3_archive
from camera_ctrler.recordings.archive import Archive
from camera_ctrler.recordings.folder_archive import FolderArchive
from camera_ctrler.recordings.s3_archive import S3Archive
from tests.support.s3_server import BUCKET, S3Server


def s3_archive_of(server: S3Server, prefix: str = "site/north") -> S3Archive:
    """Return the archive in the server's bucket."""
    return S3Archive(BUCKET, prefix, endpoint=server.endpoint, key="k", secret="s")  # noqa: S106 - not a secret


@pytest.fixture(params=["folder", "s3"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    """Each kind of archive, empty."""
    if request.param == "s3":
        return s3_archive_of(request.getfixturevalue("s3"))
    (tmp_path / "second").mkdir()
    made = FolderArchive(tmp_path / "second")
    made.check(expects_footage=False)
    return made


@pytest.fixture
def quick_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a storage that does not answer be given up soon."""
    monkeypatch.setattr(s3_archive, "READ_SECONDS", 1.0)
