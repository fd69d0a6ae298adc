"""`./farm recordings ...` on a real volume and database."""

import json
from pathlib import Path

import pytest

from camera_ctrler.recordings.index import SegmentIndex
from camera_ctrler.registry import Registry
from contract.camera_specs import CameraCreate
from contract.recording_paths import segment_path
from contract.recordings import KeptFor, Segment
from runtime.secret_box import SecretBox
from tests.support.commands import Call
from tests.support.recorded_volume import RecordedVolume
from tests.support.segment_index import EIGHT_MS

BOX = SecretBox("M" * 43 + "=")


@pytest.fixture
def registry(tmp_path: Path, volume: RecordedVolume, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The registry that commands use, with one camera; their volume is the test's."""
    monkeypatch.setenv("FARM_FRAMES_DIR", str(volume.store.root))
    (tmp_path / "data").mkdir()
    registry = Registry(f"sqlite:///{tmp_path}/data/camfarm.sqlite3", BOX)
    registry.migrate()
    registry.add(CameraCreate(id="lobby", url="rtsp://h/x"))
    return registry


def indexed(registry: Registry) -> list[Segment]:
    """Return all that the index has of the camera."""
    return [each.segment for each in SegmentIndex(registry.engine).find("lobby", 0, EIGHT_MS * 2)]


def test_a_check_names_what_differs_and_leaves_everything_as_it_is(
    call: Call, registry: Registry, volume: RecordedVolume
) -> None:
    """Given a file without a row and a row without a file, both are named with what to do, and nothing changes."""
    new, gone = volume.write_row(EIGHT_MS, 2)
    SegmentIndex(registry.engine).add([gone])
    volume.file(gone).unlink()
    answer = call("recordings", "check")
    assert answer.returncode == 1
    assert f"not_indexed  {segment_path('lobby', new.start_ms, 1)}  (4.0 s of h264, 320x240)" in answer.stdout
    assert f"file_gone  {segment_path('lobby', gone.start_ms, 1)}" in answer.stdout
    assert "1 file_gone, 1 not_indexed" in answer.stdout
    assert "--repair" in answer.stderr
    assert indexed(registry) == [gone]


def test_a_repair_makes_the_index_say_what_the_volume_has(
    call: Call, registry: Registry, volume: RecordedVolume
) -> None:
    """Given an empty index, and a file that cannot be played, a repair leaves nothing to be found by the next check."""
    good, bad = volume.write_row(EIGHT_MS, 2)
    volume.garbage(bad, b"x" * 100)
    answer = call("recordings", "check", "--repair")
    assert answer.returncode == 0, answer.stderr
    assert "2 repaired" in answer.stdout
    assert "moved to lobby/recordings/damaged/" in answer.stdout
    assert indexed(registry) == [good]
    again = call("recordings", "check", "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["differences"] == {}
    assert json.loads(again.stdout)["files"] == 1


def test_a_check_can_be_limited_to_cameras_and_times(call: Call, registry: Registry, volume: RecordedVolume) -> None:
    """Given files of two cameras and days, only those that are asked for are looked at."""
    volume.write(EIGHT_MS)
    volume.write(EIGHT_MS - 86_400_000)
    volume.write(EIGHT_MS, camera="gate")
    answer = call(
        "recordings", "check", "--camera", "lobby", "--from", "2026-11-21", "--to", "2026-11-22", "--repair", "--json"
    )
    document = json.loads(answer.stdout)
    assert (document["files"], document["hours"], document["repaired"]) == (1, 1, 1)
    assert [each["path"] for each in document["findings"]] == [segment_path("lobby", EIGHT_MS, 1)]
    assert document["findings"][0]["repaired"] == "added to the index"
    assert len(indexed(registry)) == 1


def test_many_differences_are_counted_and_not_all_shown(
    call: Call, registry: Registry, volume: RecordedVolume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given more differences than anybody reads, the first are shown and the others counted."""
    assert registry.exists("lobby")
    monkeypatch.setattr("cli.recording_commands._SHOWN", 2)
    volume.write_row(EIGHT_MS, 5)
    answer = call("recordings", "check")
    assert answer.stdout.count("not_indexed  ") == 2
    assert "... and 3 more" in answer.stdout
    assert "5 not_indexed" in answer.stdout


def test_a_long_check_says_how_far_it_is(
    call: Call, registry: Registry, volume: RecordedVolume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given hours to check and somebody who waits, stderr tells which hour of how many it is, and stdout does not."""
    assert registry.exists("lobby")
    monkeypatch.setattr("cli.recording_commands._WORD_SECONDS", 0.0)
    volume.write(EIGHT_MS)
    volume.write(EIGHT_MS + 3_600_000)
    answer = call("recordings", "check", "--repair")
    assert "checked 1 of 2 hours of cameras, 1 files; now lobby 2026-11-21 08:00:00Z" in answer.stderr
    assert "checked" not in answer.stdout


def test_a_volume_that_is_not_mounted_is_not_taken_for_lost_footage(
    call: Call, registry: Registry, volume: RecordedVolume
) -> None:
    """Given an index and an empty volume, a repair refuses, and says how to go on if the footage is truly gone."""
    (known,) = volume.write_row(EIGHT_MS, 1)
    SegmentIndex(registry.engine).add([known])
    volume.store.delete(segment_path("lobby", known.start_ms, 1))
    answer = call("recordings", "check", "--repair")
    assert answer.returncode == 1
    assert "mount the volume" in answer.stderr
    assert indexed(registry) == [known]
    assert call("recordings", "check", "--repair", "--camera", "lobby").returncode == 0
    assert indexed(registry) == []


def test_a_volume_that_cannot_be_changed_and_a_database_that_fails_are_named(
    call: Call, registry: Registry, volume: RecordedVolume
) -> None:
    """Given no place for damaged files, and then a database without a table, one sentence says so each time."""
    good, bad = volume.write_row(EIGHT_MS, 2)
    volume.garbage(bad, b"x")
    (volume.store.root / "lobby" / "recordings" / "damaged").write_text("in the way")
    answer = call("recordings", "check", "--repair")
    assert answer.returncode == 1
    assert "the frames volume cannot be read or changed" in answer.stderr
    assert "run the same command again" in answer.stderr
    (volume.store.root / "lobby" / "recordings" / "damaged").unlink()
    assert call("recordings", "check", "--repair").returncode == 0
    assert indexed(registry) == [good]
    with registry.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE segments")
    for command in (("check",), ("list", "lobby")):
        answer = call("recordings", *command)
        assert answer.returncode == 1
        assert "the index of footage cannot be read (no such table" in answer.stderr
        assert "Traceback" not in answer.stderr


def test_the_newest_files_of_a_camera_are_listed(call: Call, registry: Registry) -> None:
    """Given indexed files, a list shows the newest with times, sizes and reasons, and adds up all."""
    SegmentIndex(registry.engine).add(
        Segment(
            camera_id="lobby",
            start_ms=EIGHT_MS + 10_000 * number,
            end_ms=EIGHT_MS + 10_000 * (number + 1),
            epoch=4,
            size_bytes=2_500_000,
            codec="hevc",
            audio="aac",
            width=1920,
            height=1080,
            kept_for=KeptFor.EVENT,
            motion=0.25,
            seen={"person": 2},
        )
        for number in range(5)
    )
    day = ("--from", "2026-11-21T00:00:00Z", "--to", "2026-11-22")
    answer = call("recordings", "list", "lobby", *day, "--limit", "2")
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert lines[-1] == "5 files, 50 s, 12500000 bytes; 2 shown"
    assert "2026-11-21 08:00:40Z" in lines[-2]
    for text in ("10.0", "2.5 MB", "hevc 1920x1080 aac", "event", "25%", "person 2"):
        assert text in lines[-2]
    documents = json.loads(call("recordings", "list", "lobby", *day, "--json").stdout)
    assert [each["start_ms"] for each in documents] == [EIGHT_MS + 10_000 * number for number in range(5)]
    assert documents[0]["path"] == segment_path("lobby", EIGHT_MS, 4)


def test_a_camera_without_footage_and_one_that_is_not_there_are_told_apart(call: Call, registry: Registry) -> None:
    """Given a registered camera without footage the answer is an empty list; an unknown one is named."""
    assert registry.exists("lobby")
    assert "nothing of lobby" in call("recordings", "list", "lobby").stdout
    assert json.loads(call("recordings", "list", "lobby", "--json").stdout) == []
    unknown = call("recordings", "list", "nobody")
    assert unknown.returncode == 1
    assert "'nobody' does not exist" in unknown.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "yesterday"), "'yesterday' is not a time; write 2026-11-21"),
        (("--from", "2026-11-22", "--to", "2026-11-21"), "--from (2026-11-22 00:00:00Z) must be before --to"),
        (("--from", "99999999999999999999", "--to", "5"), "must be before"),
    ],
)
def test_times_that_cannot_be_used_are_named(
    call: Call, registry: Registry, arguments: tuple[str, ...], says: str
) -> None:
    """Given nonsense, a range that is turned round, and a time beyond the calendar, the error says what to write."""
    assert registry.exists("lobby")
    for command in (("recordings", "check"), ("recordings", "list", "lobby")):
        answer = call(*command, *arguments)
        assert answer.returncode == 1
        assert says in answer.stderr
