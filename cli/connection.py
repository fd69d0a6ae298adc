"""Finds the farm that a command means: the one FARM_REDIS_URL names, else the one that runs from this data folder."""

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

import redis

from camera_ctrler.accounts.accounts import Accounts
from camera_ctrler.registry import Registry
from cli.audited import audited
from cli.stack_state import NoFarmError, running
from contract.errors import FarmError
from runtime.clock import SystemClock
from runtime.redis_client import RedisAwayError, connect
from runtime.secret_box import SecretBox
from runtime.settings import CommonSettings, DatabaseSettings

Settings = TypeVar("Settings", bound=CommonSettings)


class FarmAwayError(FarmError):
    """The farm's Redis does not answer."""


def joined(settings: Settings) -> Settings:
    """Return `settings` with the Redis of the farm that is meant; processes started from now on inherit it.

    Raises:
        NoFarmError: FARM_REDIS_URL is not set and no farm runs from this data folder.
    """
    if settings.redis_url:
        return settings
    state = running(settings.data_dir)
    if state is None:
        raise NoFarmError(settings.data_dir)
    os.environ["FARM_REDIS_URL"] = state.redis_url
    return settings.model_copy(update={"redis_url": state.redis_url})


@contextlib.contextmanager
def open_registry(settings: DatabaseSettings) -> Iterator[Registry]:
    """Open the camera registry, brought to the current schema."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    registry = Registry(settings.database, SecretBox.from_settings(settings), addresses=settings.camera_addresses)
    try:
        registry.migrate()
        yield registry
    finally:
        registry.close()


@contextlib.contextmanager
def open_accounts(settings: DatabaseSettings) -> Iterator[Accounts]:
    """Open users, sessions and tokens, in a database that is brought to the current schema."""
    with open_registry(settings) as registry, _accounts_of(registry) as accounts:
        yield accounts


@contextlib.contextmanager
def change_accounts(settings: DatabaseSettings, action: str, what: str, **detail: Any) -> Iterator[Accounts]:
    """Open them to change something, which the audit notes; arguments as of `audited`."""
    with (
        open_registry(settings) as registry,
        _accounts_of(registry) as accounts,
        audited(registry.engine, action, what, **detail),
    ):
        yield accounts


@contextlib.contextmanager
def _accounts_of(registry: Registry) -> Iterator[Accounts]:
    stopping = threading.Event()
    accounts = Accounts(registry.engine, SystemClock(), stopping)
    try:
        yield accounts
    finally:
        stopping.set()
        accounts.close()


@contextlib.contextmanager
def open_redis(settings: CommonSettings, name: str) -> Iterator[redis.Redis]:
    """Open a connection to the farm's Redis.

    Raises:
        FarmAwayError: It does not answer, now or while it is used.
    """
    with connect(settings, name=name) as client:
        try:
            yield client
        except RedisAwayError as error:
            raise FarmAwayError(f"the farm's Redis does not answer ({error}); is the farm running?") from error
