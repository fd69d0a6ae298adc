"""What the leading manager says of its plan."""

from pydantic import BaseModel

from contract.errors import StatusReason
from contract.moves import MoveReason


class PlanReport(BaseModel):
    """The state of the plan, written by the leading manager with every look it takes.

    Clock: `*_ms` is Unix time in milliseconds UTC, by the manager's clock.
    """

    controller_id: str
    updated_at_ms: int
    #: When this manager took the lead.
    leading_since_ms: int
    cameras: int
    workers: int
    #: Camera id -> why no worker has it.
    unplaced: dict[str, StatusReason] = {}
    #: Cameras that a new worker is taking over while the old one goes on.
    handing_over: list[str] = []
    #: Cameras placed, moved and withdrawn since this manager took the lead.
    placed_total: int = 0
    moved_total: int = 0
    withdrawn_total: int = 0
    #: Entries this manager wrote to the stream of moves, by reason, since it took the lead.
    moves_by_reason: dict[MoveReason, int] = {}
    #: Ids of the controllers that run, this one included, as far as it heard of them.
    controllers: list[str] = []
    #: Plans refused because another manager led.
    refused_plans: int = 0
    #: What all cameras together cost, and what all workers together may spend, in CPU-seconds a second.
    load_cores: float = 0.0
    capacity_cores: float = 0.0
    #: Worker id -> what its cameras cost ÷ what it may spend.
    load: dict[str, float] = {}
    #: Workers that would carry all cameras without any of them being over capacity.
    required_workers: int = 0
    #: What is wrong with the external camera table; empty: nothing.
    camera_source_error: str = ""
    #: Why the registry's database cannot be used; empty: it can. The plan goes on with the cameras known before.
    database_error: str = ""
