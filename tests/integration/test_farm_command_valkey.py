"""The embedded Valkey as a real server: its data outlives it, and nobody else gets in."""

import os
import signal
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from cli.embedded_valkey import EmbeddedValkey, EmbeddedValkeyError
from runtime.process_group import ChildFailedError, ProcessGroup
from runtime.shutdown import Shutdown
from tests.support.processes import is_running, wait_until


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder with a short path: the path of a unix socket may have 100 bytes, pytest's own folders more."""
    with tempfile.TemporaryDirectory(prefix="farm") as name:
        yield Path(name)


def client_of(valkey: EmbeddedValkey) -> redis.Redis:
    """Return a client."""
    return redis.Redis.from_url(valkey.url, socket_timeout=5)


def group_in(folder: Path) -> ProcessGroup:
    """Return a process group that logs below `folder`."""
    return ProcessGroup(log_dir=folder / "logs", shutdown=Shutdown(), report=lambda _: None)


@pytest.mark.parametrize("tcp", [False, True])
def test_data_survives_kill_9(folder: Path, tcp: bool) -> None:
    """Given a written key, when the server gets SIGKILL and is started anew, the key is there."""
    valkey = EmbeddedValkey(folder, tcp=tcp)
    with group_in(folder) as group:
        group.start(valkey.prepare())
        client_of(valkey).set("kept", "yes")
        pid = group.pids()["valkey"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_running(pid), "its end")
    again = EmbeddedValkey(folder, tcp=tcp)
    with group_in(folder) as group:
        group.start(again.prepare())  # over the stale socket of the killed one
        assert client_of(again).get("kept") == b"yes"
    again.clean_up()
    assert {path.name for path in again.folder.iterdir()} == {"appendonlydir"}


def test_the_socket_is_its_owners_alone_and_no_port_is_open(folder: Path) -> None:
    """Given the default, folder and socket have no rights for others and the server listens on no port."""
    valkey = EmbeddedValkey(folder)
    with group_in(folder) as group:
        group.start(valkey.prepare())
        assert stat.S_IMODE(valkey.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((valkey.folder / "valkey.sock").stat().st_mode) == 0o700
        config = client_of(valkey).config_get()
    assert config["port"] == "0"
    assert config["appendonly"] == "yes"
    assert config["maxmemory-policy"] == "noeviction"


def test_over_tcp_a_password_is_asked_for_that_no_process_list_shows(folder: Path) -> None:
    """Given TCP, a client without the password is refused, and the command line does not have it."""
    valkey = EmbeddedValkey(folder, tcp=True)
    with group_in(folder) as group:
        child = valkey.prepare()
        group.start(child)
        password, _, address = valkey.url.removeprefix("redis://:").partition("@")
        port = int(address.removeprefix("127.0.0.1:").removesuffix("/0"))
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port, socket_timeout=5).ping()
        assert password not in " ".join(child.argv)
        assert stat.S_IMODE((valkey.folder / "valkey.conf").stat().st_mode) == 0o600


def test_a_path_too_long_for_a_socket_leads_to_tcp(folder: Path) -> None:
    """Given a deep data folder, the server is reached over loopback."""
    valkey = EmbeddedValkey(folder / ("d" * 100))
    assert valkey.uses_tcp
    with group_in(folder) as group:
        group.start(valkey.prepare())
        assert client_of(valkey).ping()


def test_a_folder_with_blanks_and_quotes_works(folder: Path) -> None:
    """Given odd characters in the folder's name, server and URL agree on the path."""
    valkey = EmbeddedValkey(folder / 'a "b" %41')
    assert not valkey.uses_tcp
    with group_in(folder) as group:
        group.start(valkey.prepare())
        assert client_of(valkey).ping()


def test_a_server_that_still_answers_is_not_pushed_aside(folder: Path) -> None:
    """Given a live server on the folder, a second one is refused, and the first one named."""
    first = EmbeddedValkey(folder)
    with group_in(folder) as group:
        group.start(first.prepare())
        pid = group.pids()["valkey"]
        with pytest.raises(EmbeddedValkeyError, match=rf"process {pid}\).*FARM_DATA_DIR"):
            EmbeddedValkey(folder).prepare()
        assert client_of(first).ping()


def test_a_dead_socket_is_replaced(folder: Path) -> None:
    """Given a socket file that nobody listens on, the server starts."""
    valkey = EmbeddedValkey(folder)
    valkey.folder.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(valkey.folder / "valkey.sock"))
    with group_in(folder) as group:
        group.start(valkey.prepare())
        assert client_of(valkey).ping()


def written_once(folder: Path) -> Path:
    """Start a server, write two keys, stop it; return the file that has them."""
    valkey = EmbeddedValkey(folder)
    with group_in(folder) as group:
        group.start(valkey.prepare())
        client_of(valkey).set("first", "1" * 100)
        client_of(valkey).set("second", "2" * 100)
    (file,) = (valkey.folder / "appendonlydir").glob("*.incr.aof")
    return file


def test_a_torn_last_write_is_dropped_and_the_rest_is_kept(folder: Path) -> None:
    """Given an append-only file whose last command is cut, the server starts with what came before."""
    file = written_once(folder)
    file.write_bytes(file.read_bytes()[:-7])
    valkey = EmbeddedValkey(folder)
    with group_in(folder) as group:
        group.start(valkey.prepare())
        assert client_of(valkey).mget("first", "second") == [b"1" * 100, None]


def test_damage_in_the_middle_is_refused_with_the_remedy(folder: Path) -> None:
    """Given an append-only file with rubbish in its middle, the error names the folder to move away."""
    file = written_once(folder)
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 80] = b"\xff" * 80
    file.write_bytes(bytes(data))
    valkey = EmbeddedValkey(folder)
    with pytest.raises(ChildFailedError) as caught, group_in(folder) as group:
        group.start(valkey.prepare())
    assert f"move the folder {valkey.folder} away" in str(valkey.explain(caught.value))
