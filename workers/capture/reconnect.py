"""How long to wait before a camera is tried again. Pure."""

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
