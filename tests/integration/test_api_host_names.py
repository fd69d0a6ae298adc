"""The API answers only under the farm's own names, so that no web page reaches it by rebinding its own in DNS."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from camera_ctrler.api.app import create_app
from camera_ctrler.api.host_names import is_own, own_names
from camera_ctrler.api.services import services_of
from runtime.settings import ControllerSettings
from tests.support.farm_state import FarmState, settings_for

FOREIGN = ("evil.example:15439", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "[", "[evil]")
OWN = ("127.0.0.1:15439", "192.0.2.7", "[::1]:15439", "localhost:15439", "LOCALHOST", "localhost.")


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/api/v1/cameras", "/", "/metrics", "/ui/assets/index.js", "/nothing/here"])
def test_nothing_is_read_under_a_foreign_name(api: FlaskClient, path: str, host: str) -> None:
    """Given a Host header that is not the farm's, then every path answers 400 with the setting to change."""
    answer = api.get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert "urn:camfarm:problem:unknown-host" in answer.text
    assert "FARM_API_HOST_NAMES" in answer.text


def test_no_camera_is_added_under_a_foreign_name(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a page that rebound its name, when it adds a camera, then it is refused and the registry stays empty."""
    answer = api.post("/api/v1/cameras", json={"url": "rtsp://192.0.2.1/"}, headers={"Host": "evil.example:15439"})
    assert answer.status_code == 400
    assert list(farm_state.services.registry.all()) == []


@pytest.mark.parametrize("host", OWN)
def test_addresses_and_localhost_are_always_answered(api: FlaskClient, host: str) -> None:
    """Given an IP address or localhost, with a port or without, then the API answers."""
    assert api.get("/healthz", headers={"Host": host}).status_code == 200


def test_names_that_are_listed_are_answered(tmp_path: Path) -> None:
    """Given FARM_API_HOST_NAMES with two names, then both are answered in any case of letters, and a third is not."""
    app = create_app(settings_for(tmp_path, "redis://127.0.0.1:1/0", api_host_names="farm.lan, Controller"))
    try:
        found = [
            app.test_client().get("/healthz", headers={"Host": host}).status_code
            for host in ("FARM.lan:80", "controller:15439", "lan")
        ]
    finally:
        services_of(app).close()
    assert found == [200, 200, 400]


def test_the_name_that_the_api_listens_on_is_its_own(controller_settings: ControllerSettings) -> None:
    """Given FARM_API_HOST with a name, then that name need not be listed again."""
    names = own_names(controller_settings.model_copy(update={"api_host": "farm.lan"}))
    assert is_own("farm.lan:15439", names)
    assert not is_own("lan:15439", names)


def test_answers_may_not_be_embedded_by_other_sites(api: FlaskClient) -> None:
    """Given any answer, then it says that it is for pages of the same origin only."""
    for path in ("/healthz", "/", "/nothing"):
        assert api.get(path).headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_changes_nothing_where_nobody_need_log_in(
    api: FlaskClient, farm_state: FarmState, site: str
) -> None:
    """Given no accounts and a page that somebody visits, when it asks a worker to leave, then it stays."""
    farm_state.worker()
    drain = "/api/v1/workers/worker-1/drain"
    refused = api.post(drain, headers={"Sec-Fetch-Site": site})
    assert refused.status_code == 403
    assert "urn:camfarm:problem:other-site" in refused.text
    assert not api.get("/api/v1/workers").json["items"][0]["drain_asked"]  # type: ignore[index]
    assert api.post(drain, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 202
