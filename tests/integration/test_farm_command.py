"""The commands as people run them: a real stack without workers, real cameras in a real registry."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cli.stack import locked
from cli.stack_state import AlreadyRunsError, StackLock, StackState, is_locked, running, supervisor_pid
from contract.errors import FarmError
from runtime.settings import PROJECT_DIR, StackSettings
from tests.support.processes import is_running, processes_below, wait_until
from tests.support.valkey_server import ValkeyServer, free_port

URL = "rtsp://admin:hunter2@192.0.2.10:554/stream1"


class Place:
    """A data folder, with the commands run on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.port = free_port()
        #: What the last `up` has said so far.
        self.said: list[str] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FARM_")}
        self.environment = kept | {
            "PYTHONPATH": str(PROJECT_DIR),
            "FARM_ENV_FILE": str(folder / "none.env"),
            "FARM_DATA_DIR": str(self.data_dir),
            "FARM_FRAMES_DIR": str(folder / "frames"),
            "FARM_FRAMES_MIN_FREE_BYTES": "0",
            "FARM_API_PORT": str(self.port),
            "FARM_REID_WORKERS": "0",
        }

    def run(self, *arguments: str, stdin: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=self.folder,
            env=self.environment | settings,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextlib.contextmanager
    def up(self, *arguments: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
        """Run `up` without workers; yields when all of it is up, and kills what is left."""
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "up", "--workers", "0", *arguments],
            cwd=self.folder,
            env=self.environment | settings,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        lines = self.said = []
        told = threading.Event()

        def read() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                lines.append(line)
                if "Ctrl-C here" in line:
                    told.set()

        threading.Thread(target=read, daemon=True).start()
        try:
            wait_until(lambda: told.is_set() or process.poll() is not None, "the stack", 60)
            assert process.poll() is None, "".join(lines)
            yield process
        finally:
            process.kill()
            process.wait()

    def leftovers(self) -> list[str]:
        """Return processes, locks, sockets and state that are there."""
        names = ("farm.lock", "farm.json", "valkey/valkey.sock", "valkey/valkey.conf")
        return processes_below(self.folder) + [name for name in names if (self.data_dir / name).exists()]


@pytest.fixture
def place() -> Iterator[Place]:
    """Give a data folder with a path short enough for a unix socket."""
    with tempfile.TemporaryDirectory(prefix="farm") as name:
        yield Place(Path(name))


def family(pid: int) -> list[int]:
    """Return the process and all that it started."""
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


def test_ctrl_c_ends_a_running_stack_and_leaves_nothing(place: Place) -> None:
    """Given a running stack, other commands find it and a second one is refused; SIGINT ends it without a trace."""
    with place.up(FARM_REID_WORKERS="1", FARM_RECOGNISERS="colours") as process:
        pids = family(process.pid)
        assert len(pids) >= 6  # the supervisor, Valkey, the controller with manager and API, a ReID worker
        state = running(place.data_dir)
        assert state is not None
        assert (place.data_dir / "farm.json").stat().st_mode & 0o777 == 0o600
        (shown,) = [line.split()[1] for line in place.said if line.strip().startswith("password")]
        logs = "".join(path.read_text() for path in (place.data_dir / "logs").iterdir())
        assert shown not in logs  # who starts the farm sees it, once
        (admin,) = json.loads(place.run("users", "list", "--json").stdout)
        assert (admin["name"], admin["role"]) == ("admin", "admin")

        second = place.run("up", "--workers", "0")
        assert second.returncode == 1
        assert f"process {process.pid} (./farm up" in second.stderr
        assert "./farm down" in second.stderr

        assert place.run("cameras", "add", URL, "--id", "gate").stdout == "gate\n"
        document = json.loads(place.run("status", "--json").stdout)
        assert [camera["camera_id"] for camera in document["cameras"]] == ["gate"]
        wait_until(lambda: "no_worker" in place.run("status").stdout, "the manager's reason")
        assert "1 worker, 0 queued, 0 waiting" in place.run("status").stdout

        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    wait_until(lambda: not any(map(is_running, pids)), "the end of every process")
    assert place.leftovers() == []


def test_ctrl_c_while_it_starts_leaves_nothing_either(place: Place) -> None:
    """Given a stack whose Valkey runs and whose controller is being started, SIGINT ends it without a trace."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "up", "--workers", "0"],
        cwd=place.folder,
        env=place.environment,
        stderr=subprocess.DEVNULL,
    )
    wait_until((place.data_dir / "logs" / "controller.log").exists, "the controller's start", 30)
    pids = family(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    wait_until(lambda: not any(map(is_running, pids)), "the end of every process")
    assert place.leftovers() == []


def test_down_ends_a_farm_that_is_still_starting(place: Place) -> None:
    """Given a command that holds the lock and has no Redis yet, as while a model is fetched, `down` ends it."""
    code = (
        "import pathlib, signal, sys; from cli.stack import locked; from runtime.settings import StackSettings\n"
        "with locked(StackSettings(data_dir=pathlib.Path(sys.argv[1]))): print('locked', flush=True); signal.pause()"
    )
    starting = subprocess.Popen(
        [sys.executable, "-c", code, str(place.data_dir)],
        cwd=place.folder,
        env=place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert starting.stdout is not None
        assert starting.stdout.readline() == "locked\n"
        assert is_locked(place.data_dir)
        assert running(place.data_dir) is None
        down = place.run("down")
        assert (down.returncode, "stopped in" in down.stdout) == (0, True), down
        assert starting.wait(5) != 0
        assert not is_locked(place.data_dir)
    finally:
        starting.kill()
        starting.communicate()
    assert "no farm runs from" in place.run("down").stdout


def test_a_lock_names_its_holder_only_while_it_is_held(tmp_path: Path) -> None:
    """Given a lock with a pid in it, the pid is told while the lock is held, and not that of a killed holder."""
    assert supervisor_pid(tmp_path) is None
    (tmp_path / "farm.lock").write_text("123456789012\n")  # as kill -9 leaves it, and longer than what comes
    assert supervisor_pid(tmp_path) is None
    with StackLock(tmp_path):
        assert supervisor_pid(tmp_path) == os.getpid()
        with pytest.raises(AlreadyRunsError, match=f"process {os.getpid()}"), StackLock(tmp_path):
            pass
    assert supervisor_pid(tmp_path) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_before_anything_is_started_gives_the_lock_back(tmp_path: Path, number: signal.Signals) -> None:
    """Given a command that holds the lock and still downloads, a signal ends it, and the handlers are as before."""
    before = signal.getsignal(number)

    def get_signal_while_locked() -> None:
        with locked(StackSettings(data_dir=tmp_path)):
            assert is_locked(tmp_path)
            os.kill(os.getpid(), number)
            signal.pause()  # not reached where the handler has run already

    with pytest.raises((FarmError, KeyboardInterrupt)):
        get_signal_while_locked()
    assert not is_locked(tmp_path)
    assert signal.getsignal(number) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_kill_9_leaves_no_process_and_the_next_start_cleans_up(place: Place) -> None:
    """Given a stack whose supervisor gets SIGKILL, its processes end, its state is stale, and `up` works again."""
    with place.up() as process:
        assert place.run("cameras", "add", URL, "--id", "kept").returncode == 0
        pids = family(process.pid)
        process.kill()
        process.wait()
        wait_until(lambda: not any(map(is_running, pids)), "the end of every process")
    assert (place.data_dir / "farm.json").exists()
    assert running(place.data_dir) is None
    assert "no farm runs from" in place.run("down").stdout
    with place.up() as process:
        assert "kept" in place.run("cameras", "list").stdout
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert place.leftovers() == []


def test_a_farm_on_a_given_redis_starts_none_of_its_own_and_down_stops_it(
    place: Place, own_valkey: ValkeyServer
) -> None:
    """Given FARM_REDIS_URL, `up` uses that server; `down` ends the farm and not the server, and says so."""
    with place.up(FARM_REDIS_URL=own_valkey.url) as process:
        assert not any("valkey-server" in line for line in processes_below(place.folder))
        state = running(place.data_dir)
        assert state is not None
        assert state.redis_url == own_valkey.url
        down = place.run("down")
        assert down.returncode == 0
        assert "stopped in" in down.stdout
        assert process.wait(5) == 0
    assert place.leftovers() == []
    assert "no farm runs from" in place.run("down").stdout
    assert own_valkey.client().ping()


def test_a_redis_that_is_away_is_a_clear_error(place: Place) -> None:
    """Given FARM_REDIS_URL of nobody, `up` says what cannot be reached and leaves nothing."""
    failed = place.run("up", "--workers", "0", FARM_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    assert failed.returncode == 1
    assert "Redis cannot be reached" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert place.leftovers() == []


def test_a_busy_port_is_named_with_its_setting(place: Place) -> None:
    """Given a program on the API's port, `up` names port and setting before anything is started."""
    with socket.create_server(("127.0.0.1", place.port)):
        failed = place.run("up", "--workers", "0")
    assert failed.returncode == 1
    assert f"port {place.port} of 127.0.0.1 is used by another program" in failed.stderr
    assert "FARM_API_PORT" in failed.stderr
    assert place.leftovers() == []


@pytest.mark.parametrize(
    ("host", "message"), [("192.0.2.77", "no address of this machine"), ("no.such.host.test", "unknown")]
)
def test_an_address_that_is_not_ours_is_named_with_its_setting(place: Place, host: str, message: str) -> None:
    """Given an address of another machine, or a name that nobody has, `up` names FARM_API_HOST."""
    failed = place.run("up", "--workers", "0", FARM_API_HOST=host)
    assert failed.returncode == 1
    assert message in failed.stderr
    assert "FARM_API_HOST" in failed.stderr


def test_the_tail_of_a_part_that_does_not_come_up_is_shown(place: Place) -> None:
    """Given a database that does not answer, `up` says so and leaves nothing."""
    url = f"postgresql://nobody:hunter2@127.0.0.1:{free_port()}/none"
    failed = place.run("up", "--workers", "0", FARM_DATABASE_URL=url)
    assert failed.returncode == 1
    assert "cannot be used" in failed.stderr
    assert "hunter2" not in failed.stderr
    assert place.leftovers() == []


@pytest.mark.parametrize("command", [["worker"], ["controller"], ["status"]])
def test_without_a_farm_the_remedy_is_named(place: Place, command: list[str]) -> None:
    """Given no farm, commands that join one say how to start it."""
    failed = place.run(*command)
    assert failed.returncode == 1
    assert "start one with ./farm up, or set FARM_REDIS_URL" in failed.stderr


def test_one_lock_holder_at_a_time_and_no_stale_state(tmp_path: Path) -> None:
    """Given a lock that is held, given back and taken again, state is seen only while it is held."""
    state = StackState(pid=1, command="up", started_at_ms=0, redis_url="redis://x", api_url="http://x")
    with StackLock(tmp_path) as lock:
        lock.write(state)
        assert running(tmp_path) == state
    assert running(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "farm.json").write_text(state.model_dump_json())  # as kill -9 leaves it
    assert running(tmp_path) is None
    with StackLock(tmp_path):
        assert not (tmp_path / "farm.json").exists()
        assert is_locked(tmp_path)
