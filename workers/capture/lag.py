"""How far the reading of a live stream is behind the stream, and when to leave out decoding for it.

Pure: time is passed in.
"""

import math
from typing import Final

#: A change of the delay beyond this, seconds, is a jump of the stream's clock.
LONGEST_JUMP: Final = 10.0
#: Share by which a camera's clock may be slow.
DRIFT: Final = 0.001
#: Seconds behind from which on decoding is left out, and until which it stays so.
LEAVE_OUT_SECONDS: Final = 1.0
CAUGHT_UP_SECONDS: Final = 0.2
#: Seconds in which mere reading catches up; where it does not, the stream's clock has jumped.
CATCH_UP_SECONDS: Final = 3.0


class Lag:
    """Compares arrival with the stream's own clock: the least delay there was is that of a packet read at once."""

    def __init__(self) -> None:
        self._least = math.inf
        self._at = -math.inf

    def forget(self) -> None:
        """Take the next packet for one that is read at once."""
        self._least = math.inf

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


class CatchingUp:
    """Says when to leave out decoding, so that an overloaded machine still reads, and records, all that is sent.

    For streams whose packets are sent as they are made: where they come in batches, the first of each looks late.
    """

    def __init__(self, lag: Lag) -> None:
        self._lag = lag
        self._since: float | None = None

    def leaves_out(self, behind: float, at: float) -> bool:
        """Tell whether a packet is not to be decoded.

        Args:
            behind: What `Lag.behind` says of it.
            at: When it was read, monotonic seconds.
        """
        if self._since is None:
            self._since = at if LEAVE_OUT_SECONDS < behind < math.inf else None
        elif behind <= CAUGHT_UP_SECONDS:
            self._since = None
        elif at - self._since > CATCH_UP_SECONDS:
            self._lag.forget()
            self._since = None
        return self._since is not None
