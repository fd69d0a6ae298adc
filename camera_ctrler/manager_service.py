"""The manager as a process: takes the controller lease, plans while it leads, follows the external table."""

import os
import socket
import threading
from typing import Final

import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.camera_source import CameraSource, CameraSourceError, SourceFollower, summary_of
from camera_ctrler.event_store.writer import write_events
from camera_ctrler.manager import Manager, ManagerSettings
from camera_ctrler.planning.plan_publisher import NotLeadingError, PlanPublisher, announce_controller
from camera_ctrler.recordings.index import SegmentIndex
from camera_ctrler.recordings.indexer import index_footage
from camera_ctrler.recordings.keeper import VolumeKeeper
from camera_ctrler.registry import Registry
from contract import keys
from contract.ids import new_worker_id
from runtime import exit_codes
from runtime.clock import SystemClock
from runtime.farm_reader import FarmReader
from runtime.footage_reports import publish_report
from runtime.lease import Lease, LeaseKeeper, LeaseState
from runtime.redis_client import RedisAwayError, connect
from runtime.secret_box import SecretBox
from runtime.settings import ControllerSettings
from runtime.shutdown import Shutdown

#: Seconds between two looks at registry and workers: the longest that a change waits to be planned.
STEP_SECONDS: Final = 0.25

log = structlog.get_logger(__name__)


