"""A whole farm on this machine under one supervisor: Valkey, controller and workers, started step by step."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from camera_ctrler.accounts.first_admin import make_first_admin
from cli import children
from cli.connection import open_accounts, open_registry
from cli.embedded_valkey import EmbeddedValkey
from cli.models import make_model_present, usable_recognisers
from cli.ports import check_port
from cli.stack_state import StackLock, StackState
from cli.steps import Steps
from cli.web_command import make_present
from contract.errors import FarmError
from runtime import exit_codes
from runtime.child_process import Child, ChildFailedError
from runtime.process_group import ProcessGroup, StoppedWhileStartingError
from runtime.redis_client import check_server, connect
from runtime.settings import StackSettings
from runtime.shutdown import Shutdown


class Stack:
    """The parts of a running farm; what starts them in which order is the command's business."""

    def __init__(self, settings: StackSettings, steps: Steps, group: ProcessGroup, shutdown: Shutdown) -> None:
        self.settings = settings
        self.steps: Final = steps
        self.shutdown: Final = shutdown
        self._group = group
        self._valkey: EmbeddedValkey | None = None
        #: What ReID workers look for, as FARM_RECOGNISERS has it.
        self.recognisers = settings.recognisers

    def start_redis(self, *, tcp: bool) -> None:
        """Start the embedded Valkey, or see that the server which FARM_REDIS_URL names can be used."""
        with self.steps.step("Redis") as step:
            if not self.settings.redis_url:
                self._start_valkey(tcp=tcp)
            with connect(self.settings, name="camfarm-cli") as client:
                server = check_server(client)
            where = "embedded" if self._valkey else "FARM_REDIS_URL"
            step.text = f"{server} ({where})"

    def _start_valkey(self, *, tcp: bool) -> None:
        valkey = EmbeddedValkey(self.settings.data_dir, tcp=tcp)
        child = valkey.prepare()
        self._valkey = valkey
        try:
            self._group.start(child)
        except ChildFailedError as error:
            raise valkey.explain(error) from error
        self.settings = self.settings.model_copy(update={"redis_url": valkey.url})

    def migrate(self) -> None:
        """Bring the database of cameras to the current schema."""
        with self.steps.step("database") as step, open_registry(self.settings) as registry:
            step.text = f"database with {registry.count()} cameras"

    def make_first_admin(self) -> list[tuple[str, str]]:
        """Make the first user before the controller would; return what to tell who starts the farm."""
        if not self.settings.auth:
            return [("login", "none: whoever uses this machine may do everything (FARM_AUTH=off)")]
        with open_accounts(self.settings) as accounts:
            made = make_first_admin(accounts.users, self.settings.admin_password.get_secret_value())
        if made is None:
            return []
        return [("user", made.name), ("password", f"{made.password}  (shown once)" if made.password else "as set")]

    def start(self, text: str, parts: Sequence[Child]) -> None:
        """Start `parts` together and wait until they are ready."""
        with self.steps.step(text):
            self._group.start(*parts)

    def start_farm(self) -> None:
        """Start controller, workers and ReID workers together: none waits for another, and it takes half the time.

        The workers stop first: the controller lets others take their cameras over, or says that nobody will.
        """
        count, reid_count = self.settings.workers, self.settings.reid_workers if self.recognisers else 0
        text = f"controller on {children.api_url(self.settings)}"
        if count:
            text += f", {count} worker{'s' if count > 1 else ''}"
        if reid_count:
            text += f", {reid_count} ReID worker{'s' if reid_count > 1 else ''} ({self.recognisers})"
        with self.steps.step(text):
            self._group.start_batches(
                [children.controller(self.settings)],
                children.workers(self.settings, count),
                children.reid_workers(self.settings, reid_count, self.recognisers),
            )

    def wait_for(self, fact: Callable[[], bool], seconds: float) -> bool:
        """Wait until `fact` holds; return whether it does."""
        return self._group.wait_for(fact, seconds)

    def supervise(self) -> int:
        """Keep all running until asked to stop; return an exit code."""
        return self._group.supervise()

    def clean_up(self) -> None:
        """Remove what processes that had to be killed leave behind."""
        if self._valkey is not None:
            self._valkey.clean_up()


def check_ports(settings: StackSettings) -> None:
    """Raise `PortBusyError` unless the API's port is free."""
    check_port(settings.api_host, settings.api_port, "FARM_API_PORT", host_setting="FARM_API_HOST")


@contextlib.contextmanager
def locked(settings: StackSettings) -> Iterator[StackLock]:
    """Be the one supervisor of the data folder; until the farm's processes are started a signal just ends us."""
    with _ending_on_signals(), StackLock(settings.data_dir) as lock:
        yield lock


@contextlib.contextmanager
def running_stack(settings: StackSettings, steps: Steps, *, verbose: bool) -> Iterator[Stack]:
    """Give a stack to be started; stop all of it, and leave nothing, at the end of the block."""
    shutdown = Shutdown()
    shutdown.listen()
    group = ProcessGroup(
        log_dir=settings.data_dir / "logs",
        echo=steps.echo if verbose else None,
        report=steps.warn,
        shutdown=shutdown,
    )
    stack = Stack(settings, steps, group, shutdown)
    began = 0.0
    try:
        with group:
            try:
                yield stack
            finally:
                began = time.monotonic()
                steps.say("stopping; once more to force it" if shutdown.asked else "stopping")
    finally:
        stack.clean_up()
        steps.say(f"stopped in {time.monotonic() - began:.1f} s")


def announce(stack: Stack, lock: StackLock, command: str) -> None:
    """Let the other commands find this farm."""
    settings = stack.settings
    lock.write(
        StackState(
            pid=os.getpid(),
            command=command,
            started_at_ms=time.time_ns() // 1_000_000,
            redis_url=settings.redis_url,
            api_url=children.api_url(settings),
        )
    )


def run_up(settings: StackSettings, *, tcp: bool, verbose: bool) -> int:
    """Run a farm until it is asked to stop; return an exit code."""
    steps = Steps()
    with locked(settings) as lock:
        check_ports(settings)
        make_present(steps)
        if settings.workers:
            make_model_present(settings, steps)
        recognisers = usable_recognisers(settings, steps) if settings.reid_workers else ""
        try:
            with running_stack(settings, steps, verbose=verbose) as stack:
                stack.recognisers = recognisers
                stack.start_redis(tcp=tcp)
                announce(stack, lock, "up")
                stack.migrate()
                login = stack.make_first_admin()
                stack.start_farm()
                steps.block(next_steps(stack.settings, login))
                return stack.supervise()
        except StoppedWhileStartingError:
            return exit_codes.FORCED


def next_steps(settings: StackSettings, login: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what a person does with a running farm, and how he logs in."""
    url = children.api_url(settings)
    return [
        ("open", f"{url}/"),
        *login,
        ("API docs", f"{url}/apidocs/"),
        ("add a camera", "./farm cameras add rtsp://..."),
        ("add a worker", "./farm worker"),
        ("watch", "./farm status --watch"),
        ("stop", "Ctrl-C here, or ./farm down"),
    ]


class _EndedBySignalError(FarmError):
    """SIGTERM or a closed terminal, before the farm's processes were started."""


@contextlib.contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an exception, as Python does with SIGINT, so that locks are given back."""

    def end(number: int, _frame: object) -> None:
        raise _EndedBySignalError(f"ended by {signal.Signals(number).name}")

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
