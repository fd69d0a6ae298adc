"""Which shelves a volume has: listing months of footage takes seconds, so it is done only now and then."""

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import Final

from camera_ctrler.recordings.volume_contents import Shelf, VolumeContents
from contract.recording_paths import HOUR_MS
from runtime.clock import Clock

#: Seconds for which a listing is used again: a month of a hundred cameras takes a second of CPU.
_LISTING_SECONDS: Final = 300.0
#: Seconds for which it is used when nothing was found in it.
_SOON_SECONDS: Final = 30.0
#: Milliseconds before a listing in which hours may have come since.
_LISTED_AGAIN_MS: Final = 2 * HOUR_MS


@dataclass(frozen=True, slots=True)
class _Listing:
    #: Monotonic seconds, and Unix ms UTC.
    made_at: float
    made_at_ms: int
    shelves: list[Shelf]


class ShelfList:
    """The shelves of one volume, oldest first. Raises `OSError` where it cannot be read.

    Two threads may use it: at worst both list.
    """

    def __init__(self, contents: VolumeContents, clock: Clock) -> None:
        self._contents = contents
        self._clock = clock
        self._listing: _Listing | None = None

    def known(self) -> list[Shelf]:
        """Return what was there minutes ago at most, the newest hours as they are now."""
        listing = self._listing
        if listing is None or self._clock.monotonic() - listing.made_at > _LISTING_SECONDS:
            return self.all()
        since_ms = listing.made_at_ms - _LISTED_AGAIN_MS
        older = listing.shelves[: bisect_left(listing.shelves, since_ms, key=lambda shelf: shelf.hour_ms)]
        return older + self._contents.shelves(since_ms)

    def all(self) -> list[Shelf]:
        """Return what is there now."""
        now, now_ms = self._clock.monotonic(), self._clock.now_ms()
        listing = self._listing = _Listing(now, now_ms, self._contents.shelves())
        return listing.shelves

    def list_soon(self) -> None:
        """List anew before long: nothing is left, and somebody may put older files on the volume."""
        listing = self._listing
        if listing is not None:
            soon = self._clock.monotonic() - _LISTING_SECONDS + _SOON_SECONDS
            self._listing = replace(listing, made_at=min(listing.made_at, soon))
