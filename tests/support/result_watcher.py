"""Watches every result that Redis accepts, from outside, to count frames, gaps and owners; survives a Redis outage."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType
from typing import Self, cast

import redis

from contract import keys
from contract.detections import AnalysisResult
from runtime.farm_reader import FarmReader


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One result that stood in Redis as the newest of its camera, and when it was seen there (monotonic seconds)."""

    result: AnalysisResult
    seen_at: float


class ResultWatcher:
    """Collects accepted results of all cameras: the newest one whenever it changes, and every one in the streams."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._reader = FarmReader(client)
        #: Camera id -> newest results, in the order in which they were accepted.
        self._accepted: dict[str, list[Acceptance]] = defaultdict(list)
        #: Camera id -> (epoch, seq) -> result: also those that were accepted in one moment, after an outage.
        self._all: dict[str, dict[tuple[int, int], AnalysisResult]] = defaultdict(dict)
        #: Stream key -> id of the entry read last.
        self._read_up_to: dict[str, str] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10), "Redis does not answer"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._watch()
            except redis.RedisError:  # away: what it accepts then is in the streams
                self._stop.wait(0.1)

    def _watch(self) -> None:
        with self._client.pubsub(ignore_subscribe_messages=True) as pubsub:
            pubsub.psubscribe(keys.camera_channel("*"))
            if not self._ready.is_set():
                self._begin()
            while not self._stop.is_set():
                message = pubsub.get_message(timeout=0.1)
                heard = set()
                while message:
                    heard.add(_between(message["channel"], keys.camera_channel("*")))
                    message = pubsub.get_message(timeout=0)
                self._take_newest(heard)
                self._take_streams()

    def _begin(self) -> None:
        """Pass over what the streams already have."""
        for name in self._client.scan_iter(keys.camera_results("*")):
            newest = cast("list[tuple[bytes, object]]", self._client.xrevrange(name, count=1))
            self._read_up_to[name.decode()] = newest[0][0].decode() if newest else "0-0"
        self._ready.set()

    def _take_newest(self, camera_ids: Iterable[str]) -> None:
        for camera_id, result in self._reader.results(sorted(camera_ids)).items():
            self._read_up_to.setdefault(keys.camera_results(camera_id), "0-0")
            with self._lock:
                seen = self._accepted[camera_id]
                if not seen or (result.epoch, result.seq) != (seen[-1].result.epoch, seen[-1].result.seq):
                    seen.append(Acceptance(result, time.monotonic()))
                self._all[camera_id][result.epoch, result.seq] = result

    def _take_streams(self) -> None:
        for name in list(self._read_up_to):
            entries = cast(
                "list[tuple[bytes, dict[bytes, bytes]]]", self._client.xrange(name, f"({self._read_up_to[name]}")
            )
            for entry_id, fields in entries:
                result = AnalysisResult.model_validate_json(fields[b"result"])
                with self._lock:
                    self._all[result.camera_id][result.epoch, result.seq] = result
                self._read_up_to[name] = entry_id.decode()

    def results(self, camera_id: str) -> list[AnalysisResult]:
        """Return every result that was accepted for one camera so far, by epoch and seq."""
        with self._lock:
            return [result for _, result in sorted(self._all[camera_id].items())]

    def newest(self, camera_id: str) -> AnalysisResult | None:
        """Return the result that was seen last, or None."""
        with self._lock:
            seen = self._accepted[camera_id]
            return seen[-1].result if seen else None

    def acceptances(self, camera_id: str) -> list[Acceptance]:
        """Return the newest results of one camera as they changed, in the order in which they were accepted."""
        with self._lock:
            return list(self._accepted[camera_id])

    def longest_gap_ms(self, camera_id: str, *, since_ms: int = 0) -> int:
        """Return the longest time between two frames in a row captured after `since_ms`; 0 for fewer than two."""
        times = sorted(result.captured_at_ms for result in self.results(camera_id))
        return max((later - first for first, later in pairwise(times) if later > since_ms), default=0)

    def went_back(self, camera_id: str) -> bool:
        """Tell whether an older epoch was accepted after a newer one: two workers wrote at once."""
        epochs = [acceptance.result.epoch for acceptance in self.acceptances(camera_id)]
        return epochs != sorted(epochs)

    def seconds_of_two_writers(self, camera_id: str) -> float:
        """Return for how long one worker's results were still accepted after another's first one of a newer epoch."""
        first_seen: dict[int, float] = {}
        last_seen: dict[int, float] = {}
        for acceptance in self.acceptances(camera_id):
            first_seen.setdefault(acceptance.result.epoch, acceptance.seen_at)
            last_seen[acceptance.result.epoch] = acceptance.seen_at
        epochs = sorted(first_seen)
        return sum(max(0.0, last_seen[older] - first_seen[newer]) for older, newer in pairwise(epochs))


def _between(name: bytes, pattern: str) -> str:
    prefix, suffix = pattern.split("*")
    return name.decode().removeprefix(prefix).removesuffix(suffix)
