"""The fence: what the scripts inside the server accept and refuse, through the code that workers and managers use."""

import json
import threading

import pytest
import redis

from camera_ctrler.planning.plan_publisher import CHUNK, NotLeadingError, Operations, PlanPublisher
from contract import keys
from contract.assignments import Assignment
from contract.cameras import CameraState, CameraStatus
from contract.detections import AnalysisResult
from runtime.farm_reader import FarmReader
from runtime.scripts import Script
from runtime.worker_link import WorkerLink, Written


def result(epoch: int, seq: int = 1, frame_path: str | None = None, at_ms: int = 1000) -> AnalysisResult:
    """Make the result of a frame of camera ``c``."""
    return AnalysisResult(
        camera_id="c",
        epoch=epoch,
        seq=seq,
        worker_id="w",
        captured_at_ms=at_ms,
        published_at_ms=at_ms,
        width=2,
        height=2,
        frame_path=frame_path,
    )


def status(epoch: int) -> CameraStatus:
    """Make a status of camera ``c``."""
    return CameraStatus(camera_id="c", worker_id="w", epoch=epoch, state=CameraState.ONLINE, updated_at_ms=1)


@pytest.fixture
def link(redis_client: redis.Redis) -> WorkerLink:
    """One worker's side of the server."""
    return WorkerLink(redis_client, "w", frame_index_size=3)


