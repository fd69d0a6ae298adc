"""Looks at what has arrived in Redis, from outside: is anything missing, doubled or out of order?"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, cast

import redis

from contract import keys
from contract.detections import AnalysisResult
from contract.events import Event
from contract.workers import WorkerStatus


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found; `*_missing` are numbers that were given and are not there, below the newest of their epoch."""

    results: int = 0
    results_missing: int = 0
    #: Frames (camera, time of capture) that stand there more than once.
    results_doubled: int = 0
    results_out_of_order: int = 0
    events: int = 0
    events_missing: int = 0
    events_doubled: int = 0
    events_out_of_order: int = 0

    @property
    def faults(self) -> dict[str, int]:
        """What is not as it should be."""
        return {name: count for name, count in asdict(self).items() if count and name not in {"results", "events"}}


def results_of(client: redis.Redis, camera_id: str) -> list[AnalysisResult]:
    """Return the stream of a camera's results as it is."""
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.camera_results(camera_id)))
    return [AnalysisResult.model_validate_json(fields[b"result"]) for _, fields in found]


def events_in(client: redis.Redis) -> list[Event]:
    """Return the stream of events as it is."""
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.events()))
    return [Event.model_validate_json(fields[b"event"]) for _, fields in found]


def worker_status(client: redis.Redis, worker_id: str) -> WorkerStatus | None:
    """Return what a worker said of itself last."""
    text = cast("bytes | None", client.get(keys.worker_status(worker_id)))
    return None if text is None else WorkerStatus.model_validate_json(text)


def audit(client: redis.Redis, cameras: Iterable[str]) -> Audit:
    """Look at the streams of all cameras and at that of the events."""
    streams = {name: results_of(client, name) for name in cameras}
    return examine(streams, events_in(client))


def examine(streams: Mapping[str, Sequence[AnalysisResult]], events: Sequence[Event]) -> Audit:
    """Examine results by camera, and events, each in the order in which they were accepted."""
    by_camera: dict[tuple[str, int], list[int]] = defaultdict(list)
    for event in events:
        by_camera[event.camera_id, event.epoch].append(event.number)
    return Audit(
        results=sum(len(stream) for stream in streams.values()),
        results_missing=sum(_missing(_by_epoch(stream)) for stream in streams.values()),
        results_doubled=sum(_doubled(result.captured_at_ms for result in stream) for stream in streams.values()),
        results_out_of_order=sum(
            _falling([(result.epoch, result.seq, result.captured_at_ms) for result in stream])
            for stream in streams.values()
        ),
        events=len(events),
        events_missing=_missing(by_camera),
        events_doubled=_doubled(event.event_id for event in events),
        events_out_of_order=sum(_falling(numbers) for numbers in by_camera.values()),
    )


def _by_epoch(results: Iterable[AnalysisResult]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for result in results:
        found[result.epoch].append(result.seq)
    return found


def _missing(numbers: Mapping[Any, list[int]]) -> int:
    return sum(max(its) - len(set(its)) for its in numbers.values())


def _doubled(names: Iterable[object]) -> int:
    return sum(count - 1 for count in Counter(names).values())


def _falling(values: Sequence[Any]) -> int:
    return sum(later <= first for first, later in pairwise(values))
