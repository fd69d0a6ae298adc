"""A worker as a process: takes a lease, follows its assignments, says how it does, drains, leaves."""

import os
import resource
import socket
import threading
import zlib
from typing import Final

import redis
import structlog

from contract import keys
from contract.errors import FarmError, NotYetError
from contract.ids import new_worker_id
from contract.workers import WorkerStatus
from runtime import exit_codes
from runtime.clock import Clock
from runtime.cpus import usable_cpus
from runtime.crop_store import CropStore
from runtime.frame_store import FrameStore
from runtime.lease import Lease, LeaseKeeper, LeaseState
from runtime.recording_feed import RecordingFeed
from runtime.redis_client import RedisAwayError, RedisUnreachableError, check_server, connect
from runtime.secret_box import SecretBox
from runtime.settings import WorkerSettings
from runtime.shutdown import Shutdown
from runtime.spool import Spool
from runtime.trial_link import TrialLink
from runtime.version import VERSION
from runtime.worker_link import WorkerLink, Written
from workers.camera_trials import CameraTrials
from workers.capture.state import CaptureSettings
from workers.crops.camera_crops import CameraCrops
from workers.crops.memory import CropMemory
from workers.crops.saver import CropSaver
from workers.detection.detector import Detector
from workers.detection_thread import DetectionSettings
from workers.metrics import WorkerCollector, serve_metrics
from workers.motion.attention import Attention
from workers.pipeline import Pipeline, Stages
from workers.process_usage import ProcessUsage, own_cpu_seconds
from workers.recording.recorder import Recorder, RecorderSettings
from workers.saving.saver import FrameSaver
from workers.stage_meter import StageMeter
from workers.tracking.byte_track import ByteTrackCameraTracker
from workers.tracking.class_groups import group_classes
from workers.tracking.tracker import CameraTracker
from workers.watched_cameras import CaptureOpener

