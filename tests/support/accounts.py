"""The API with accounts: users of each kind, clients that are logged in, passwords that cost next to nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete

from camera_ctrler.accounts.passwords import Passwords
from camera_ctrler.accounts.tables import SessionRow, TokenRow, UserRow
from camera_ctrler.api.app import create_app
from camera_ctrler.api.cookies import CSRF_COOKIE
from camera_ctrler.api.services import Services, services_of
from camera_ctrler.registry.tables import CameraRow
from contract.accounts import Role
from runtime.settings import ControllerSettings
from tests.support.farm_state import settings_for
from tests.support.valkey_server import ValkeyServer

PASSWORD = "correct horse battery"  # noqa: S105 - of users that live for one test


def quick_passwords(**options: Any) -> Passwords:
    """Return a hasher that takes a tenth of a millisecond; everything else of it is as it is in production."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1), **options)


@dataclass
class GuardedFarm:
    """The API with `FARM_AUTH=on`, and its admin ``root``."""

    app: Flask

    @property
    def services(self) -> Services:
        """What is behind it."""
        return services_of(self.app)

    def anybody(self) -> FlaskClient:
        """Return a client that has not logged in."""
        return self.app.test_client()

    def user(self, name: str, role: Role = Role.VIEWER, cameras: set[str] | None = None) -> None:
        """Add a user with `PASSWORD`."""
        seen = None if cameras is None else frozenset(cameras)
        self.services.accounts.users.add(name, PASSWORD, role, seen, given=False)

    def logged_in(self, name: str, password: str = PASSWORD) -> FlaskClient:
        """Return a client of somebody who has logged in, and whose page sends the value against CSRF back."""
        client = self.app.test_client()
        answer = client.post("/api/v1/auth/login", json={"user": name, "password": password})
        assert answer.status_code == 200, answer.text
        send_csrf_value(client)
        return client

    def program(self, name: str, role: Role = Role.VIEWER, cameras: set[str] | None = None) -> FlaskClient:
        """Return a client of a program with a token."""
        seen = None if cameras is None else frozenset(cameras)
        _, secret = self.services.accounts.tokens.add(name, role, seen, created_by="root")
        client = self.app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
        return client


def send_csrf_value(client: FlaskClient) -> None:
    """Let a client send what its cookie says, as the UI does."""
    cookie = client.get_cookie(CSRF_COOKIE)
    assert cookie is not None
    client.environ_base["HTTP_X_CSRF_TOKEN"] = cookie.value


def guarded_settings(folder: Path, redis_url: str, **fields: object) -> ControllerSettings:
    """Return settings of a controller where people log in."""
    return settings_for(folder, redis_url, auth=True, **fields)


def guarded_farm_at(settings: ControllerSettings) -> GuardedFarm:
    """Return the API with its tables and its first admin; `services.close()` is the caller's."""
    farm = GuardedFarm(create_app(settings, quick_passwords()))
    farm.services.registry.migrate()
    farm.user("root", Role.ADMIN)
    return farm


@pytest.fixture(scope="module")
def _guarded_app(tmp_path_factory: pytest.TempPathFactory, valkey_server: ValkeyServer) -> Iterator[GuardedFarm]:
    """One for all tests of a module: making the API takes far longer than what they do with it."""
    farm = guarded_farm_at(guarded_settings(tmp_path_factory.mktemp("guarded"), valkey_server.url))
    yield farm
    farm.services.close()


@pytest.fixture
def guarded(_guarded_app: GuardedFarm, redis_client: redis.Redis) -> GuardedFarm:
    """The API where people log in, with nobody but ``root``, no cameras and an empty Redis."""
    assert redis_client.dbsize() == 0
    services = _guarded_app.services
    with services.registry.engine.begin() as connection:
        for table in (SessionRow, UserRow, TokenRow, CameraRow):
            connection.execute(delete(table))
    services.accounts.forget()
    _guarded_app.user("root", Role.ADMIN)
    return _guarded_app
