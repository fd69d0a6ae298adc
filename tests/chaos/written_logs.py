"""Logs made by hand, in which nothing is wrong until a test makes it so."""

from typing import Any

from tests.chaos.event_log import Line, numbered
from tests.chaos.invariants import Findings, check

#: When things begin to be broken, ms.
T0 = 1_000_000
#: Milliseconds between two results of a camera.
STEP_MS = 500


class WrittenLog:
    """A log of a farm with workers ``w1`` and ``w2`` and cameras ``a`` (of w1) and ``b`` (of w2) on two hosts.

    Times are seconds after `T0`; lines may be added in any order.
    """

    def __init__(self, seconds: float = 60) -> None:
        self.seconds = seconds
        self._lines: list[tuple[float, int, Line]] = []
        self._faults = 0
        self.add(-20, "start", seed=1)
        for name in ("w1", "w2"):
            self.add(-19, "process", name=name, role="worker", pid=len(name), state="started")
        for camera_id, host in (("a", "host-a"), ("b", "host-b")):
            self.add(-15, "camera", camera=camera_id, change="added", host=host)
        self.add(0, "breaking")
        self.add(seconds - 20, "calm")
        self.inventory: dict[str, Any] = {
            "workers": ["w1", "w2"],
            "alive": ["w1", "w2"],
            "assignments": {"w1": ["a"], "w2": ["b"]},
            "states": {"a": ["online", None], "b": ["online", None]},
            "handing_over": [],
            "unplaced": {},
            "left_of_removed": {},
        }
        self.leftovers: dict[str, Any] = {"processes": [], "files": [], "keys": []}
        #: Events that are not stored although they were accepted, and the other way round.
        self.unstored: set[str] = set()
        self.made_up: set[str] = set()

    def add(self, at: float, what: str, **fields: object) -> None:
        """Add a line."""
        self._lines.append((at, len(self._lines), {"what": what, "at_ms": round(T0 + at * 1000), **fields}))

    def fault(self, at: float, kind: str, target: str, seconds: float = 0) -> None:
        """Add a fault and its end."""
        self._faults += 1
        self.add(at, "fault", fault=self._faults, kind=kind, target=target, seconds=seconds)
        self.add(at + seconds, "healed", fault=self._faults)

    def results(self, camera_id: str, worker_id: str, epoch: int, begin: float, end: float, first: int = 1) -> None:
        """Let a worker's results of one epoch be accepted, one every `STEP_MS`."""
        self.add(begin - 0.5, "assigned", camera=camera_id, worker=worker_id, epoch=epoch)
        number = first
        while (at := begin + (number - first) * STEP_MS / 1000) < end:
            self.result(camera_id, worker_id, epoch, number, at)
            number += 1

    def result(self, camera_id: str, worker_id: str, epoch: int, seq: int, at: float) -> None:
        """Let one result be accepted."""
        fields = {"camera": camera_id, "epoch": epoch, "seq": seq, "worker": worker_id}
        for what in ("newest", "result"):
            self.add(at, what, **fields, captured_at_ms=round(T0 + at * 1000) - 30)

    def event(self, camera_id: str, worker_id: str, epoch: int, number: int, at: float) -> None:
        """Let one event be accepted."""
        self.add(
            at,
            "event",
            event_id=f"{camera_id}:{epoch}:{number}",
            kind="track_started",
            camera=camera_id,
            epoch=epoch,
            number=number,
            worker=worker_id,
        )

    def word(self, worker_id: str, at: float, **counts: int) -> None:
        """Let a worker say how it does."""
        said = {"refused": 0, "dropped": 0, "spooled": 0, "lost": 0} | counts
        self.add(at, "worker", worker=worker_id, alive=True, cameras=1, draining=False, **said)

    def ended(self, name: str, at: float, code: int, role: str = "worker") -> None:
        """Let a process end."""
        self.add(at, "process", name=name, role=role, pid=1, state="ended", code=code)

    def started(self, name: str, at: float, role: str = "worker") -> None:
        """Let a process start."""
        self.add(at, "process", name=name, role=role, pid=1, state="started")

    def lines(self) -> list[Line]:
        """Return the log, with the calm's end and the farm's."""
        end = self.seconds
        tail = [
            (end, 10**6, {"what": "inventory", "at_ms": round(T0 + end * 1000), **self.inventory}),
            (end, 10**6 + 1, {"what": "stored", "at_ms": round(T0 + end * 1000), "events": self._stored()}),
            (end, 10**6 + 2, {"what": "stopping", "at_ms": round(T0 + end * 1000)}),
            (end + 5, 10**6 + 3, {"what": "leftovers", "at_ms": round(T0 + end * 1000) + 5_000, **self.leftovers}),
        ]
        return numbered(line for _, _, line in sorted(self._lines + tail, key=lambda item: item[:2]))

    def _stored(self) -> list[str]:
        taken = {line["event_id"] for _, _, line in self._lines if line["what"] == "event"}
        return sorted((taken - self.unstored) | self.made_up)

    def check(self) -> Findings:
        """Check the log."""
        return check(self.lines())


def healthy(seconds: float = 60) -> WrittenLog:
    """Return a log in which both cameras are analysed from beginning to end."""
    log = WrittenLog(seconds)
    log.results("a", "w1", 1, -10, seconds)
    log.results("b", "w2", 1, -10, seconds)
    return log
