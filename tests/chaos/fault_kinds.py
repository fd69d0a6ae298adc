"""The faults: how often each is drawn, how long it lasts, and what of a camera's analysis it excuses."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """Whose analysis a fault may interrupt."""

    #: Cameras that the worker holds when it begins.
    WORKER = "worker"
    #: Cameras of the camera host.
    HOST = "host"
    #: All cameras.
    FARM = "farm"
    #: The camera itself.
    CAMERA = "camera"
    #: Nobody's: all go on as they are.
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault."""

    name: str
    #: Relative frequency.
    weight: int
    #: Shortest and longest time until it is healed; equal zeros: it is over when it has begun.
    seconds: tuple[float, float]
    scope: Scope
    #: Seconds after its beginning, or with `from_end` after its end, until which it explains missing results.
    allowance_seconds: float
    from_end: bool = False
    #: Whether nothing can be placed while it lasts, and for `CONTROL_SECONDS` after it.
    stops_placing: bool = False
    #: Whether Redis is away while it lasts.
    is_redis: bool = False


#: The promise: from a worker's death until its cameras are analysed again, with default settings.
TAKEOVER_SECONDS: Final = 5.0
#: Seconds from the end of what stops placing until cameras are placed again: the lease of a leader that is gone (3 s),
#: another one's next try for it (1 s), and a look.
CONTROL_SECONDS: Final = 5.0
#: Seconds that a process which was started again may need until it takes part.
START_SECONDS: Final = 4.0
#: Seconds from Redis's return until workers have handed over what they kept meanwhile: the plan is written again (2),
#: they try again (1). Who is gone before that takes it along: what its cameras' next workers have overtaken is refused.
DELIVERY_SECONDS: Final = 3.0
#: Longest time between two results of a camera that nothing happened to: two intervals of the slowest rate, and
#: a second for a busy machine.
UNDISTURBED_SECONDS: Final = 2.5
#: Seconds for a stream to be noticed as stalled (2), connected to again (pauses of up to 2 s) and analysed.
STREAM_SECONDS: Final = 6.0

_KINDS: Final = (
    FaultKind("worker_killed", 20, (0, 0), Scope.WORKER, TAKEOVER_SECONDS),
    FaultKind("worker_frozen", 10, (4, 9), Scope.WORKER, TAKEOVER_SECONDS),
    FaultKind("worker_drained", 12, (0, 0), Scope.NOBODY, 0.0),
    FaultKind("worker_added", 6, (0, 0), Scope.NOBODY, 0.0),
    # Results of a worker that cannot reach Redis wait on its disk; those that another worker's epoch overtakes are
    # refused, so that for its cameras it looks like its death.
    FaultKind("worker_link_silent", 8, (1, 8), Scope.WORKER, TAKEOVER_SECONDS),
    FaultKind("worker_link_cut", 5, (0, 0), Scope.NOBODY, 0.0),
    FaultKind("controller_killed", 8, (0.5, 5), Scope.NOBODY, 0.0, stops_placing=True),
    FaultKind("controller_frozen", 6, (1, 8), Scope.NOBODY, 0.0, stops_placing=True),
    # Workers go on with what they hold, and what they publish late is accepted: no camera moves for it.
    FaultKind("redis_frozen", 6, (1, 10), Scope.NOBODY, 0.0, stops_placing=True, is_redis=True),
    FaultKind("redis_killed", 5, (0.5, 5), Scope.NOBODY, 0.0, stops_placing=True, is_redis=True),
    FaultKind("redis_emptied", 3, (0.5, 3), Scope.NOBODY, 0.0, stops_placing=True, is_redis=True),
    FaultKind("host_killed", 5, (1, 6), Scope.HOST, STREAM_SECONDS, from_end=True),
    FaultKind("host_frozen", 4, (1, 8), Scope.HOST, STREAM_SECONDS, from_end=True),
    FaultKind("camera_added", 6, (0, 0), Scope.CAMERA, TAKEOVER_SECONDS),
    FaultKind("camera_removed", 4, (0, 0), Scope.CAMERA, 0.0),
    FaultKind("camera_disabled", 4, (2, 6), Scope.CAMERA, TAKEOVER_SECONDS, from_end=True),
    # Another rate does not even connect it anew.
    FaultKind("camera_changed", 6, (0, 0), Scope.CAMERA, 0.0),
)
KINDS: Final = {kind.name: kind for kind in _KINDS}
