"""Fixtures that every test may ask for, and how properties are tried."""

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
