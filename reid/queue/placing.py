"""On which queue a recognition goes, with how many crops, and when it is tried again. Pure."""

from typing import Final

from contract.recognition import RecognitionQueue

#: What happened longer ago than this is looked at when there is time: what happens now goes first.
FRESH_MS: Final = 60_000
#: Milliseconds before what failed is tried again for the first time, and the longest pause.
FIRST_PAUSE_MS: Final = 1_000
LONGEST_PAUSE_MS: Final = 300_000


def queue_of(at_ms: int, now_ms: int) -> RecognitionQueue:
    """Return the queue of what nobody asked for in particular, by the time at which it happened."""
    return RecognitionQueue.DEFAULT if now_ms - at_ms <= FRESH_MS else RecognitionQueue.LOW


def crops_left_out(crops: int, waiting: int, bound: int) -> int:
    """Return how many of a request's crops, the worst, are not looked at: none while what waits is within the bound.

    Over it, the share that is looked at is the bound ÷ what waits, so that a backlog twice as long takes as much work;
    the best crop is looked at whatever waits.
    """
    if waiting <= bound:
        return 0
    return crops - max(1, crops * bound // waiting) if crops else 0


def pause_ms(attempts: int, chance: float) -> int:
    """Return how long to wait before the next try.

    Args:
        attempts: Tries so far, 1 or more; the pause doubles with each.
        chance: Random, in [0, 1): half of the pause, so that what failed together is not tried together.
    """
    longest = min(FIRST_PAUSE_MS << (attempts - 1), LONGEST_PAUSE_MS)
    return round(longest * (0.5 + 0.5 * chance))
