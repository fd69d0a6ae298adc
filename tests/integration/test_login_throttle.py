"""A thousand tries to log in, more requests than anybody needs: slowed, told when to go on, over by themselves."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

import pytest
import redis
from limits import parse

from camera_ctrler.api import rate_limits, throttle
from contract import keys
from tests.support.accounts import PASSWORD, GuardedFarm, guarded_farm_at, guarded_settings
from tests.support.valkey_server import ValkeyServer, free_port

LOGIN: Final = "/api/v1/auth/login"
WRONG: Final = "not the password"


def _try(guarded: GuardedFarm, user: str, password: str, address: str = "192.0.2.1") -> tuple[int, str]:
    client = guarded.anybody()
    answer = client.post(LOGIN, json={"user": user, "password": password}, environ_base={"REMOTE_ADDR": address})
    return answer.status_code, answer.headers.get("Retry-After", "")


def test_a_thousand_tries_from_one_address_see_few_passwords(guarded: GuardedFarm) -> None:
    """Given 1,000 tries of one account, then ten are looked at, and the rest are told to wait for some minutes."""
    answers = Counter(_try(guarded, "root", WRONG)[0] for _ in range(1_000))
    assert answers == {401: 10, 429: 990}
    status, wait = _try(guarded, "root", PASSWORD)
    assert status == 429
    assert 1 <= int(wait) <= 901


def test_the_refusal_is_a_sentence_with_a_remedy(guarded: GuardedFarm) -> None:
    """Given too many tries, then the problem says when to go on, in words and in the header."""
    for _ in range(11):
        answer = guarded.anybody().post(LOGIN, json={"user": "root", "password": WRONG})
    assert answer.status_code == 429
    assert answer.json is not None
    assert answer.json["type"] == "urn:camfarm:problem:too-many-logins"
    assert "try again in" in answer.json["detail"]


def test_tries_elsewhere_do_not_lock_a_user_out(guarded: GuardedFarm) -> None:
    """Given an address that has used up its tries of an account, then its user logs in elsewhere."""
    root = guarded.logged_in("root")
    assert [_try(guarded, "root", WRONG)[0] for _ in range(12)].count(429) == 2
    assert _try(guarded, "root", PASSWORD, "192.0.2.2")[0] == 200
    assert root.get("/api/v1/auth/me").status_code == 200


def test_right_passwords_do_not_count_against_an_account(guarded: GuardedFarm) -> None:
    """Given a program that logs in thirty times with the right password, then it is let in each time."""
    assert {_try(guarded, "root", PASSWORD)[0] for _ in range(30)} == {200}


def test_a_window_ends_by_itself(guarded: GuardedFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given windows of one second, when an account's tries are used up, then a second later they are there again."""
    monkeypatch.setattr(throttle, "FROM_ONE_ADDRESS", parse("2 per second"))
    assert [_try(guarded, "root", WRONG)[0] for _ in range(4)][:2] == [401, 401]
    time.sleep(2.1)
    assert _try(guarded, "root", PASSWORD)[0] == 200


def test_many_addresses_that_try_one_account_are_slowed_together(guarded: GuardedFarm) -> None:
    """Given 200 tries of one account, each from another address, then a hundred of them are looked at."""
    answers = Counter(_try(guarded, "root", WRONG, f"198.51.100.{number}")[0] for number in range(200))
    assert answers == {401: 100, 429: 100}


def test_one_address_that_tries_many_accounts_is_slowed(guarded: GuardedFarm) -> None:
    """Given 100 accounts tried from one address, and from others of the same host, then sixty are looked at."""
    answers = Counter(_try(guarded, f"user{number}", WRONG, f"2001:db8::{number:x}")[0] for number in range(100))
    assert answers == {401: 60, 429: 40}


def test_accounts_that_are_not_there_are_counted_as_others_are(guarded: GuardedFarm) -> None:
    """Given tries of a name that nobody has, then they end in 429 as those of a user do: nothing tells them apart."""
    nobody = [_try(guarded, "nobody", WRONG)[0] for _ in range(12)]
    assert nobody == [_try(guarded, "ROOT", WRONG, "192.0.2.9")[0] for _ in range(12)]


def test_counts_are_shared_by_controllers_and_end_with_their_window(
    guarded: GuardedFarm, redis_client: redis.Redis
) -> None:
    """Given failed logins, then Redis counts them under the contract's prefix, without names, and with an expiry."""
    _try(guarded, "root", WRONG)
    found = [name.decode() for name in cast("list[bytes]", redis_client.keys("*"))]
    assert len(found) == 4  # of the address twice: its logins, and its requests
    for name in found:
        assert name.startswith(f"{keys.limits()}:LIMITER/")
        assert "root" not in name
        assert 0 < redis_client.ttl(name) <= 900


