"""The farm under chaos: managers, API and workers as processes, ended ones started again as a supervisor would."""

import itertools
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from runtime import exit_codes
from tests.chaos.event_log import EventLog
from tests.support.farm import Farm
from tests.support.tcp_proxy import TcpProxy

#: Small pictures, few threads, short time limits for cameras; leases and handovers as they are by default.
SETTINGS: Final = {
    "FARM_DETECT_SIZE": "160",
    "FARM_DETECT_THREADS": "1",
    "FARM_CONNECT_TIMEOUT_SECONDS": "2",
    "FARM_STALL_TIMEOUT_SECONDS": "2",
    "FARM_RECONNECT_MAX_SECONDS": "2",
}
#: Seconds until a process that has ended is started again.
RESTART_SECONDS: Final = 1.0
#: Seconds that all processes together get to leave at the end; draining takes up to 15.
LEAVE_SECONDS: Final = 60.0


@dataclass
class Member:
    """One process of the farm that is to be kept running."""

    name: str
    role: str
    module: list[str]
    settings: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    #: Monotonic seconds when it is to be started (again).
    start_at: float = 0.0
    #: Whether it is started again when it ends.
    keep: bool = True
    frozen: bool = False
    #: For workers: the link through which alone it reaches Redis.
    link: TcpProxy | None = field(default=None, repr=False)

    @property
    def runs(self) -> bool:
        """Whether its process is there and not frozen."""
        return self.process is not None and not self.frozen


class Members:
    """All processes. One thread calls it."""

    def __init__(self, folder: Path, redis_url: str, redis_port: int, api_port: int, log: EventLog) -> None:
        self.farm = Farm(folder, redis_url, api_port=api_port, **SETTINGS)
        self.farm.frames_dir.mkdir(parents=True)
        self._redis_port = redis_port
        self._log = log
        self._numbers = itertools.count(1)
        self._members: dict[str, Member] = {}

    # --- who is there --------------------------------------------------------------------------------------------

    def of_role(self, role: str) -> list[Member]:
        """Return the members of a role that are to be kept."""
        return [member for member in self._members.values() if member.role == role and member.keep]

    def running(self, role: str) -> list[Member]:
        """Return the members of a role whose processes are there, not frozen and not about to leave."""
        return [member for member in self.of_role(role) if member.runs]

    def add(self, role: str) -> Member:
        """Add one more manager, API or worker; the next `tend` starts it."""
        name = f"{role}-{next(self._numbers)}"
        if role == "worker":
            link = TcpProxy(self._redis_port)
            link.__enter__()
            settings = {"FARM_WORKER_ID": name, "FARM_REDIS_URL": f"redis://127.0.0.1:{link.port}/0"}
            member = Member(name, role, ["workers"], settings, link=link)
        else:
            member = Member(name, role, ["camera_ctrler", "--only", role], {})
        self._members[name] = member
        return member

    # --- keeping them --------------------------------------------------------------------------------------------

    def tend(self) -> None:
        """Take note of processes that have ended, and start those that are due."""
        for member in list(self._members.values()):
            code = member.process.poll() if member.process else None
            if member.process is not None and code is not None:
                self._note(member, "ended", code=code)
                self._end(member)
                # Given up for good only where starting again cannot help; a supervisor does the same.
                if member.keep and code != exit_codes.UNUSABLE:
                    member.start_at = time.monotonic() + RESTART_SECONDS
                else:
                    self._forget(member)
            if member.name in self._members and member.process is None and time.monotonic() >= member.start_at:
                member.process = self.farm.start(member.name, *member.module, **member.settings)
                self._note(member, "started")

    def _end(self, member: Member) -> None:
        self.farm.processes.pop(member.name, None)
        member.process = None
        member.frozen = False

    def _forget(self, member: Member) -> None:
        del self._members[member.name]
        if member.link is not None:
            member.link.__exit__(None, None, None)

    def _note(self, member: Member, state: str, **fields: object) -> None:
        pid = member.process.pid if member.process else 0
        self._log.write("process", name=member.name, role=member.role, pid=pid, state=state, **fields)

    # --- what may be done to them --------------------------------------------------------------------------------

    def kill(self, member: Member, *, start_after_seconds: float, another_id: bool = False) -> None:
        """End it without warning; it, or another in its place, starts again after a while."""
        if member.process is None:
            return
        member.process.kill()
        self._note(member, "ended", code=member.process.wait())
        self._end(member)
        if another_id:
            self._forget(member)
            member = self.add(member.role)
        member.start_at = time.monotonic() + start_after_seconds

    def freeze(self, member: Member) -> None:
        """Stop it as it is."""
        if member.process is not None:
            member.process.send_signal(signal.SIGSTOP)
            member.frozen = True

    def thaw(self, member: Member) -> None:
        """Let it go on."""
        if member.process is not None:
            member.process.send_signal(signal.SIGCONT)
        member.frozen = False

    def drain(self, member: Member) -> None:
        """Ask it to leave; nobody starts it again."""
        member.keep = False
        if member.process is not None:
            member.process.terminate()

    # --- the end -------------------------------------------------------------------------------------------------

    def stop_workers(self) -> None:
        """Ask the workers to leave, and wait until they have."""
        self._stop_roles("worker")

    def stop_all(self) -> None:
        """Ask all that are left to leave, and wait until they have."""
        self._stop_roles("worker", "manager", "api")

    def _stop_roles(self, *roles: str) -> None:
        """End members in order; one that stays for too long is killed, which the log then shows."""
        deadline = time.monotonic() + LEAVE_SECONDS
        members = [member for member in self._members.values() if member.role in roles]
        for member in members:
            self.thaw(member)
            if member.link is not None:
                member.link.pass_on()
            self.drain(member)
        while any(member.process is not None for member in members):
            self._reap(members, too_late=time.monotonic() > deadline)
            time.sleep(0.05)
        for member in members:
            self._forget(member)

    def _reap(self, members: list[Member], *, too_late: bool) -> None:
        for member in members:
            if member.process is not None and too_late:
                member.process.kill()
                member.process.wait(10)
            code = member.process.poll() if member.process else None
            if code is not None:
                self._note(member, "ended", code=code)
                self._end(member)

    def left_behind(self) -> list[str]:
        """Return the command lines of processes that still work for this farm, however they were started."""
        folder = self.farm.environment["FARM_DATA_DIR"]
        return [
            " ".join(process.info["cmdline"] or [])
            for process in psutil.process_iter(["cmdline", "status"])
            if process.info["status"] != psutil.STATUS_ZOMBIE and folder in _environment(process)
        ]


def _environment(process: psutil.Process) -> Iterator[str]:
    try:
        yield from process.environ().values()
    except (psutil.Error, OSError):  # it has ended, or is not ours
        return
