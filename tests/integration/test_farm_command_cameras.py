"""`./farm cameras ...` and wrong uses, on a real registry in a folder of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from camera_ctrler.registry import ORIGIN_EXTERNAL
from cli.connection import open_registry
from contract.camera_specs import CameraCreate
from runtime.settings import DatabaseSettings
from tests.support.commands import Call

URL = "rtsp://admin:hunter2@192.0.2.10:554/stream1"


@pytest.mark.parametrize(
    "arguments", [["fly"], ["up", "--workers", "many"], ["up", "--device", "gpu"], ["cameras", "add"]]
)
def test_a_wrong_use_ends_with_2(call: Call, arguments: list[str]) -> None:
    """Given arguments that nobody understands, the exit code is 2."""
    assert call(*arguments).returncode == 2


def test_nothing_but_the_answer_is_said_where_the_database_is_new(tmp_path: Path) -> None:
    """Given no database yet, when cameras are listed, then nothing is said of how one is made."""
    environment = os.environ | {"FARM_ENV_FILE": str(tmp_path / "none.env"), "FARM_DATA_DIR": str(tmp_path / "data")}
    listed = subprocess.run(
        [sys.executable, "-m", "cli", "cameras", "list"], env=environment, capture_output=True, text=True, check=True
    )
    assert listed.stderr == ""


def test_cameras_are_added_listed_and_removed_with_masked_passwords(call: Call) -> None:
    """Given no running farm, the registry can be used; passwords are never shown."""
    assert call("cameras", "add", URL, "--id", "gate", "--name", "[red]Gate", "--class", "person").returncode == 0
    asked = call("cameras", "add", "rtsp://192.0.2.11/", "--id", "yard", "--username", "u", stdin="hunter2\n")
    assert asked.stdout.endswith("yard\n")
    shown = call("cameras", "list", "--json")
    assert "hunter2" not in shown.stdout
    assert [(camera["id"], camera["has_credentials"]) for camera in json.loads(shown.stdout)] == [
        ("gate", True),
        ("yard", True),
    ]
    table = call("cameras", "list").stdout
    assert "[red]Gate" in table  # as it is, not as colour
    assert "hunter2" not in table
    assert "exists already" in call("cameras", "add", URL, "--id", "gate").stderr
    missing = call("cameras", "remove", "gate", "nobody")
    assert "camera 'nobody' does not exist" in missing.stderr
    assert len(json.loads(call("cameras", "list", "--json").stdout)) == 2  # all or none
    assert call("cameras", "remove", "gate", "yard").returncode == 0
    assert json.loads(call("cameras", "list", "--json").stdout) == []


def test_a_camera_of_an_external_table_is_removed_only_when_the_table_is_not_followed(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a camera that came from a table, it is refused while the table is set, and removed when it is unset."""
    with open_registry(DatabaseSettings.load()) as registry:
        registry.add(CameraCreate(id="far", url=URL), origin=ORIGIN_EXTERNAL)
    monkeypatch.setenv("FARM_CAMERA_SOURCE_URL", "postgresql://192.0.2.9/theirs")
    refused = call("cameras", "remove", "far")
    assert refused.returncode == 1
    assert "unset FARM_CAMERA_SOURCE_URL" in refused.stderr
    monkeypatch.delenv("FARM_CAMERA_SOURCE_URL")
    assert call("cameras", "remove", "far").stdout == "removed far\n"


def test_a_camera_whose_row_was_edited_into_nonsense_is_removed(call: Call) -> None:
    """Given a row that cannot be read, the list has the others, and the command removes it."""
    with open_registry(DatabaseSettings.load()) as registry:
        registry.add_many([CameraCreate(id=name, url=URL) for name in ("good", "bad")])
        with registry.engine.begin() as connection:
            connection.execute(text("UPDATE cameras SET analyse_fps = 0 WHERE id = 'bad'"))
    listed = call("cameras", "list", "--json")
    assert [camera["id"] for camera in json.loads(listed.stdout)] == ["good"]
    assert "bad" in listed.stderr
    assert "analyse_fps" in listed.stderr
    assert call("cameras", "remove", "bad").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ftp://192.0.2.1/x"], "scheme 'ftp' is not supported"),
        ([URL, "--id", "../x"], "id: "),
        ([URL, "--fps", "1000"], "analyse_fps: "),
        ([URL, "--save-frames", "some"], "save_frames: "),
        ([URL, "--require-label", "two words"], "require_labels.0: is not a label; use names such as gpu"),
        ([URL, *["--prefer-label", "a"] * 17], "prefer_labels: "),
    ],
)
def test_a_camera_that_cannot_be_is_refused_in_one_line(call: Call, arguments: list[str], message: str) -> None:
    """Given a bad URL, id or setting, the error names the field and not the password."""
    failed = call("cameras", "add", *arguments)
    assert failed.returncode == 1
    assert message in failed.stderr
    assert "hunter2" not in failed.stderr
    assert len(failed.stderr.splitlines()) == 1


