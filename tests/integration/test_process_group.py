"""The process group with real processes: order, readiness, restarts, and that nothing is left."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runtime.child_process import Child, ChildFailedError, exit_text
from runtime.process_group import ProcessGroup, StoppedWhileStartingError, restart_delay
from runtime.shutdown import Shutdown
from tests.support.processes import is_running, wait_until

SLEEP = "import time; time.sleep(60)"
#: Ignores SIGTERM and says when it does so.
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


def python(code: str) -> list[str]:
    """Return the command line of a child that runs `code`."""
    return [sys.executable, "-c", code]


def asked_after(seconds: float) -> Shutdown:
    """Return a shutdown that is asked for in `seconds`."""
    shutdown = Shutdown()
    timer = threading.Timer(seconds, shutdown.ask)
    timer.daemon = True
    timer.start()
    return shutdown


def supervisor(script: str, tmp_path: Path) -> "subprocess.Popen[str]":
    """Run `script`, which makes a process group, as a process of its own."""
    path = tmp_path / "supervisor.py"
    path.write_text(f"import sys\nfrom runtime.process_group import *\nfrom pathlib import Path\n{script}\n")
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    return subprocess.Popen(
        [sys.executable, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, env=environment
    )


def read_pids(path: Path, count: int) -> list[int]:
    """Wait until `path` has `count` process ids, one in a line."""
    wait_until(lambda: path.exists() and len(path.read_text().split()) >= count, "the children's process ids")
    return [int(word) for word in path.read_text().split()]


def family(note: Path) -> str:
    """Return code of a process with a child of its own; both ids are appended to `note`."""
    return (
        "import os, subprocess, sys, time; "
        f"c = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); "
        f"open({str(note)!r}, 'a').write(f'{{os.getpid()}}\\n{{c.pid}}\\n'); time.sleep(60)"
    )


def test_children_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    """Given three children, each started when the one before is ready, the last started is the first to stop."""
    note = tmp_path / "note"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n    open(sys.argv[2], 'a').write(f'-{sys.argv[1]} '); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "open(sys.argv[2], 'a').write(f'+{sys.argv[1]} '); print('up', flush=True); time.sleep(60)"
    )
    children = [Child(name, [*python(code), name, str(note)], ready_line="^up$") for name in ("a", "b", "c")]
    group = ProcessGroup(children, log_dir=tmp_path, shutdown=asked_after(1.5))
    assert group.run() == 0
    assert note.read_text().split() == ["+a", "+b", "+c", "-c", "-b", "-a"]


def test_a_port_a_file_or_a_line_can_say_that_a_child_is_ready(tmp_path: Path) -> None:
    """Given children that listen, write a file, and write a line after a while, start returns when they did."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    late = "import time; time.sleep(0.4)\n"

    def port_answers(_pid: int) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    def file_is_there(_pid: int) -> bool:
        return (tmp_path / "flag").exists()

    with ProcessGroup(log_dir=tmp_path, shutdown=Shutdown()) as group:
        listen = f"{late}import socket; s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"
        write = f"{late}open({str(tmp_path / 'flag')!r}, 'w'); time.sleep(60)"
        speak = f"{late}print('now serving', flush=True); time.sleep(60)"
        group.start(Child("port", python(listen), ready=port_answers))
        assert port_answers(0)
        group.start(Child("file", python(write), ready=file_is_there), Child("line", python(speak), ready_line="serv"))
        assert file_is_there(0)
        assert "now serving" in (tmp_path / "line.log").read_text()
        assert set(group.pids()) == {"port", "file", "line"}


def test_a_child_that_is_never_ready_is_named_with_what_it_wrote(tmp_path: Path) -> None:
    """Given a child that speaks but does not get ready, start fails after its time and nothing is left."""
    group = ProcessGroup(log_dir=tmp_path, shutdown=Shutdown())
    argv = python(f"print('still loading', flush=True); {SLEEP}")
    with pytest.raises(ChildFailedError, match=r"(?s)slow was not ready after 1 s .*still loading"), group:
        group.start(Child("slow", argv, ready=lambda _: False, ready_timeout_seconds=0.8))
    assert group.pids() == {}


def test_a_child_that_ends_at_once_is_named_with_code_and_last_lines(tmp_path: Path) -> None:
    """Given a child that ends before it is ready, the error has its exit code and its last words."""
    code = "import sys; print('no database at nowhere'); sys.exit(3)"
    with (
        pytest.raises(ChildFailedError, match=r"(?s)api ended with exit code 3.*no database at nowhere"),
        ProcessGroup(log_dir=tmp_path, shutdown=Shutdown()) as group,
    ):
        group.start(Child("api", python(code), ready=lambda _: False))


