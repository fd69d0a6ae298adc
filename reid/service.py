"""A ReID worker as a process: takes a lease, fills the queues if it leads, does batches, finishes the last, leaves."""

import os
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Final

import redis
import structlog
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from contract import keys
from contract.ids import new_worker_id
from contract.reid_workers import ReidWorkerStatus
from database.engine import check_schema
from reid.crop_files import CropFiles, VolumeAwayError
from reid.dispatching import DispatcherThread
from reid.figures import ReidCollector, serve_figures
from reid.queue.answering import AnsweringRows
from reid.queue.asking import AskingRows
from reid.queue.dispatcher import Dispatcher, Limits
from reid.queue.jobs import LeaseGoneError, RecognitionQueues
from reid.queue.recognising import Recognising
from reid.queue.rq_worker import RegisteredWorker
from reid.queue.time_limit import time_limit
from reid.queue.worker import BatchLimits, BatchWorker, Holder
from reid.recognisers.recogniser import Recogniser
from runtime import exit_codes
from runtime.clock import Clock
from runtime.lease import Lease, LeaseKeeper, LeaseState
from runtime.redis_client import RedisUnreachableError, check_server, connect
from runtime.settings import ReidSettings
from runtime.shutdown import Shutdown
from runtime.version import VERSION

#: Seconds between two looks for jobs while there are none.
LOOK_SECONDS: Final = 0.1
#: Seconds before what was away is tried again.
RETRY_SECONDS: Final = 1.0
#: Seconds between two statuses, and for which one is kept.
STATUS_SECONDS: Final = 1.0
STATUS_LIFETIME_SECONDS: Final = 60
#: Seconds that the dispatcher's last step may take when the process ends.
LAST_STEP_SECONDS: Final = 15.0
#: A recogniser that hangs in native code is not interrupted by its time limit; after so many limits the process gives
#: up, and what ended it is tried alone elsewhere.
HANGING_LIMITS: Final = 2

log = structlog.get_logger(__name__)


