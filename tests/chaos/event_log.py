"""The log of a chaos run: one JSON object a line, from which alone the invariants are checked.

Every line has ``what`` and ``at_ms`` (Unix ms UTC by the clock of the process that runs the chaos; never goes back):

=============  ====================================================================================================
``start``      ``seed``, ``minutes``, ``analyse_fps``, ``lease_seconds``, ``managers``, ``workers``
``camera``     ``camera``, ``change`` (added, changed, enabled, disabled, removed: the API has accepted it; disabling,
               removing: it is about to be asked), ``host`` where it was added
``fault``      ``fault`` (number), ``kind``, ``target``, ``seconds`` (how long it is to last): a fault begins
``healed``     ``fault``: what the fault broke was put right, as far as that is the chaos's business
``process``    ``name``, ``role`` (manager, api, worker), ``pid``, ``state`` (started, ended), ``code`` where it ended
``result``     ``camera, epoch, seq, worker, captured_at_ms``: in the camera's stream, in the stream's order
``newest``     the same fields: what stood as the camera's newest result, whenever that changed
``event``      ``event_id, kind, camera, epoch, number``: in the stream of events
``assigned``   ``camera, worker, epoch``: an assignment seen for the first time
``worker``     ``worker, alive, cameras, draining, refused, dropped, spooled, lost``: once a second
``status``     ``camera, worker, epoch, state, reason, dropped``: whenever it changed
``plan``       ``controller, unplaced, handing_over, moved_total, refused_plans``: whenever it changed
``refused``    ``call, answer``: the API did not accept what the chaos asked for
``calm``       nothing will be broken any more
``inventory``  what Redis holds at the end of the calm; see `tests.chaos.inventory`
``stored``     ``events``: ids of the events in the database then
``stopping``   the farm's processes are asked to leave
``leftovers``  ``processes``, ``files``: what was still there when all had ended
``end``        ``interrupted``
=============  ====================================================================================================
"""

import gzip
import json
import threading
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

#: One line of a log, with ``line``, its number from 1, where it was read from a file.
Line = dict[str, Any]


class LogUnreadableError(Exception):
    """The file is no log of a chaos run; the text says which line and why."""


class EventLog:
    """Writes the log. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._file = path.open("w", encoding="utf-8")
        self._lock = threading.Lock()
        # One clock for all lines that no step of the machine's clock moves.
        self._began_ms = time.time() * 1000
        self._began = time.monotonic()

    def now_ms(self) -> int:
        """Return the time by the log's clock."""
        return round(self._began_ms + (time.monotonic() - self._began) * 1000)

    def write(self, what: str, **fields: object) -> None:
        """Append a line; it is on its way to the disk when this returns."""
        with self._lock:
            line = {"what": what, "at_ms": self.now_ms(), **fields}
            self._file.write(json.dumps(line, separators=(",", ":"), default=str) + "\n")
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def numbered(lines: Iterable[Line]) -> list[Line]:
    """Return `lines` with their numbers."""
    return [line | {"line": number} for number, line in enumerate(lines, 1)]


def read_log(path: Path) -> list[Line]:
    """Read a log, or one that was packed by gzip.

    Raises:
        LogUnreadableError: It cannot be read; a last line that was cut off is no reason for that.
    """
    try:
        data = path.read_bytes()
        texts = (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise LogUnreadableError(f"{path} cannot be read: {error}") from error
    lines = []
    for number, text in enumerate(texts, 1):
        try:
            line = json.loads(text)
        except ValueError as error:
            if number == len(texts):
                break
            raise LogUnreadableError(f"{path}, line {number} is no JSON: {error}") from error
        if not isinstance(line, dict) or "what" not in line or "at_ms" not in line:
            raise LogUnreadableError(f"{path}, line {number} has no `what` and `at_ms`; is it a log of ./farm chaos?")
        lines.append(line)
    if not lines or lines[0]["what"] != "start":
        raise LogUnreadableError(f"{path} does not begin with a start; is it a log of ./farm chaos?")
    return numbered(lines)
