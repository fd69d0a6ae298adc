"""Watches the plan in Redis from outside: who has which camera, is it complete, does it change."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, cast

import redis

from contract import keys
from contract.moves import Move
from contract.plan import PlanReport
from runtime.farm_reader import FarmReader

#: Seconds between two looks; what is measured is known to within this.
LOOK_SECONDS: Final = 0.05


class PlanWatch:
    """Reads assignments without reading what they say: only who has which camera."""

    def __init__(self, client: redis.Redis, cameras: Collection[str], check: Callable[[], None]) -> None:
        """Watch `cameras` through `client`; `check` is called with every look and raises when a process has ended."""
        self._client = client
        self._check = check
        self._reader = FarmReader(client)
        self._cameras = frozenset(cameras)

    def live(self, worker_ids: Iterable[str]) -> set[str]:
        """Return those of the workers that hold their leases."""
        names = list(worker_ids)
        values = cast("list[bytes | None]", self._client.mget([keys.worker_lease(name) for name in names]))
        return {name for name, value in zip(names, values, strict=True) if value is not None}

    def owners(self, worker_ids: Iterable[str]) -> dict[str, list[str]]:
        """Return camera id -> workers, of those named, that are told to watch it."""
        names = list(worker_ids)
        pipe = self._client.pipeline(transaction=False)
        for name in names:
            pipe.hkeys(keys.assignments(name))
        found: dict[str, list[str]] = {}
        for name, answer in zip(names, cast("list[list[bytes]]", pipe.execute()), strict=True):
            for camera_id in answer:
                found.setdefault(camera_id.decode(), []).append(name)
        return found

    def is_complete(self, worker_ids: Collection[str]) -> bool:
        """Tell whether every camera is assigned to one of the workers."""
        pipe = self._client.pipeline(transaction=False)
        for name in worker_ids:
            pipe.hlen(keys.assignments(name))
        if sum(cast("list[int]", pipe.execute())) < len(self._cameras):
            return False
        return self.owners(worker_ids).keys() >= self._cameras

    def report(self) -> PlanReport | None:
        """Return what the manager said last."""
        heard = self._reader.heard_plan()
        return heard.message if heard is not None else None

    def moves_since(self, entry_id: str) -> tuple[str, dict[str, int]]:
        """Count the moves by reason that the managers have noted after entry `entry_id` of their stream.

        Returns:
            The id of the newest entry, to be given next time, and reason -> count.
        """
        entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", self._client.xrange(keys.moves(), f"({entry_id}"))
        reasons = Counter(Move.model_validate_json(fields[b"move"]).reason.value for _, fields in entries)
        return (entries[-1][0].decode() if entries else entry_id), dict(sorted(reasons.items()))

    def wait(self, fact: Callable[[], bool], what: str, seconds: float, *, look_seconds: float = LOOK_SECONDS) -> float:
        """Wait until `fact` holds; return how many seconds it took.

        Raises:
            TimeoutError: It did not within `seconds`; names `what`.
        """
        started = time.monotonic()
        while not fact():
            self._check()
            if time.monotonic() - started > seconds:
                raise TimeoutError(f"not within {seconds:.0f} s: {what}; the manager says {self.report()!r:.2000}")
            time.sleep(look_seconds)
        return time.monotonic() - started

    def settle(
        self,
        worker_ids: Collection[str],
        *,
        quiet_seconds: float,
        seconds: float,
        on_look: Callable[[dict[str, list[str]]], None] = lambda _: None,
    ) -> tuple[dict[str, str], float]:
        """Wait until every camera has one worker and none has moved for `quiet_seconds`.

        `on_look` is told camera id -> workers, twice a second.

        Returns:
            Camera id -> worker id, and the seconds it took until the last change.
        """
        started = changed = time.monotonic()
        known: dict[str, list[str]] = {}

        def is_quiet() -> bool:
            nonlocal known, changed
            now = self.owners(worker_ids)
            on_look(now)
            if now != known:
                known, changed = now, time.monotonic()
            one_each = now.keys() >= self._cameras and all(len(workers) == 1 for workers in now.values())
            return one_each and time.monotonic() - changed >= quiet_seconds

        self.wait(is_quiet, "the plan settles", seconds, look_seconds=0.5)
        return {camera_id: workers[0] for camera_id, workers in known.items()}, changed - started


def moved(before: Mapping[str, str], after: Mapping[str, Iterable[str]]) -> set[str]:
    """Return cameras that another worker was told to watch than the one that had them."""
    return {camera_id for camera_id, worker in before.items() if set(after.get(camera_id, ())) - {worker}}
