"""Reads from Redis which ReID workers there are, for the API and the command line."""

from dataclasses import dataclass
from typing import cast

import redis

from contract import keys
from contract.reid_workers import ReidWorkerStatus
from runtime.messages import read_message


@dataclass(frozen=True, slots=True)
class ReidWorkerView:
    """One ReID worker as Redis shows it."""

    worker_id: str
    #: Whether its lease is held.
    alive: bool
    status: ReidWorkerStatus | None


class ReidReader:
    """Typed reads. Every method raises what redis-py raises when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def workers(self) -> list[ReidWorkerView]:
        """Return every ReID worker that has announced itself and was not yet forgotten, by id."""
        names = sorted(name.decode() for name in cast("set[bytes]", self._client.smembers(keys.reid_workers())))
        if not names:
            return []
        pipe = self._client.pipeline(transaction=False)
        pipe.mget([keys.reid_worker_lease(name) for name in names])
        pipe.mget([keys.reid_worker_status(name) for name in names])
        leases, texts = pipe.execute()
        return [
            ReidWorkerView(name, lease is not None, read_message(ReidWorkerStatus, text))
            for name, lease, text in zip(names, leases, texts, strict=True)
        ]
