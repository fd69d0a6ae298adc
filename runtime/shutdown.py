"""Hears SIGTERM and SIGINT: the first asks the process to finish, the second to leave now."""

import queue
import signal
import threading
from types import FrameType

import structlog

log = structlog.get_logger(__name__)


class Shutdown:
    """Whether this process shall end, and how urgently."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._forced = threading.Event()
        self._failed = threading.Event()
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()

    def listen(self) -> None:
        """Install the signal handlers; only from the main thread. A closed terminal counts, unless under nohup."""
        threading.Thread(target=self._hear, name="signals", daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN or number is not signal.SIGHUP:
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # Setting an event here could wait for a lock that the interrupted code holds; this put never waits.
        self._signals.put(number)

    def _hear(self) -> None:
        while True:
            self._signals.get()
            (self._forced if self._asked.is_set() else self._asked).set()

    def end_when_a_thread_dies(self) -> None:
        """Ask the process to finish, as failed, when any thread of it ends by an exception that nobody expected."""

        def note(died: threading.ExceptHookArgs) -> None:
            name = died.thread.name if died.thread else "?"
            log.error("thread_died", thread=name, exc_info=(died.exc_type, died.exc_value, died.exc_traceback))
            self._failed.set()
            self.ask()

        threading.excepthook = note

    @property
    def failed(self) -> bool:
        """Whether a thread of the process has died."""
        return self._failed.is_set()

    def ask(self) -> None:
        """Ask the process to finish."""
        self._asked.set()

    @property
    def asked(self) -> bool:
        """Whether the process shall finish."""
        return self._asked.is_set()

    @property
    def forced(self) -> bool:
        """Whether the process shall leave now."""
        return self._forced.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep for `seconds`, or until asked to finish; True if asked."""
        return self._asked.wait(seconds)
