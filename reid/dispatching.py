"""A ReID worker's dispatcher as a thread: fills the queues while it leads, and waits to lead while another one does."""

import threading
from collections.abc import Callable
from typing import Final

import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError

from contract.reid_workers import DispatcherFigures
from reid.queue.dispatcher import Dispatcher
from runtime.lease import Lease, LeaseKeeper, LeaseState
from runtime.shutdown import Shutdown

#: Seconds between two looks for what events ask.
LOOK_SECONDS: Final = 0.15
#: Seconds between two steps while there is more to do, so that others get at the database.
BUSY_SECONDS: Final = 0.01
#: Seconds before the lead, or what was away, is tried again.
RETRY_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class DispatcherThread:
    """Leads or waits, until the process shall end."""

    def __init__(
        self,
        new_lease: Callable[[], Lease],
        lease_seconds: float,
        new_dispatcher: Callable[[], Dispatcher],
        shutdown: Shutdown,
    ) -> None:
        """Prepare to lead.

        Args:
            new_lease: Makes the lease that only one process of the farm holds.
            lease_seconds: How long it lives.
            new_dispatcher: Makes what works while it is held.
            shutdown: When to end.
        """
        self._new_lease = new_lease
        self._lease_seconds = lease_seconds
        self._new_dispatcher = new_dispatcher
        self._shutdown = shutdown
        self._leading: Dispatcher | None = None
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        #: What keeps it from its work; empty: nothing.
        self.problem = ""

    @property
    def figures(self) -> DispatcherFigures | None:
        """What it does; None: it does not lead."""
        leading = self._leading
        return leading.figures if leading is not None else None

    def start(self) -> None:
        """Begin to lead or wait."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait until it has ended, after the process was asked to."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._shutdown.asked:
            lease = self._new_lease()
            try:
                if lease.take():
                    self._lead(lease)
            except redis.RedisError as error:
                self._tell(f"Redis: {error}")
            self._shutdown.wait(RETRY_SECONDS)

    def _lead(self, lease: Lease) -> None:
        log.info("dispatcher_leads")
        keeper = LeaseKeeper(lease, self._lease_seconds, lambda state: log.warning("dispatcher_lease", state=state))
        keeper.start()
        dispatcher = self._leading = self._new_dispatcher()
        pause = 0.0
        try:
            while not self._shutdown.wait(pause) and lease.state is not LeaseState.LOST:
                pause = self._step(dispatcher)
        finally:
            self._leading = None
            keeper.stop()

    def _step(self, dispatcher: Dispatcher) -> float:
        """Take one step; return the seconds to wait before the next one."""
        try:
            pause = BUSY_SECONDS if dispatcher.step() else LOOK_SECONDS
        except redis.RedisError as error:
            self._tell(f"Redis: {error}")
        except SQLAlchemyError as error:
            self._tell(f"the database: {str(getattr(error, 'orig', None) or error).splitlines()[0]}")
        except Exception as error:  # what events ask waits in the database, whatever one step was like
            log.exception("dispatcher_failed")
            self._tell(repr(error))
        else:
            self._tell("")
            return pause
        return RETRY_SECONDS

    def _tell(self, problem: str) -> None:
        """Say what keeps it from its work, unless that was said last; empty: nothing does."""
        if problem != self.problem:
            self.problem = problem
            log.warning("dispatcher_waits", problem=problem or "nothing any more")
