"""How far the reading of a live stream is behind the stream. Pure: time is passed in."""

import math
from typing import Final

#: A change of the delay beyond this, seconds, is a jump of the stream's clock.
LONGEST_JUMP: Final = 10.0
#: Share by which a camera's clock may be slow.
DRIFT: Final = 0.001


class Lag:
    """Compares arrival with the stream's own clock: the least delay there was is that of a packet read at once."""

    def __init__(self) -> None:
        self._least = math.inf
        self._at = -math.inf

    def behind(self, at: float, media_seconds: float | None) -> float:
        """Return by how many seconds a packet was read late; infinity where the stream does not say.

        Args:
            at: When it was read, monotonic seconds.
            media_seconds: Its decode time by the stream's clock.
        """
        if media_seconds is None:
            return math.inf
        delay = at - media_seconds
        if abs(delay - self._least) > LONGEST_JUMP:
            self._least = delay
        elif math.isfinite(self._at):
            self._least += DRIFT * (at - self._at)
        self._at = at
        self._least = min(self._least, delay)
        return delay - self._least
