"""ReID workers as processes: killed, stopped, asked twice, with Redis emptied, and with a recogniser that hangs."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract import keys
from contract.recognition import RecognitionState
from runtime import exit_codes
from runtime.reid_reader import ReidReader
from tests.support.api_server import REPOSITORY
from tests.support.processes import wait_until
from tests.support.reid_farm import ReidFarm

BATCH = {"FARM_REID_BATCH": "4"}


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[ReidFarm]:
    """A farm with two ReID workers that take four at a time; not started."""
    with ReidFarm(tmp_path, reid=2, settings=BATCH | {"FARM_REID_TIMEOUT_SECONDS": "2"}) as farm:
        yield farm


def in_hand(farm: ReidFarm) -> dict[int, int]:
    """Return process id -> jobs in its hands, as the queues say."""
    with farm.server.client() as client:
        views = ReidReader(client).workers()
        entries = [entry for queue in ("high", "default", "low") for entry in client.zrange(f"rq:wip:{queue}", 0, -1)]
    pids = {view.worker_id: view.status.pid for view in views if view.status}
    found = dict.fromkeys(pids.values(), 0)
    for entry in entries:
        worker = entry.decode().rpartition(":")[2]
        if worker in pids:
            found[pids[worker]] += 1
    return found


@pytest.mark.slow
def test_a_killed_workers_batch_is_done_by_the_other_and_each_event_once(farm: ReidFarm) -> None:
    """Given two workers in the middle of batches, when one is killed, all events have one result within seconds."""
    farm.tell(seconds=0.1)
    farm.start()
    farm.publish(farm.event() for _ in range(28))
    victim, other = farm.reid
    wait_until(lambda: bool(in_hand(farm).get(victim.pid)) and bool(in_hand(farm).get(other.pid)), "batches in hand")
    victim.kill()
    farm.wait_all_done(30)
    assert farm.audit().faults == {}
    again = [row for row in farm.results().values() if row.attempts]
    assert 1 <= len(again) <= 4
    assert {row.attempts for row in again} == {1}
    # And the one that is left ends in order when it is asked to.
    assert other.stop() == exit_codes.DONE
    with farm.server.client() as client:
        assert client.smembers(keys.reid_workers()) == set()
        assert client.exists(keys.dispatcher_lease()) == 0


def test_a_worker_that_is_asked_to_stop_finishes_its_batch(farm: ReidFarm) -> None:
    """Given a worker in the middle of a batch, when it is asked to end, its batch is done and no job is held."""
    farm.tell(seconds=0.2)
    farm.reid = farm.reid[:1]
    farm.start()
    farm.publish(farm.event() for _ in range(20))
    (worker,) = farm.reid
    wait_until(lambda: in_hand(farm).get(worker.pid) == 4, "a batch in hand")
    assert worker.stop() == exit_codes.DONE
    states = farm.states()
    assert 4 <= states[RecognitionState.DONE] < 20
    with farm.server.client() as client:
        assert client.zcard("rq:wip:default") == 0
    assert {row.attempts for row in farm.results().values()} == {0}
    assert farm.audit().kept_twice == 0


@pytest.mark.long
def test_a_worker_that_is_asked_twice_leaves_at_once_and_its_batch_is_anothers(farm: ReidFarm) -> None:
    """Given a long batch, a second signal ends its worker before it is done, and another one does it."""
    farm.tell(seconds=0.5)
    farm.start()
    farm.publish(farm.event() for _ in range(8))
    first, other = farm.reid
    wait_until(lambda: bool(in_hand(farm).get(first.pid)), "a batch in hand")
    subprocess.run(["kill", "-TERM", str(first.pid)], check=True)
    wait_until(lambda: first.exit_code() is None, "it to hear the first")
    farm.tell(seconds=0.0)
    subprocess.run(["kill", "-TERM", str(first.pid)], check=True)
    wait_until(lambda: first.exit_code() is not None, "it to leave", 10)
    assert first.exit_code() in {exit_codes.FORCED, exit_codes.DONE}
    farm.wait_all_done(30)
    assert farm.audit().faults == {}
    assert other.exit_code() is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "keep_data", [pytest.param(True, marks=pytest.mark.long, id="with its data"), pytest.param(False, id="without")]
)
def test_redis_restarted_with_jobs_queued_costs_no_recognition(farm: ReidFarm, keep_data: bool) -> None:
    """Given jobs on the queues and in hand, when Redis is killed and started again, every event has one result."""
    farm.tell(seconds=0.1)
    farm.start()
    farm.publish(farm.event() for _ in range(40))
    wait_until(lambda: farm.states()[RecognitionState.QUEUED] >= 10, "jobs on the queues")
    # What is in Redis alone, its events in the stream, is lost with it.
    wait_until(lambda: farm.states()["noted"] == 0 and farm.states().total() == 40, "all events to be stored")
    farm.restart_redis(keep_data=keep_data)
    farm.tell(seconds=0.01)
    farm.wait_all_done(60)
    assert farm.audit().faults == {}
    assert all(part.exit_code() is None for part in farm.reid)


def test_a_recognition_that_takes_too_long_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Given one request that never ends, the others of its batch are done, and it is a dead letter with the reason."""
    settings = BATCH | {"FARM_REID_TIMEOUT_SECONDS": "1", "FARM_REID_RETRIES": "1"}
    with ReidFarm(tmp_path, reid=1, settings=settings) as farm:
        farm.tell(event_3="hang")
        farm.start()
        farm.publish(farm.event() for _ in range(8))
        farm.wait_all_done(30)
        rows = farm.results()
        dead = [row for row in rows.values() if row.state == RecognitionState.DEAD]
        assert [row.event_id for row in dead] == ["lobby:1:3"]
        assert "too long" in dead[0].reason
        assert "FARM_REID_TIMEOUT_SECONDS" in dead[0].reason


def test_wrong_settings_end_it_with_the_remedy(tmp_path: Path) -> None:
    """Given a recogniser that does not exist, or no Redis, it says so in one line, and how it ends tells which."""
    environment = {"PATH": "", "FARM_ENV_FILE": "/dev/null", "FARM_DATA_DIR": str(tmp_path)}

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "reid"]
        given = environment | {f"FARM_{name.upper()}": value for name, value in more.items()}
        return subprocess.run(
            command, cwd=REPOSITORY, env=given, capture_output=True, text=True, check=False, timeout=60
        )

    unknown = run(recognisers="nose", redis_url="redis://127.0.0.1:1/0")
    assert unknown.returncode == exit_codes.UNUSABLE
    assert "FARM_RECOGNISERS has 'nose', and there is no such recogniser" in unknown.stderr
    away = run(recognisers="colours", redis_url="redis://127.0.0.1:1/0")
    assert away.returncode == exit_codes.NOT_YET
    assert "check FARM_REDIS_URL" in away.stderr.splitlines()[-1]
