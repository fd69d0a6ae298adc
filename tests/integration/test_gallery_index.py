"""The index over embeddings: it follows the database, starts from files, forgets what was erased. On both databases."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, insert
from structlog.testing import capture_logs

from camera_ctrler.identities.cleaner import IdentityCleaner
from camera_ctrler.identities.erasure import Erasure
from database.identities import embeddings, gallery_segments
from reid.gallery.embedding_rows import pack
from reid.gallery.gallery_index import RECOUNT_SECONDS, GalleryIndex
from tests.support.api_server import REPOSITORY
from tests.support.galleries import DIMENSION, EIGHT_MS, HOUR_MS, VERSION, Gallery, looks, settle

PATIENCE = 10.0


def _found(index: GalleryIndex, person: int, count: int = 3) -> list[int]:
    return [int(number) for number in index.search(looks(person, 1, seed=9), count)[0]]


def _files(folder: Path, ending: str = ".segment") -> list[str]:
    return sorted(path.name for path in folder.rglob(f"*{ending}"))


def _wholly(index: GalleryIndex) -> GalleryIndex:
    while index.catch_up():
        pass
    return index


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of 32 numbers, so that there are several; they have codes from 16 on."""
    monkeypatch.setattr("reid.gallery.segment.CODED_FROM", 16)
    for module in ("reid.gallery.segment", "camera_ctrler.identities.erasure"):
        monkeypatch.setattr(f"{module}.SEGMENT_SIZE", 32)


@pytest.mark.usefixtures("small_segments")
def test_two_readers_answer_alike_wherever_they_began(gallery: Gallery) -> None:
    """Given one that was there from the first, one from files, one from the database, their answers are the same."""
    first = gallery.index("one")
    for person in range(40):
        gallery.see(person, f"lobby:1:{person}")
        first.catch_up_wholly(PATIENCE)
    first.save()
    first.close()
    from_files, from_sql = gallery.index("one"), gallery.index("two")
    for each in (from_files, from_sql):
        assert each.catch_up_wholly(PATIENCE)
        assert (len(each), each.up_to) == (120, 120)
    query = np.concatenate([looks(person, 2, seed=3) for person in range(40)])
    wanted = first.search(query, 10)
    for each in (from_files, from_sql):
        numbers, similarities = each.search(query, 10)
        assert numbers.tolist() == wanted[0].tolist()
        assert similarities.tolist() == wanted[1].tolist()


