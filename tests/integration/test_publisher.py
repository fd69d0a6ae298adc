"""The thread that writes results: a frozen, absent or full server holds up nobody and everything is counted."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import redis

from contract import keys
from contract.assignments import Assignment
from runtime.clock import SystemClock
from runtime.farm_reader import FarmReader
from runtime.redis_client import connect
from runtime.settings import CommonSettings
from runtime.worker_link import WorkerLink
from tests.support.valkey_server import ValkeyServer
from workers.camera_run import CameraRun
from workers.frames import Detections, Frame
from workers.publisher import QUEUE_LENGTH, Publication, Publisher

CLOCK = SystemClock()


def new_run(epoch: int = 1) -> CameraRun:
    """Make a camera under this worker."""
    return CameraRun(Assignment(camera_id="c", url="rtsp://h/x", epoch=epoch), "w", CLOCK)


def publication(run: CameraRun) -> Publication:
    """Make one analysed frame."""
    frame = Frame("c", run.epoch, CLOCK.now_ms(), CLOCK.monotonic(), np.zeros((2, 2, 3), np.uint8))
    result = run.result(frame, Detections(), {})
    assert result is not None
    return Publication(run, frame, result, b"jpeg")


class Refusals:
    """Takes note of what was refused."""

    def __init__(self) -> None:
        self.epochs: list[int] = []

    def __call__(self, run: CameraRun, epoch: int) -> None:
        """Note one refusal and mark the camera as the pipeline does."""
        self.epochs.append(epoch)
        run.refused(epoch)


@pytest.fixture
def client(own_valkey: ValkeyServer) -> Iterator[redis.Redis]:
    """A data client with a short time-out."""
    with connect(CommonSettings(redis_url=own_valkey.url), name="t", timeout_seconds=0.2) as made:
        yield made


def publisher_on(client: redis.Redis, refusals: Refusals | None = None) -> Publisher:
    """Make a publisher."""
    return Publisher(WorkerLink(client, "w", frame_index_size=10), CLOCK, refusals or Refusals())


def until_counted(run: CameraRun, count: int) -> None:
    """Wait until so many frames are accounted for."""
    deadline = time.monotonic() + 10
    pause = threading.Event()
    while time.monotonic() < deadline:
        totals = run.totals()
        if totals.analysed + totals.dropped >= count:
            return
        pause.wait(0.02)
    raise AssertionError(f"{run.totals()} and not {count}")


def test_results_arrive_in_order_with_the_time_they_were_published(redis_client: redis.Redis) -> None:
    """Given three results, the newest stands in Redis, stamped when it was written."""
    run = new_run()
    publisher = publisher_on(redis_client)
    for _ in range(3):
        publisher.put(publication(run))
    assert publisher.close(10) == 0
    result = FarmReader(redis_client).results(["c"])["c"]
    assert result.seq == 3
    assert result.published_at_ms >= result.captured_at_ms
    assert run.totals().analysed == 3


def test_a_frozen_server_blocks_nobody_and_every_lost_result_is_counted(
    own_valkey: ValkeyServer, client: redis.Redis
) -> None:
    """Given a frozen server, when more results come than the queue holds, then leaving them takes no time."""
    run = new_run()
    publisher = publisher_on(client)
    publisher.put(publication(run))
    until_counted(run, 1)
    own_valkey.freeze()
    before = time.monotonic()
    for _ in range(QUEUE_LENGTH + 100):
        publisher.put(publication(run))
    assert time.monotonic() - before < 2.0  # as long as one answer may take, for six hundred of them
    until_counted(run, QUEUE_LENGTH + 101)
    assert run.status({}).frames_dropped == {"redis_away": QUEUE_LENGTH + 100}
    own_valkey.thaw()
    time.sleep(1.1)  # the pause after a failure
    publisher.put(publication(run))
    assert publisher.close(10) == 0
    assert run.totals().analysed == 2


def test_a_server_that_refuses_writes_is_treated_as_away(own_valkey: ValkeyServer, client: redis.Redis) -> None:
    """Given a server whose memory is full, results are dropped and counted, and go on when there is room again."""
    run = new_run()
    publisher = publisher_on(client)
    with own_valkey.client() as direct:
        direct.config_set("maxmemory", 1)
        for _ in range(5):
            publisher.put(publication(run))
        until_counted(run, 5)
        direct.config_set("maxmemory", 0)
    assert run.status({}).frames_dropped == {"redis_away": 5}
    time.sleep(1.1)
    publisher.put(publication(run))
    publisher.close(10)
    assert run.totals().analysed == 1


def test_after_a_refusal_nothing_of_that_camera_is_tried_again(redis_client: redis.Redis) -> None:
    """Given a camera that another worker has, the first result is refused and told of, the rest is given up."""
    redis_client.set(keys.camera_epoch("c"), 9)
    run, refusals = new_run(epoch=3), Refusals()
    publisher = publisher_on(redis_client, refusals)
    for _ in range(4):
        publisher.put(publication(run))
    assert publisher.close(10) == 0
    assert refusals.epochs == [3]
    assert publisher.refused_writes == 1
    assert run.status({}).frames_dropped == {"refused": 1, "given_up": 3}
    assert FarmReader(redis_client).results(["c"]) == {}


def test_closing_ends_even_while_the_server_is_frozen(own_valkey: ValkeyServer, client: redis.Redis) -> None:
    """Given a frozen server and waiting results, closing takes no longer than it may and counts them."""
    run = new_run()
    publisher = publisher_on(client)
    own_valkey.freeze()
    for _ in range(10):
        publisher.put(publication(run))
    before = time.monotonic()
    publisher.close(0.1)
    assert time.monotonic() - before < 1.0
    own_valkey.thaw()
    until_counted(run, 10)
