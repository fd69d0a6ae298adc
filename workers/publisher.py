"""The one thread of a worker that writes results to Redis, so that a slow or absent server holds up nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import redis
import structlog

from contract.detections import AnalysisResult
from runtime.clock import Clock
from runtime.lanes import Lane
from runtime.worker_link import WorkerLink, Written
from workers.camera_run import CameraRun
from workers.frames import Frame

#: Results waiting for Redis; a preview has some 30 kB.
QUEUE_LENGTH: Final = 512
#: Seconds without trying after Redis did not answer, so that the queue is not spent on waiting for time-outs.
PAUSE_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Publication:
    """One analysed frame on its way out."""

    run: CameraRun
    frame: Frame
    result: AnalysisResult
    preview_jpeg: bytes = field(repr=False)


class Publisher:
    """Publishes results in order. When Redis is away the oldest waiting ones are dropped and counted."""

    def __init__(self, link: WorkerLink, clock: Clock, on_refused: Callable[[CameraRun, int], None]) -> None:
        self._link = link
        self._clock = clock
        self._on_refused = on_refused
        self._away_until = 0.0
        self.refused_writes = 0
        self._lane: Lane[Publication] = Lane("publisher", self._publish, self._dropped, QUEUE_LENGTH)

    def put(self, publication: Publication) -> None:
        """Leave a result to be published; never blocks."""
        self._lane.put(publication)

    def close(self, timeout_seconds: float) -> int:
        """Publish what waits; return how much was left."""
        return self._lane.close(timeout_seconds)

    def _publish(self, publication: Publication) -> None:
        run = publication.run
        if self._clock.monotonic() < self._away_until or run.superseded or run.left:
            self._dropped(publication)
            return
        result = publication.result.model_copy(update={"published_at_ms": self._clock.now_ms()})
        try:
            written = self._link.publish_result(result, publication.preview_jpeg)
        except redis.RedisError as error:
            # Away, or there and not serving (out of memory, disk full): either way the next ones need not be tried.
            log.warning("redis_away", error=str(error))
            self._away_until = self._clock.monotonic() + PAUSE_SECONDS
            self._dropped(publication)
            return
        if written is Written.REFUSED:
            self.refused_writes += 1
            publication.run.drop("refused")
            self._on_refused(publication.run, result.epoch)
        else:
            publication.run.published(publication.frame)

    @staticmethod
    def _dropped(publication: Publication) -> None:
        given_up = publication.run.superseded or publication.run.left
        publication.run.drop("given_up" if given_up else "redis_away")
