"""How long a recogniser may take, as RQ limits its jobs: by an alarm that interrupts the main thread."""

from typing import Final

from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

#: Raised inside a block that takes too long. Native code is interrupted only when it comes back to Python.
TookTooLongError: Final = JobTimeoutException


def time_limit(seconds: int) -> UnixSignalDeathPenalty:
    """Limit a block of the main thread."""
    return UnixSignalDeathPenalty(seconds, JobTimeoutException)
