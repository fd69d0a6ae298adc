"""The second tier itself: a second folder and a real S3 server, read, written and in trouble."""

import io
import os
from pathlib import Path

import pytest

from camera_ctrler.recordings.archive import (
    Archive,
    ArchiveAwayError,
    ArchiveDamageError,
    ArchiveFullError,
    open_archive,
)
from camera_ctrler.recordings.folder_archive import MARK, FolderArchive
from camera_ctrler.recordings.s3_archive import S3Archive
from contract.errors import ContractError
from contract.recording_paths import segment_path
from runtime.settings import ControllerSettings
from tests.support.archives import s3_archive_of
from tests.support.s3_server import BUCKET, S3Server
from tests.support.segment_index import EIGHT_MS
from tests.support.tcp_proxy import TcpProxy
from tests.support.volumes import mounted_volume

PATH = segment_path("a", EIGHT_MS, 1)


def test_what_was_stored_is_read_back_byte_by_byte_and_from_anywhere(archive: Archive, tmp_path: Path) -> None:
    """Given a file of several read-aheads, it is read whole, from its middle, from its end and past it."""
    data = os.urandom(3_500_000)
    file = tmp_path / "file"
    file.write_bytes(data)
    archive.check(expects_footage=False)
    archive.store(PATH, file)
    with archive.open(PATH) as found:
        assert found.read() == data
        assert found.seek(2_000_000) == 2_000_000
        assert found.read(5) == data[2_000_000:2_000_005]
        assert found.tell() == 2_000_005
        found.seek(-3, io.SEEK_END)
        assert found.read(100) == data[-3:]
        assert found.read(1) == b""
        found.seek(10)
        assert found.seek(-4, io.SEEK_CUR) == 6
        assert found.read(4) == data[6:10]


def test_storing_again_replaces_and_deleting_again_is_no_error(archive: Archive, tmp_path: Path) -> None:
    """Given an interrupted move that is done again, the archive has the file once; deleted twice, it has none."""
    file = tmp_path / "file"
    for data in (b"first", b"the second one"):
        file.write_bytes(data)
        archive.store(PATH, file)
    with archive.open(PATH) as found:
        assert found.read() == b"the second one"
    archive.delete(PATH)
    archive.delete(PATH)
    with pytest.raises(FileNotFoundError):
        archive.open(PATH)


def test_a_file_that_is_gone_is_not_the_archives_fault(archive: Archive, tmp_path: Path) -> None:
    """Given a local file that was deleted meanwhile, the error says that and nothing of the archive."""
    with pytest.raises(FileNotFoundError):
        archive.store(PATH, tmp_path / "none")


@pytest.mark.parametrize("path", ["../../etc/passwd", "a/recordings/20261121/08/x.mp4", "/etc/passwd", ""])
def test_a_path_that_is_no_recording_leads_nowhere(archive: Archive, path: str) -> None:
    """Given a path that leads out, it is refused before anything is read or deleted."""
    for use in (archive.open, archive.delete):
        with pytest.raises(ContractError, match="is not the path of a recording"):
            use(path)


def test_a_mount_point_without_its_volume_is_no_archive(tmp_path: Path) -> None:
    """Given an archive with footage whose volume is not mounted, nothing is written, read or made there."""
    root = tmp_path / "second"
    archive = FolderArchive(root)
    with pytest.raises(ArchiveAwayError, match="cannot be used: No such file"):
        archive.check(expects_footage=False)
    root.mkdir()
    with pytest.raises(ArchiveAwayError, match="mount the volume"):
        archive.check(expects_footage=True)
    file = tmp_path / "file"
    file.write_bytes(b"x")
    with pytest.raises(ArchiveAwayError, match="not mounted"):
        archive.store(PATH, file)
    with pytest.raises(ArchiveAwayError, match="not mounted"):
        archive.open(PATH)
    assert list(root.iterdir()) == []
    archive.check(expects_footage=False)
    assert [each.name for each in root.iterdir()] == [MARK]
    archive.check(expects_footage=True)


