"""A batch in front of its recognisers: who is asked together, alone, again, and what comes of those that misbehave."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from contract.crops import Crop
from contract.events import EventKind
from contract.recognition import RecognitionRequest
from contract.reid_workers import DispatcherFigures, ReidWorkerStatus
from reid.crop_files import CropFiles
from reid.figures import ReidCollector
from reid.queue.answering import Asked
from reid.queue.recognising import Recognising
from reid.queue.ticket import Ticket
from reid.queue.time_limit import TookTooLongError
from reid.recognisers.recogniser import LoadedRequest, Recognition
from tests.support.clocks import SetClock
from tests.support.recognitions import ToldRecogniser


class Short(ToldRecogniser):
    """Gives one result too few whenever it is asked of an event that is called so."""

    def recognise(self, requests: Sequence[LoadedRequest]) -> list[Recognition]:
        """Leave one out."""
        found = super().recognise(requests)
        return found[1:] if any(each.request.event_id == "e3" for each in requests) else found


class CountedFiles(CropFiles):
    """Counts what is read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.read: list[str] = []

    def _read(self, event_id: str, path: str) -> bytes:
        self.read.append(path)
        return super()._read(event_id, path)


@pytest.fixture
def files(tmp_path: Path) -> CountedFiles:
    """A volume with one crop."""
    (tmp_path / "a.jpg").write_bytes(bytes(cv2.imencode(".jpg", np.zeros((4, 4, 3), np.uint8))[1]))
    return CountedFiles(tmp_path)


def asked(number: int, by: str = "counting", attempts: int = 0) -> Asked:
    """Return a request with that crop."""
    crop = Crop(path="a.jpg", captured_at_ms=1, xyxy=(0, 0, 4, 4), width=4, height=4, confidence=1, quality=1)
    request = RecognitionRequest(
        event_id=f"e{number}",
        recogniser=by,
        kind=EventKind.TRACK_ENDED,
        at_ms=1,
        camera_id="lobby",
        track="t",
        started_at_ms=1,
        class_name="person",
        crops=[crop],
    )
    return Asked(Ticket(request.event_id, by), request, attempts)


def recognising(files: CropFiles, *recognisers: ToldRecogniser) -> Recognising:
    """Return what asks them."""
    return Recognising({each.name: each for each in recognisers}, files, nullcontext, SetClock())


def test_too_few_results_cost_only_the_request_that_is_the_reason(files: CountedFiles) -> None:
    """Given a recogniser that leaves a result out for one event of eight, seven have results and it has the reason."""
    answers, failures = recognising(files, Short()).recognise([asked(number) for number in range(8)])
    assert sorted(answer.asked.ticket.event_id for answer in answers) == [f"e{n}" for n in range(8) if n != 3]
    assert [(each.asked.ticket.event_id, each.reason) for each in failures] == [
        ("e3", "counting gave 0 results for 1 requests")
    ]


def test_what_takes_too_long_is_looked_for_one_by_one(files: CountedFiles) -> None:
    """Given one of eight that takes too long, it costs the limit twice, and not once for every half that has it."""
    told = ToldRecogniser(breaks={"e5": TookTooLongError("long")})
    answers, failures = recognising(files, told).recognise([asked(number) for number in range(8)])
    assert len(answers) == 7
    assert "FARM_REID_TIMEOUT_SECONDS" in failures[0].reason
    assert failures[0].is_passing
    assert sum("e5" in call for call in told.calls) == 2


def test_one_that_fails_is_found_by_halves(files: CountedFiles) -> None:
    """Given one of sixteen that fails, some nine calls find it, and it is tried alone last."""
    told = ToldRecogniser(breaks={"e9": ValueError("no")})
    with capture_logs():
        answers, failures = recognising(files, told).recognise([asked(number) for number in range(16)])
    assert len(answers) == 15
    assert failures[0].reason == "counting failed: ValueError: no"
    assert len(told.calls) == 9


def test_what_failed_before_is_asked_alone_after_the_others(files: CountedFiles) -> None:
    """Given two that failed before among four, they go alone and last: they may end the process."""
    told = ToldRecogniser()
    recognising(files, told).recognise([asked(1, attempts=1), asked(2), asked(3, attempts=4), asked(4)])
    assert told.calls == [["e2", "e4"], ["e1"], ["e3"]]


def test_a_crop_that_several_look_at_is_read_once(files: CountedFiles) -> None:
    """Given two recognisers that are asked of the same crops, each crop is read from the volume once."""
    batch = [asked(number, by) for number in (1, 2) for by in ("counting", "else")]
    answers, _ = recognising(files, ToldRecogniser(), ToldRecogniser("else")).recognise(batch)
    assert len(answers) == 4
    assert files.read == ["a.jpg"]


def test_metrics_have_what_a_reid_worker_says_of_itself() -> None:
    """Given a status of one that leads, its figures are there under the recognisers' and the queues' names."""
    status = ReidWorkerStatus(
        worker_id="reid-1",
        host="h",
        pid=1,
        version="1",
        started_at_ms=1,
        updated_at_ms=1,
        recognisers={"colours": "1", "reid": "2"},
        done={"colours": 3},
        problem="the database",
        dispatcher=DispatcherFigures(waiting=7, queued={"low": 2}),
    )
    registry = CollectorRegistry()
    registry.register(ReidCollector(lambda: status))
    lines = generate_latest(registry).decode().splitlines()
    for line in (
        'farm_reid_recognitions_done_total{recogniser="colours"} 3.0',
        'farm_reid_recognitions_done_total{recogniser="reid"} 0.0',
        "farm_reid_waits 1.0",
        "farm_reid_dispatches 1.0",
        "farm_reid_waiting 7.0",
        'farm_reid_queued{queue="low"} 2.0',
    ):
        assert line in lines
