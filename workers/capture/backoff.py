"""How long to wait before a camera is tried again. Pure but for the random number, which is passed in."""

from collections.abc import Callable
from typing import Final

from contract.errors import StatusReason

FIRST_SECONDS: Final = 0.5
#: Longest pause while a camera does not answer at all: knocking costs next to nothing, and when it comes back it
#: is watched again within two seconds.
KNOCK_SECONDS: Final = 1.5
#: Reasons for which trying again is no more than knocking. The others cost the camera work, or lock an account.
_CHEAP: Final = frozenset(
    {
        StatusReason.REFUSED,
        StatusReason.UNREACHABLE,
        StatusReason.TIMEOUT,
        StatusReason.NAME_NOT_FOUND,
        StatusReason.STREAM_ENDED,
        StatusReason.STREAM_STALLED,
    }
)


def pause_before_retry(reason: StatusReason, failures: int, longest: float, random: Callable[[], float]) -> float:
    """Return seconds to wait: exponential with full jitter above half a second, so that cameras spread out.

    Args:
        reason: Why the last try failed.
        failures: Failed tries in a row, from 1.
        longest: Seconds that no pause exceeds.
        random: Returns a number in [0, 1).

    Source:
        "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
    """
    ceiling = min(FIRST_SECONDS * 2.0 ** min(failures - 1, 16), longest)
    if reason in _CHEAP:
        ceiling = min(ceiling, KNOCK_SECONDS)
    least = min(FIRST_SECONDS / 2, ceiling)
    return least + (ceiling - least) * random()
