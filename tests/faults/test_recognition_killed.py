"""ReID workers, event writers and Redis are killed in turn under load: nothing is lost, nothing is done twice."""

from pathlib import Path

import pytest

from tests.support.reid_farm import ReidFarm
from tests.support.reid_kills import kill_in_turn


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_six_kills_under_load_cost_no_event_no_crop_and_no_recognition(
    tmp_path: Path, request: pytest.FixtureRequest, database: str
) -> None:
    """Given events that come all the time, when each part is killed twice, all are stored and recognised once."""
    url = str(request.getfixturevalue("postgres_url")) if database == "postgresql" else ""
    with ReidFarm(tmp_path, reid=2, settings={"FARM_REID_BATCH": "8"}, url=url) as farm:
        farm.tell(seconds=0.06)
        farm.start()
        outcome = kill_in_turn(farm, 6, every_seconds=3.0, events_per_second=20)
    assert outcome.kills == {"ReID worker": 2, "event writer": 2, "Redis": 2}
    assert outcome.audit.published > 100
    assert outcome.audit.faults == {}
    assert outcome.dead_letters == 0
