"""`./farm users` and `./farm tokens` on a real database, and the first user, whom nobody has to make."""

import json
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine

from camera_ctrler.accounts.errors import PasswordRefusedError
from camera_ctrler.accounts.first_admin import NAME, NoAdminError, make_first_admin
from camera_ctrler.accounts.users import Users
from cli.connection import open_accounts
from cli.demo import open_on_loopback
from contract.accounts import Role
from database.engine import migrate, open_engine
from runtime.clock import SystemClock
from runtime.settings import ControllerSettings, DatabaseSettings, SettingsError, StackSettings
from tests.support.accounts import PASSWORD, quick_passwords
from tests.support.commands import Call


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let passwords cost next to nothing."""
    monkeypatch.setattr("camera_ctrler.accounts.accounts.Passwords", quick_passwords)


@pytest.mark.usefixtures("quick")
def test_users_are_added_listed_changed_and_removed(call: Call) -> None:
    """Given no farm that runs, then users can be managed all the same, and a made-up password is shown once."""
    added = call("users", "add", "Ana Souza", "--role", "operator", "--camera", "lobby", "--camera", "dock")
    assert added.returncode == 0
    password = added.stdout.partition("password: ")[2].partition(" ")[0]
    with open_accounts(DatabaseSettings.load()) as accounts:
        found = accounts.users.checked("ana souza", password)
    assert found is not None
    assert found[0].password_given
    assert "exists already" in call("users", "add", "ANA SOUZA").stderr
    (listed,) = json.loads(call("users", "list", "--json").stdout)
    assert (listed["name"], listed["role"], listed["cameras"]) == ("Ana Souza", "operator", ["dock", "lobby"])
    assert call("users", "change", "Ana Souza", "--role", "admin", "--all-cameras").returncode == 0
    assert "last admin" in call("users", "disable", "Ana Souza").stderr
    assert call("users", "add", "root", "--role", "admin", "--ask", stdin=f"{PASSWORD}\n").stdout.endswith(
        "added root\n"
    )
    assert call("users", "disable", "Ana Souza").returncode == 0
    table = call("users", "list").stdout
    assert "disabled" in table
    assert password not in table
    assert call("users", "enable", "Ana Souza").returncode == 0
    assert call("users", "remove", "Ana Souza").stdout == "removed Ana Souza\n"
    assert "does not exist" in call("users", "remove", "Ana Souza").stderr


@pytest.mark.usefixtures("quick")
def test_a_password_is_set_by_whoever_has_the_database(call: Call) -> None:
    """Given a user who has forgotten his password, then another one is made up, and the old one is over."""
    call("users", "add", "anna", "--ask", stdin=f"{PASSWORD}\n")
    fresh = call("users", "password", "anna").stdout.partition("password: ")[2].partition(" ")[0]
    with open_accounts(DatabaseSettings.load()) as accounts:
        assert accounts.users.checked("anna", fresh) is not None
        assert accounts.users.checked("anna", PASSWORD) is None
    refused = call("users", "password", "anna", "--ask", stdin="short\n")
    assert refused.returncode == 1
    assert refused.stderr.endswith("farm: the password must have 10 to 256 characters\n")


@pytest.mark.parametrize("arguments", [["change", "x"], ["change", "x", "--camera", "a", "--all-cameras"], ["add"]])
def test_a_wrong_use_of_users_ends_with_2(call: Call, arguments: list[str]) -> None:
    """Given nothing to change, or both some cameras and all, then the exit code is 2."""
    assert call("users", *arguments).returncode == 2


def test_tokens_are_made_listed_and_revoked(call: Call) -> None:
    """Given a token that is made, then its secret is all that is printed, works, and never shows again."""
    secret = call("tokens", "add", "prometheus", "--days", "2").stdout.strip()
    assert secret.startswith("camfarm_")
    with open_accounts(DatabaseSettings.load()) as accounts:
        who = accounts.of_token(secret)
    assert who is not None
    assert (who.name, who.role) == ("token:prometheus", Role.VIEWER)
    shown = call("tokens", "list", "--json").stdout
    assert secret not in shown
    (listed,) = json.loads(shown)
    assert listed["last_used_at_ms"] is not None
    assert listed["expires_at_ms"] - listed["created_at_ms"] in range(2 * 86_400_000 - 60_000, 2 * 86_400_000 + 60_000)
    assert "prometheus" in call("tokens", "list").stdout
    assert "exists already" in call("tokens", "add", "Prometheus").stderr
    assert call("tokens", "revoke", "prometheus").stdout == "revoked prometheus\n"
    with open_accounts(DatabaseSettings.load()) as accounts:
        assert accounts.of_token(secret) is None


# --- the first one ---------------------------------------------------------------------------------------------------


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """A database with the farm's tables."""
    made = open_engine(f"sqlite:///{tmp_path / 'farm.sqlite3'}")
    migrate(made)
    return made


