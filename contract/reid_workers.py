"""What a ReID worker says of itself."""

from pydantic import BaseModel

from contract.ids import WorkerId


class DispatcherFigures(BaseModel):
    """What the dispatcher of recognition has done since it leads, and what lies before it."""

    #: Recognitions that have no place on a queue yet; counted as far as some multiples of the bound.
    waiting: int = 0
    #: Recognitions on each queue, those being done among them.
    queued: dict[str, int] = {}
    #: Recognitions that it made of events.
    asked: int = 0
    #: Crops that are not looked at because there was too much to do.
    crops_left_out: int = 0
    #: Recognitions that lay on no queue any more although they should, and were put there again.
    requeued: int = 0
    #: Recognitions taken back from ReID workers that were gone.
    taken_back: int = 0


class ReidWorkerStatus(BaseModel):
    """What a ReID worker does.

    Clock: times are Unix milliseconds UTC by its host's clock.
    """

    worker_id: WorkerId
    host: str
    pid: int
    version: str
    started_at_ms: int
    updated_at_ms: int
    #: Name of each recogniser that it runs -> version.
    recognisers: dict[str, str] = {}
    #: Recognitions in its hands.
    in_hand: int = 0
    #: Since it started, by recogniser: done, tried in vain, given up.
    done: dict[str, int] = {}
    failed: dict[str, int] = {}
    dead: dict[str, int] = {}
    crops: int = 0
    batches: int = 0
    #: Seconds that recognisers took.
    busy_seconds: float = 0.0
    #: What it waits for: the database, the frames volume; empty: nothing.
    problem: str = ""
    #: Only of the one that leads.
    dispatcher: DispatcherFigures | None = None
