"""The registry's database hangs: it accepts what it is asked, answers nothing, and closes nothing."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import redis
from sqlalchemy import create_engine, text

from runtime.worker_link import Written
from tests.support.planned_farm import PlannedFarm
from tests.support.postgres import administrator_of


@contextmanager
def frozen(url: str) -> Iterator[None]:
    """Stop every process of the server, as a host that is stuck on its disk would."""
    engine = administrator_of(url)
    with engine.connect() as connection:  # the process of this connection ends with it
        server = psutil.Process(connection.execute(text("SELECT pg_backend_pid()")).scalar_one()).parent()
    engine.dispose()
    assert server is not None
    processes = [server, *server.children()]
    for process in processes:
        with suppress(ProcessLookupError):  # one whose connection was closed this moment
            os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with suppress(ProcessLookupError):  # one that had ended is gone as soon as the server goes on
                os.kill(process.pid, signal.SIGCONT)


def test_takeovers_do_not_wait_for_a_database_that_hangs(
    redis_client: redis.Redis, tmp_path: Path, postgres_url: str
) -> None:
    """Given PostgreSQL frozen, a dead worker's cameras are taken over in time; thawed, epochs still rise."""
    farm = PlannedFarm(redis_client, tmp_path, postgres_url)
    farm.cameras("a", "b")
    workers = [farm.worker("w1"), farm.worker("w2")]
    farm.settle()
    (lost,) = workers[0].assignments()
    former = workers[0].assignments()[lost].epoch
    with frozen(postgres_url):
        began = time.monotonic()
        workers[0].die()
        farm.manager.step()
        farm.manager.step()
        assert time.monotonic() - began < 15  # twice the registry's patience, on a busy machine
        assert workers[1].work() == {"a": Written.ACCEPTED, "b": Written.ACCEPTED}
        assert workers[0].publish(lost, former) is Written.REFUSED
        assert "not answered" in farm.report().database_error
        began = time.monotonic()
        for _ in range(5):
            farm.manager.step()
        assert time.monotonic() - began < 5, "what hangs is waited for again and again"
        taken_under = workers[1].assignments()[lost].epoch
    deadline = time.monotonic() + 20
    while farm.report().database_error and time.monotonic() < deadline:
        farm.manager.step()
    assert farm.report().database_error == ""
    farm.cameras("c")
    farm.worker("w3")
    workers[1].die()
    farm.settle()
    assert {name: its for name, its in farm.placement().items() if its != ["w2"]} == {name: ["w3"] for name in "abc"}
    assert farm.reader.assignments(["w3"])["w3"][lost].epoch > taken_under
    farm.close()


def test_takeovers_do_not_wait_for_a_locked_sqlite_file(redis_client: redis.Redis, tmp_path: Path) -> None:
    """Given another process that keeps SQLite's file locked, a dead worker's cameras are taken over in time."""
    farm = PlannedFarm(redis_client, tmp_path)
    farm.cameras("a", "b")
    workers = [farm.worker("w1"), farm.worker("w2")]
    farm.settle()
    other = create_engine(farm.database_url)
    with other.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        began = time.monotonic()
        workers[0].die()
        farm.manager.step()
        assert time.monotonic() - began < 8
        assert workers[1].work() == {"a": Written.ACCEPTED, "b": Written.ACCEPTED}
        connection.rollback()
    other.dispose()
    farm.close()


@pytest.fixture(autouse=True)
def _server(postgres_server: str) -> None:
    """Start the server before the clock of a test runs."""
    assert postgres_server
