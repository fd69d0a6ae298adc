"""Delivers what lies in a spool: oldest first, once, and only as far as Redis takes it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import redis
import structlog
from pydantic import ValidationError

from contract.detections import AnalysisResult
from contract.events import Event
from runtime.spool import Spool, SpoolRecord
from runtime.worker_link import Outgoing, WorkerLink, Written

#: Records looked at for one exchange with Redis.
WINDOW: Final = 128

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Delivered:
    """What became of the records of one exchange."""

    accepted: int = 0
    #: Accepted by an earlier exchange of which no answer came.
    repeated: int = 0
    #: Of an epoch that may not write any more.
    refused: list[SpoolRecord] = field(default_factory=list)
    #: Unreadable, or refused by the server for what they are.
    unusable: int = 0

    @property
    def count(self) -> int:
        """Records that are done with."""
        return self.accepted + self.repeated + len(self.refused) + self.unusable


def deliver_some(
    spool: Spool,
    link: WorkerLink,
    now_ms: Callable[[], int],
    preview_of: Callable[[AnalysisResult], bytes | None],
    keep: Callable[[Event], None],
) -> Delivered:
    """Send the oldest records in one exchange, at most one of each camera, and delete those that were answered.

    One of each camera: an error of the server for a record (no memory at that moment) does not keep it from taking
    those behind it, and a younger one of the same camera would make the older one look as if it had come before.

    Args:
        spool: Where they lie.
        link: Where they go.
        now_ms: Unix time in milliseconds UTC, written into results.
        preview_of: The small picture of a result, where it is still at hand.
        keep: Is given every event that Redis has now.

    Raises:
        redis.RedisError: Redis is away or does not serve now; what it had answered before is deleted all the same.
    """
    delivered = Delivered()
    done: list[SpoolRecord] = []
    sent: list[tuple[SpoolRecord, Outgoing]] = []
    for record in heads(spool.oldest(WINDOW)):
        message = read(record)
        if message is None:
            log.error("spooled_record_unreadable", camera=record.camera, kind=record.kind, number=record.number)
            done.append(record)
            delivered.unusable += 1
        elif isinstance(message, AnalysisResult):
            stamped = message.model_copy(update={"published_at_ms": now_ms()})
            sent.append((record, Outgoing(stamped, preview_of(stamped))))
        else:
            sent.append((record, Outgoing(message)))
    trouble: redis.RedisError | None = None
    try:
        answers = link.publish_all([outgoing for _, outgoing in sent]) if sent else []
        for (record, outgoing), answer in zip(sent, answers, strict=True):
            trouble = _count(record, answer, delivered, done) or trouble
            if isinstance(outgoing.record, Event) and answer in (Written.ACCEPTED, Written.REPEATED):
                keep(outgoing.record)
    finally:
        spool.delete(done)
    if trouble is not None:
        raise trouble
    return delivered


def _count(
    record: SpoolRecord, answer: Written | redis.RedisError, delivered: Delivered, done: list[SpoolRecord]
) -> redis.RedisError | None:
    """Take note of one answer; return it where it means that the record must be sent again."""
    if isinstance(answer, redis.RedisError):
        if not is_unusable(answer):
            return answer
        log.error("record_unusable", camera=record.camera, kind=record.kind, number=record.number, error=str(answer))
        delivered.unusable += 1
    elif answer is Written.REFUSED:
        delivered.refused.append(record)
    elif answer is Written.REPEATED:
        delivered.repeated += 1
    else:
        delivered.accepted += 1
    done.append(record)
    return None


def is_unusable(error: redis.RedisError) -> bool:
    """Tell whether the server will never take this record, whatever happens to the server."""
    return isinstance(error, redis.ResponseError) and str(error).startswith("WRONGTYPE")


def heads(records: list[SpoolRecord]) -> list[SpoolRecord]:
    """Return the first record of each camera, in order."""
    first: dict[str, SpoolRecord] = {}
    for record in records:
        first.setdefault(record.camera, record)
    return list(first.values())


def read(record: SpoolRecord) -> AnalysisResult | Event | None:
    """Return the message of a record; None where it cannot be read (a newer worker wrote it, or the disk is bad)."""
    try:
        kind = AnalysisResult if record.kind == "result" else Event
        return kind.model_validate_json(record.body)
    except ValidationError:
        return None
