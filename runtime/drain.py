"""Asks a worker to hand its cameras over and leave."""

from enum import IntEnum
from typing import Final

import redis

from contract import keys
from contract.errors import FarmError
from runtime.scripts import Script

#: Seconds for which a worker that does not hear it now is still asked.
DRAIN_LIFETIME_SECONDS: Final = 3_600


class Asked(IntEnum):
    """What became of the wish."""

    NO_SUCH_WORKER = 0
    #: Somebody had asked already; it was asked once more.
    AGAIN = 1
    ANEW = 2


class WorkerNotFoundError(FarmError, LookupError):
    """No live worker has this id."""

    def __init__(self, worker_id: str) -> None:
        super().__init__(f"no live worker is called {worker_id!r}; see which there are with: ./farm workers list")
        self.worker_id = worker_id


def ask_to_drain(client: redis.Redis, worker_id: str, *, who: str) -> bool:
    """Ask a live worker to hand its cameras over and leave; it hears it at once.

    Args:
        client: Connection to the farm's Redis.
        worker_id: Which worker.
        who: Who asks, for people who look for it.

    Returns:
        Whether nobody had asked it before; asking again does no harm.

    Raises:
        WorkerNotFoundError: It is not there, or its lease ran out.
        redis.RedisError: Redis is away.
    """
    touched = [keys.worker_lease(worker_id), keys.worker_drain(worker_id), keys.wakeups(worker_id)]
    asked = Asked(Script(client, "ask_drain")(touched, [who, DRAIN_LIFETIME_SECONDS]))
    if asked is Asked.NO_SUCH_WORKER:
        raise WorkerNotFoundError(worker_id)
    return asked is Asked.ANEW
