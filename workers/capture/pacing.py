"""Plays recorded media at the speed of life. Pure: time is passed in."""

from typing import Final

#: A jump of the media clock beyond this, either way, starts a new count instead of a long wait or a rush.
LONGEST_STEP_SECONDS: Final = 10.0
#: Where packets have no time, they are taken to come at this distance, seconds.
DEFAULT_STEP_SECONDS: Final = 1 / 25
#: Live media that comes in batches is played a little faster than life, so that a camera whose clock is fast does not
#: leave more and more of it waiting.
LIVE_SPEED: Final = 1.01


class Pacer:
    """Says how long to hold a packet back, so that media time runs as fast as monotonic time."""

    def __init__(self, speed: float = 1.0) -> None:
        """Prepare to play at `speed`, seconds of media per second."""
        self._speed = speed
        self._began_at: float | None = None
        self._began_media = 0.0
        self._last_media = 0.0

    def seconds_to_wait(self, media_seconds: float | None, at: float) -> float:
        """Return how long after `at` (monotonic seconds) the packet of `media_seconds` is due; 0 if it is late."""
        if media_seconds is None:
            media_seconds = self._last_media + DEFAULT_STEP_SECONDS
        step = media_seconds - self._last_media
        if self._began_at is None or abs(step) > LONGEST_STEP_SECONDS:
            self._began_at, self._began_media = at, media_seconds
        self._last_media = media_seconds
        due_at = self._began_at + (media_seconds - self._began_media) / self._speed
        if due_at < at:
            # Late: what comes next follows at its own distance instead of catching up in a rush.
            self._began_at += at - due_at
        return max(0.0, due_at - at)
