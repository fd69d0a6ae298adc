"""The thread that listens for live views, and how it ends."""

import threading

import pytest
import redis
from flask import Flask

from camera_ctrler.api.services import services_of
from contract import keys
from tests.support.farm_state import FarmState
from tests.support.processes import wait_until


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What threads ended with."""
    found: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda failure: found.append(repr(failure.exc_value)))
    return found


def _listeners() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "live-hub"]


def test_the_server_stops_while_somebody_watches_and_no_thread_fails(
    app: Flask, farm_state: FarmState, redis_client: redis.Redis, failures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given open live views, when the services are closed, then the listening thread ends before its connection."""
    farm_state.online("lobby")
    services = services_of(app)
    before = len(_listeners())
    with services.live.watch("lobby"):
        channel = keys.camera_channel("lobby")
        wait_until(lambda: redis_client.pubsub_numsub(channel)[0][1] == 1, "the subscription", 10)
        listening_at_the_end: list[threading.Thread] = []
        close = services.client.close

        def watched_close() -> None:
            listening_at_the_end.extend(_listeners()[before:])
            close()

        monkeypatch.setattr(services.client, "close", watched_close)
        services.close()
        assert listening_at_the_end == []
        assert len(_listeners()) == before
    assert failures == []


def test_services_that_nobody_watched_with_are_closed_at_once(app: Flask, failures: list[str]) -> None:
    """Given no live view ever, when the services are closed twice, then nothing happens."""
    services_of(app).close()
    services_of(app).close()
    assert failures == []


def test_a_thread_that_waits_for_viewers_hears_the_end(
    app: Flask, redis_client: redis.Redis, failures: list[str]
) -> None:
    """Given a live view that was closed before, when the services are closed, then its thread has ended too."""
    services = services_of(app)
    before = len(_listeners())
    channel = keys.camera_channel("lobby")
    with services.live.watch("lobby"):
        wait_until(lambda: redis_client.pubsub_numsub(channel)[0][1] == 1, "the subscription", 10)
    wait_until(lambda: redis_client.pubsub_numsub(channel)[0][1] == 0, "the end of the subscription", 10)
    services.close()
    assert len(_listeners()) == before
    assert failures == []
