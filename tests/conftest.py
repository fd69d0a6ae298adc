"""Fixtures that every test may ask for."""

pytest_plugins = (
    "tests.support.commands",
    "tests.support.fake_time",
    "tests.support.needs",
    "tests.support.postgres",
    "tests.support.sender",
    "tests.support.valkey_server",
    "tests.support.volumes",
    # Last: it imports others, and assertions are explained only in modules that pytest itself loads first.
    "tests.support.farm_state",
)
