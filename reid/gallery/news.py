"""Tells others through Redis what the gallery writer has done."""

from typing import Any, Final, cast

import redis

from contract import keys
from contract.events import Event

#: Entries of the log that are kept.
LOG_SIZE: Final = 1_000


class GalleryNews:
    """What is told. Every method raises what redis-py raises when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def changed(self, number: int) -> None:
        """Say that all embeddings up to a number are decided on: who follows the gallery reads the database then."""
        fields: Any = {"number": number}
        self._client.xadd(keys.gallery_log(), fields, maxlen=LOG_SIZE, approximate=True)

    def publish(self, event: Event) -> None:
        """Put an event into the stream of events; workers keep that one short."""
        self._client.xadd(keys.events(), {"event": event.model_dump_json()})

    def newest(self) -> str:
        """Return the id of the newest entry of the log; ``0-0``: it has none."""
        found = cast("list[tuple[bytes, Any]]", self._client.xrevrange(keys.gallery_log(), count=1))
        return found[0][0].decode() if found else "0-0"

    def wait(self, after: str, milliseconds: int) -> str:
        """Return the id of the newest entry as soon as there is one after `after`, or `after` when the time is over."""
        found = cast(
            "list[tuple[bytes, list[tuple[bytes, Any]]]] | None",
            self._client.xread({keys.gallery_log(): after}, block=milliseconds),
        )
        return found[0][1][-1][0].decode() if found else after
