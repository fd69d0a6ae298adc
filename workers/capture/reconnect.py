"""How long to wait before a camera is tried again."""

import random
from typing import Final

from contract.errors import StatusReason

#: Longest pause after the first failure, seconds: most streams that end can be opened again at once.
FIRST_SECONDS: Final = 0.5
#: Longest pause in the first minute: a camera that comes back is to be analysed again within 2 s.
EAGER_SECONDS: Final = 1.0
EAGER_FOR_SECONDS: Final = 60.0
#: Two cameras of one broken switch shall not be tried in lockstep, and none in a tight loop.
SHORTEST_SECONDS: Final = 0.05
#: A stream that was good for so long has its failures forgiven.
GOOD_SECONDS: Final = 10.0

_random: Final = random.SystemRandom()
#: Trying again soon does not help these, and many cameras lock an account after a few wrong passwords.
_PATIENT: Final = frozenset(
    {
        StatusReason.AUTH_FAILED,
        StatusReason.CODEC_UNSUPPORTED,
        StatusReason.NOT_VIDEO,
        StatusReason.PATH_FORBIDDEN,
        StatusReason.TLS_FAILED,
        StatusReason.URL_INVALID,
    }
)


def pause_seconds(
    reason: StatusReason, *, failures: int, outage_seconds: float, longest_seconds: float, draw: float
) -> float:
    """Return how long to wait: full jitter below a limit that doubles every minute after the first.

    Args:
        reason: Why the last attempt failed.
        failures: Failures in a row, 1 or more.
        outage_seconds: Since the first of them.
        longest_seconds: The limit never grows beyond this.
        draw: A random number in [0, 1).
    """
    if reason in _PATIENT:
        return longest_seconds * (0.5 + 0.5 * draw)
    if failures <= 1:
        limit = FIRST_SECONDS
    elif outage_seconds < EAGER_FOR_SECONDS:
        limit = EAGER_SECONDS
    else:
        # The exponent is bounded: a camera may be away for months.
        limit = EAGER_SECONDS * 2.0 ** min(outage_seconds // EAGER_FOR_SECONDS, 20)
    return max(SHORTEST_SECONDS, draw * min(limit, longest_seconds))


class Outage:
    """The failures of one camera in a row."""

    def __init__(self, longest_seconds: float) -> None:
        """Begin with none.

        Args:
            longest_seconds: Longest pause between two attempts.
        """
        self._longest_seconds = longest_seconds
        self._since: float | None = None
        self._failures = 0

    def failed(self, reason: StatusReason, now: float, *, good_since: float | None) -> float:
        """Take note of a failure; return how many seconds to wait before the next attempt.

        Args:
            reason: Why.
            now: Monotonic seconds.
            good_since: Monotonic seconds since when the stream was good; None: it never was.
        """
        if good_since is not None and now - good_since >= GOOD_SECONDS:
            self._since, self._failures = None, 0
        self._since = now if self._since is None else self._since
        self._failures += 1
        return pause_seconds(
            reason,
            failures=self._failures,
            outage_seconds=now - self._since,
            longest_seconds=self._longest_seconds,
            draw=_random.random(),
        )