def test_an_import_is_all_or_nothing_unless_told_otherwise(call: Call, tmp_path: Path) -> None:
    """Given a file with a wrong row, nothing is imported and the place named; --skip-bad takes the rest."""
    file = tmp_path / "cameras.csv"
    file.write_text(f"id,url\na,{URL}\nb,gopher://x\nc,{URL}\n")
    failed = call("cameras", "import", str(file))
    assert failed.returncode == 1
    assert "line 3, column url: camera URL scheme 'gopher'" in failed.stderr
    assert json.loads(call("cameras", "list", "--json").stdout) == []
    assert "imported 2 cameras, 1 skipped" in call("cameras", "import", "--skip-bad", str(file)).stdout
    assert [camera["id"] for camera in json.loads(call("cameras", "list", "--json").stdout)] == ["a", "c"]
    again = call("cameras", "import", str(file))
    assert "line 2, column id: camera 'a' exists already" in again.stderr


def test_labels_are_given_shown_and_imported(call: Call, tmp_path: Path) -> None:
    """Given labels as options, in a CSV cell and in JSON, then all are registered alike and listed."""
    added = call("cameras", "add", URL, "--id", "a", "--require-label", "gpu", "--prefer-label", "site=north")
    assert added.returncode == 0, added.stderr
    table = tmp_path / "cameras.csv"
    table.write_text(f"id,url,require_labels,prefer_labels\nb,{URL},gpu; site=south,\n")
    document = tmp_path / "cameras.json"
    document.write_text(json.dumps([{"id": "c", "url": URL, "prefer_labels": ["fast"]}]))
    for file in (table, document):
        assert call("cameras", "import", str(file)).returncode == 0
    labels = {
        camera["id"]: (camera["require_labels"], camera["prefer_labels"])
        for camera in json.loads(call("cameras", "list", "--json").stdout)
    }
    assert labels == {"a": (["gpu"], ["site=north"]), "b": (["gpu", "site=south"], []), "c": ([], ["fast"])}
    assert "gpu, site=north?" in call("cameras", "list").stdout


def test_a_bad_label_in_a_file_is_named_with_its_place(call: Call, tmp_path: Path) -> None:
    """Given a CSV file with a label that cannot be, then line and column are named and nothing is imported."""
    file = tmp_path / "cameras.csv"
    file.write_text(f"id,url,require_labels\na,{URL},gpu;not good\n")
    failed = call("cameras", "import", str(file))
    assert failed.returncode == 1
    assert "line 2, column require_labels.1: is not a label; use names such as gpu or site=north" in failed.stderr
    assert json.loads(call("cameras", "list", "--json").stdout) == []


def test_thousands_of_cameras_are_imported(call: Call, tmp_path: Path) -> None:
    """Given a JSON file of two thousand cameras, all are there afterwards."""
    file = tmp_path / "cameras.json"
    file.write_text(json.dumps([{"id": f"c{n:05}", "url": f"rtsp://192.0.2.1/{n}"} for n in range(2_000)]))
    done = call("cameras", "import", str(file))
    assert "imported 2000 cameras" in done.stdout
    assert len(json.loads(call("cameras", "list", "--json").stdout)) == 2_000


def test_cameras_are_changed_together_or_not_at_all(call: Call) -> None:
    """Given two cameras, a change of fields reaches both; one that does not exist, or a wrong value, changes none."""
    for name in ("gate", "yard"):
        added = call("cameras", "add", URL, "--id", name, "--record", "motion", "--main-url", f"{URL}0")
        assert added.returncode == 0, added.stderr
    changed = call("cameras", "change", "gate", "yard", "--set", "record=continuous", "--set", "record_audio=false")
    assert changed.stdout == "changed 2 cameras\n"
    shown = json.loads(call("cameras", "list", "--json").stdout)
    assert [(camera["record"], camera["record_audio"]) for camera in shown] == [("continuous", False)] * 2
    assert shown[0]["main_url"] == "rtsp://***@192.0.2.10:554/stream10"
    assert "camera 'nobody' does not exist" in call("cameras", "change", "gate", "nobody", "--set", "record=off").stderr
    wrong = call("cameras", "change", "--all", "--set", "record=always")
    assert wrong.returncode == 1
    assert "record: Input should be 'off', 'continuous', 'motion' or 'events'" in wrong.stderr
    assert "did you mean record?" in call("cameras", "change", "gate", "--set", "recrd=off").stderr
    assert "name the cameras to change, or say --all" in call("cameras", "change", "--set", "record=off").stderr
    assert "say what to change" in call("cameras", "change", "gate").stderr
    assert call("cameras", "change", "--all", "--set", "main_url=").stdout == "changed 2 cameras\n"
    last = json.loads(call("cameras", "list", "--json").stdout)
    assert [(camera["record"], camera["main_url"]) for camera in last] == [("continuous", None)] * 2
