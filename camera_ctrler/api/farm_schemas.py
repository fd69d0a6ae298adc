"""What the API takes and gives of workers, moves and the farm as a whole."""

from enum import StrEnum

from pydantic import BaseModel, Field

from camera_ctrler.api.schemas import CameraStatusView, EpochMs, PageQuery
from contract.errors import StatusReason
from contract.ids import CameraId, WorkerId
from contract.moves import Move, MoveReason
from contract.plan import PlanReport
from contract.workers import WorkerStatus


class MoveQuery(PageQuery):
    """Which moves."""

    since_ms: EpochMs = Field(0, description="Only moves recorded at this time or later, Unix ms UTC")
    camera: CameraId | None = Field(None, description="Only moves of this camera")
    worker: WorkerId | None = Field(None, description="Only moves to or from this worker")


class MoveEntry(Move):
    """One camera that was given to a worker, moved or taken away."""

    entry_id: str = Field(description="Its place among all moves")
    recorded_at_ms: int = Field(description="When Redis took it, by the clock of Redis")


class MovePage(BaseModel):
    """Moves, newest first. A page may have fewer than were asked for and yet not be the last."""

    items: list[MoveEntry]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one")


class HeldCamera(BaseModel):
    """A camera at its worker."""

    epoch: int
    cost_cores: float | None = Field(description="CPU-seconds a second that it costs there; null until measured")


class WorkerInfo(BaseModel):
    """One worker."""

    worker_id: str
    alive: bool = Field(description="Whether its lease is held")
    lease_ms: int = Field(description="Milliseconds until its lease runs out unless it is renewed")
    status_age_ms: int = Field(description="Milliseconds since it said how it does, by the clock of Redis")
    drain_asked: bool = Field(description="Whether it was asked to hand its cameras over and leave")
    labels: list[str]
    holdings: dict[str, HeldCamera] = Field(description="Camera id to what it costs there")
    load: float | None = Field(
        description="What its cameras cost ÷ what they may cost, as the manager reckons; null while it does not say"
    )
    capacity_cores: float = Field(description="CPU-seconds a second that its cameras may cost")
    status: WorkerStatus | None = Field(description="What it says of itself; null while it says nothing")


class WorkerList(BaseModel):
    """Workers that have announced themselves and were not yet dismissed."""

    items: list[WorkerInfo]


class DrainState(StrEnum):
    """What a wish to leave did."""

    ASKED = "asked"
    ASKED_BEFORE = "asked_before"


class DrainAnswer(BaseModel):
    """The worker was asked to hand its cameras over and leave."""

    worker_id: str
    state: DrainState


class UnplacedCamera(BaseModel):
    """A camera that no worker has."""

    camera_id: str
    reason: StatusReason
    remedy: str = Field(description="What a person can do about it")


class Leader(BaseModel):
    """The manager that leads."""

    controller_id: str
    leading_since_ms: int = Field(description="By its own clock")
    controllers: list[str] = Field(description="Controllers that run, the leader included, as far as it heard of them")


class SpoolTotals(BaseModel):
    """Results and events that wait on the disks of live workers until Redis takes them."""

    records: int
    size_bytes: int
    lost: int = Field(description="Lost because a spool was full or could not be written, since its worker started")


class VolumeTotals(BaseModel):
    """How full the frames volume is, and what is wrong with it or with the archive."""

    free_bytes: int
    total_bytes: int
    fill_bytes_per_second: float = Field(description="What all together write to it")
    footage_bytes: int = Field(description="Of footage, on the frames volume")
    archive_bytes: int = Field(description="Of footage, in the archive")
    conditions: dict[str, str] = Field(
        description="Name of what is wrong to what it is and what to do; empty: nothing",
        examples=[{"evidence_fills_the_volume": "Footage of events fills the volume ..."}],
    )


class EventTotals(BaseModel):
    """How storing events does."""

    stored: int = Field(description="Events that were written to the database")
    waiting: int = Field(description="Events in Redis that are not stored yet")
    waiting_seconds: float = Field(description="How long the oldest of them has been waiting")
    lost: int = Field(description="Events that made room in Redis before they were stored")
    dead_letters: int = Field(description="Entries that are no events that can be stored, see /events/dead-letters")
    writers: int = Field(description="Event writers that are alive")


class RecognitionTotals(BaseModel):
    """How recognition does, see /recognitions/summary."""

    waiting: int = Field(description="Without a place on a queue, up to 100,000")
    queued: int = Field(description="On a queue, or being done")
    dead: int = Field(description="Given up, until somebody replays them")
    workers: int = Field(description="ReID workers that are alive")
    problems: list[str] = Field(description="What keeps some of them from working, each once")


class FarmTotals(BaseModel):
    """How the farm does as a whole."""

    now_ms: int = Field(description="The controller's clock")
    version: str
    summary: str = Field(examples=["6 of 6 cameras online · 2 workers · 11 objects in view"])
    cameras_total: int
    cameras_by_state: dict[str, int]
    workers_alive: int
    objects_in_view: int
    leader: Leader | None = Field(description="Null while no manager leads")
    load_cores: float | None = Field(description="CPU-seconds a second that all cameras cost; null without a leader")
    capacity_cores: float | None = Field(description="CPU-seconds a second that they may cost; null without a leader")
    required_workers: int | None = Field(
        description="Workers that would carry all cameras, none of them over capacity; null without a leader"
    )
    moves_last_hour: dict[MoveReason, int] = Field(description="Reason to count of moves within the last hour")
    unplaced_total: int = Field(description="Cameras that no worker has")
    unplaced: list[UnplacedCamera] = Field(description="The first hundred of them, by id")
    refused_writes: int = Field(description="Late writes that live workers were refused, since each started")
    refused_plans: int = Field(description="Plans that were refused because another manager led")
    spool: SpoolTotals
    volume: VolumeTotals | None = Field(description="Null while no manager says how it is")
    events: EventTotals | None = Field(description="Null where nobody asked")
    recognitions: RecognitionTotals | None = Field(description="Null where nobody asked")
    plan: PlanReport | None = Field(description="What the leading manager did last; null while none leads")


class FarmStatus(FarmTotals):
    """How the farm does."""

    cameras: list[CameraStatusView]
    next_cursor: str | None
