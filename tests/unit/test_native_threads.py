"""CPU time of threads that Python does not know."""

import _thread
import os
import sys
import threading
import time

import pytest

from workers.native_threads import NativeThreads

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these clocks")


def test_threads_that_python_does_not_know_are_measured_and_others_are_not() -> None:
    """Given a thread of Python's and one that it does not list, both at work, then only the latter is in the sum."""
    stop, go = threading.Event(), threading.Event()
    spent: dict[str, float] = {}

    def work(name: str) -> None:
        go.wait()
        while time.thread_time() < 0.2:
            sum(range(1000))
        spent[name] = time.thread_time()
        stop.wait()

    known = threading.Thread(target=work, args=("known",))
    known.start()
    _thread.start_new_thread(work, ("unknown",))
    native = NativeThreads()
    before = native.cpu_seconds()
    assert before == 0.0
    go.set()
    while len(spent) < 2:
        time.sleep(0.01)
    after = native.cpu_seconds()
    stop.set()
    known.join()
    assert after is not None
    # The runtimes of other tests may have threads here, too, which idle.
    assert spent["unknown"] - 0.05 < after < spent["unknown"] + 0.1


def test_a_thread_that_has_ended_is_no_error() -> None:
    """Given a thread that ends between two looks, what it had spent by the last look stays in the sum."""
    ready, stop = threading.Event(), threading.Event()

    def work() -> None:
        ready.set()
        stop.wait()

    native = NativeThreads()
    _thread.start_new_thread(work, ())
    ready.wait()
    first = native.cpu_seconds()
    stop.set()
    time.sleep(0.1)
    second = native.cpu_seconds()
    assert first is not None
    assert second is not None
    assert second >= first


def test_threads_that_stay_step_back_behind_those_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a thread that Python does not list, when it is there twice, it is niced, and no thread of Python's is."""
    monkeypatch.setattr("workers.native_threads._LIST_SECONDS", 0.0)
    stop = threading.Event()
    numbers: list[int] = []

    def work() -> None:
        numbers.append(threading.get_native_id())
        stop.wait(30)

    known = threading.Thread(target=work)
    known.start()
    _thread.start_new_thread(work, ())
    while len(numbers) < 2:
        time.sleep(0.01)
    threads = NativeThreads(niceness=os.getpriority(os.PRIO_PROCESS, 0) + 3)
    for _ in range(2):
        before = {number: os.getpriority(os.PRIO_PROCESS, number) for number in numbers}
        threads.cpu_seconds()
    after = {number: os.getpriority(os.PRIO_PROCESS, number) for number in numbers}
    stop.set()
    known.join()
    (stranger,) = set(numbers) - {known.native_id}
    assert before[stranger] == before[known.native_id or 0] == after[known.native_id or 0]
    assert after[stranger] == before[stranger] + 3