#: Seconds between two statuses of a worker and its cameras.
STATUS_SECONDS: Final = 1.0
#: Seconds to wait for a word of the manager before assignments are read anyway.
SYNC_SECONDS: Final = 1.0
#: Seconds after a lease was taken anew in which missing assignments are no reason to leave a camera: the manager may
#: have thought this worker dead, and needs a moment to write them again. How long it takes where Redis has lost all
#: its data, the mark of the plan tells.
REBUILD_SECONDS: Final = 5.0
#: Seconds without one successful detection, although frames come, after which a worker gives up: another process
#: may do better. Longer than a model needs for its first batch on a slow machine.
DETECTOR_PATIENCE_SECONDS: Final = 30.0
#: Seconds for one answer of Redis on the data plane; what was asked for in vain is put on disk and sent again.
DATA_TIMEOUT_SECONDS: Final = 1.0
#: Seconds in which what waits in memory is put on disk before a process leaves in a hurry.
ABANDON_SECONDS: Final = 3.0

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
        meter: StageMeter | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._detector = detector
        self._model = model
        self._shutdown = shutdown
        self.worker_id: Final = settings.worker_id or new_worker_id(socket.gethostname())
        name = f"camfarm-worker-{self.worker_id}"
        self._control = connect(settings, name=name)
        lease_client = connect(
            settings, name=f"{name}-lease", timeout_seconds=settings.lease_seconds / 3, second_try=False
        )
        data_client = connect(settings, name=f"{name}-data", timeout_seconds=DATA_TIMEOUT_SECONDS)
        self._link = self._link_on(self._control)
        # Two on one pool of connections: one for the thread that publishes, one for that which reports.
        self._data_link, self._status_link = self._link_on(data_client), self._link_on(data_client)
        self._lease = Lease(
            lease_client, keys.worker_lease(self.worker_id), settings.lease_seconds, value=self.worker_id, clock=clock
        )
        self._lease_lost = threading.Event()
        self._cores = settings.worker_cores or usable_cpus()
        self._started_at_ms = clock.now_ms()
        self._draining = False
        #: Who asked for it, where it was a command; None: nobody did.
        self._drain_asked_by: str | None = None
        self._stopped = threading.Event()
        self._sync_soon = threading.Event()
        self._refused_statuses = 0
        #: Whether the last status could not be published: that is told once for each outage.
        self._is_silent = False
        self._meter = meter or StageMeter(clock)
        self._recorder = Recorder(
            RecorderSettings(settings.frames_dir, settings.record_buffer_bytes),
            RecordingFeed(data_client),
            worker_id=self.worker_id,
            clock=clock,
            meter=self._meter,
        )
        self._usage = ProcessUsage()
        self._trials = CameraTrials(
            TrialLink(connect(settings, name=f"{name}-trials")),
            self.worker_id,
            CaptureSettings.of(settings),
            SecretBox.from_settings(settings),
            clock,
        )
        crop_memory = CropMemory()
        self._pipeline = Pipeline(
            DetectionSettings(settings.batch_wait_ms / 1000, settings.detect_threads or usable_cpus()),
            Stages(
                open_capture=open_capture,
                detector=detector,
                new_tracker=self._tracker,
                new_attention=self._attention,
                new_crops=lambda: CameraCrops(settings.crop_classes, crop_memory),
                saver=FrameSaver(
                    FrameStore(settings.frames_dir),
                    jpeg_quality=settings.jpeg_quality,
                    preview_size=settings.preview_size,
                ),
                crop_saver=CropSaver(CropStore(settings.frames_dir)),
                recorder=self._recorder,
                link=self._data_link,
                spool=Spool.own(settings.spool_path, self.worker_id, settings.spool_max_bytes, clock),
                meter=self._meter,
            ),
            worker_id=self.worker_id,
            clock=clock,
            on_superseded=self._sync_soon.set,
        )

    def _link_on(self, client: redis.Redis) -> WorkerLink:
        return WorkerLink(
            client,
            self.worker_id,
            frame_index_size=self._settings.frame_index_size,
            result_stream_size=self._settings.result_stream_size,
            event_stream_size=self._settings.event_stream_size,
        )

    def _tracker(self) -> CameraTracker:
        return ByteTrackCameraTracker(
            self._detector.class_names, uses_appearance=self._settings.tracker == "appearance"
        )

    def _attention(self, camera_id: str) -> Attention:
        return Attention(
            phase=zlib.crc32(camera_id.encode()) / 2**32,
            largest_side=max(self._detector.input_size),
            groups=group_classes(self._detector.class_names),
        )

    def run(self) -> int:
        """Work until asked to stop or the lease is lost; returns an exit code."""
        server = self._take_lease()
        keeper = LeaseKeeper(self._lease, self._settings.lease_seconds, self._lease_changed)
        keeper.start()
        self._pipeline.start()
        self._trials.start()
        status = threading.Thread(target=self._report_for_ever, name="status", daemon=True)
        status.start()
        if self._settings.metrics_host:
            collector = WorkerCollector(self.status, lambda: [status for _, status in self._pipeline.statuses()])
            port = serve_metrics(self._settings.metrics_host, self._settings.metrics_port, collector)
            log.info("metrics_served", host=self._settings.metrics_host, port=port)
        log.info("worker_started", worker=self.worker_id, redis=server, detector=self._detector.runtime)
        self._follow_until_asked()
        self._trials.stop()
        broken = self._shutdown.failed or self._detector_is_stuck()
        if not self._lease_lost.is_set() and not broken:
            self._drain()
        self._stopped.set()
        if self._lease_lost.is_set():
            # The cameras are other workers' now: nothing of ours may be written any more, so nothing is finished.
            log.error("lease_lost", worker=self.worker_id)
            self._pipeline.abandon(ABANDON_SECONDS)
            return exit_codes.LEASE_LOST
        if broken:
            # A thread that hangs in a library cannot be ended; others take the cameras over as soon as the lease is.
            keeper.stop()
            self._pipeline.abandon(ABANDON_SECONDS)
            return exit_codes.BROKEN
        self._pipeline.close(max(1.0, self._settings.drain_seconds / 3))
        status.join(STATUS_SECONDS * 2)
        self._withdraw()
        keeper.stop()
        self._detector.close()
        log.info("worker_stopped", worker=self.worker_id)
        return exit_codes.FORCED if self._shutdown.forced else exit_codes.DONE

    def _take_lease(self) -> str:
        """Begin to be this worker; return the server's name and version."""
        try:
            server = check_server(self._control)
            if not self._lease.take():
                raise WorkerIdTakenError(self.worker_id)
            # One that was asked for earlier was meant for a process before this one.
            self._link.forget_drain()
        except (FarmError, redis.RedisError) as error:
            self._pipeline.abandon(ABANDON_SECONDS)
            if isinstance(error, FarmError):
                raise
            raise RedisUnreachableError(f"Redis does not serve ({error}); check FARM_REDIS_URL") from error
        return server

    # --- assignments ---------------------------------------------------------------------------------------------

    def _follow_until_asked(self) -> None:
        while not self._shutdown.asked and not self._lease_lost.is_set() and not self._detector_is_stuck():
            self._sync(SYNC_SECONDS)
            if self._drain_asked_by is not None:
                log.info("drain_asked", worker=self.worker_id, by=self._drain_asked_by)
                return

    def _detector_is_stuck(self) -> bool:
        """Tell whether frames come and none has been detected in for long: only a new process may mend that."""
        if not self._pipeline.is_analysing:
            log.error("detector_ended", worker=self.worker_id)
            return True
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
            self._drain_asked_by = self._link.drain_asked_by()
            orders = self._link.orders()
            self._data_link.expects_plan |= orders.is_planned
            assignments = orders.assignments
            if not assignments and not self._link.is_known():
                # Redis has lost its data, or us. Which of them, the lease's thread finds out; until then all goes on.
                self._shutdown.wait(0.2)
                return
            watched = self._pipeline.camera_ids
            accepted = self._link.accepted_numbers(
                wanted for camera_id, wanted in assignments.items() if camera_id not in watched
            )
        except redis.RedisError:  # away, or there and not serving (disk full, for example): not this thread's end
            self._shutdown.wait(0.5)
            return
        since_taken = self._clock.monotonic() - self._lease.taken_at
        lost_data = self._lease.times_taken > 1 and since_taken < REBUILD_SECONDS
        self._pipeline.apply(assignments, keep_missing=lost_data or not orders.is_planned, accepted=accepted)

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
            self._link.forget_drain()
        except RedisAwayError as error:
            log.info("status_not_withdrawn", error=str(error))

    # --- status --------------------------------------------------------------------------------------------------

    def _report_for_ever(self) -> None:
        while not self._stopped.wait(STATUS_SECONDS) and not self._lease_lost.is_set():
            self._report()

    def _report(self) -> None:
        try:
            self._status_link.announce()
            self._status_link.publish_worker(self.status())
            self._pipeline.watched_by_people(self._status_link.watched(self._pipeline.camera_ids))
            statuses = self._pipeline.statuses()
            answers = self._status_link.publish_statuses([status for _, status in statuses])
            for (run, status), written in zip(statuses, answers, strict=True):
                if written is Written.ACCEPTED:
                    self._pipeline.accepted(run, status.epoch)
                elif written is Written.REFUSED:
                    self._refused_statuses += 1
                    run.refused(status.epoch)
                    self._sync_soon.set()
        except redis.RedisError as error:
            if not self._is_silent:
                log.warning("status_not_published", error=str(error))
            self._is_silent = True
        else:
            self._is_silent = False

    def status(self) -> WorkerStatus:
        """Say how this worker does."""
        totals = self._pipeline.totals()
        spool_records, spool_bytes = self._pipeline.spooled
        detect_seconds = self._pipeline.detect_seconds
        usage = self._usage.look(self._clock.monotonic())
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
            cores=self._cores,
            cores_shared=self._settings.worker_cores == 0,
            max_cameras=self._settings.worker_max_cameras,
            labels=self._settings.labels,
            holdings=self._pipeline.holdings(),
            draining=self._draining,
            frames_analysed=totals.analysed,
            frames_dropped=totals.dropped,
            refused_writes=self._pipeline.refused_writes + self._refused_statuses,
            detect_ms=round(self._pipeline.detect_ms, 2),
            detect_seconds=None if detect_seconds is None else round(detect_seconds, 6),
            cpu_seconds=round(own_cpu_seconds(), 2),
            cpu_cores=_rounded(usage.own_cores),
            host_busy_cores=_rounded(usage.host_busy_cores),
            host_cores=os.cpu_count(),
            stages=self._meter.figures(),
            drops_per_second=self._meter.drops_per_second(),
            rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            spool_records=spool_records,
            spool_bytes=spool_bytes,
            spool_lost=self._pipeline.records_lost,
            segments_waiting=self._recorder.segments_waiting,
            segments_untold=self._recorder.segments_untold,
        )


def _rounded(cores: float | None) -> float | None:
    return None if cores is None else round(cores, 3)
