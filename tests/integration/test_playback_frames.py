"""Saved frames are found by time, whatever Redis still knows."""

from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from camera_ctrler.playback.saved_frames.frame_index import FrameIndex
from contract import keys
from contract.frame_paths import captured_at_ms, frame_path
from runtime.farm_reader import FarmReader
from runtime.frame_store import FrameStore
from tests.support.clocks import SetClock
from tests.support.farm_state import FarmState, now_ms

FRAMES = "/api/v1/cameras/lobby/frames"
NOW = 1_790_000_000_000


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    saved=st.sets(st.integers(NOW - 400_000, NOW), max_size=25),
    known=st.sets(st.integers(NOW - 400_000, NOW), max_size=25),
    bounds=st.tuples(st.integers(NOW - 450_000, NOW + 10), st.integers(NOW - 450_000, NOW + 10)).map(sorted),
)
def test_the_volume_is_the_truth_whatever_redis_says(
    redis_client: redis.Redis,
    tmp_path_factory: pytest.TempPathFactory,
    saved: set[int],
    known: set[int],
    bounds: list[int],
) -> None:
    """Given any frames on the volume and any index, then exactly the frames of the range come, once, in order."""
    root: Path = tmp_path_factory.mktemp("frames")
    store = FrameStore(root)
    for time_ms in saved:
        store.save(frame_path("lobby", time_ms), b"x")
    redis_client.delete(keys.camera_frames("lobby"))
    if known:
        redis_client.zadd(keys.camera_frames("lobby"), {frame_path("lobby", time_ms): time_ms for time_ms in known})
    index = FrameIndex(store, FarmReader(redis_client), SetClock(NOW))
    found = [captured_at_ms(path) for path in index.frames("lobby", *bounds)]
    assert found == sorted(time_ms for time_ms in saved if bounds[0] <= time_ms < bounds[1])


def test_a_frame_that_the_folder_does_not_list_yet_is_found_through_redis(
    redis_client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a network file system that lists a folder late, then the newest frame is found by its name."""
    store = FrameStore(tmp_path)
    for time_ms in (NOW - 2_000, NOW - 1_000):
        store.save(frame_path("lobby", time_ms), b"x")
        redis_client.zadd(keys.camera_frames("lobby"), {frame_path("lobby", time_ms): time_ms})
    listed = list(store.frames("lobby", 0, NOW))
    monkeypatch.setattr(store, "frames", lambda *_: iter(listed[:1]))
    index = FrameIndex(store, FarmReader(redis_client), SetClock(NOW))
    assert list(index.frames("lobby", 0, NOW)) == listed


def test_an_index_that_cannot_be_read_is_left_aside(redis_client: redis.Redis, tmp_path: Path) -> None:
    """Given something else under the index's members, then the volume alone answers."""
    store = FrameStore(tmp_path)
    store.save(frame_path("lobby", NOW - 1), b"x")
    redis_client.zadd(keys.camera_frames("lobby"), {"../../etc/passwd": NOW - 1})
    index = FrameIndex(store, FarmReader(redis_client), SetClock(NOW))
    assert len(list(index.frames("lobby", 0, NOW))) == 1


def test_saved_frames_are_listed_in_pages_and_can_be_fetched(api: FlaskClient, farm_state: FarmState) -> None:
    """Given seven frames over two hours, then pages of three bring each once, and its URL brings its bytes."""
    farm_state.camera("lobby")
    newest = now_ms()
    times = [newest - step * 1_000_000 for step in reversed(range(7))]
    for number, time_ms in enumerate(times):
        farm_state.save("lobby", time_ms, number)
    query = f"from_ms={times[0]}&to_ms={newest + 1}&limit=3"
    page = api.get(f"{FRAMES}?{query}").json
    found = []
    while True:
        assert page is not None
        assert (page["from_ms"], page["to_ms"]) == (times[0], newest + 1)
        found += page["items"]
        if page["next_cursor"] is None:
            break
        page = api.get(f"{FRAMES}?limit=3&cursor={page['next_cursor']}").json
    assert [frame["captured_at_ms"] for frame in found] == times
    for frame in found:
        answer = api.get(frame["url"])
        assert answer.data == farm_state.store.resolve(frame["path"]).read_bytes()
        assert answer.content_type == "image/jpeg"
    assert api.get(found[0]["url"], headers={"If-None-Match": answer.headers["ETag"]}).status_code in {200, 304}


def test_a_cursor_keeps_the_range_of_its_first_page(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a cursor, when another range is asked for with it, then 400."""
    farm_state.camera("lobby")
    at_ms = now_ms()
    for step in range(3):
        farm_state.save("lobby", at_ms - step * 100)
    page = api.get(f"{FRAMES}?from_ms={at_ms - 1000}&to_ms={at_ms + 1}&limit=1").json
    assert page is not None
    cursor = page["next_cursor"]
    assert api.get(f"{FRAMES}?from_ms={at_ms - 1000}&limit=1&cursor={cursor}").status_code == 200
    assert api.get(f"{FRAMES}?from_ms={at_ms - 999}&limit=1&cursor={cursor}").status_code == 400


def test_without_a_range_the_last_five_minutes_are_meant(api: FlaskClient, farm_state: FarmState) -> None:
    """Given a frame of now and one of six minutes ago, then only the first is listed."""
    farm_state.camera("lobby")
    at_ms = now_ms()
    farm_state.save("lobby", at_ms)
    farm_state.save("lobby", at_ms - 360_000)
    page = api.get(FRAMES).json
    assert page is not None
    assert [frame["captured_at_ms"] for frame in page["items"]] == [at_ms]


def test_after_redis_was_emptied_the_footage_is_all_there(api: FlaskClient, farm_state: FarmState) -> None:
    """Given indexed frames, when Redis loses everything, then the same frames are listed."""
    farm_state.camera("lobby")
    for _ in range(3):
        farm_state.result("lobby")
    before = api.get(FRAMES).json
    farm_state.client.flushall()
    after = api.get(FRAMES).json
    assert before is not None
    assert after is not None
    assert before["items"] == after["items"]
    assert before["items"]