def test_requests_beyond_what_anybody_needs_are_refused_for_a_while(
    guarded: GuardedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a limit of five, then the sixth list is refused with the reason, others' are not, nor are pictures."""
    monkeypatch.setattr(rate_limits, "OF_ONE_PRINCIPAL", "5 per minute")
    guarded.user("guard")
    one, two = guarded.logged_in("root"), guarded.logged_in("guard")
    answers = [one.get("/api/v1/cameras") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    assert answers[-1].json is not None
    assert answers[-1].json["type"] == "urn:camfarm:problem:too-many-requests"
    assert two.get("/api/v1/cameras").status_code == 200
    free = ["/api/v1/cameras/lobby/snapshot.jpg", "/metrics", "/healthz", "/readyz", "/apidocs/", "/static/favicon.svg"]
    assert 429 not in {one.get(path).status_code for path in free for _ in range(3)}


def test_nobody_sends_more_requests_without_login_than_a_person_could(
    guarded: GuardedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a limit of five for those whom nobody knows, then guessing tokens ends in 429, and who is known goes on."""
    monkeypatch.setattr(rate_limits, "OF_NOBODY", "5 per minute")
    root = guarded.logged_in("root")  # itself one request of nobody's
    guesses = [
        guarded.anybody().get("/api/v1/cameras", headers={"Authorization": f"Bearer camfarm_{number}"}).status_code
        for number in range(6)
    ]
    assert guesses == [401] * 4 + [429] * 2
    assert root.get("/api/v1/cameras").status_code == 200


@pytest.fixture
def without_redis(tmp_path: Path) -> Iterator[GuardedFarm]:
    """The API while no Redis answers."""
    farm = guarded_farm_at(guarded_settings(tmp_path, f"redis://127.0.0.1:{free_port()}/0"))
    yield farm
    farm.services.close()


def test_without_redis_people_log_in_and_are_counted_all_the_same(without_redis: GuardedFarm) -> None:
    """Given no Redis, then logins work, wrong ones are throttled by this controller alone, and /readyz says why."""
    root = without_redis.logged_in("root")
    assert root.get("/api/v1/cameras").status_code == 200
    assert Counter(_try(without_redis, "root", WRONG)[0] for _ in range(30)) == {401: 10, 429: 20}
    ready = without_redis.anybody().get("/readyz")
    assert ready.status_code == 503
    assert "redis" in ready.text


def test_a_redis_that_hangs_holds_nobody_up_for_long(tmp_path: Path, own_valkey: ValkeyServer) -> None:
    """Given a Redis that is frozen, then a login takes seconds at most, and the requests after it are quick."""
    farm = guarded_farm_at(guarded_settings(tmp_path, own_valkey.url))
    try:
        root = farm.logged_in("root")
        own_valkey.freeze()
        began = time.monotonic()
        assert _try(farm, "root", PASSWORD)[0] == 200
        assert root.get("/api/v1/cameras").status_code == 200
        assert time.monotonic() - began < 5
        began = time.monotonic()
        assert root.get("/api/v1/cameras").status_code == 200
        assert time.monotonic() - began < 1.5
    finally:
        own_valkey.thaw()
        farm.services.close()


def test_a_flood_of_logins_leaves_threads_for_others(guarded: GuardedFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given passwords that take long to check and forty logins at once, then most are turned away at once."""
    passwords = guarded.services.accounts.users._passwords
    in_check = threading.Event()
    monkeypatch.setattr(passwords, "_hasher", _Slow(passwords._hasher, in_check))
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda n=number: statuses.append(_try(guarded, "root", WRONG, f"203.0.113.{n}")[0]))
        for number in range(40)
    ]
    for thread in threads:
        thread.start()
    assert in_check.wait(5)
    began = time.monotonic()
    assert guarded.anybody().get("/healthz").status_code == 200
    assert time.monotonic() - began < 1
    for thread in threads:
        thread.join()
    counted = Counter(statuses)
    assert counted[503] >= 20
    assert counted[401] >= 1
    assert sum(counted.values()) == 40


class _Slow:
    """A hasher that takes a quarter of a second for every check."""

    def __init__(self, hasher: object, in_check: threading.Event) -> None:
        self._hasher = hasher
        self._in_check = in_check

    def verify(self, stored: str, password: str) -> bool:
        self._in_check.set()
        time.sleep(0.25)
        return bool(self._hasher.verify(stored, password))  # type: ignore[attr-defined]
