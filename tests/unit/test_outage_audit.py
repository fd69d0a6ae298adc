"""The audit that outages are judged by finds what is missing, doubled and out of order."""

from contract.detections import AnalysisResult
from contract.events import Event, EventKind
from tests.support.outage_audit import Audit, examine


def results(*numbers: tuple[int, int, int]) -> list[AnalysisResult]:
    """Make results of (epoch, seq, time of capture)."""
    return [
        AnalysisResult(
            camera_id="c",
            epoch=epoch,
            seq=seq,
            worker_id="w",
            captured_at_ms=at_ms,
            published_at_ms=at_ms,
            width=2,
            height=2,
        )
        for epoch, seq, at_ms in numbers
    ]


def events(*numbers: tuple[int, int]) -> list[Event]:
    """Make events of (epoch, number)."""
    return [
        Event(
            event_id=f"c:{epoch}:{number}",
            kind=EventKind.CAMERA_ONLINE,
            camera_id="c",
            epoch=epoch,
            number=number,
            worker_id="w",
            at_ms=1,
        )
        for epoch, number in numbers
    ]


def test_streams_without_a_gap_have_no_fault() -> None:
    """Given two epochs of one camera, each counted from one, nothing is wrong."""
    found = examine({"c": results((1, 1, 10), (1, 2, 20), (2, 1, 30))}, events((1, 1), (2, 1), (1, 2)))
    assert found == Audit(results=3, events=3)
    assert found.faults == {}


def test_what_is_missing_doubled_or_out_of_order_is_counted() -> None:
    """Given a gap, a frame that stands there twice and one that came late, each is found, of results and of events."""
    found = examine(
        {"c": results((1, 1, 10), (1, 4, 40), (1, 5, 40), (1, 6, 35))}, events((1, 1), (1, 3), (1, 3), (1, 2), (1, 5))
    )
    assert found.faults == {
        "results_missing": 2,
        "results_doubled": 1,
        "events_missing": 1,
        "events_doubled": 1,
        "events_out_of_order": 2,
    }
    late = examine({"c": results((1, 2, 20), (1, 1, 10))}, [])
    assert late.faults == {"results_out_of_order": 1}
