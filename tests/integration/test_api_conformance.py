"""The API does what its document says: nothing undocumented, no 5xx, no data without login, whatever is sent."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import OpenAPIV30SpecValidator
from schemathesis import CheckContext, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks, not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from sqlalchemy import update

from camera_ctrler.api.app import all_operations
from camera_ctrler.api.cookies import ACCESS_COOKIE
from camera_ctrler.api.documented import PATH_PARAMETERS, Operation
from camera_ctrler.api.services import services_of
from contract.accounts import Role
from contract.cameras import CameraState
from contract.errors import StatusReason
from contract.moves import MoveReason
from contract.recognition import RecognitionState
from database.identities import identities, sightings
from tests.support.accounts import guarded_farm_at, guarded_settings
from tests.support.farm_state import FarmState, now_ms
from tests.support.footage import Look
from tests.support.galleries import Gallery, settle
from tests.support.recorded_camera import RecordedCamera
from tests.support.valkey_server import ValkeyServer

load_all_checks()

Check = Callable[[CheckContext, Any, schemathesis.Case[Any]], bool | None]

#: Requests per operation and kind; and without login, where all are refused before anything is looked at.
EXAMPLES = 25
EXAMPLES_OF_NOBODY = 3
SAVED_AT_MS = now_ms() - 1_000
RECORDED_AT_MS = now_ms() - 60_000
IDENTITY, TRACK = "id-somebody", "lobby:1:3"


@pytest.fixture(scope="module")
def living_app(tmp_path_factory: pytest.TempPathFactory, valkey_server: ValkeyServer) -> Iterator[Flask]:
    """The API with a camera of each kind and some footage; one for all examples, as a service lives through many."""
    folder: Path = tmp_path_factory.mktemp("conformance")
    with valkey_server.client() as client:
        client.flushall()
        farm = guarded_farm_at(guarded_settings(folder, valkey_server.url))
        _fill(FarmState(client, farm.services.store, farm.services))
        yield farm.app
    farm.services.close()


@pytest.fixture(scope="module")
def login(living_app: Flask) -> dict[str, str]:
    """What a program that may everything sends with its requests."""
    tokens = services_of(living_app).accounts.tokens
    return {"Authorization": f"Bearer {tokens.add('conformance', Role.ADMIN, created_by='root')[1]}"}


@pytest.fixture(scope="module")
def document(living_app: Flask, login: dict[str, str]) -> BaseSchema:
    """The served document, read once: that takes longer than many a test."""
    return schemathesis.openapi.from_wsgi("/apispec.json", living_app, headers=login)


@pytest.fixture(scope="module")
def confirmed() -> set[str]:
    """Names of operations that were seen to refuse who has not logged in: to see it once of each is enough."""
    return set()


def _fill(state: FarmState) -> None:
    state.worker()
    state.plan(load={"worker-1": 0.5}, controllers=["controller-1"])
    state.online("lobby", name="Lobby")
    state.event("lobby", 1)
    state.recognition("lobby:1:1", "colours", RecognitionState.DEAD)
    state.move("lobby", MoveReason.PLACED)
    for step in range(1, 6):
        state.save("lobby", SAVED_AT_MS + step * 10)
    state.save("lobby", SAVED_AT_MS)
    RecordedCamera(state.services).record(RECORDED_AT_MS, 2, seconds=1.0, look=Look(size=(160, 96)))
    _see_somebody(state)
    state.camera("dock", url="rtsp://viewer:secret@192.0.2.11/stream1")
    state.status("dock", CameraState.OFFLINE, StatusReason.AUTH_FAILED)


def _see_somebody(state: FarmState) -> None:
    gallery = Gallery(state.services.registry.engine, state.client, state.services.settings.data_dir)
    for number in range(8):
        gallery.see(number, f"lobby:1:{number}", at_ms=SAVED_AT_MS)
    settle(gallery.writer())
    identity = gallery.identity_of(TRACK)
    with state.services.registry.engine.begin() as connection:
        # An id that paths can name before there is an app.
        for table in (identities, sightings):
            is_it = table.c.identity == identity
            connection.execute(update(table).where(is_it).values(identity=IDENTITY))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", all_operations(), ids=lambda operation: operation.name)
def test_no_request_gets_an_answer_that_the_document_does_not_name(
    operation: Operation,
    mode: GenerationMode,
    living_app: Flask,
    login: dict[str, str],
    document: BaseSchema,
    confirmed: set[str],
) -> None:
    """Given any request with a login, valid or not, then status, content type and body are documented and no 5xx comes.

    And what is answered with success is refused without the login, and with one that is made up.
    """
    path = _as_documented(operation.rule)
    if mode is GenerationMode.NEGATIVE and not (operation.path_parameters or operation.query or operation.body):
        pytest.skip("nothing of this request can be wrong")

    @given(case=document[path][operation.method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    def holds(case: schemathesis.Case[Any]) -> None:
        if operation.name in {"live_view", "live_wall", "event_stream"}:
            services_of(living_app).stopping.set()  # then a live view ends with its first picture, a stream at once
        if mode is GenerationMode.POSITIVE:
            _reach_deeper(case)
        _drop_made_up_login(case)
        # A range whose start is after its end is valid for JSON Schema and refused by the API.
        excluded: list[Check] = [positive_data_acceptance]
        if operation.name.startswith("similar_to_"):
            # No ReID worker runs here that could search: 503 is the answer then, with the remedy.
            excluded.append(not_a_server_error)
        if operation.name in confirmed:
            excluded.append(ignored_auth)
        if case.call_and_validate(headers=login, excluded_checks=excluded).status_code < 300:
            confirmed.add(operation.name)

    try:
        holds()
    finally:
        services_of(living_app).stopping.clear()


@pytest.mark.parametrize("operation", all_operations(), ids=lambda operation: operation.name)
def test_nobody_reads_anything_without_login(operation: Operation, document: BaseSchema) -> None:
    """Given requests that would be answered, when they come without login, then they are refused, as documented."""

    @given(case=document[_as_documented(operation.rule)][operation.method].as_strategy())
    @settings(
        max_examples=EXAMPLES_OF_NOBODY,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def holds(case: schemathesis.Case[Any]) -> None:
        _reach_deeper(case)
        answer = case.call_and_validate(excluded_checks=[positive_data_acceptance])
        if operation.role is None:
            return
        # With a made-up cookie it is refused for want of the value against CSRF as well; many are throttled.
        assert answer.status_code in {401, 403, 429}
        assert answer.json()["type"].removeprefix("urn:camfarm:problem:") in {
            "login-needed",
            "csrf",
            "too-many-requests",
        }
        assert "Lobby" not in answer.text

    holds()


def _drop_made_up_login(case: schemathesis.Case[Any]) -> None:
    """Take out what was generated for a login: who sends the request has a true one."""
    case.cookies.pop(ACCESS_COOKIE, None)
    case.headers.pop("Authorization", None)


def _as_documented(rule: str) -> str:
    """Return a path as OpenAPI writes it: a variable part is a name in braces."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def _reach_deeper(case: schemathesis.Case[Any]) -> None:
    """Put what a random text never is: the id of a camera, a URL that can be opened, no made-up cursor."""
    if "camera_id" in case.path_parameters:
        case.path_parameters["camera_id"] = "dock" if case.method == "DELETE" else "lobby"
    if "worker_id" in case.path_parameters:
        case.path_parameters["worker_id"] = "worker-1"
    if "identity" in case.path_parameters and case.method != "DELETE":
        case.path_parameters["identity"] = IDENTITY
    if "track" in case.path_parameters:
        case.path_parameters["track"] = TRACK
    if "captured_at_ms" in case.path_parameters and case.path_parameters["captured_at_ms"] % 2:
        case.path_parameters["captured_at_ms"] = SAVED_AT_MS
    if "address" in case.path_parameters:  # slashes side by side lead elsewhere
        case.path_parameters["address"] = re.sub("/+", "/", case.path_parameters["address"]).strip("/") or "cameras"
    _reach_footage(case)
    case.query.pop("cursor", None)
    body: Any = case.body
    cameras = body.get("cameras", [body]) if isinstance(body, dict) else []
    for number, camera in enumerate(cameras or []):
        if "url" in camera and isinstance(camera, dict):
            camera["url"] = f"rtsp://192.0.2.10/{number}"


