"""A worker as a process: takes a lease, follows its assignments, says how it does, drains, leaves."""

import os
import resource
import socket
import threading
from typing import Final

import redis
import structlog

from contract import keys
from contract.errors import NotYetError
from contract.ids import new_worker_id
from contract.workers import WorkerStatus
from runtime import exit_codes
from runtime.clock import Clock
from runtime.frame_store import FrameStore
from runtime.lease import Lease, LeaseKeeper, LeaseState
from runtime.redis_client import RedisAwayError, check_server, connect
from runtime.settings import WorkerSettings
from runtime.shutdown import Shutdown
from runtime.version import VERSION
from runtime.worker_link import WorkerLink, Written
from workers.detection.cpus import usable_cpus
from workers.detection.detector import Detector
from workers.metrics import WorkerCollector, serve_metrics
from workers.pipeline import CaptureOpener, Pipeline, PipelineSettings, Stages
from workers.saving.saver import FrameSaver
from workers.tracking.byte_track import ByteTrackCameraTracker
from workers.tracking.tracker import CameraTracker

#: Seconds between two statuses of a worker and its cameras.
STATUS_SECONDS: Final = 1.0
#: Seconds to wait for a word of the manager before assignments are read anyway.
SYNC_SECONDS: Final = 1.0
#: Seconds after a lease was taken anew in which missing assignments are no reason to leave a camera: Redis may
#: have lost its data, and the manager needs a moment to write them again.
REBUILD_SECONDS: Final = 5.0
#: Seconds without one successful detection, although frames come, after which a worker gives up: another process
#: may do better. Longer than a model needs for its first batch on a slow machine.
DETECTOR_PATIENCE_SECONDS: Final = 30.0
#: Seconds for one answer of Redis on the data plane; results are dropped rather than waited for.
DATA_TIMEOUT_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


class WorkerIdTakenError(NotYetError):
    """Another live worker has this id."""

    def __init__(self, worker_id: str) -> None:
        super().__init__(f"a worker {worker_id!r} runs already; choose another FARM_WORKER_ID, or leave it empty")