def test_a_full_archive_says_so_and_keeps_no_half_file(tmp_path: Path) -> None:
    """Given a second volume without room, the error names it, and nothing of the file is left."""
    with mounted_volume(tmp_path / "second", 100) as root:
        archive = FolderArchive(root)
        archive.check(expects_footage=False)
        file = tmp_path / "file"
        file.write_bytes(bytes(300_000))
        with pytest.raises(ArchiveFullError, match="is full; lower FARM_ARCHIVE_MAX_BYTES"):
            archive.store(PATH, file)
        assert [each for each in root.rglob("*") if each.is_file()] == [root / MARK]


def test_a_bucket_that_is_not_there_is_named(s3: S3Server, tmp_path: Path) -> None:
    """Given a wrong name of a bucket, both the check and storing say so."""
    archive = S3Archive("nobodys", "", endpoint=s3.endpoint, key="k", secret="s")  # noqa: S106 - not a secret
    file = tmp_path / "file"
    file.write_bytes(b"x")
    with pytest.raises(ArchiveAwayError, match="no bucket 'nobodys'"):
        archive.check(expects_footage=False)
    with pytest.raises(ArchiveAwayError, match="no bucket 'nobodys'"):
        archive.store(PATH, file)


def test_what_arrives_damaged_does_not_count(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a line that changes a byte, or loses some, what the storage says tells, and the object is deleted."""
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    archive = s3_archive_of(s3)
    send = archive._files._pipe_file
    for arrives in (b"0123456x89", b"01234"):
        monkeypatch.setattr(archive._files, "_pipe_file", lambda place, _, arrives=arrives: send(place, arrives))
        with pytest.raises(ArchiveDamageError, match="arrived damaged"):
            archive.store(PATH, file)
        assert s3.objects() == {}


def test_a_checksum_that_is_no_md5_is_made_good_by_reading_what_is_there(s3: S3Server, tmp_path: Path) -> None:
    """Given a storage that encrypts and so says another mark than the MD5, a whole file counts all the same."""
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")

    def change(answer: bytes) -> bytes:
        return answer.replace(b"781e5e245d69b566979b86e28d23f2c7", b"0" * 32)

    with TcpProxy(s3.port, change_answer=change) as proxy:
        archive = S3Archive(
            BUCKET,
            "",
            endpoint=f"http://127.0.0.1:{proxy.port}",
            key="k",
            secret="s",  # noqa: S106 - not a secret
        )
        archive.store(PATH, file)
    assert s3.objects() == {PATH: 10}


@pytest.mark.usefixtures("quick_s3")
def test_a_storage_that_stops_while_a_player_reads_is_named(s3: S3Server, tmp_path: Path) -> None:
    """Given an open file, when the storage freezes, reading on raises; when it is back, reading goes on."""
    file = tmp_path / "file"
    file.write_bytes(os.urandom(3_000_000))
    archive = s3_archive_of(s3)
    archive.store(PATH, file)
    with archive.open(PATH) as found:
        assert len(found.read(100)) == 100
        s3.freeze()
        try:
            found.seek(2_500_000)
            with pytest.raises(ArchiveAwayError, match="s3://footage/site/north cannot be used"):
                found.read(100)
            with pytest.raises(ArchiveAwayError):
                archive.open(PATH)
        finally:
            s3.thaw()
        found.seek(2_500_000)
        assert found.read(100) == file.read_bytes()[2_500_000:2_500_100]


def test_the_settings_say_where_it_is(tmp_path: Path) -> None:
    """Given URLs of both kinds and none, the archive follows."""

    def of(url: str) -> Archive | None:
        return open_archive(ControllerSettings(archive_url=url))

    assert of("") is None
    found = of(f"file://{tmp_path}/a%20b")
    assert isinstance(found, FolderArchive)
    assert found.root == tmp_path / "a b"
    assert isinstance(of("s3://bucket/site/north"), S3Archive)