def test_a_program_that_does_not_exist_is_a_clear_error(tmp_path: Path) -> None:
    """Given the name of no program, the error says so."""
    with (
        pytest.raises(ChildFailedError, match=r"(?s)ghost .*No such file"),
        ProcessGroup(log_dir=tmp_path, shutdown=Shutdown()) as group,
    ):
        group.start(Child("ghost", ["/no/such/program"], ready=lambda _: False))


def test_a_killed_child_comes_back_and_the_others_do_not_notice(tmp_path: Path) -> None:
    """Given two running children, when one is killed, it is started again and the other keeps its process."""
    told: list[str] = []
    shutdown = Shutdown()
    group = ProcessGroup(log_dir=tmp_path, shutdown=shutdown, report=told.append)
    seen: dict[str, dict[str, int]] = {}

    def kill_one() -> None:
        seen["before"] = group.pids()
        os.kill(seen["before"]["victim"], signal.SIGKILL)
        wait_until(lambda: group.pids().get("victim", 0) not in {0, seen["before"]["victim"]}, "the restart")
        seen["after"] = group.pids()
        shutdown.ask()

    with group:
        group.start(Child("witness", python(SLEEP)), Child("victim", python(SLEEP)))
        threading.Thread(target=kill_one, daemon=True).start()
        assert group.supervise() == 0
    assert seen["before"]["witness"] == seen["after"]["witness"]
    assert re.search(r"victim was killed by SIGKILL, is started again in 0\.\d s", told[0])


def test_a_child_that_keeps_dying_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    """Given a child that always ends, from the third time on the report shows what it wrote; pauses grow."""
    told: list[str] = []
    shutdown = Shutdown()

    def report(text: str) -> None:
        told.append(text)
        if len(told) == 3:
            shutdown.ask()

    with ProcessGroup(log_dir=tmp_path, shutdown=shutdown, report=report) as group:
        group.start(Child("crash", python("import time; time.sleep(0.2); raise SystemExit('out of film')")))
        group.supervise()
    assert "out of film" not in told[0]
    assert "3th time in a row" in told[2]
    assert "out of film" in told[2]


def test_a_child_that_says_it_is_hopeless_ends_the_group(tmp_path: Path) -> None:
    """Given a child that never worked and ends with the code for unusable settings, it is not tried again."""
    code = "import time; time.sleep(0.3); print('FARM_MODEL is unknown'); raise SystemExit(2)"
    with pytest.raises(ChildFailedError, match=r"(?s)exit code 2.*FARM_MODEL is unknown"):
        ProcessGroup([Child("worker", python(code))], log_dir=tmp_path, shutdown=Shutdown()).run()


def test_the_end_of_a_child_that_must_not_be_restarted_ends_the_group(tmp_path: Path) -> None:
    """Given such a child and another, when it ends with 7 the group returns 7 and the other is gone."""
    group = ProcessGroup(log_dir=tmp_path, shutdown=Shutdown())
    with group:
        group.start(Child("other", python(SLEEP)))
        other = group.pids()["other"]
        group.start(Child("once", python("import time; time.sleep(0.3); raise SystemExit(7)"), restart=False))
        assert group.supervise() == 7
    assert not is_running(other)


def test_a_deaf_child_and_its_own_children_are_killed_after_the_grace(tmp_path: Path) -> None:
    """Given a child that ignores SIGTERM and has a child, both are gone shortly after the grace."""
    note = tmp_path / "pids"
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {family(note)}"
    with ProcessGroup(log_dir=tmp_path, shutdown=Shutdown()) as group:
        group.start(Child("deaf", python(deaf), stop_grace_seconds=0.5))
        pids = read_pids(note, 2)
        began = time.monotonic()
    assert 0.5 <= time.monotonic() - began < 3
    wait_until(lambda: not any(map(is_running, pids)), "the end of both")