def _reach_footage(case: schemathesis.Case[Any]) -> None:
    """Put files, events and times that there are in half of the cases."""
    if "start_ms" in case.path_parameters:
        case.path_parameters |= {"start_ms": RECORDED_AT_MS, "epoch": 1}
    if "first" in case.path_parameters:
        case.path_parameters["first"] %= 3
    if "event_id" in case.path_parameters:
        case.path_parameters["event_id"] = "lobby:1:1"
    for name in ("from_ms", "at_ms"):
        given = case.query.get(name)
        if isinstance(given, int) and given % 2:
            case.query[name] = RECORDED_AT_MS + 500
            if name == "from_ms":
                case.query["to_ms"] = RECORDED_AT_MS + 1_500


def test_the_document_is_valid_openapi(api: FlaskClient) -> None:
    """Given the served document, then the validator of OpenAPI 3.0 finds nothing."""
    document = api.get("/apispec.json").json
    assert document is not None
    assert document["openapi"] == "3.0.3"
    assert list(OpenAPIV30SpecValidator(document).iter_errors()) == []


def test_every_route_is_documented_and_every_documented_path_is_served(app: Flask, api: FlaskClient) -> None:
    """Given the app's routes, then the document has the same methods and paths, but for the pages themselves."""
    document = api.get("/apispec.json").json
    assert document is not None
    documented = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    served = {
        (method, _as_documented(rule.rule))
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith("web_ui.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    pages = {path for _, path in served if path in {"/", "/apispec.json"} or "apidocs" in path or "static" in path}
    assert documented == {(method, path) for method, path in served if path not in pages | {"/oauth2-redirect.html"}}
    assert len(documented) == len(all_operations())


def test_every_operation_on_a_camera_says_that_there_may_be_none(living_app: Flask, login: dict[str, str]) -> None:
    """Given a camera that does not exist, then each of its operations answers 404, and the document says so."""
    api = living_app.test_client()
    for operation in all_operations():
        if "camera_id" in operation.path_parameters:
            path = operation.rule.replace("<camera_id>", "nobody")
            for name, parameter in PATH_PARAMETERS.items():
                path = path.replace(f"<{name}>", parameter.example)
            answer = api.open(path, method=operation.method, json={} if operation.body else None, headers=login)
            assert (answer.status_code, 404 in operation.errors) == (404, True), operation.name


def test_schemathesis_brings_its_checks() -> None:
    """Given the installed version, then the checks that the test above relies on are there."""
    assert {"not_a_server_error", "status_code_conformance", "content_type_conformance"} <= {
        check.__name__ for check in CHECKS.get_all()
    }


def test_the_camera_example_of_the_docs_page_can_be_registered(api: FlaskClient, redis_client: redis.Redis) -> None:
    """Given the examples that the page offers, when each is sent, then a camera is registered."""
    assert redis_client.ping()
    document = api.get("/apispec.json").json
    assert document is not None
    content = document["paths"]["/api/v1/cameras"]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        answer = api.post("/api/v1/cameras", json=example["value"])
        assert answer.status_code == 201, answer.text
