"""Somebody else's PostgreSQL table as the source of cameras."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.support.clips import Clips
from tests.support.farm import Farm
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n


@pytest.fixture
def table(postgres_url: str) -> Iterator[Engine]:
    """Return a database with an empty table of cameras as an operator may have it."""
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE sites_cameras (cam_no text PRIMARY KEY, camera_url text, place text)"))
    yield engine
    engine.dispose()


def run(engine: Engine, statement: str, **values: str) -> None:
    """Run one statement."""
    with engine.connect() as connection:
        connection.execute(text(statement), values)


@pytest.mark.slow
def test_the_farm_follows_rows_of_an_external_postgresql_table(
    tmp_path: Path, own_valkey: ValkeyServer, postgres_url: str, table: Engine
) -> None:
    """Given a farm pointed at a table, when rows come, change and go, then cameras do."""
    yolo11n()
    media = tmp_path / "media"
    media.mkdir()
    clips = Clips(media)
    clips.make("first", fps=10, gop=5, seconds=20, size=(320, 240))
    clips.make("second", fps=10, gop=5, seconds=20, size=(480, 360))
    settings = {
        "FARM_CAMERA_SOURCE_URL": postgres_url,
        "FARM_CAMERA_SOURCE_TABLE": "sites_cameras",
        "FARM_CAMERA_SOURCE_ID_COLUMN": "cam_no",
        "FARM_CAMERA_SOURCE_NAME_COLUMN": "place",
        "FARM_CAMERA_SOURCE_POLL_SECONDS": "0.5",
        "FARM_DETECT_SIZE": "160",
        "FARM_DETECT_THREADS": "1",
    }
    with RtspServer(media) as cameras, Farm(tmp_path, own_valkey.url, api_port=free_port(), **settings) as farm:
        farm.start_controller()
        farm.start_worker("one")
        insert = "INSERT INTO sites_cameras VALUES ('gate-7', :url, 'North gate')"
        run(table, insert, url=cameras.url("first.mp4"))
        farm.wait_for(lambda: farm.call("GET", "/api/v1/cameras/gate-7")[0] == 200, "the row is a camera", 10)
        farm.wait_online("gate-7")
        assert farm.call("GET", "/api/v1/cameras/gate-7")[1]["name"] == "North gate"

        change = "UPDATE sites_cameras SET camera_url = :url WHERE cam_no = 'gate-7'"
        run(table, change, url=cameras.url("second.mp4"))
        farm.wait_for(lambda: farm.camera_status("gate-7")["width"] == 480, "the new stream is watched", 15)
        assert farm.call("PATCH", "/api/v1/cameras/gate-7", {"url": "rtsp://127.0.0.1/x"})[0] == 409

        run(table, "INSERT INTO sites_cameras VALUES ('../etc', 'rtsp://127.0.0.1/x', ''), ('bad', 'ftp://x/y', '')")
        run(table, "DELETE FROM sites_cameras WHERE cam_no = 'gate-7'")
        farm.wait_for(lambda: farm.call("GET", "/api/v1/cameras/gate-7")[0] == 404, "the camera is gone", 10)
        farm.wait_for(lambda: cameras.sessions() == 0, "its stream is closed", 10)
        assert farm.call("GET", "/api/v1/cameras")[1]["items"] == []
