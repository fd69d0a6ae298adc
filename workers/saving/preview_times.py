"""When a preview is made: with every result while somebody watches, now and then otherwise. Pure: time is passed in."""

from typing import Final

#: Seconds between two previews that nobody is known to wait for: a page that is opened shows something at once.
IDLE_SECONDS: Final = 5.0


class PreviewTimes:
    """When the next preview of one camera is due. Used by one thread at a time."""

    def __init__(self) -> None:
        self._made_at = float("-inf")

    def is_due(self, now: float, *, is_watched: bool) -> bool:
        """Tell whether a preview shall be made at `now` (monotonic seconds), and take note of it."""
        # A little earlier rather than a whole frame later: at one frame a second these come at 4.99 s.
        if not is_watched and now - self._made_at < IDLE_SECONDS - 0.25:
            return False
        self._made_at = now
        return True
