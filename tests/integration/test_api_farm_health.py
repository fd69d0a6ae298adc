"""What the API says is wrong with a farm: of a real one, of one without Redis or database, and to whom."""

from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from camera_ctrler.accounts.principal import Principal
from camera_ctrler.api.access import set_principal
from camera_ctrler.api.app import create_app
from camera_ctrler.api.services import services_of
from contract.accounts import Role
from contract.cameras import CameraState
from contract.errors import StatusReason
from contract.recognition import RecognitionState
from tests.support.farm_state import FarmState, settings_for
from tests.support.valkey_server import ValkeyServer


def _health(api: FlaskClient) -> dict[str, Any]:
    answer = api.get("/api/v1/farm/health")
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, dict)
    return answer.json


def test_a_farm_in_order_says_so(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a manager, a worker and a camera that is online, then there is nothing to find."""
    farm_state.plan()
    farm_state.worker()
    farm_state.online("lobby")
    said = _health(api)
    assert (said["state"], said["findings"]) == ("ok", [])
    assert said["sentence"] == "All is well: the camera is watched."


def test_what_is_wrong_is_found_in_what_redis_and_the_database_say(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a camera that refuses the password and a dead letter, both are found and the worse one is the sentence."""
    farm_state.plan()
    farm_state.worker()
    farm_state.reid_worker()
    farm_state.camera("yard")
    farm_state.status("yard", CameraState.OFFLINE, StatusReason.AUTH_FAILED)
    farm_state.recognition("yard:1:8", "colours", RecognitionState.DEAD)
    said = _health(api)
    assert [(one["code"], one["severity"]) for one in said["findings"]] == [
        ("cameras_offline", "broken"),
        ("dead_letters", "warning"),
    ]
    assert said["sentence"] == (
        "yard is offline: the camera refused the user name or password. Set the right ones on this camera."
    )


def test_who_may_see_one_camera_is_told_of_no_other_and_not_of_the_farm(
    app: Flask, api: FlaskClient, farm_state: FarmState
) -> None:
    """Given trouble at two cameras and no manager, then a viewer of one hears of that one."""
    for name in ("lobby", "yard"):
        farm_state.camera(name)
        farm_state.status(name, CameraState.OFFLINE, StatusReason.TIMEOUT)
    assert {one["code"] for one in _health(api)["findings"]} > {"cameras_offline", "no_manager"}
    viewer = Principal("vera", Role.VIEWER, frozenset({"lobby"}))
    app.before_request_funcs.setdefault(None, []).append(lambda: set_principal(viewer))
    said = _health(api)
    assert [(one["code"], one["cameras"]) for one in said["findings"]] == [("cameras_offline", ["lobby"])]
    assert "yard" not in str(said)


def test_while_redis_or_the_database_is_away_that_is_what_is_wrong(tmp_path: Path, own_valkey: ValkeyServer) -> None:
    """Given an outage, then the answer is no error but names what does not answer and what goes on."""
    app = create_app(settings_for(tmp_path, own_valkey.url))
    services = services_of(app)
    services.registry.migrate()
    with services.registry.engine.begin() as connection:
        connection.execute(text("ALTER TABLE recognitions RENAME TO gone"))
    (finding,) = _health(app.test_client())["findings"]
    assert (finding["code"], finding["setting"]) == ("database_away", "FARM_DATABASE_URL")
    own_valkey.kill()
    services.close()
    app = create_app(settings_for(tmp_path, own_valkey.url))
    said = _health(app.test_client())
    assert [one["code"] for one in said["findings"]] == ["redis_away"]
    assert "go on being analysed" in said["sentence"]
    services_of(app).close()
