"""Events of all cameras, and every result of one."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from camera_ctrler.api.services import services_of
from contract.errors import StatusReason
from contract.events import EventKind
from tests.support.event_stores import StoredEvents, settle
from tests.support.farm_state import FarmState, now_ms


def _json(api: FlaskClient, path: str) -> dict[str, Any]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, dict)
    return answer.json


@pytest.fixture
def happened(farm_state: FarmState, app: Flask) -> list[str]:
    """Six events of two cameras, half of them stored; their entry ids, oldest first."""
    farm_state.camera("b", name="Loading ramp")
    first = _tell(farm_state, 0, 3)
    store_all(app)
    return first + _tell(farm_state, 3, 6)


def store_all(app: Flask) -> None:
    """Let an event writer store what is in the stream."""
    services = services_of(app)
    settle(StoredEvents(services.registry.engine, services.client).writer())


def _tell(farm_state: FarmState, begin: int, end: int) -> list[str]:
    """Let a worker report some of six events; return their entry ids."""
    events: list[Callable[[], str]] = [
        lambda: farm_state.event("a", 1, EventKind.CAMERA_ONLINE),
        lambda: farm_state.event("b", 1, EventKind.CAMERA_ONLINE),
        lambda: farm_state.event("a", 2, track_id=5, class_name="person"),
        lambda: farm_state.event(
            "a", 3, EventKind.TRACK_ENDED, track_id=5, class_name="person", at_ms=now_ms() - 60_000
        ),
        lambda: farm_state.event("b", 2, EventKind.CAMERA_OFFLINE, reason=StatusReason.TIMEOUT),
        lambda: farm_state.event("a", 4, track_id=6, class_name="car"),
    ]
    return [tell() for tell in events[begin:end]]


def test_events_come_newest_first_in_pages(api: FlaskClient, happened: list[str]) -> None:
    """Given six events and pages of four, then each comes once, newest first, with all that is known of it."""
    first = _json(api, "/api/v1/events?limit=4")
    second = _json(api, f"/api/v1/events?limit=4&cursor={first['next_cursor']}")
    assert [one["entry_id"] for one in first["items"] + second["items"]] == happened[::-1]
    assert (second["next_cursor"], second["next_after"]) == (None, None)
    offline = first["items"][1]
    assert (offline["event_id"], offline["kind"], offline["reason"]) == ("b:1:2", "camera_offline", "timeout")


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("camera=b", ["b:1:2", "b:1:1"]),
        ("kind=track_started", ["a:1:4", "a:1:2"]),
        ("kind=camera_online&camera=a", ["a:1:1"]),
        ("after=0-0&kind=camera_online", ["a:1:1", "b:1:1"]),
        ("since_ms=253402300799000", []),
        ("camera=b&camera=c", ["b:1:2", "b:1:1"]),
        ("kind=camera_online&kind=camera_offline", ["b:1:2", "b:1:1", "a:1:1"]),
        ("class_name=car&class_name=person", ["a:1:4", "a:1:3", "a:1:2"]),
        ("text=TIMEOUT", ["b:1:2"]),
        ("text=loading+ramp", ["b:1:2", "b:1:1"]),
        ("to_ms=1", []),
        ("after=0-0&text=car", ["a:1:4"]),
    ],
)
def test_events_are_filtered(api: FlaskClient, happened: list[str], query: str, ids: list[str]) -> None:
    """Given filters by camera, kind and time, then only the events that pass all of them come."""
    assert happened
    assert [one["event_id"] for one in _json(api, f"/api/v1/events?{query}")["items"]] == ids


def test_events_can_be_followed_without_a_gap(api: FlaskClient, farm_state: FarmState, happened: list[str]) -> None:
    """Given a client that asks for what came after, then it gets everything once, in order, also what comes later."""
    seen: list[str] = []
    after = "0-0"
    for expected in (4, 2, 0):
        page = _json(api, f"/api/v1/events?limit=4&after={after}")
        assert len(page["items"]) == expected
        seen += [one["entry_id"] for one in page["items"]]
        after = page["next_after"]
    later = farm_state.event("b", 3)
    page = _json(api, f"/api/v1/events?after={after}")
    assert [*seen, *(one["entry_id"] for one in page["items"])] == [*happened, later]


def test_a_follower_with_a_filter_gets_on_although_nothing_passes(api: FlaskClient, happened: list[str]) -> None:
    """Given events that a filter keeps out, then the place to go on from is behind them all the same."""
    page = _json(api, "/api/v1/events?after=0-0&camera=nobody")
    assert (page["items"], page["next_after"]) == ([], happened[-1])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=yesterday", "after"),
        ("after=1-", "after"),
        ("after=0-0&since_ms=5", "since_ms"),
        ("after=0-0&cursor=x", "cursor"),
        ("kind=party", "kind"),
        ("camera=../x", "camera"),
        ("limit=0", "limit"),
        ("order=oldest", "order"),
        ("from_ms=5&to_ms=5", "from_ms"),
        ("camera=a&camera=../x", "camera"),
        ("text=", "text"),
        ("class_name=a%00b", "class_name"),
    ],
)
def test_a_query_that_cannot_be_is_refused_by_name(api: FlaskClient, query: str, field: str) -> None:
    """Given a wrong or contradictory parameter, then the answer is 400 and names it."""
    answer = api.get(f"/api/v1/events?{query}")
    assert answer.status_code == 400
    assert answer.json is not None
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_results_are_followed_over_epochs(api: FlaskClient, farm_state: FarmState) -> None:
    """Given results of two epochs, then pages go on where they ended, and a result is what the worker wrote."""
    farm_state.camera("lobby")
    results = [farm_state.numbered_result("lobby", epoch, seq) for epoch, seq in ((1, 1), (1, 2), (4, 1))]
    first = _json(api, "/api/v1/cameras/lobby/results?limit=2")
    assert [one["entry_id"] for one in first["items"]] == ["1-1", "1-2"]
    assert (first["next_after"], first["more"]) == ("1-2", True)
    second = _json(api, f"/api/v1/cameras/lobby/results?limit=2&after={first['next_after']}")
    assert second["items"] == [{**results[2].model_dump(mode="json"), "entry_id": "4-1"}]
    assert (second["next_after"], second["more"]) == ("4-1", False)
    third = _json(api, "/api/v1/cameras/lobby/results?after=4-1")
    assert (third["items"], third["next_after"], third["more"]) == ([], "4-1", False)


def test_a_camera_without_results_has_an_empty_page_and_an_unknown_camera_none(
    api: FlaskClient, farm_state: FarmState
) -> None:
    """Given a camera that was never analysed, then its page is empty; one that does not exist is a 404."""
    farm_state.camera("lobby")
    assert _json(api, "/api/v1/cameras/lobby/results") == {"items": [], "next_after": "0-0", "more": False}
    assert api.get("/api/v1/cameras/nobody/results").status_code == 404
