"""Whether people can be recognised, from what ReID workers say of themselves."""

import pytest

from camera_ctrler.identities.recognising import RecognisingState, recognising
from contract.reid_workers import ReidWorkerStatus
from runtime.reid_reader import ReidWorkerView

MODEL = {"reid": "osnet-1", "colours": "1"}


def _worker(recognisers: dict[str, str] | None, *, problem: str = "", alive: bool = True) -> ReidWorkerView:
    status = ReidWorkerStatus(
        worker_id="r",
        host="h",
        pid=1,
        version="0",
        started_at_ms=0,
        updated_at_ms=0,
        recognisers=recognisers or {},
        problem=problem,
    )
    return ReidWorkerView("r", alive, None if recognisers is None else status)


@pytest.mark.parametrize(
    ("workers", "state", "remedy"),
    [
        ([], RecognisingState.NO_WORKER, "./farm reid"),
        ([_worker(MODEL, alive=False)], RecognisingState.NO_WORKER, "./farm reid"),
        ([_worker({"colours": "1"})], RecognisingState.NO_MODEL, "./farm models fetch"),
        ([_worker(MODEL, problem="the database: gone")], RecognisingState.WAITS, "by themselves"),
        ([_worker(MODEL, problem="the database: gone"), _worker(MODEL)], RecognisingState.RUNS, ""),
        ([_worker({"colours": "1"}), _worker(MODEL)], RecognisingState.RUNS, ""),
        ([_worker(None)], RecognisingState.RUNS, ""),
    ],
)
def test_what_keeps_people_from_being_recognised_is_said_with_what_helps(
    workers: list[ReidWorkerView], state: RecognisingState, remedy: str
) -> None:
    """Given some ReID workers, then one that can is enough; else it is said what is missing, and how to get it."""
    found = recognising(workers)
    assert found.state is state
    assert remedy in found.remedy
    assert bool(found.text) is (state is not RecognisingState.RUNS)
