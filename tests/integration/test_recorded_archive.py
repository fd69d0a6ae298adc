"""Footage that was moved to the archive is played from there; an archive that is away is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from camera_ctrler.api.app import create_app
from camera_ctrler.api.services import services_of
from camera_ctrler.recordings.folder_archive import MARK
from contract.recording_paths import segment_path
from contract.recordings import Segment
from tests.integration.test_recorded_clip import clip
from tests.integration.test_recorded_hls import played
from tests.support.farm_state import settings_for
from tests.support.recorded_camera import START, RecordedCamera
from tests.support.valkey_server import ValkeyServer

CAMERA = "/api/v1/cameras/lobby"
RANGE = f"from_ms={START}&to_ms={START + 8_000}"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A second volume."""
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / MARK).touch()
    return folder


@pytest.fixture
def archived_app(tmp_path: Path, archive: Path, valkey_server: ValkeyServer) -> Iterator[Flask]:
    """The API of a farm with an archive."""
    app = create_app(settings_for(tmp_path, valkey_server.url, archive_url=archive.as_uri()))
    services_of(app).registry.migrate()
    yield app
    services_of(app).close()


@pytest.fixture
def segments(archived_app: Flask, archive: Path) -> list[Segment]:
    """Two files, of which the first was moved to the archive and the index knows."""
    camera = RecordedCamera(services_of(archived_app)).register()
    made = camera.record(START, 2, seconds=4.0)
    target = archive / segment_path("lobby", START, 1)
    target.parent.mkdir(parents=True)
    camera.file(made[0]).rename(target)
    camera.index.moved([("lobby", START, 1)], 1)
    return made


@pytest.fixture
def api(archived_app: Flask) -> FlaskClient:
    """A client of the API."""
    return archived_app.test_client()


def test_footage_is_played_from_either_volume(api: FlaskClient, segments: list[Segment]) -> None:
    """Given a file in the archive and one on the volume, then playlist, clip and picture have both."""
    assert len(segments) == 2
    assert len(played(api, f"{CAMERA}/recordings.m3u8?{RANGE}")) == 200
    assert len(clip(api, START, START + 8_000).pictures) == 200
    assert api.get(f"{CAMERA}/recorded.jpg?at_ms={START + 1_000}").headers["X-Captured-At-Ms"] == str(START + 1_000)


def test_a_file_that_the_archive_has_lost_is_left_out_of_a_clip(
    api: FlaskClient, archive: Path, segments: list[Segment]
) -> None:
    """Given a file deleted in the archive behind the index, then the clip says that it is left out."""
    (archive / segment_path("lobby", segments[0].start_ms, 1)).unlink()
    found = clip(api, START, START + 8_000)
    assert len(found.pictures) == 100
    assert "1 damaged or deleted files are left out" in found.headers["X-Notes"]
    assert api.get(f"{CAMERA}/recordings/{START}-1/init.mp4").status_code == 404


def test_an_archive_that_is_not_mounted_is_named(api: FlaskClient, archive: Path, segments: list[Segment]) -> None:
    """Given the second volume away, then what lies there is 503 with the remedy, and what is here is played."""
    (archive / MARK).unlink()
    for path in (
        f"recorded.jpg?at_ms={START + 1_000}",
        f"clip.mp4?{RANGE}",
        f"recordings/{START}-1/0-9999.m4s",
        f"recordings.m3u8?from_ms={START + 1_000}&to_ms={START + 8_000}",
    ):
        answer = api.get(f"{CAMERA}/{path}")
        assert (answer.status_code, answer.json and answer.json["type"]) == (503, "urn:camfarm:problem:archive-away")
        assert "not mounted" in answer.text
    assert api.get(f"{CAMERA}/recordings.m3u8?{RANGE}").status_code == 200, "whole files are not looked into"
    begin = segments[1].start_ms
    assert len(played(api, f"{CAMERA}/recordings.m3u8?from_ms={begin}&to_ms={begin + 4_000}")) == 100
