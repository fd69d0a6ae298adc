"""Accounts when several processes change them at the same time, on both databases."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.accounts.accounts import Accounts
from camera_ctrler.accounts.errors import LastAdminError, LoginFailedError, SessionOverError
from camera_ctrler.accounts.first_admin import make_first_admin
from camera_ctrler.accounts.passwords import Passwords
from camera_ctrler.accounts.tables import UserRow
from contract.accounts import Role
from database.engine import migrate, open_engine
from runtime.clock import SystemClock
from tests.support.accounts import PASSWORD, quick_passwords

Outcome = TypeVar("Outcome")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of each kind with the farm's tables."""
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'farm.sqlite3'}" if is_sqlite else request.getfixturevalue("postgres_url")
    made = open_engine(url)
    migrate(made)
    yield made
    made.dispose()


def _accounts(engine: Engine) -> Accounts:
    stopping = threading.Event()
    stopping.set()  # uses are written when a test says so
    return Accounts(engine, SystemClock(), stopping, quick_passwords())


def _at_once(calls: list[Callable[[], Outcome]]) -> list[Outcome]:
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], Outcome]) -> Outcome:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_controllers_that_start_at_once_make_one_admin(engine: Engine) -> None:
    """Given eight controllers that find no users at the same time, then one of them makes the admin."""
    controllers = [_accounts(engine) for _ in range(8)]
    made = _at_once([lambda each=each: make_first_admin(each.users, "") for each in controllers])  # type: ignore[misc]
    assert len([each for each in made if each is not None]) == 1
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(UserRow)) == 1


def test_two_admins_who_remove_each_other_leave_one(engine: Engine) -> None:
    """Given two admins, when each is removed at the same time, then one of them stays."""
    accounts = _accounts(engine)
    for name in ("one", "two"):
        accounts.users.add(name, PASSWORD, Role.ADMIN)

    def remove(name: str) -> str:
        try:
            _accounts(engine).remove_user(name)
        except LastAdminError:
            return "refused"
        return "removed"

    assert sorted(_at_once([lambda: remove("one"), lambda: remove("two")])) == ["refused", "removed"]
    assert len(accounts.users.all()) == 1


def test_a_refresh_token_used_by_many_at_once_gives_all_of_them_the_same_next_one(engine: Engine) -> None:
    """Given eight windows that use the same token at once, then all go on, with the same next token."""
    accounts = _accounts(engine)
    accounts.users.add("anna", PASSWORD, Role.VIEWER)
    _, session = accounts.log_in("anna", PASSWORD, address="192.0.2.1", user_agent="a browser")
    numbers = _at_once([lambda: _accounts(engine).refresh(session, 1)[1]] * 8)
    assert set(numbers) == {2}
    assert accounts.refresh(session, 2)[1] == 3


def test_a_token_that_was_used_long_ago_ends_the_session_for_all(engine: Engine) -> None:
    """Given a session that was refreshed twice, when the first token comes again, then no token of it is good."""
    accounts = _accounts(engine)
    accounts.users.add("anna", PASSWORD, Role.VIEWER)
    _, session = accounts.log_in("anna", PASSWORD, address="192.0.2.1", user_agent="a browser")
    accounts.refresh(session, 1)
    accounts.refresh(session, 2)
    for number in (1, 3):
        with pytest.raises(SessionOverError):
            accounts.refresh(session, number)
    assert accounts.sessions.who(session) is None


def test_a_password_that_is_changed_while_it_is_checked_logs_nobody_in(engine: Engine) -> None:
    """Given a login with a password that is known to a thief, when it is changed meanwhile, then no session."""
    others = _accounts(engine)
    user = others.users.add("anna", PASSWORD, Role.VIEWER)

    class Slow(Passwords):
        def is_right(self, stored: str | None, password: str) -> bool:
            right = super().is_right(stored, password)
            others.change_user("anna", {"password": "quite another one"})
            return right

    passwords = Slow(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with pytest.raises(LoginFailedError):
        Accounts(engine, SystemClock(), threading.Event(), passwords).log_in(
            "anna", PASSWORD, address="192.0.2.1", user_agent="a thief's"
        )
    assert others.sessions.all(user) == []


def test_uses_are_written_with_others_and_a_session_s_end_is_not_undone(engine: Engine) -> None:
    """Given uses of a session and a token that are noted, when they are written, then both rows say so."""
    accounts = _accounts(engine)
    user = accounts.users.add("anna", PASSWORD, Role.VIEWER)
    _, session = accounts.log_in("anna", PASSWORD, address="192.0.2.1", user_agent="a browser")
    token, secret = accounts.tokens.add("nvr", Role.VIEWER, frozenset({"a"}), created_by="anna")
    began = accounts.sessions.all(user)[0].last_used_at_ms
    assert accounts.of_session(session).name == "anna"
    assert accounts.of_token(secret) == token.principal()
    accounts.log_out(session)
    accounts.uses.write()
    (used,) = accounts.tokens.all()
    assert used.last_used_at_ms is not None
    assert used.last_used_at_ms >= began
    assert used.cameras == frozenset({"a"})
    assert accounts.sessions.all(user) == []


def test_while_the_database_is_away_who_was_known_goes_on(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given somebody who is known, when the database goes away, then he is known for longer; who was not, is not."""
    accounts = _accounts(engine)
    accounts.users.add("anna", PASSWORD, Role.VIEWER)
    _, session = accounts.log_in("anna", PASSWORD, address="192.0.2.1", user_agent="a browser")
    _, unknown = accounts.log_in("anna", PASSWORD, address="192.0.2.2", user_agent="a browser")
    who = accounts.of_session(session)

    def away(*_: object, **__: object) -> None:
        raise SQLAlchemyError("away")

    monkeypatch.setattr("camera_ctrler.accounts.standing.BELIEVED_SECONDS", 0.0)
    monkeypatch.setattr(accounts.sessions, "_sessions", away)
    assert accounts.of_session(session) == who
    assert accounts.still_valid(who)
    with pytest.raises(SQLAlchemyError):
        accounts.of_session(unknown)
    monkeypatch.setattr("camera_ctrler.accounts.standing.WITHOUT_DATABASE_SECONDS", 0.0)
    with pytest.raises(SQLAlchemyError):
        accounts.of_session(session)