class ReidService:
    """One ReID worker's life. The thread that runs it is the main one: time limits are alarms."""

    def __init__(
        self,
        settings: ReidSettings,
        engine: Engine,
        recognisers: Mapping[str, Recogniser],
        shutdown: Shutdown,
        clock: Clock,
        collectors: Sequence[Collector] = (),
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            settings: Of this process.
            engine: The database.
            recognisers: By name.
            shutdown: Asks it to end.
            clock: Of this machine.
            collectors: Figures of the process's other parts, for Prometheus.
        """
        self._settings = settings
        self._engine = engine
        self._recognisers = recognisers
        self._shutdown = shutdown
        self._clock = clock
        self._collectors = collectors
        self.worker_id: Final = new_worker_id(socket.gethostname())
        name = f"camfarm-reid-{self.worker_id}"
        self._client = connect(settings, name=name)
        self._dispatcher_client = connect(settings, name=f"{name}-dispatcher")
        self._status_client = connect(settings, name=f"{name}-status", second_try=False)
        lease_client, dispatcher_lease_client = (
            connect(settings, name=f"{name}-{what}", timeout_seconds=settings.lease_seconds / 3, second_try=False)
            for what in ("lease", "dispatcher-lease")
        )
        self._lease = Lease(
            lease_client,
            keys.reid_worker_lease(self.worker_id),
            settings.lease_seconds,
            value=self.worker_id,
            clock=clock,
        )
        self._keeper = LeaseKeeper(self._lease, settings.lease_seconds, self._lease_changed)
        self._files = CropFiles(settings.frames_dir)
        self._recognising = Recognising(
            recognisers, self._files, lambda: time_limit(settings.reid_timeout_seconds), clock
        )
        self._worker = BatchWorker(
            Holder(self.worker_id, self._lease.token),
            RecognitionQueues(self._client, settings.reid_timeout_seconds),
            AnsweringRows(engine),
            self._recognising,
            {name: recogniser.keep for name, recogniser in recognisers.items()},
            BatchLimits(settings.reid_batch, settings.reid_retries),
            clock,
        )
        self._dispatcher = DispatcherThread(
            lambda: Lease(dispatcher_lease_client, keys.dispatcher_lease(), settings.lease_seconds, clock=clock),
            settings.lease_seconds,
            self._new_dispatcher,
            shutdown,
        )
        self._started_at_ms = clock.now_ms()
        self._problem = ""
        self._stopped = threading.Event()

    def _new_dispatcher(self) -> Dispatcher:
        settings = self._settings
        return Dispatcher(
            self._dispatcher_client,
            RecognitionQueues(self._dispatcher_client, settings.reid_timeout_seconds),
            AskingRows(self._engine),
            {name: recogniser.wants for name, recogniser in self._recognisers.items()},
            Limits(settings.reid_queue_bound, settings.reid_retries),
            self._clock,
        )

    def run(self) -> int:
        """Work until asked to stop or the lease is lost; return an exit code.

        Raises:
            RedisUnreachableError: Redis does not serve.
            DatabaseError: The database cannot be used.
        """
        check_schema(self._engine)
        server = check_server(self._client)
        try:
            self._lease.take()
            self._client.sadd(keys.reid_workers(), self.worker_id)
        except redis.RedisError as error:
            raise RedisUnreachableError(f"Redis does not serve ({error}); check FARM_REDIS_URL") from error
        self._keeper.start()
        status = threading.Thread(target=self._report_for_ever, name="status", daemon=True)
        status.start()
        if self._settings.reid_metrics_host:
            collectors = [ReidCollector(self.status), *self._collectors]
            port = serve_figures(self._settings.reid_metrics_host, self._settings.reid_metrics_port, collectors)
            log.info("metrics_served", host=self._settings.reid_metrics_host, port=port)
        self._dispatcher.start()
        log.info("reid_worker_started", worker=self.worker_id, redis=server, recognisers=sorted(self._recognisers))
        self._work_until_asked()
        return self._leave(status)

    def _leave(self, status: threading.Thread) -> int:
        self._shutdown.ask()  # the dispatcher hears it, too, where the lease was lost
        self._worker.give_back()
        self._dispatcher.join(LAST_STEP_SECONDS)
        self._stopped.set()
        status.join(STATUS_SECONDS * 2)
        if self._lease.state is LeaseState.LOST:
            log.error("lease_lost", worker=self.worker_id)
            return exit_codes.LEASE_LOST
        self._keeper.stop()
        log.info("reid_worker_stopped", worker=self.worker_id)
        if self._shutdown.failed:
            return exit_codes.BROKEN
        return exit_codes.FORCED if self._shutdown.forced else exit_codes.DONE

    def _work_until_asked(self) -> None:
        pause = 0.0
        while not self._shutdown.wait(pause) and self._lease.state is not LeaseState.LOST:
            pause = self._step()

    def _step(self) -> float:
        """Do one batch; return the seconds to wait before the next one."""
        try:
            pause = 0.0 if self._worker.step() else LOOK_SECONDS
        except LeaseGoneError:
            return LOOK_SECONDS  # its keeper finds out whether it is lost, or was deleted and is taken anew
        except redis.RedisError as error:
            self._tell(f"Redis: {error}")
        except SQLAlchemyError as error:
            self._tell(f"the database: {str(getattr(error, 'orig', None) or error).splitlines()[0]}")
        except VolumeAwayError as error:
            self._tell(str(error))
        else:
            self._tell("")
            return pause
        return RETRY_SECONDS

    def _tell(self, problem: str) -> None:
        """Say what keeps it from its work, unless that was said last; empty: nothing does."""
        if problem != self._problem:
            self._problem = problem
            log.warning("reid_worker_waits", problem=problem or "nothing any more", in_hand=self._worker.in_hand)

    def _lease_changed(self, state: LeaseState) -> None:
        log.warning("lease", worker=self.worker_id, state=state)

    # --- what it says of itself ----------------------------------------------------------------------------------

    def status(self) -> ReidWorkerStatus:
        """Return what it does at this moment."""
        worker = self._worker
        return ReidWorkerStatus(
            worker_id=self.worker_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=VERSION,
            started_at_ms=self._started_at_ms,
            updated_at_ms=self._clock.now_ms(),
            recognisers={name: recogniser.version for name, recogniser in self._recognisers.items()},
            in_hand=worker.in_hand,
            done=dict(worker.done),
            failed=dict(worker.failed),
            dead=dict(worker.dead),
            crops=self._recognising.crops,
            batches=worker.batches,
            busy_seconds=round(worker.busy_seconds, 3),
            problem=self._problem or self._dispatcher.problem,
            dispatcher=self._dispatcher.figures,
        )

    def _report_for_ever(self) -> None:
        shown: RegisteredWorker | None = None
        while True:
            is_last = self._stopped.wait(STATUS_SECONDS)
            self._leave_at_once_if_needed()
            try:
                if shown is None:
                    queues = RecognitionQueues(self._status_client, self._settings.reid_timeout_seconds)
                    shown = RegisteredWorker(self._status_client, self.worker_id, queues)
                if is_last:
                    self._withdraw(shown)
                else:
                    self._report(shown)
            except redis.RedisError:  # its lease's thread says so
                pass
            if is_last:
                return

    def _report(self, shown: RegisteredWorker) -> None:
        text = self.status().model_dump_json()
        self._status_client.set(keys.reid_worker_status(self.worker_id), text, ex=STATUS_LIFETIME_SECONDS)
        self._status_client.sadd(keys.reid_workers(), self.worker_id)
        shown.tell(is_busy=self._worker.in_hand > 0)

    def _withdraw(self, shown: RegisteredWorker) -> None:
        shown.leave()
        self._status_client.delete(keys.reid_worker_status(self.worker_id))
        if not self._worker.in_hand:  # else the dispatcher must find it, and what it had
            self._status_client.srem(keys.reid_workers(), self.worker_id)

    def _leave_at_once_if_needed(self) -> None:
        """Leave under a thread that may be deep in native code, because it hangs there, or because people insist."""
        limit = self._settings.reid_timeout_seconds * HANGING_LIMITS
        if self._recognising.hangs_longer_than(limit):
            log.error("recogniser_hangs", worker=self.worker_id, seconds=limit)
            code = exit_codes.BROKEN
        elif self._shutdown.forced and self._worker.in_hand:
            log.warning("left_at_once", worker=self.worker_id, in_hand=self._worker.in_hand)
            code = exit_codes.FORCED
        else:
            return
        self._keeper.stop()  # others take back what is in hand as soon as the lease is gone
        sys.stderr.flush()
        os._exit(code)
