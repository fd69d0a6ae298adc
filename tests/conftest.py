"""Fixtures that every test may ask for."""

pytest_plugins = (
    "tests.support.commands",
    "tests.support.needs",
    "tests.support.postgres",
    "tests.support.valkey_server",
    # Last: it imports others, and assertions are explained only in modules that pytest itself loads first.
    "tests.support.farm_state",
)
