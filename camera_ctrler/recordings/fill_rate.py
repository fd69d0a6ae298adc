"""How fast a volume fills, and so how much of it must be kept free and how soon to look again. Pure."""

from dataclasses import dataclass
from typing import Final

#: Seconds of writing that are kept free above the floor: longer than a look, a database that hangs and a pass of
#: deleting take together.
RESERVE_SECONDS: Final = 20.0
#: Largest part of the volume that is kept free for that: writers that burst must not empty it.
_LARGEST_RESERVE: Final = 0.2
#: Seconds between two looks, at least and at most.
SHORTEST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 5.0
#: Looks within the time in which the volume would be full.
_LOOKS_TO_FULL: Final = 8
#: How much of the difference a lower rate than before counts for; a higher one counts at once.
_SLOWER: Final = 0.1


@dataclass(slots=True)
class FillRate:
    """What has been written to the volume lately, in bytes a second, by anybody."""

    bytes_per_second: float = 0.0
    #: Monotonic seconds and free bytes at the last look; None: there was none.
    _last: tuple[float, int] | None = None

    def note(self, at: float, free_bytes: int, deleted_bytes: int) -> None:
        """Take a look into account.

        Args:
            at: Monotonic seconds.
            free_bytes: Of the volume, now.
            deleted_bytes: Deleted since the look before.
        """
        before, self._last = self._last, (at, free_bytes)
        if before is None or at <= before[0]:
            return
        written = max(0, before[1] - free_bytes + deleted_bytes)
        measured = written / (at - before[0])
        if measured > self.bytes_per_second:
            self.bytes_per_second = measured
        else:
            self.bytes_per_second += (measured - self.bytes_per_second) * _SLOWER

    def free_wanted(self, floor_bytes: int, total_bytes: int) -> int:
        """Return how many bytes must be free; 0: as many as there are, for nobody set a floor."""
        if floor_bytes == 0:
            return 0
        return floor_bytes + round(min(self.bytes_per_second * RESERVE_SECONDS, total_bytes * _LARGEST_RESERVE))

    def pause_seconds(self, free_bytes: int) -> float:
        """Return after how long to look again."""
        if self.bytes_per_second <= 0:
            return LONGEST_PAUSE
        until_full = free_bytes / self.bytes_per_second
        return min(LONGEST_PAUSE, max(SHORTEST_PAUSE, until_full / _LOOKS_TO_FULL))