def test_what_a_child_leaves_behind_is_killed_too(tmp_path: Path) -> None:
    """Given a child that ends on SIGTERM without ending its own child, that one is killed with the group."""
    note = tmp_path / "pids"
    with ProcessGroup(log_dir=tmp_path, shutdown=Shutdown()) as group:
        group.start(Child("parent", python(family(note))))
        pids = read_pids(note, 2)
    wait_until(lambda: not any(map(is_running, pids)), "the end of both")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_children_die_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    """Given a running group, when its process gets SIGKILL, no child is left."""
    note = tmp_path / "pids"
    child = f"import os, time; open({str(note)!r}, 'a').write(f'{{os.getpid()}}\\n'); time.sleep(60)"
    script = f"ProcessGroup([Child(n, [sys.executable, '-c', {child!r}]) for n in 'ab']).run()"
    process = supervisor(script, tmp_path)
    pids = read_pids(note, 2)
    process.kill()
    process.wait()
    wait_until(lambda: not any(map(is_running, pids)), "the end of the children")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_groups_within_groups_die_with_the_outermost_one(tmp_path: Path) -> None:
    """Given a group whose child runs a group, when the outer process gets SIGKILL, the innermost child dies too."""
    note = tmp_path / "pids"
    leaf = f"import os, time; open({str(note)!r}, 'a').write(f'{{os.getpid()}}\\n'); time.sleep(60)"
    inner = (
        "import sys; from runtime.process_group import *; "
        f"ProcessGroup([Child('leaf', [sys.executable, '-c', {leaf!r}])]).run()"
    )
    process = supervisor(f"ProcessGroup([Child('inner', [sys.executable, '-c', {inner!r}])]).run()", tmp_path)
    pids = read_pids(note, 1)
    process.kill()
    process.wait()
    wait_until(lambda: not any(map(is_running, pids)), "the end of the innermost child")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_stops_everything_and_the_exit_code_is_zero(number: signal.Signals, tmp_path: Path) -> None:
    """Given a running group, when it gets `number` once, it ends with 0 and its child is gone."""
    note = tmp_path / "pids"
    process = supervisor(
        f"sys.exit(ProcessGroup([Child('a', [sys.executable, '-c', {family(note)!r}])]).run())", tmp_path
    )
    pids = read_pids(note, 2)
    process.send_signal(number)
    assert process.wait(10) == 0
    wait_until(lambda: not any(map(is_running, pids)), "the end of the children")


def test_a_second_signal_forces(tmp_path: Path) -> None:
    """Given a deaf child with a grace of a minute, the second signal ends the group at once."""
    child = f"Child('deaf', [sys.executable, '-c', {STUBBORN!r}], ready_line='deaf', stop_grace_seconds=60)"
    script = f"ProcessGroup([{child}], log_dir=Path({str(tmp_path)!r}), report=print).run()"
    process = supervisor(script, tmp_path)
    wait_until(lambda: "deaf" in _text(tmp_path / "deaf.log"), "the child")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.wait(5)


def test_a_log_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a child that writes without end, its log and the one old log stay near the limit."""
    monkeypatch.setattr("runtime.child_process.LOG_MAX_BYTES", 20_000)
    chatty = "while True: print('x' * 200, flush=True)"
    with ProcessGroup(log_dir=tmp_path, shutdown=asked_after(1.0)) as group:
        group.start(Child("chatty", python(chatty)))
        group.supervise()
    sizes = [path.stat().st_size for path in tmp_path.glob("chatty.log*")]
    assert len(sizes) == 2
    assert all(size <= 21_000 for size in sizes)


def test_output_is_echoed_with_the_name_of_the_child(tmp_path: Path) -> None:
    """Given an echo, it gets every line with its writer's name, per cent signs untouched."""
    lines: list[tuple[str, str]] = []
    with ProcessGroup(shutdown=Shutdown(), echo=lambda name, line: lines.append((name, line))) as group:
        group.start(Child("w1", python(f"print('100 %s done', flush=True); {SLEEP}"), ready_line="done"))
    assert lines == [("w1", "100 %s done")]
    assert list(tmp_path.iterdir()) == []


def test_waiting_for_a_fact_ends_with_it_with_its_time_or_with_a_signal(tmp_path: Path) -> None:
    """Given a running group, waiting tells whether the fact came true, and hears shutdown."""
    flag = tmp_path / "flag"
    shutdown = Shutdown()
    with ProcessGroup(log_dir=tmp_path, shutdown=shutdown) as group:
        group.start(Child("a", python(f"import time; time.sleep(0.3); open({str(flag)!r}, 'w'); {SLEEP}")))
        assert group.wait_for(flag.exists, 5)
        assert not group.wait_for(lambda: False, 0.2)
        shutdown.ask()
        with pytest.raises(StoppedWhileStartingError):
            group.wait_for(lambda: False, 5)


def test_children_are_only_started_by_the_main_thread(tmp_path: Path) -> None:
    """Given another thread, starting a child is refused: it would die with that thread."""
    errors: list[str] = []

    def start() -> None:
        try:
            ProcessGroup(log_dir=tmp_path, shutdown=Shutdown()).start(Child("a", python(SLEEP)))
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join(5)
    assert "main thread" in errors[0]


@pytest.mark.parametrize(("ends", "low", "high"), [(1, 0.25, 0.5), (2, 0.5, 1.0), (5, 4.0, 8.0), (1_000, 15.0, 30.0)])
def test_pauses_before_restarts_double_up_to_half_a_minute(ends: int, low: float, high: float) -> None:
    """Given a number of early ends in a row, the pause lies between half of and the full exponential step."""
    assert restart_delay(ends, 0.0) == low
    assert low < restart_delay(ends, 0.999) <= high


@pytest.mark.parametrize(
    ("code", "text"), [(0, "exit code 0"), (-11, "killed by SIGSEGV"), (-99, "killed by signal 99")]
)
def test_an_exit_is_said_in_words(code: int, text: str) -> None:
    """Given an exit code, people read what it means."""
    assert text in exit_text(code)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