class WorkerService:
    """One worker's life."""

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        detector: Detector,
        model: str,
        open_capture: CaptureOpener,
        shutdown: Shutdown,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._detector = detector
        self._model = model
        self._shutdown = shutdown
        self.worker_id: Final = settings.worker_id or new_worker_id(socket.gethostname())
        name = f"camfarm-worker-{self.worker_id}"
        self._control = connect(settings, name=name)
        lease_client = connect(settings, name=f"{name}-lease", timeout_seconds=settings.lease_seconds / 3)
        data_client = connect(settings, name=f"{name}-data", timeout_seconds=DATA_TIMEOUT_SECONDS)
        self._link = WorkerLink(self._control, self.worker_id, frame_index_size=settings.frame_index_size)
        self._data_link = WorkerLink(data_client, self.worker_id, frame_index_size=settings.frame_index_size)
        self._lease = Lease(
            lease_client, keys.worker_lease(self.worker_id), settings.lease_seconds, value=self.worker_id, clock=clock
        )
        self._lease_lost = threading.Event()
        self._started_at_ms = clock.now_ms()
        self._draining = False
        self._stopped = threading.Event()
        self._sync_soon = threading.Event()
        self._refused_statuses = 0
        self._pipeline = Pipeline(
            PipelineSettings(settings.max_batch, settings.batch_wait_ms / 1000),
            Stages(
                open_capture=open_capture,
                detector=detector,
                new_tracker=self._tracker,
                saver=FrameSaver(
                    FrameStore(settings.frames_dir),
                    jpeg_quality=settings.jpeg_quality,
                    preview_size=settings.preview_size,
                ),
                link=self._data_link,
            ),
            worker_id=self.worker_id,
            clock=clock,
            on_superseded=self._sync_soon.set,
        )

    def _tracker(self) -> CameraTracker:
        return ByteTrackCameraTracker(self._detector.class_names)

    def run(self) -> int:
        """Work until asked to stop or the lease is lost; returns an exit code."""
        server = check_server(self._control)
        if not self._lease.take():
            raise WorkerIdTakenError(self.worker_id)
        keeper = LeaseKeeper(self._lease, self._settings.lease_seconds, self._lease_changed)
        keeper.start()
        self._pipeline.start()
        status = threading.Thread(target=self._report_for_ever, name="status", daemon=True)
        status.start()
        if self._settings.metrics_host:
            collector = WorkerCollector(self.status, lambda: [status for _, status in self._pipeline.statuses()])
            port = serve_metrics(self._settings.metrics_host, self._settings.metrics_port, collector)
            log.info("metrics_served", host=self._settings.metrics_host, port=port)
        log.info("worker_started", worker=self.worker_id, redis=server, detector=self._detector.runtime)
        self._follow_until_asked()
        broken = self._shutdown.failed or self._detector_is_stuck()
        if not self._lease_lost.is_set() and not broken:
            self._drain()
        self._stopped.set()
        if self._lease_lost.is_set():
            # The cameras are other workers' now: nothing of ours may be written any more, so nothing is finished.
            log.error("lease_lost", worker=self.worker_id)
            return exit_codes.LEASE_LOST
        if broken:
            # A thread that hangs in a library cannot be ended; others take the cameras over as soon as the lease is.
            keeper.stop()
            return exit_codes.BROKEN
        self._pipeline.close(max(1.0, self._settings.drain_seconds / 3))
        status.join(STATUS_SECONDS * 2)
        self._withdraw()
        keeper.stop()
        self._detector.close()
        log.info("worker_stopped", worker=self.worker_id)
        return exit_codes.FORCED if self._shutdown.forced else exit_codes.DONE

    # --- assignments ---------------------------------------------------------------------------------------------

    def _follow_until_asked(self) -> None:
        while not self._shutdown.asked and not self._lease_lost.is_set() and not self._detector_is_stuck():
            self._sync(SYNC_SECONDS)

    def _detector_is_stuck(self) -> bool:
        """Tell whether frames come and none has been detected in for long: only a new process may mend that."""
        seconds = self._pipeline.unserved_seconds
        if seconds > DETECTOR_PATIENCE_SECONDS:
            log.error("detector_stuck", worker=self.worker_id, seconds=round(seconds))
            return True
        return False

    def _sync(self, wait_seconds: float) -> None:
        """Wait for a word of the manager, at most `wait_seconds`, and watch the cameras it gives."""
        try:
            if not self._sync_soon.is_set():
                self._link.wait_for_change(wait_seconds)
            self._sync_soon.clear()
            assignments = self._link.assignments()
            if not assignments and not self._link.is_known():
                # Redis has lost its data, or us. Which of them, the lease's thread finds out; until then all goes on.
                self._shutdown.wait(0.2)
                return
        except redis.RedisError:  # away, or there and not serving (disk full, for example): not this thread's end
            self._shutdown.wait(0.5)
            return
        since_taken = self._clock.monotonic() - self._lease.taken_at
        lost_data = self._lease.times_taken > 1 and since_taken < REBUILD_SECONDS
        self._pipeline.apply(assignments, keep_missing=lost_data)

    def _lease_changed(self, state: LeaseState) -> None:
        log.warning("lease", worker=self.worker_id, state=state)
        if state is LeaseState.LOST:
            self._lease_lost.set()

    def _drain(self) -> None:
        """Let other workers take the cameras over, one by one, before leaving."""
        self._draining = True
        led_at = self._clock.monotonic()
        deadline = led_at + self._settings.drain_seconds
        self._report()
        log.info("draining", worker=self.worker_id, cameras=len(self._pipeline.camera_ids))
        while self._pipeline.camera_ids and self._clock.monotonic() < deadline:
            if self._shutdown.forced or self._lease_lost.is_set():
                return
            self._sync(0.2)
            if self._is_led():
                led_at = self._clock.monotonic()
            elif self._clock.monotonic() - led_at > self._settings.lease_seconds:
                # Long enough for another manager to take the lead; without one nobody takes the cameras over.
                log.warning("nobody_takes_over", worker=self.worker_id, cameras=self._pipeline.camera_ids)
                return

    def _is_led(self) -> bool:
        try:
            return self._link.manager_leads()
        except RedisAwayError:
            return False

    def _withdraw(self) -> None:
        try:
            self._link.withdraw_worker()
        except RedisAwayError as error:
            log.info("status_not_withdrawn", error=str(error))

    # --- status --------------------------------------------------------------------------------------------------

    def _report_for_ever(self) -> None:
        while not self._stopped.wait(STATUS_SECONDS) and not self._lease_lost.is_set():
            self._report()

    def _report(self) -> None:
        try:
            self._data_link.announce()
            self._data_link.publish_worker(self.status())
            for run, status in self._pipeline.statuses():
                if self._data_link.publish_status(status) is Written.REFUSED:
                    self._refused_statuses += 1
                    run.refused(status.epoch)
                    self._sync_soon.set()
        except redis.RedisError as error:
            log.warning("status_not_published", error=str(error))

    def status(self) -> WorkerStatus:
        """Say how this worker does."""
        totals = self._pipeline.totals()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return WorkerStatus(
            worker_id=self.worker_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=VERSION,
            started_at_ms=self._started_at_ms,
            updated_at_ms=self._clock.now_ms(),
            device=self._detector.device,
            detector=self._detector.runtime,
            model=self._model,
            cores=self._settings.worker_cores or usable_cpus(),
            cores_shared=self._settings.worker_cores == 0,
            max_cameras=self._settings.worker_max_cameras,
            labels=self._settings.labels,
            holdings=self._pipeline.holdings(),
            draining=self._draining,
            frames_analysed=totals.analysed,
            frames_dropped=totals.dropped,
            refused_writes=self._pipeline.refused_writes + self._refused_statuses,
            detect_ms=round(self._pipeline.detect_ms, 2),
            cpu_seconds=round(usage.ru_utime + usage.ru_stime, 2),
            rss_bytes=usage.ru_maxrss * 1024,
        )
