"""Watches every result that Redis accepts, from outside, to count frames, gaps and owners."""

import threading
from collections import defaultdict
from itertools import pairwise
from types import TracebackType
from typing import Self

import redis

from contract import keys
from contract.detections import AnalysisResult
from runtime.farm_reader import FarmReader


class ResultWatcher:
    """Collects accepted results of all cameras, in the order in which they were accepted."""

    def __init__(self, client: redis.Redis) -> None:
        self._reader = FarmReader(client)
        self._pubsub = client.pubsub(ignore_subscribe_messages=True)
        self._results: dict[str, list[AnalysisResult]] = defaultdict(list)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._pubsub.psubscribe(keys.camera_channel("*"))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._pubsub.close()

    def _run(self) -> None:
        prefix, suffix = (part.encode() for part in keys.camera_channel("*").split("*"))
        while not self._stop.is_set():
            message = self._pubsub.get_message(timeout=0.1)
            if not message:
                continue
            camera_id = message["channel"].removeprefix(prefix).removesuffix(suffix).decode()
            for result in self._reader.results([camera_id]).values():
                with self._lock:
                    seen = self._results[camera_id]
                    if not seen or (result.epoch, result.seq) != (seen[-1].epoch, seen[-1].seq):
                        seen.append(result)

    def results(self, camera_id: str) -> list[AnalysisResult]:
        """Return what was accepted for one camera so far."""
        with self._lock:
            return list(self._results[camera_id])

    def longest_gap_ms(self, camera_id: str) -> int:
        """Return the longest time between two frames in a row, by capture time; 0 for fewer than two."""
        times = [result.captured_at_ms for result in self.results(camera_id)]
        return max((after - before for before, after in pairwise(times)), default=0)

    def went_back(self, camera_id: str) -> bool:
        """Tell whether an older epoch was accepted after a newer one: two workers wrote at once."""
        epochs = [result.epoch for result in self.results(camera_id)]
        return epochs != sorted(epochs)
