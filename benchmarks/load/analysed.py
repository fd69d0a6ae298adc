"""What was analysed in a span of time, whoever did it: rates and ages of frames. Pure, but for one reader."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import redis

from contract import keys

#: Camera id -> (captured, published) of each analysed frame, Unix seconds.
Frames = Mapping[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Analysed:
    """Figures of one span."""

    seconds: float
    #: Camera id -> analysed frames a second.
    rates: dict[str, float]
    #: Frames a second of all cameras.
    frames_per_second: float
    #: From capture to publishing, of all frames; 0 where there are none.
    age_p50_ms: float
    age_p95_ms: float
    #: The same of the camera that has it worst.
    worst_camera_p95_ms: float

    @property
    def slowest_fps(self) -> float:
        """Rate of the camera that was analysed least."""
        return min(self.rates.values(), default=0.0)

    def fairness(self, asked: Mapping[str, float] | None = None) -> float:
        """Return the least rate ÷ the greatest one, each as a share of what its camera asked for."""
        shares = [rate / (asked[name] if asked else 1.0) for name, rate in self.rates.items()]
        return min(shares) / max(shares) if shares and max(shares) > 0 else 0.0


def analysed(frames: Frames, cameras: Iterable[str], since: float, until: float) -> Analysed:
    """Return the figures of frames that were published from `since` to `until` (Unix seconds)."""
    seconds = until - since
    ages = {
        name: [1000 * (done - seen) for seen, done in frames.get(name, ()) if since <= done < until] for name in cameras
    }
    everyone = [age for its in ages.values() for age in its]
    return Analysed(
        seconds=seconds,
        rates={name: len(its) / seconds for name, its in ages.items()},
        frames_per_second=len(everyone) / seconds,
        age_p50_ms=_percentile(everyone, 50),
        age_p95_ms=_percentile(everyone, 95),
        worst_camera_p95_ms=max((_percentile(its, 95) for its in ages.values()), default=0.0),
    )


def _percentile(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else 0.0


def read_results(client: redis.Redis, cameras: Iterable[str]) -> dict[str, list[tuple[float, float]]]:
    """Read what workers have published of these cameras: afterwards, so that nothing is spent while it is measured."""
    found: dict[str, list[tuple[float, float]]] = {}
    for name in cameras:
        entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.camera_results(name)))
        results = [json.loads(fields[b"result"]) for _, fields in entries]
        found[name] = [(one["captured_at_ms"] / 1000, one["published_at_ms"] / 1000) for one in results]
    return found
