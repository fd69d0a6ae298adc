"""Records with py-spy which functions a worker of this host runs, and who holds Python's lock (the GIL).

py-spy reads the worker's memory from outside and stops it for a fraction of a millisecond with each sample, so that
nothing has to be built into a worker, and one that hangs can be looked at too. What CUDA kernels take it does not see.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from camera_ctrler.api.farm_watch import FarmWatch
from camera_ctrler.api.worker_profile import worker_profiles
from cli.connection import joined, open_redis, open_registry
from cli.profile_view import find_worker
from contract.errors import FarmError
from contract.workers import WorkerStatus
from runtime.clock import SystemClock
from runtime.farm_reader import FarmReader
from runtime.settings import DatabaseSettings

#: Samples a second: what takes a per cent is found in ten seconds, and the worker loses about one itself.
RATE: Final = 100
#: Seconds that py-spy may need besides: it reads the symbols of all libraries first.
_GRACE_SECONDS: Final = 60.0
#: End of the file's name -> format of py-spy.
FORMATS: Final = {".json": "speedscope", ".svg": "flamegraph", ".txt": "raw"}
#: Functions that are named.
_SHOWN: Final = 8


class TraceError(FarmError):
    """A worker cannot be recorded; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds the lock, as shares of the time."""

    share: float
    #: Kind of thread, function -> share; most first.
    by_thread: dict[str, float]
    by_function: dict[str, float]


def trace_worker(worker_id: str | None, seconds: int, out: Path | None) -> None:
    """Record a worker and print what was found.

    Args:
        worker_id: Which; None: the one of this host, if there is one only.
        seconds: How long each of the two records takes.
        out: Where the first goes, in the format that its name ends with; None: into the data folder.

    Raises:
        TraceError: It cannot be recorded.
        WorkerNotFoundError: No live worker has this id.
    """
    settings = joined(DatabaseSettings.load())
    with open_registry(settings) as registry, open_redis(settings, "camfarm-cli") as client:
        look = FarmWatch(registry, FarmReader(client), SystemClock()).look()
    if worker_id is not None:
        status = find_worker(look, worker_id).status
    else:
        status = only_one_here([profile.status for profile in worker_profiles(look)], socket.gethostname())
    check_is_here(status, socket.gethostname())
    spy = find_spy()
    path = out or settings.data_dir / "profiles" / f"{status.worker_id}-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"recording {status.worker_id} (process {status.pid}), twice {seconds} s", flush=True)
    record(spy, status.pid, seconds, path, format_of(path), "--threads")
    print(f"written: {path}{' (open it on https://www.speedscope.app)' if path.suffix == '.json' else ''}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "lock.txt"
        record(spy, status.pid, seconds, raw, "raw", "--threads", "--gil", "--function")
        print_held(held(raw.read_text(errors="replace"), seconds * RATE))


def only_one_here(statuses: Sequence[WorkerStatus], host: str) -> WorkerStatus:
    """Return the worker of this host.

    Raises:
        TraceError: There is none, or more than one.
    """
    here = [status for status in statuses if status.host == host]
    if not here:
        raise TraceError("no worker runs on this host; run the command where one does (./farm workers list --json)")
    if len(here) > 1:
        names = ", ".join(status.worker_id for status in here)
        raise TraceError(f"several workers run on this host; choose one of them with --worker: {names}")
    return here[0]


def check_is_here(status: WorkerStatus, host: str) -> None:
    """Find out whether a worker's process can be reached.

    Raises:
        TraceError: It runs elsewhere.
    """
    if status.host != host:
        raise TraceError(
            f"{status.worker_id} runs on {status.host}, and this is {host}; run the command there "
            "(with Compose: docker compose exec worker ./farm profile --trace ...)"
        )
    try:
        os.kill(status.pid, 0)
    except ProcessLookupError:
        raise TraceError(
            f"{status.worker_id} says that it is process {status.pid} of this host, and there is none; "
            "if it runs in a container, run the command in there"
        ) from None
    except PermissionError:
        return  # it is there, and py-spy says best what is missing


def find_spy() -> str:
    """Return the path of py-spy.

    Raises:
        TraceError: It is not installed.
    """
    beside = str(Path(sys.executable).parent)
    found = shutil.which("py-spy", path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if found is None:
        raise TraceError("py-spy is not installed; bring it with: ./farm setup --dev, or pip install py-spy")
    return found


def format_of(path: Path) -> str:
    """Return the format that a file's name asks for.

    Raises:
        TraceError: It asks for none that is known.
    """
    found = FORMATS.get(path.suffix)
    if found is None:
        raise TraceError(f"{path.name} must end with one of {', '.join(FORMATS)}")
    return found


def record(spy: str, pid: int, seconds: int, path: Path, written_as: str, *options: str) -> None:
    """Let py-spy record a process into a file.

    Raises:
        TraceError: It cannot, or has nothing to write.
    """
    command = [spy, "record", "--pid", str(pid), "--duration", str(seconds), "--rate", str(RATE)]
    command += ["--format", written_as, "--output", str(path), *options]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds + _GRACE_SECONDS, check=False, errors="replace"
        )
    except subprocess.TimeoutExpired:
        raise TraceError(
            f"py-spy has not finished {_GRACE_SECONDS:.0f} s after its time; is process {pid} stopped?"
        ) from None
    except OSError as error:
        raise TraceError(f"{spy} cannot be run: {error}") from error
    if result.returncode or not path.is_file():
        raise TraceError(refusal(result.stderr or result.stdout, pid))


def refusal(said: str, pid: int) -> str:
    """Return in one sentence why py-spy refused, and what to do."""
    text = said.casefold()
    if "permission denied" in text or "not permitted" in text:
        return (
            f"process {pid} may not be looked into; run the command as root (sudo), or as the worker's user with "
            "kernel.yama.ptrace_scope=0; a container needs --cap-add SYS_PTRACE (cap_add in Compose)"
        )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = next((line for line in lines if line.startswith("Error")), lines[-1] if lines else "it did not say why")
    return f"py-spy could not record process {pid}: {first}"


def held(raw: str, samples: float) -> Held:
    """Return who held the lock.

    Args:
        raw: What py-spy wrote with ``--format raw --threads --gil``: a stack and a count in each line.
        samples: How often it has looked.
    """
    threads: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        if not stack or not count.isdigit():
            continue
        first, *frames = stack.split(";")
        threads[_kind(first)] += int(count)
        functions[frames[-1] if frames else first] += int(count)
    total = max(samples, float(threads.total()), 1.0)
    return Held(
        threads.total() / total,
        {name: count / total for name, count in threads.most_common()},
        {name: count / total for name, count in functions.most_common()},
    )


def _kind(thread: str) -> str:
    """Return a thread's name without its number: all captures are one kind."""
    name = thread.partition(": ")[2] or thread
    return name.partition("-")[0]


def print_held(found: Held) -> None:
    """Print who held the lock."""
    print(f"Python's lock (GIL) is held {found.share:.0%} of the time")
    for title, shares in (("by thread", found.by_thread), ("by function", found.by_function)):
        for number, (name, share) in enumerate(list(shares.items())[:_SHOWN]):
            print(f"{title if number == 0 else '':<12} {share:6.1%}  {name}")
