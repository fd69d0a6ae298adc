"""What RQ's own tools see of a ReID worker: one more worker of three queues that is idle or busy."""

from typing import Any

import redis
import structlog
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from reid.queue.jobs import RecognitionQueues

#: Seconds after which RQ shows a worker no more that has said nothing.
TTL_SECONDS = 60

log = structlog.get_logger(__name__)


class RegisteredWorker(SimpleWorker):
    """A worker of RQ that does not fork and does not take jobs one by one: `BatchWorker` takes them."""

    def __init__(self, client: redis.Redis, worker_id: str, queues: RecognitionQueues) -> None:
        super().__init__(
            list[Queue](queues.queues.values()),
            name=worker_id,
            connection=client,
            serializer=JSONSerializer,
            worker_ttl=TTL_SECONDS,
        )

    def _set_connection(self, connection: Any) -> Any:
        """Leave the time limits of the connection as they are: RQ would wait for a minute, for it blocks."""
        return connection

    def tell(self, *, is_busy: bool) -> None:
        """Say that it lives, and whether it works."""
        if not self.connection.exists(self.key):  # the first time, or Redis was emptied
            self.register_birth()  # type: ignore[no-untyped-call]  # RQ gives it no types
        self.set_state(WorkerStatus.BUSY if is_busy else WorkerStatus.IDLE)
        self.heartbeat()

    def leave(self) -> None:
        """Say that it has ended."""
        self.register_death()  # type: ignore[no-untyped-call]  # RQ gives it no types
