"""Why cameras go from one worker to another."""

from enum import StrEnum

from pydantic import BaseModel


class MoveReason(StrEnum):
    """What made the manager give a camera to a worker or take it away."""

    #: The camera had no worker.
    PLACED = "placed"
    #: Its worker's lease ran out.
    WORKER_DIED = "worker_died"
    #: Its worker was asked to leave.
    WORKER_DRAINS = "worker_drains"
    #: Its worker is another process than before, under the same id.
    WORKER_RESTARTED = "worker_restarted"
    #: Its worker had too much to do while another had room.
    OVER_CAPACITY = "over_capacity"
    #: To even out the load.
    BALANCE = "balance"
    #: Its worker does not have the labels that the camera requires.
    LABELS = "labels"
    #: Another worker has more of the labels that it prefers, and room.
    PREFERENCE = "preference"
    #: Its settings changed; it stays where it is.
    CHANGED = "changed"
    #: It was removed or switched off, or no worker can have it.
    WITHDRAWN = "withdrawn"


class Move(BaseModel):
    """One camera that was given to a worker, moved or taken away.

    Clock: `at_ms` is Unix time in milliseconds UTC, by the manager's clock.
    """

    at_ms: int
    camera_id: str
    reason: MoveReason
    from_worker: str | None = None
    to_worker: str | None = None
    epoch: int