@pytest.mark.parametrize("damage", ["cut", "changed", "no note", "other version", "other format", "empty"])
def test_a_snapshot_that_is_damaged_is_made_anew(gallery: Gallery, damage: str) -> None:
    """Given a file that is cut short, changed, or of something else, it is said once, and all are found as before."""
    for person in range(10):
        gallery.see(person, f"lobby:1:{person}")
    index = gallery.index()
    assert index.catch_up_wholly(PATIENCE)
    index.close()
    folder = gallery.folder / "snapshots"
    (file,) = folder.rglob("*.segment")
    data = file.read_bytes()
    if damage == "cut":
        os.truncate(file, len(data) // 2)
    elif damage == "changed":
        file.write_bytes(data[:1_000] + bytes([data[1_000] ^ 1]) + data[1_001:])
    elif damage == "empty":
        os.truncate(file, 0)
    elif damage == "no note":
        file.with_suffix(".json").unlink()
    elif damage == "other version":
        note = file.with_suffix(".json")
        note.write_text(note.read_text().replace(VERSION, "another"))
    else:  # as they were before: another ending, and less in the note
        file.rename(file.with_suffix(".usearch"))
        known = json.loads(file.with_suffix(".json").read_text())
        del known["begun_ms"], known["newest_ms"]
        file.with_suffix(".json").write_text(json.dumps(known | {"format": "usearch-2.26/ip/bf16/16/64/65536"}))
    with capture_logs() as logs:
        index = gallery.index()
        assert index.catch_up_wholly(PATIENCE)
    assert len(index) == 30
    assert set(_found(index, 4)) == {13, 14, 15}
    assert [each["event"] for each in logs].count("gallery_snapshot_unusable") == (damage != "no note")
    index.close()
    assert not _files(gallery.folder, ".usearch")
    assert gallery.index().catch_up_wholly(PATIENCE)


@pytest.mark.usefixtures("small_segments")
def test_a_file_is_mapped_and_not_read_when_its_segment_is_full(gallery: Gallery) -> None:
    """Given full segments, there is one file for each, one for the part that grows, and none is written twice."""
    for person in range(25):
        gallery.see(person, f"lobby:1:{person}")
    index = gallery.index()
    assert index.catch_up_wholly(PATIENCE)
    index.close()
    assert _files(gallery.folder) == ["00000000-0-31.segment", "00000001-0-63.segment", "00000002-0-75.segment"]
    before = {path: path.stat().st_mtime_ns for path in gallery.folder.rglob("*.segment")}
    again = gallery.index()
    assert again.catch_up_wholly(PATIENCE)
    gallery.see(99, "lobby:1:99")
    assert again.catch_up_wholly(PATIENCE)
    again.close()
    after = {path: path.stat().st_mtime_ns for path in gallery.folder.rglob("*.segment")}
    assert sorted(set(after) - set(before)) == [next(iter(before)).with_name("00000002-0-78.segment")]
    assert all(after[path] == before[path] for path in set(after) & set(before))


@pytest.mark.usefixtures("small_segments")
def test_segments_outside_of_the_time_that_is_asked_for_are_not_looked_at(gallery: Gallery) -> None:
    """Given a person seen on three days, in segments of their own, only those of the day asked for are found."""
    for day in range(3):
        for person in range(11):
            gallery.see(person, f"lobby:{day}:{person}", at_ms=EIGHT_MS + day * 24 * HOUR_MS)
    index = _wholly(gallery.index())
    begin_ms = EIGHT_MS + 24 * HOUR_MS
    found = index.search(looks(4, 1), 100, from_ms=begin_ms, to_ms=begin_ms + HOUR_MS)[0]
    assert set(range(33, 66)) <= set(found.tolist()) <= set(range(32, 96))
    index.close()
    again = _wholly(gallery.index())  # from files, it knows the times, too
    assert again.search(looks(4, 1), 100, from_ms=begin_ms, to_ms=begin_ms + HOUR_MS)[0].tolist() == found.tolist()


@pytest.mark.usefixtures("small_segments")
def test_one_process_of_a_host_writes_files_and_all_read_them(gallery: Gallery) -> None:
    """Given two indexes on one folder, the second writes nothing until the first is closed."""
    for person in range(12):
        gallery.see(person, f"lobby:1:{person}")
    first, second = gallery.index(), gallery.index()
    assert first.catch_up_wholly(PATIENCE)
    first.save()
    files = _files(gallery.folder)
    gallery.see(12, "lobby:1:12")
    assert second.catch_up_wholly(PATIENCE)
    second.save()
    assert len(second) == 39
    assert _files(gallery.folder) == files
    first.close()
    second.save()
    assert _files(gallery.folder) != files


@pytest.mark.usefixtures("small_segments")
def test_erasure_leaves_nothing_in_memory_or_on_disk(gallery: Gallery) -> None:
    """Given an identity in a full segment and in the one that grows, after erasure no file has its vectors."""
    gallery.see(7, "lobby:1:7")
    for person in range(20, 40):
        gallery.see(person, f"lobby:1:{person}")
    gallery.see(7, "yard:1:7", camera="yard", at_ms=EIGHT_MS + 60_000)
    index, other = gallery.index(), gallery.index("elsewhere")
    writer = gallery.writer(index)
    settle(writer)
    _wholly(index)
    _wholly(other)
    index.save()
    identity = gallery.identity_of("lobby:1:7")
    assert identity is not None
    assert identity == gallery.identity_of("yard:1:7")
    with gallery.engine.connect() as connection:
        kept = index.rows.of_tracks(connection, ["lobby:1:7", "yard:1:7"])
    assert len(kept) == 6
    marks = [pack(vector) for vector in kept.vectors]
    assert any(mark in path.read_bytes() for mark in marks for path in gallery.folder.rglob("*.segment"))
    crops = [gallery.folder / "frames" / path for path in kept.crop_paths]
    assert all(path.exists() for path in crops)

    erased = Erasure(gallery.engine, gallery.folder / "frames", gallery.clock).erase(identity)

    assert (erased.sightings, erased.embeddings, erased.crops) == (2, 6, 6)
    assert not any(path.exists() for path in crops)
    for each in (index, other):
        each.catch_up()
        assert not set(_found(each, 7, 100)) & set(kept.numbers.tolist())
    assert not any(mark in path.read_bytes() for mark in marks for path in gallery.folder.rglob("*.segment"))
    for each in (index, other):
        _wholly(each)
        each.save()
        assert len(each) == 60
    assert not any(mark in path.read_bytes() for mark in marks for path in gallery.folder.rglob("*.segment"))
    again = gallery.index("elsewhere-2")
    _wholly(again)
    assert len(again) == 60


@pytest.mark.usefixtures("small_segments")
def test_what_is_too_old_leaves_the_index_within_the_hour(gallery: Gallery) -> None:
    """Given embeddings that retention deletes, an hour later neither memory nor files have them."""
    gallery.see(1, "lobby:1:1", at_ms=EIGHT_MS - 30 * HOUR_MS)
    for person in range(2, 15):
        gallery.see(person, f"lobby:1:{person}")
    index = _wholly(gallery.index())
    index.save()
    cleaner = IdentityCleaner(gallery.engine, 24 * HOUR_MS, gallery.clock)
    while cleaner.step():
        pass
    assert gallery.count("embeddings") == 39
    gallery.clock.advance(RECOUNT_SECONDS + 1)
    _wholly(index)
    assert len(index) == 39
    assert not set(_found(index, 1, 100)) & {1, 2, 3}
    index.save()
    assert len(_wholly(gallery.index("new"))) == 39


def test_embeddings_of_two_versions_are_never_compared(gallery: Gallery) -> None:
    """Given the same person embedded by two models, each index has its own alone, and the other's files go."""
    gallery.see(1, "lobby:1:1")
    gallery.see(1, "lobby:1:2", version="test-2")
    first = gallery.index()
    assert first.catch_up_wholly(PATIENCE)
    first.close()
    second = gallery.index(version="test-2")
    assert second.catch_up_wholly(PATIENCE)
    assert set(_found(first, 1, 10)) == {1, 2, 3}
    assert set(_found(second, 1, 10)) == {4, 5, 6}
    second.close()
    assert len(_files(gallery.folder)) == 1


def test_an_index_that_dies_while_it_writes_is_no_trouble_for_the_next(sqlite_gallery: Gallery) -> None:
    """Given a process killed again and again while it saves, the next one finds everything."""
    gallery = sqlite_gallery
    for person in range(30):
        gallery.see(person, f"lobby:1:{person}")
    program = (
        "import sys\nfrom pathlib import Path\nfrom database.engine import open_engine\n"
        "from reid.gallery.gallery_index import GalleryIndex\n"
        "index = GalleryIndex(open_engine(sys.argv[1]), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))\n"
        "while index.catch_up():\n    pass\nprint('ready', flush=True)\nwhile True:\n    index.save()\n"
    )
    url = gallery.engine.url.render_as_string(hide_password=False)
    folder = str(gallery.folder / "snapshots")
    for _ in range(2):
        arguments = [sys.executable, "-c", program, url, VERSION, str(DIMENSION), folder]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=REPOSITORY) as process:
            assert process.stdout is not None
            assert process.stdout.readline()
            process.kill()
        index = gallery.index()
        assert index.catch_up_wholly(PATIENCE)
        assert len(index) == 90
        index.close()


def test_a_full_disk_costs_the_snapshot_and_nothing_else(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a folder that cannot be written to, it is said, and searching goes on."""
    gallery.see(1, "lobby:1:1")
    index = _wholly(gallery.index())
    assert index.search(looks(1, 1), 1)[0].tolist()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reid.gallery.snapshots._to_disk", refuse)
    with capture_logs() as logs:
        index.save()
    assert [each["event"] for each in logs] == ["gallery_snapshot_not_written"]
    assert set(_found(index, 1)) == {1, 2, 3}
    assert not _files(gallery.folder, ".part")


def test_an_erasure_that_is_noted_before_its_segment_is_read_is_no_trouble(gallery: Gallery) -> None:
    """Given a count of erasures for a segment nobody has read, and none of its embeddings left, nothing is found."""
    gallery.see(1, "lobby:1:1")
    with gallery.engine.begin() as connection:
        connection.execute(delete(embeddings))
        connection.execute(insert(gallery_segments).values(version=VERSION, segment=0, erasures=3))
    index = gallery.index()
    assert index.catch_up_wholly(PATIENCE)
    assert index.search(looks(1, 1), 5)[0].tolist() == []
