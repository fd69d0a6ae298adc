"""Every route for everybody: who may has an answer, and nobody hears anything of a camera that he may not see.

Generated from the app's URL map: a route that has no line in `tests/support/permission_rules.py` fails.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.test import TestResponse

from camera_ctrler.api.app import all_operations
from contract.accounts import Role
from tests.support.permission_farm import ABSENT, CALLERS, CANARIES, HIDDEN, NARROW, ROLES, SEEN, PermissionFarm
from tests.support.permission_rules import FILTERS, PAGES, RULES, Rule


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    head: str

    @property
    def told(self) -> str:
        """Everything that it says, in small letters."""
        return f"{self.head}\n{self.body.decode('utf-8', 'replace')}".lower()


def test_every_route_has_a_rule_and_every_rule_a_route(permission_farm: PermissionFarm) -> None:
    """Given the URL map, then each of its routes has one line in the table: a request, and who may."""
    served = {rule.endpoint for rule in permission_farm.guarded.app.url_map.iter_rules()}
    assert served == RULES.keys() | PAGES.keys()
    declared = {f"{operation.resource}.{operation.name}": operation for operation in all_operations()}
    assert declared.keys() == RULES.keys()
    for endpoint, rule in RULES.items():
        operation = declared[endpoint]
        assert (operation.role, operation.whole_farm) == (rule.role, rule.farm), endpoint
        assert operation.method == rule.method, endpoint


@pytest.mark.parametrize("endpoint", RULES)
def test_everybody_is_answered_as_he_may(endpoint: str, permission_farm: PermissionFarm) -> None:
    """Given a route and things of a seen and a hidden camera, then each caller has the status that is his.

    And who does not see the hidden camera reads nothing of it: no id, no name, no byte; asked for by its name, it
    answers to the letter as one that is nowhere. Nor may a cache keep for others what he was sent.
    """
    rule = RULES[endpoint]
    pieces = permission_farm.hidden_bytes
    for caller in CALLERS:
        number = next(permission_farm.numbers)
        for camera_id in (SEEN, HIDDEN) if rule.is_aimed else (SEEN,):
            values = permission_farm.values(camera_id, rule.fresh, number)
            answer = _ask(permission_farm, caller, rule, values)
            where = f"{caller} of {camera_id}: {answer.status} {answer.body[:300]!r}"
            assert answer.status in _expected(rule, caller, camera_id), where
            assert rule.role is None or not re.search(r"cache-control:.*public", answer.told), where
            if answer.status == 403 and rule.role is not None and not ROLES[caller].includes(rule.role):
                assert f"role {rule.role.value}" in answer.told, where
            if caller in NARROW and camera_id == HIDDEN and answer.status == 404:
                absent = permission_farm.values(ABSENT, rule.fresh, number)
                assert _renamed(answer, values, absent) == _renamed(_ask(permission_farm, caller, rule, absent), {}, {})
            elif caller in NARROW | {"none", "revoked"} and camera_id == SEEN:
                assert not [canary for canary in CANARIES if canary in answer.told], where
                assert not [piece for piece in pieces if piece in answer.body], where
            elif rule.shows and answer.status == 200:
                assert HIDDEN in answer.told, f"the table says that {where} shows it"


def _expected(rule: Rule, caller: str, camera_id: str) -> tuple[int, ...]:
    """Return the statuses that are right, by the table alone."""
    if rule.role is None:
        return rule.ok
    if caller in {"none", "revoked"}:
        return (401,)
    if not ROLES[caller].includes(rule.role) or (rule.farm and caller in NARROW):
        return (403,)
    return (404,) if caller in NARROW and camera_id == HIDDEN else rule.ok


def _ask(farm: PermissionFarm, caller: str, rule: Rule, values: dict[str, Any], method: str = "") -> Answer:
    """Send one request and read its answer, of one without end the first parts."""
    path = rule.path.format(**values)
    more: dict[str, Any] = {"headers": dict(rule.headers)}
    if rule.body is not None:
        more["json"] = _filled(rule.body, values)
    if rule.data is not None:
        more |= {"content_type": rule.data[0], "data": rule.data[1]}
    response = farm.clients[caller].open(path, method=method or rule.method, **more)
    answer = Answer(response.status_code, _read(response, rule.parts), str(response.headers))
    if rule.after and answer.status in rule.ok:
        getattr(farm, rule.after)(values["camera"])
    return answer


def _filled(body: Any, values: dict[str, Any]) -> Any:
    if isinstance(body, dict):
        return {name: _filled(each, values) for name, each in body.items()}
    if isinstance(body, list):
        return [_filled(each, values) for each in body]
    return body.format(**values) if isinstance(body, str) else body


def _read(response: TestResponse, parts: int | None) -> bytes:
    if parts is None or response.status_code != 200:
        return bytes(response.data)
    found = b""
    for place, part in enumerate(response.iter_encoded(), start=1):
        found += part
        if place == parts:
            break
    response.close()
    return found


def _renamed(answer: Answer, own: dict[str, Any], absent: dict[str, Any]) -> tuple[int, str]:
    """Return what an answer says, with the names of what is nowhere in place of those that were asked for."""
    text = answer.body.decode()
    for name in sorted(own, key=lambda each: -len(str(own[each]))):
        text = re.sub(rf"(?<![0-9]){re.escape(str(own[name]))}(?![0-9])", str(absent[name]), text)
    return answer.status, text


@pytest.mark.parametrize("path", FILTERS)
def test_a_list_of_a_hidden_camera_is_that_of_one_which_is_nowhere(path: str, permission_farm: PermissionFarm) -> None:
    """Given a filter that names what only the hidden camera has, then who sees it not gets what nobody would get."""
    hidden, absent = (permission_farm.values(camera_id, "", 1) for camera_id in (HIDDEN, ABSENT))
    rule = Rule(Role.VIEWER, path)
    for caller in NARROW:
        own, other = _ask(permission_farm, caller, rule, hidden), _ask(permission_farm, caller, rule, absent)
        assert _without_cursor(_renamed(own, hidden, absent)) == _without_cursor(_renamed(other, {}, {}))
    shown = _ask(permission_farm, "viewer", rule, hidden)
    assert (shown.status, HIDDEN in shown.told) == (200, True), shown


def _without_cursor(said: tuple[int, str]) -> tuple[int, Any]:
    told = json.loads(said[1])
    told.pop("next_cursor", None)
    return said[0], told


@pytest.mark.parametrize("endpoint", PAGES)
def test_pages_are_empty_of_what_is_the_farms(endpoint: str, permission_farm: PermissionFarm) -> None:
    """Given who has not logged in, then pages load, for they hold nothing; the description of the API does not."""
    address, needs_login = PAGES[endpoint]
    answer = permission_farm.clients["none"].get(address)
    assert (answer.status_code == 401) == needs_login
    assert answer.status_code in {200, 302, 401, 404, 503}  # 503: the UI is not built; 404: it has no such file
    assert not [canary for canary in CANARIES if canary in answer.text.lower()]


def test_the_head_of_an_answer_is_no_way_round(permission_farm: PermissionFarm) -> None:
    """Given every GET of something hidden, when HEAD is sent instead, then it is 404 as well."""
    values = permission_farm.values(HIDDEN, "", 1)
    for endpoint, rule in RULES.items():
        if rule.method == "GET" and rule.is_aimed and rule.role is not None:
            caller = "warden" if rule.role is Role.ADMIN else "keeper"
            assert _ask(permission_farm, caller, rule, values, "HEAD").status == 404, endpoint
