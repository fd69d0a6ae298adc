"""What the leading manager says of the volumes reaches people: status, metrics and the tables of `./farm status`."""

import io

from flask.testing import FlaskClient
from rich.console import Console

from camera_ctrler.api.services import services_of
from camera_ctrler.recordings.retention import REMEDIES, Condition
from cli.status_tables import FarmTables
from contract.footage_report import FootageReport
from contract.recordings import KeptFor
from runtime.footage_reports import publish_report
from tests.support.farm_state import FarmState, now_ms

FULL = Condition.EVIDENCE_FILLS_THE_VOLUME
REPORT = FootageReport(
    controller_id="m1",
    updated_at_ms=now_ms(),
    free_bytes=5,
    total_bytes=100,
    fill_bytes_per_second=2.0,
    bytes={KeptFor.CONTINUOUS: 10, KeptFor.EVENT: 20},
    archive_bytes={KeptFor.EVENT: 7},
    deleted_bytes={"space": 3},
    oldest_ms={"a": now_ms() - 90_000},
    conditions={FULL: REMEDIES[FULL]},
)


def test_a_condition_of_the_volume_is_in_status_metrics_and_tables(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a volume that is full of evidence, all three say so, and what to do."""
    publish_report(farm_state.client, REPORT)
    answer = api.get("/api/v1/status").json
    assert answer is not None
    assert answer["volume"] == {
        "free_bytes": 5,
        "total_bytes": 100,
        "fill_bytes_per_second": 2.0,
        "footage_bytes": 30,
        "archive_bytes": 7,
        "conditions": {"evidence_fills_the_volume": REMEDIES[FULL]},
    }
    metrics = api.get("/metrics").text
    assert 'farm_recordings_condition{name="evidence_fills_the_volume"} 1.0' in metrics
    assert 'farm_recordings_bytes{kept_for="event",tier="archive"} 7.0' in metrics
    assert 'farm_recordings_deleted_bytes_total{reason="space",tier="volume"} 3.0' in metrics
    shown = Console(file=io.StringIO(), width=200)
    shown.print(FarmTables(services_of(api.application).farm.look()))
    assert isinstance(shown.file, io.StringIO)
    assert "evidence_fills_the_volume: Footage of events fills the volume" in shown.file.getvalue()


def test_while_nobody_says_how_the_volume_is_nothing_is_made_up(api: FlaskClient, farm_state: FarmState) -> None:
    """Given no report, the status has null and the metrics leave the volumes out."""
    assert farm_state.client.ping()
    answer = api.get("/api/v1/status").json
    assert answer is not None
    assert answer["volume"] is None
    assert "farm_recordings_" not in api.get("/metrics").text
