"""`./farm recognitions`: what recognisers say, and a poison recognition that is seen and replayed after a fix."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine
from structlog.testing import capture_logs

from contract.recognition import RecognitionState
from tests.support.commands import Call
from tests.support.recognitions import RecognitionFarm, seen_event
from tests.support.segment_index import migrated


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The database of the data folder that commands use."""
    (tmp_path / "data").mkdir()
    with migrated(f"sqlite:///{tmp_path / 'data' / 'camfarm.sqlite3'}") as opened:
        yield opened


@pytest.fixture
def farm(engine: Engine, redis_client: redis.Redis, tmp_path: Path) -> RecognitionFarm:
    """Dispatcher and ReID workers on that database."""
    (tmp_path / "frames").mkdir()
    return RecognitionFarm(engine, redis_client, tmp_path / "frames")


def fail_one_of_three(farm: RecognitionFarm) -> None:
    """Let three events be recognised, of which the second is a dead letter afterwards."""
    farm.recogniser.breaks["lobby:1:2"] = ValueError("no such thing as a nose")
    saved = farm.save_crop("lobby/crops/20261121/08/1.jpg")
    farm.happen(*(seen_event(number, [saved]) for number in (1, 2, 3)))
    dispatcher, worker = farm.dispatcher(), farm.worker()
    with capture_logs():  # they would be taken for what a command says
        for _ in range(5):
            farm.settle(dispatcher, worker)
            farm.clock.advance(20)


def test_a_poison_recognition_is_seen_and_replayed_after_a_fix(call: Call, farm: RecognitionFarm) -> None:
    """Given a dead letter, the list says why, and after the fix it is replayed and shown with its result."""
    fail_one_of_three(farm)
    listed = call("recognitions", "list", "--state", "dead")
    assert listed.returncode == 0, listed.stderr
    assert "lobby:1:2" in listed.stdout
    assert "nose" in listed.stdout
    assert "lobby:1:1" not in listed.stdout
    assert "0 waiting, 0 queued, 1 dead" in listed.stdout
    shown = call("recognitions", "show", "lobby:1:2").stdout
    assert "counting: dead, 3 tries in vain" in shown
    assert "crop: lobby/crops/20261121/08/1.jpg (24 x 48, quality 0.80)" in shown
    farm.recogniser.breaks.clear()
    assert call("recognitions", "replay", "--event", "lobby:1:2").stdout == "1 recognitions are tried again\n"
    farm.settle(farm.dispatcher(), farm.worker("reid-2"))
    assert farm.states() == {"done": 3}
    (document,) = json.loads(call("recognitions", "show", "lobby:1:2", "--json").stdout)
    assert (document["state"], document["result"], document["reason"]) == ("done", {"crops": 1}, None)
    assert len(json.loads(call("recognitions", "list", "--json", "--state", "done").stdout)) == 3


def test_dead_letters_are_deleted_only_when_it_is_said_which(call: Call, farm: RecognitionFarm) -> None:
    """Given a dead letter, a command without a choice changes nothing and says so; with one it is forgotten."""
    fail_one_of_three(farm)
    for command in ("replay", "delete"):
        refused = call("recognitions", command)
        assert refused.returncode == 1
        assert refused.stderr == "farm: say which dead letters: --event, --recogniser, --camera, or --all\n"
    assert call("recognitions", "delete", "--camera", "gate").stdout == "0 recognitions are deleted\n"
    assert farm.states()[RecognitionState.DEAD] == 1
    assert call("recognitions", "delete", "--all").stdout == "1 recognitions are deleted\n"
    assert farm.states() == {"done": 2}


def test_an_event_that_nobody_was_asked_of_is_refused_by_name(call: Call, farm: RecognitionFarm) -> None:
    """Given an event without recognitions, the command ends with one line that says so."""
    assert farm.rows() == {}
    answer = call("recognitions", "show", "lobby:1:9")
    assert answer.returncode == 1
    assert answer.stderr.startswith("farm: no recogniser was asked of event 'lobby:1:9'")