def test_the_first_result_of_a_newer_epoch_refuses_the_former_one(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given two workers with a camera, when the newer one has written, then the former one changes nothing more."""
    assert link.publish_result(result(1), b"one") is Written.ACCEPTED
    assert link.publish_result(result(2), b"two") is Written.ACCEPTED
    assert link.publish_result(result(1, seq=99, frame_path="c/19700101/00/9.jpg"), b"late") is Written.REFUSED
    reader = FarmReader(redis_client)
    preview = reader.preview("c")
    assert preview is not None
    assert (preview.jpeg, preview.result.epoch) == (b"two", 2)
    assert reader.results(["c"])["c"].epoch == 2
    assert reader.indexed_frames("c", 0, 10_000) == []
    assert reader.camera_epochs(["c", "none"]) == {"c": 2, "none": 0}


def test_epochs_are_compared_as_numbers(link: WorkerLink) -> None:
    """Given epoch 9, epoch 10 is newer."""
    assert link.publish_result(result(9), None) is Written.ACCEPTED
    assert link.publish_result(result(10), None) is Written.ACCEPTED
    assert link.publish_result(result(9), None) is Written.REFUSED


def test_a_status_raises_no_fence_and_waits_for_the_first_result(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given a handover, the new worker's status is early until its first result, and the former one's late then."""
    link.publish_result(result(1), None)
    assert link.publish_statuses([status(1)])[0] is Written.ACCEPTED
    assert link.publish_statuses([status(2)])[0] is Written.EARLY
    assert FarmReader(redis_client).heard_statuses(["c"])["c"].message.epoch == 1
    link.publish_result(result(2), None)
    assert link.publish_statuses([status(2)])[0] is Written.ACCEPTED
    assert link.publish_statuses([status(1)])[0] is Written.REFUSED


def test_the_index_keeps_the_newest_frames_and_reads_by_time(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given an index of three, when five frames were saved, then the newest three are found by their time."""
    for seq, number in enumerate((1, 2, 5, 4, 3), start=1):
        link.publish_result(result(1, seq, f"c/19700101/00/{number}.jpg", at_ms=number), None)
    reader = FarmReader(redis_client)
    assert reader.indexed_frames("c", 0, 100) == [f"c/19700101/00/{number}.jpg" for number in (3, 4, 5)]
    assert reader.indexed_frames("c", 4, 5) == ["c/19700101/00/4.jpg"]


def test_what_workers_write_does_not_stay_for_ever(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given a result, a preview and a status, each has the lifetime that the contract says; the fence has none."""
    link.publish_result(result(1), b"x")
    link.publish_statuses([status(1)])
    lifetimes = {
        keys.camera_result("c"): 86_400,
        keys.camera_preview("c"): 15,
        keys.camera_status("c"): 60,
        keys.camera_epoch("c"): -1,
    }
    for key, seconds in lifetimes.items():
        assert seconds - 2 <= int(redis_client.ttl(key)) <= seconds


def test_live_views_are_told_of_a_result(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given a live view that listens, when a result is accepted, then it hears its number; a refused one is silent."""
    with redis_client.pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe(keys.camera_channel("c"))
        assert listener.get_message(timeout=1) is None
        link.publish_result(result(2, seq=7), b"x")
        link.publish_result(result(1, seq=8), b"x")
        heard = [message for _ in range(3) if (message := listener.get_message(timeout=0.2))]
    assert [message["data"] for message in heard] == [b"7"]


def test_scripts_are_loaded_again_when_the_server_has_lost_them(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given a server that has forgotten its scripts, the next call works."""
    link.publish_result(result(1), None)
    redis_client.script_flush()
    assert link.publish_result(result(2), None) is Written.ACCEPTED


# --- plans --------------------------------------------------------------------------------------------------------


def assignment(camera_id: str = "c", epoch: int = 1, name: str = "") -> Assignment:
    """Make an assignment."""
    return Assignment(camera_id=camera_id, name=name, url="rtsp://h/x", epoch=epoch)


def test_a_plan_of_somebody_who_does_not_lead_changes_nothing(redis_client: redis.Redis) -> None:
    """Given another leader, or none, a plan is refused and nothing of it is written."""
    for holder in ("another", None):
        redis_client.flushall()
        if holder:
            redis_client.set(keys.controller_lease(), holder)
        operations = Operations()
        operations.assign("w", assignment(), fence=True)
        before = set(redis_client.keys())
        with pytest.raises(NotLeadingError):
            PlanPublisher(redis_client, "me").publish(operations)
        assert set(redis_client.keys()) == before


def test_names_in_any_script_and_quotes_arrive_as_they_were(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given a name with quotes, backslashes and signs outside the basic plane, the worker reads the same name."""
    redis_client.set(keys.controller_lease(), "me")
    name = 'Tür "3" \\ 出口 🎥 é'
    operations = Operations()
    operations.assign("w", assignment(name=name), fence=False)
    PlanPublisher(redis_client, "me").publish(operations)
    assert link.orders().assignments == {"c": assignment(name=name)}


def test_an_assignment_raises_the_fence_only_when_told_and_never_lowers_it(redis_client: redis.Redis) -> None:
    """Given assignments with and without fencing, the fence is the largest number that was asked for."""
    redis_client.set(keys.controller_lease(), "me")
    publisher, reader = PlanPublisher(redis_client, "me"), FarmReader(redis_client)
    for epoch, fence, expected in ((5, False, 0), (6, True, 6), (7, False, 6), (2, True, 6)):
        operations = Operations()
        operations.assign("w", assignment(epoch=epoch), fence=fence)
        publisher.publish(operations)
        assert reader.camera_epochs(["c"]) == {"c": expected}


def test_a_plan_larger_than_a_chunk_arrives_whole_and_in_order(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given a plan of several chunks, all of it is written, later operations after earlier ones, and workers wake."""
    redis_client.set(keys.controller_lease(), "me")
    link.wait_for_change(0.01)
    operations = Operations()
    for number in range(CHUNK + 10):
        operations.assign("w", assignment(f"c{number}"), fence=True)
    operations.withdraw("w", "c0")
    PlanPublisher(redis_client, "me").publish(operations)
    assert link.orders().assignments.keys() == {f"c{number}" for number in range(1, CHUNK + 10)}
    assert link.wait_for_change(0.01)
    assert not link.wait_for_change(0.01)


def test_a_worker_that_waits_is_woken_at_once(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given a worker that waits for up to four seconds, when a plan concerns it, then it hears of it at once."""
    redis_client.set(keys.controller_lease(), "me")
    assert link.wait_for_change(4)  # the first look: what came before is not known
    heard: list[bool] = []
    waiting = threading.Thread(target=lambda: heard.append(link.wait_for_change(4)))
    waiting.start()
    operations = Operations()
    operations.assign("w", assignment(), fence=True)
    PlanPublisher(redis_client, "me").publish(operations)
    waiting.join(2)
    assert heard == [True]


def test_a_forgotten_camera_leaves_only_its_fence(redis_client: redis.Redis, link: WorkerLink) -> None:
    """Given a camera with everything in Redis, when it is forgotten, then its fence alone stays and refuses."""
    redis_client.set(keys.controller_lease(), "me")
    link.publish_result(result(1, frame_path="c/19700101/00/1.jpg"), b"x")
    link.publish_statuses([status(1)])
    operations = Operations()
    operations.fence("c", 2)
    operations.forget_camera("c")
    PlanPublisher(redis_client, "me").publish(operations)
    assert set(redis_client.keys("farm:camera:*")) == {keys.camera_epoch("c").encode()}
    assert link.publish_result(result(1), b"late") is Written.REFUSED
    assert link.publish_statuses([status(1)])[0] is Written.REFUSED


def test_an_assignment_that_cannot_be_read_does_not_hide_the_others(
    redis_client: redis.Redis, link: WorkerLink
) -> None:
    """Given one assignment of a newer version, the worker and the manager still read the others."""
    redis_client.hset(keys.assignments("w"), "a", json.dumps({"from": "the future"}))
    redis_client.hset(keys.assignments("w"), "b", assignment("b").model_dump_json())
    assert link.orders().assignments.keys() == {"b"}
    assert FarmReader(redis_client).assignments(["w"])["w"].keys() == {"b"}


def test_a_plan_costs_the_server_little(redis_client: redis.Redis) -> None:
    """Given the largest chunk, when it runs, then the server notes no call slower than a lease can bear."""
    redis_client.config_set("slowlog-log-slower-than", 500_000)
    redis_client.slowlog_reset()
    redis_client.set(keys.controller_lease(), "me")
    operations = Operations()
    for number in range(CHUNK):
        operations.assign("w", assignment(f"c{number}", name="x" * 200), fence=True)
    PlanPublisher(redis_client, "me").publish(operations)
    assert redis_client.slowlog_len() == 0
    assert Script(redis_client, "release_lease")([keys.controller_lease()], ["me"]) == 1
