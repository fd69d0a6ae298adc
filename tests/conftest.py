"""Fixtures that every test may ask for, and how properties are tried."""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# What helpers check is explained like what tests check.
pytest.register_assert_rewrite("tests.support")

# How long an example takes says how busy the machine is.
settings.register_profile("camfarm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("camfarm")

pytest_plugins = (
    "tests.support.archives",
    "tests.support.commands",
    "tests.support.fake_time",
    "tests.support.needs",
    "tests.support.postgres",
    "tests.support.recorded_volume",
    "tests.support.segment_index",
    "tests.support.valkey_server",
    "tests.support.s3_server",
    "tests.support.volumes",
    "tests.support.event_stores",
    "tests.support.farm_state",
    "tests.support.recognitions",
    "tests.support.galleries",
    "tests.support.recorded_camera",
    "tests.support.sender",
    "tests.support.stored_footage",
    "tests.support.accounts",
    "tests.support.permission_farm",
)


@pytest.fixture(autouse=True)
def ordinary_priority() -> Iterator[None]:
    """Fail a test that leaves this process, and all that later tests start, with a real-time priority.

    Some libraries take one where they may (root); tests that run beside it would then be the ones that fail.
    """
    if sys.platform != "linux":
        yield
        return
    before, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    yield
    if os.sched_getscheduler(0) != before:
        os.sched_setscheduler(0, before, parameters)
        pytest.fail("it took a real-time priority and did not give it back")