def _users(engine: Engine) -> Users:
    return Users(engine, quick_passwords(), SystemClock())


def test_the_first_start_makes_an_admin_whose_password_is_told_once(engine: Engine) -> None:
    """Given no users, then ``admin`` is made with a made-up password, and the next start makes nothing."""
    made = make_first_admin(_users(engine), "")
    assert made is not None
    assert made.password is not None
    found = _users(engine).checked(NAME, made.password)
    assert found is not None
    assert (found[0].role, found[0].password_given) == (Role.ADMIN, True)
    assert make_first_admin(_users(engine), "") is None


def test_the_setting_gives_the_first_password(engine: Engine) -> None:
    """Given FARM_ADMIN_PASSWORD, then it is the admin's own, and is not shown; one that is too short is refused."""
    with pytest.raises(PasswordRefusedError, match="FARM_ADMIN_PASSWORD must have 10"):
        make_first_admin(_users(engine), "short")
    made = make_first_admin(_users(engine), PASSWORD)
    assert made is not None
    assert made.password is None
    found = _users(engine).checked(NAME, PASSWORD)
    assert found is not None
    assert not found[0].password_given


def test_a_farm_whose_admin_was_taken_away_says_what_to_do(engine: Engine) -> None:
    """Given a user ``admin`` who is none, and nobody else, then the start says how to make one."""
    _users(engine).add(NAME, PASSWORD, Role.VIEWER)
    with pytest.raises(NoAdminError, match=r"\./farm users add"):
        make_first_admin(_users(engine), "")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "farm.lan", ""])  # noqa: S104 - refused
def test_no_login_is_refused_where_others_can_reach_the_farm(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given FARM_AUTH=off and an address that is not loopback, then the error names both settings."""
    monkeypatch.setenv("FARM_ENV_FILE", str(tmp_path / "none.env"))
    monkeypatch.setenv("FARM_AUTH", "off")
    monkeypatch.setenv("FARM_API_HOST", host)
    with pytest.raises(SettingsError, match=r"FARM_AUTH: .*FARM_API_HOST"):
        ControllerSettings.load()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_no_login_is_possible_on_loopback(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given FARM_AUTH=off and loopback, then nobody need log in; without the setting everybody must."""
    monkeypatch.setenv("FARM_ENV_FILE", str(tmp_path / "none.env"))
    monkeypatch.setenv("FARM_API_HOST", host)
    assert ControllerSettings.load().auth
    monkeypatch.setenv("FARM_AUTH", "off")
    assert not ControllerSettings.load().auth


def test_the_demo_needs_no_login_on_loopback_and_elsewhere_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given the demo, then it is open on loopback unless FARM_AUTH says otherwise, and closed where others reach it."""
    monkeypatch.setenv("FARM_ENV_FILE", str(tmp_path / "none.env"))
    monkeypatch.setattr(os, "environ", dict(os.environ))  # it is changed for the processes of the farm
    assert not open_on_loopback(StackSettings.load()).auth
    assert open_on_loopback(StackSettings.load(api_host="0.0.0.0", auth=True)).auth  # noqa: S104
    monkeypatch.setenv("FARM_AUTH", "on")
    assert open_on_loopback(StackSettings.load()).auth
