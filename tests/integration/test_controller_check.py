"""`python -m camera_ctrler --check`: whether a manager of this host runs."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from camera_ctrler.__main__ import CHECK_SECONDS, main
from contract import keys
from contract.ids import new_worker_id
from runtime.farm_reader import FarmReader
from tests.support.farm import REPOSITORY, Farm
from tests.support.valkey_server import ValkeyServer, free_port


def _heard(client: redis.Redis, controller_id: str, seconds_ago: float) -> None:
    seconds, _ = client.time()
    client.zadd(keys.controllers(), {controller_id: (int(seconds) - seconds_ago) * 1000})


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, valkey_server: ValkeyServer) -> None:
    """Let `main` be the check of a farm on the tests' server."""
    monkeypatch.setenv("FARM_ENV_FILE", str(tmp_path / "none.env"))
    monkeypatch.setenv("FARM_REDIS_URL", valkey_server.url)
    monkeypatch.setattr(sys, "argv", ["camera_ctrler", "--check"])


@pytest.mark.usefixtures("check")
def test_only_a_manager_of_this_host_that_was_heard_lately_counts(redis_client: redis.Redis) -> None:
    """Given none, one of another host, an old one and a new one, then only the last makes the check succeed."""
    assert main() == 1
    _heard(redis_client, "elsewhere-123abc", 0)
    assert main() == 1
    _heard(redis_client, new_worker_id(socket.gethostname()), CHECK_SECONDS + 10)
    assert main() == 1
    _heard(redis_client, new_worker_id(socket.gethostname()), 1)
    assert main() == 0


@pytest.mark.usefixtures("check")
def test_without_redis_the_manager_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a server that does not answer, then the check succeeds: starting the manager again would not help."""
    monkeypatch.setenv("FARM_REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    assert main() == 0


def test_the_check_sees_a_real_manager_that_leads_and_one_that_waits(tmp_path: Path, own_valkey: ValkeyServer) -> None:
    """Given two managers in processes of their own, then both are heard, and the check succeeds."""
    with Farm(tmp_path, own_valkey.url, api_port=free_port()) as farm, own_valkey.client() as client:
        reader = FarmReader(client)
        farm.start_manager("first")
        farm.start_manager("second")
        farm.wait_for(lambda: len(reader.controllers(within_seconds=CHECK_SECONDS)) == 2, "both are heard", 60)
        command = [sys.executable, "-m", "camera_ctrler", "--check"]
        answer = subprocess.run(command, cwd=REPOSITORY, env=farm.environment, timeout=60, check=False)
        assert answer.returncode == 0