class ManagerService:
    """Runs one `Manager` until it is asked to stop."""

    def __init__(self, settings: ControllerSettings, registry: Registry, shutdown: Shutdown) -> None:
        self._settings = settings
        self._registry = registry
        self._shutdown = shutdown
        self._clock = SystemClock()
        self._controller_id = new_worker_id(socket.gethostname())
        self._client = connect(settings, name=f"camfarm-manager-{self._controller_id}")
        self._lease_client = connect(
            settings,
            name=f"camfarm-lease-{self._controller_id}",
            timeout_seconds=settings.lease_seconds / 3,
            second_try=False,
        )
        self._manager: Manager | None = None
        self._refused_plans = 0
        self._controllers: list[str] = []
        self._announced_at = float("-inf")
        #: Monotonic seconds of the last answer of Redis; before there was one, when it was asked first.
        self._heard_at = float("inf")
        #: How far the wall clock of Redis is ahead of our monotonic one, seconds; None: not known.
        self._server_ahead: float | None = None
        self._leading = threading.Event()
        #: Whether Redis answered when it was asked last who leads.
        self._reaches_redis = True
        #: Monotonic seconds when Redis was found to be away last.
        self._away_at = float("-inf")

    def run(self) -> int:
        """Plan until asked to stop; returns an exit code.

        Raises:
            FarmError: The URL of the external camera table cannot be used.
        """
        event_writer = threading.Thread(target=self._write_events, name="event-writer", daemon=True)
        chores = [
            threading.Thread(target=self._index_footage, name="footage-indexer", daemon=True),
            event_writer,
        ]
        if self._settings.camera_source_url.get_secret_value():
            # Opened here, so that a URL that cannot be used ends the process with its error and not a thread unseen.
            source = CameraSource(self._settings)
            chores.append(
                threading.Thread(target=self._follow_source, args=(source,), name="camera-source", daemon=True)
            )
        keeper = VolumeKeeper(
            self._settings,
            SegmentIndex(self._registry.engine),
            self._clock,
            controller_id=self._controller_id,
            publish=lambda report: publish_report(self._client, report),
        )
        for chore in chores:
            chore.start()
        keeper.start(self._shutdown, self._may_clean)
        # A first answer that takes long says of leases what any late answer does.
        self._heard_at = self._clock.monotonic()
        while not self._shutdown.asked:
            try:
                self._lead_one_term()
                self._reaches_redis = True
            except RedisAwayError as error:
                self._reaches_redis = False
                self._note_outage()
                log.warning("redis_away", error=str(error))
            except redis.RedisError as error:
                log.error("redis_refused", error=str(error))
            self._shutdown.wait(self._settings.lease_seconds / 3)
        # It stores what it has in hand and gives its lease back: others need not wait for that to run out.
        event_writer.join(self._settings.lease_seconds)
        return exit_codes.DONE

    def _lead_one_term(self) -> None:
        """Wait for the lease, then plan until it is lost or the process shall stop."""
        self._announce()
        lease = Lease(
            self._lease_client, keys.controller_lease(), self._settings.lease_seconds, value=self._controller_id
        )
        uptime_seconds = float(self._client.info("server")["uptime_in_seconds"])
        if not lease.take():
            return
        manager = Manager(
            self._registry,
            FarmReader(self._client),
            PlanPublisher(self._client, lease.token),
            controller_id=self._controller_id,
            settings=ManagerSettings(
                handover_seconds=self._settings.handover_seconds,
                max_moves_at_once=self._settings.max_moves_at_once,
                connects_per_host=self._settings.connects_per_host,
                # As long as a worker may take to have its lease back, and to say how it does.
                patience_seconds=self._settings.lease_seconds + 2.0,
                calm_seconds=self._settings.lease_seconds,
            ),
            clock=self._clock,
        )
        manager.refused_plans = self._refused_plans
        manager.take_lead()
        manager.redis_was_away(min(uptime_seconds, self._clock.monotonic() - self._away_at))
        log.info("lead_taken", controller=self._controller_id, pid=os.getpid())
        keeper = LeaseKeeper(lease, self._settings.lease_seconds, lambda state: log.warning("lease", state=state))
        keeper.start()
        self._manager = manager
        self._leading.set()
        times_taken = lease.times_taken
        try:
            while not self._shutdown.asked and lease.state is not LeaseState.LOST:
                if lease.times_taken != times_taken:
                    # Redis was away: it may have come back without its data, or another manager led meanwhile.
                    times_taken = lease.times_taken
                    manager.take_lead()
                    self._note_outage()
                manager.controllers = self._announce()
                if lease.state is LeaseState.HELD:
                    self._step(manager)
                self._shutdown.wait(STEP_SECONDS)
        except NotLeadingError:
            # Taken by another after we slept, or ended by the server's clock: then all other leases have, too.
            self._note_outage()
            log.warning("lead_lost", controller=self._controller_id)
        finally:
            self._leading.clear()
            self._refused_plans = manager.refused_plans
            keeper.stop()

    def _announce(self) -> list[str]:
        """Say that this controller runs; return all that do, as far as is known."""
        now = self._clock.monotonic()
        if now - self._announced_at < self._settings.lease_seconds / 3:
            return self._controllers
        self._announced_at = now
        try:
            server_ms, self._controllers = announce_controller(
                self._client, self._controller_id, self._settings.lease_seconds
            )
        except RedisAwayError as error:
            log.info("controller_not_announced", error=str(error))
            return self._controllers
        heard_at, self._heard_at = self._heard_at, self._clock.monotonic()
        if self._heard_at - heard_at > self._settings.lease_seconds * 2 / 3:
            # Silent for so long that leases may have run out, whether or not a call failed: one that is tried again,
            # or answered at last, says nothing of it.
            self._note_outage()
        ahead = server_ms / 1000 - self._clock.monotonic()
        if self._server_ahead is not None and ahead - self._server_ahead > self._settings.lease_seconds / 3:
            # Its wall clock was set forward: that ends leases as an outage does, and says nothing of their holders.
            log.warning("redis_clock_stepped", seconds=round(ahead - self._server_ahead, 1))
            self._note_outage()
        self._server_ahead = ahead
        return self._controllers

    def _note_outage(self) -> None:
        """Remember that leases may have run out, for the manager that leads and for one that will."""
        self._away_at = self._clock.monotonic()
        if self._manager is not None:
            self._manager.redis_was_away()

    def _step(self, manager: Manager) -> None:
        try:
            manager.step()
        except RedisAwayError as error:
            self._note_outage()
            log.warning("redis_away", error=str(error))

    def _follow_source(self, source: CameraSource) -> None:
        follower = SourceFollower(self._registry)
        told = ""
        while not self._shutdown.wait(self._settings.camera_source_poll_seconds):
            if not self._leading.is_set():
                continue
            try:
                problem = summary_of(follower.reconcile(source.rows()))
            except CameraSourceError as error:
                problem = str(error)
            except SQLAlchemyError as error:
                problem = f"the registry cannot be written: {str(error).splitlines()[0]}"
            if self._manager is not None:
                self._manager.camera_source_error = problem
            if problem != told:
                told = problem
                log.warning("camera_source", problem=problem or "none any more")
        source.close()

    def _index_footage(self) -> None:
        name = f"camfarm-indexer-{self._controller_id}"
        index_footage(self._settings, self._registry, name, self._leading, self._shutdown)

    def _write_events(self) -> None:
        # Leading or not: writers share the stream among themselves.
        write_events(self._settings, self._registry.engine, self._shutdown)

    def _may_clean(self) -> bool:
        """Tell whether this manager cleans the volumes: it leads, or nobody can, for Redis is away."""
        return self._leading.is_set() or not self._reaches_redis


def run_manager(settings: ControllerSettings) -> int:
    """Run the manager in this process; returns an exit code.

    Raises:
        FarmError: Settings, database or key cannot be used.
    """
    shutdown = Shutdown()
    shutdown.listen()
    registry = Registry(settings.database, SecretBox.from_settings(settings), addresses=settings.camera_addresses)
    try:
        registry.migrate()
        return ManagerService(settings, registry, shutdown).run()
    finally:
        registry.close()
