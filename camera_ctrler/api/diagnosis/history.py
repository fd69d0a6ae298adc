"""What the farm's counts were a moment and some minutes ago, so that growth can be told from a level."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

from camera_ctrler.api.farm_schemas import FarmTotals
from runtime.clock import Clock

#: Seconds between two samples, and for which they are kept.
SAMPLE_SECONDS: Final = 10.0
KEPT_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What is compared. Those that are lost count since a process began, and so may fall."""

    spool_records: int = 0
    spool_lost: int = 0
    events_lost: int = 0
    recognitions_waiting: int = 0

    @classmethod
    def of(cls, totals: FarmTotals) -> "Counts":
        """Return the counts of one moment."""
        return cls(
            spool_records=totals.spool.records,
            spool_lost=totals.spool.lost,
            events_lost=totals.events.lost if totals.events is not None else 0,
            recognitions_waiting=totals.recognitions.waiting if totals.recognitions is not None else 0,
        )


@dataclass(frozen=True, slots=True)
class Past:
    """The counts of before."""

    #: At least ten seconds ago, and no more than five minutes.
    recent: Counts
    #: The oldest that is remembered, up to five minutes.
    oldest: Counts


class CountHistory:
    """Remembers counts for some minutes, as long as somebody looks. Safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._samples: deque[tuple[float, Counts]] = deque(maxlen=round(KEPT_SECONDS / SAMPLE_SECONDS) + 1)

    def compare(self, counts: Counts) -> Past | None:
        """Return what was before, and remember `counts`; None: nobody looked lately, so nothing is known of before."""
        now = self._clock.monotonic()
        with self._lock:
            while self._samples and now - self._samples[0][0] > KEPT_SECONDS:
                self._samples.popleft()
            aged = [sample for at, sample in self._samples if now - at >= SAMPLE_SECONDS]
            past = Past(aged[-1], aged[0]) if aged else None
            if not self._samples or now - self._samples[-1][0] >= SAMPLE_SECONDS:
                self._samples.append((now, counts))
            return past
