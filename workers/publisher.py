"""The one thread of a worker that writes results and events to Redis, and to disk while Redis is away."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import redis
import structlog

from contract.detections import AnalysisResult
from contract.events import Event
from contract.workers import Stage
from runtime.clock import Clock
from runtime.spool import NewRecord, Spool
from runtime.worker_link import WorkerLink, Written
from workers.backlog import Delivered, deliver_some, is_unusable
from workers.camera_run import CameraRun
from workers.kept_events import KeptEvents
from workers.left_spools import LeftSpools
from workers.outbox import Outbox, Waiting
from workers.stage_meter import StageMeter

#: Records taken from the outbox at a time: a transaction on disk while Redis is away.
TAKEN_AT_ONCE: Final = 256
#: Seconds between two tries while Redis does not answer.
PAUSE_SECONDS: Final = 0.5
#: Failed tries in a row to read the spool, a pause apart, after which new records go past it: one failure may be a
#: moment's, and what is overtaken is lost, for Redis takes nothing that is older than what it has.
UNREADABLE_TRIES: Final = 3

log = structlog.get_logger(__name__)


class Publisher:
    """Publishes results and events in order, once.

    While Redis answers and nothing lies in the spool, records go to Redis. While it does not, they go to the spool;
    and as long as anything lies there new records go behind it, so that none overtakes another. Spools that were left
    behind by workers of this host which are gone are delivered, too. Only a spool that cannot be read is overtaken: the
    records in it that are too old when it can be read again count as lost.
    """

    def __init__(
        self,
        link: WorkerLink,
        spool: Spool,
        clock: Clock,
        on_refused: Callable[[str, int], None],
        meter: StageMeter,
    ) -> None:
        """Start the thread.

        Args:
            link: For this thread alone.
            spool: This worker's own; closed with the publisher.
            clock: Times pauses and ages.
            on_refused: Is told camera id and epoch of a record that was refused.
            meter: Is told what publishing costs, and how long records wait for it.
        """
        self._link = link
        self._spool = spool
        self._clock = clock
        self._on_refused = on_refused
        self._meter = meter
        self._outbox = Outbox()
        self._kept = KeptEvents(link, clock)
        #: Camera id -> (epoch, seq, JPEG) of its newest result: previews are not kept for older ones.
        self._previews: dict[str, tuple[int, int, bytes]] = {}
        self._left = LeftSpools(spool, clock)
        self._away = self._told = self._abandoned = False
        self._try_at = float("-inf")
        self._deliver_until: float | None = None
        self.refused_writes = 0
        self._lost = 0
        #: Tries in a row in which nothing could be read from the spool.
        self._failed_reads = 0
        self._is_overtaken = False
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    # --- from any thread -----------------------------------------------------------------------------------------

    def put_result(
        self, run: CameraRun, result: AnalysisResult, captured_monotonic: float, preview_jpeg: bytes | None
    ) -> None:
        """Leave a result to be published; never blocks."""
        if preview_jpeg is not None:
            self._previews[result.camera_id] = (result.epoch, result.seq, preview_jpeg)
        self._put(Waiting(run, result, captured_monotonic, left_at=self._clock.monotonic()))

    def put_event(self, run: CameraRun, event: Event) -> None:
        """Leave an event to be published; never blocks."""
        self._put(Waiting(run, event, left_at=self._clock.monotonic()))

    def _put(self, item: Waiting) -> None:
        lost = self._outbox.put(item)
        if lost is not None:
            self._drop(lost, "publish_backlog")

    def forget(self, camera_id: str) -> None:
        """Forget the picture of a camera that was given up."""
        self._previews.pop(camera_id, None)

    @property
    def waiting(self) -> tuple[int, int]:
        """Records on disk that this worker is to deliver, and the sum of their sizes in bytes."""
        return self._spool.count + self._left.count, self._spool.bytes + self._left.bytes

    @property
    def lost(self) -> int:
        """Records that were made and will never be delivered, apart from refused ones."""
        return self._lost + self._spool.lost + self._left.lost

    def close(self, timeout_seconds: float) -> int:
        """Publish what waits, or leave it on disk where Redis does not take it in time; return how much was left."""
        # Half of the time for what lies on disk: it is safe there, and what waits in memory is not.
        self._deliver_until = self._clock.monotonic() + timeout_seconds / 2
        self._outbox.close()
        self._thread.join(timeout_seconds)
        left = len(self._outbox)
        if not self._thread.is_alive():
            self._spool.close()
            self._left.close()
        return left + self.waiting[0] + self._thread.is_alive()

    def abandon(self, timeout_seconds: float) -> int:
        """Send nothing more; leave what waits on disk for other workers to deliver. Return how much that is."""
        self._abandoned = True
        return self.close(timeout_seconds)

    # --- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._outbox.finished:
            self._step(self._seconds_to_wait())
        while self._has_work() and self._may_finish():
            self._step(0.0)

    def _step(self, seconds: float) -> None:
        items = deque(self._outbox.take(TAKEN_AT_ONCE, seconds))
        try:
            self._look()
            self._publish(items)
            closing_without_redis = self._deliver_until is not None and self._away
            if not self._abandoned and not closing_without_redis:
                self._left.look()
                self._deliver()
        except Exception:  # the outermost loop of this thread: what is wrong with one record must not end it
            log.exception("publishing_failed")
            self._try_at = self._clock.monotonic() + PAUSE_SECONDS
            if items:
                self._drop(items.popleft(), "publishing_failed")
                self._outbox.put_back(items)

    def _has_work(self) -> bool:
        return not self._away and self.waiting[0] > 0 and self._clock.monotonic() >= self._try_at

    def _may_finish(self) -> bool:
        """Tell whether there is time left, at the end, to deliver what lies on disk."""
        until = self._deliver_until
        return not self._abandoned and until is not None and self._clock.monotonic() < until

    def _seconds_to_wait(self) -> float:
        now = self._clock.monotonic()
        if self._away or self.waiting[0]:
            return max(0.0, self._try_at - now)
        return min(self._left.seconds_to_look, self._kept.seconds_to_look)

    def _publish(self, items: deque[Waiting]) -> None:
        """Send records, or put them on disk; each leaves `items` when it has been accounted for."""
        while items and not (self._away or self._abandoned or self._must_queue()):
            if _is_given_up(items[0]):
                self._drop(items[0], "given_up")
            elif not self._publish_now(items[0]):
                break
            items.popleft()
        kept: list[tuple[Waiting, NewRecord]] = []
        try:
            while items:
                if _is_given_up(items[0]):
                    self._drop(items[0], "given_up")
                else:
                    kept.append((items[0], _spooled(items[0].record)))
                items.popleft()
        finally:
            self._keep(kept)

    def _must_queue(self) -> bool:
        """Tell whether records must go behind those on disk, so that none overtakes another."""
        if not self._spool.count:
            self._is_overtaken = False
            return False
        if self._failed_reads < UNREADABLE_TRIES:
            return True
        if not self._is_overtaken:
            log.error("spool_overtaken", spool=str(self._spool.path), records=self._spool.count)
            self._is_overtaken = True
        return False

    def _keep(self, kept: Sequence[tuple[Waiting, NewRecord]]) -> None:
        if kept:
            self._spool.append([record for _, record in kept])
        for item, _ in kept:
            if isinstance(item.record, AnalysisResult):
                item.run.analysed(item.captured_monotonic, spooled=True)

    def _publish_now(self, item: Waiting) -> bool:
        """Send one record; False where Redis does not take it now."""
        record = item.record
        self._meter.waited(Stage.PUBLISH, self._clock.monotonic() - item.left_at)
        try:
            with self._meter.timing(Stage.PUBLISH) as timing:
                if isinstance(record, AnalysisResult):
                    stamped = record.model_copy(update={"published_at_ms": self._clock.now_ms()})
                    written = self._link.publish_result(stamped, self._preview_of(record))
                else:
                    written = self._kept.publish(record)
        except redis.RedisError as error:
            if is_unusable(error):
                log.error("record_unusable", camera=record.camera_id, error=str(error))
                self._drop(item, "unusable")
                return True
            self._went_away(error)
            return False
        self._serves()
        item.run.spent(timing.cpu)
        if written is Written.REFUSED:
            self.refused_writes += 1
            if isinstance(record, AnalysisResult):
                item.run.drop("refused")
            self._on_refused(record.camera_id, record.epoch)
        elif isinstance(record, AnalysisResult):
            item.run.analysed(item.captured_monotonic)
        return True

    def _preview_of(self, result: AnalysisResult) -> bytes | None:
        held = self._previews.get(result.camera_id)
        return held[2] if held is not None and held[:2] == (result.epoch, result.seq) else None

    def _drop(self, item: Waiting, reason: str) -> None:
        """Count what will not be published: a frame of its camera, or an event, which no frame stands for."""
        if isinstance(item.record, AnalysisResult):
            item.run.drop(reason)
        elif reason == "given_up":
            self.refused_writes += 1  # not tried any more, for it would be
        else:
            self._lost += 1

    def _look(self) -> None:
        """Find out whether the server has lost events that it had accepted."""
        if self._away or self._abandoned:
            return
        try:
            self._kept.look()
        except redis.RedisError as error:
            self._went_away(error)

    # --- the spool -----------------------------------------------------------------------------------------------

    def _deliver(self) -> None:
        """Find out whether Redis is back, and send it the oldest records, in one exchange."""
        if not (self._away or self.waiting[0]) or self._clock.monotonic() < self._try_at:
            return
        try:
            if self._away:
                # Not with a record: one that a server hears after it was lost here would be a loss that is none.
                self._link.ping()
                self._kept.look(now=True)
                self._away = False
            delivered = self._deliver_own() if self._spool.count else self._left.deliver(self._link, self._kept.keep)
        except redis.RedisError as error:
            self._went_away(error)
            return
        if delivered is None:
            return
        self.refused_writes += len(delivered.refused)
        self._lost += delivered.unusable
        if delivered.count:
            self._serves()
        else:  # the disk does not let anything be read: no reason to ask it without a pause
            self._try_at = self._clock.monotonic() + PAUSE_SECONDS

    def _deliver_own(self) -> Delivered:
        delivered = deliver_some(self._spool, self._link, self._clock.now_ms, self._preview_of, self._kept.keep)
        self._failed_reads = 0 if delivered.count else self._failed_reads + 1
        if self._is_overtaken:
            # Of those few that Redis really had before, nobody knows any more.
            self._lost += delivered.repeated
        for record in delivered.refused:
            self._on_refused(record.camera, record.epoch)
        return delivered

    def _serves(self) -> None:
        if self._told:
            log.warning("redis_serves_again", spooled=self._spool.count)
            self._told = False

    def _went_away(self, error: redis.RedisError) -> None:
        """Take note that Redis is away, or there and not serving (out of memory, read-only): the same for us."""
        self._away = True
        self._try_at = self._clock.monotonic() + PAUSE_SECONDS
        if not self._told:
            log.warning("redis_away", error=str(error), spool=str(self._spool.path))
            self._told = True


def _is_given_up(item: Waiting) -> bool:
    """Tell whether another worker has the camera, so that the record would be refused."""
    return item.run.superseded and item.record.epoch <= item.run.epoch


def _spooled(record: AnalysisResult | Event) -> NewRecord:
    is_result = isinstance(record, AnalysisResult)
    return NewRecord(
        kind="result" if is_result else "event",
        camera=record.camera_id,
        epoch=record.epoch,
        number=record.seq if isinstance(record, AnalysisResult) else record.number,
        body=record.model_dump_json(),
    )
