"""How many workers the farm's cameras need: the figure an autoscaler follows. Pure."""

import math
from collections.abc import Iterable, Mapping
from statistics import mean
from typing import Final

from camera_ctrler.planning.load_board import CameraNeed, WorkerOffer, spent

#: Share of their capacity that workers shall use, so that the others can take over when one dies.
TARGET_LOAD: Final = 0.8
#: Reckoned with where no worker runs: one core, and a detector that was never measured.
UNKNOWN_WORKER: Final = WorkerOffer(cores=1.0, max_cameras=256, detect_seconds=0.08)


def load_cores(needs: Iterable[CameraNeed], offers: Mapping[str, WorkerOffer]) -> float:
    """Return what cameras cost together on a typical worker, in CPU-seconds a second."""
    typical = _typical(offers.values())
    return sum(spent(need, typical) for need in needs)


def required_workers(needs: Iterable[CameraNeed], offers: Mapping[str, WorkerOffer]) -> int:
    """Return how many workers like those that run would carry all cameras at `TARGET_LOAD`.

    Cameras that require labels count also by themselves: where workers with those labels are too few, what is missing
    is added to the workers that run.
    """
    needs = list(needs)
    missing = 0
    for require in {need.require for need in needs} - {frozenset()}:
        able = {name: offer for name, offer in offers.items() if require <= offer.labels}
        asked = _workers_for([need for need in needs if need.require == require], able or offers)
        missing += max(0, asked - len(able))
    return max(_workers_for(needs, offers), len(offers) + missing if missing else 0)


def _workers_for(needs: list[CameraNeed], offers: Mapping[str, WorkerOffer]) -> int:
    if not needs:
        return 0
    typical = _typical(offers.values())
    by_cost = sum(spent(need, typical) for need in needs) / (typical.cores * TARGET_LOAD)
    # A hair less: thirty cameras of a thirtieth each need one worker and not, by a rounding error, two.
    return max(1, math.ceil(by_cost - 1e-9), math.ceil(len(needs) / max(1, typical.max_cameras)))


def _typical(offers: Iterable[WorkerOffer]) -> WorkerOffer:
    offers = list(offers)
    if not offers:
        return UNKNOWN_WORKER
    return WorkerOffer(
        cores=mean(offer.cores for offer in offers),
        max_cameras=math.floor(mean(offer.max_cameras for offer in offers)),
        detect_seconds=mean(offer.detect_seconds for offer in offers),
    )
