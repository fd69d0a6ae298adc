"""Pages of the farm's streams, and the moves of the last hour."""

import pytest
import redis

from contract import keys
from contract.detections import AnalysisResult
from contract.moves import Move, MoveReason
from runtime.stream_reader import HOUR_MS, RecentMoves, StreamReader


def _move(
    client: redis.Redis, number: int, reason: MoveReason = MoveReason.BALANCE, *, at_ms: int | None = None
) -> None:
    move = Move(at_ms=number, camera_id=f"c{number % 3}", reason=reason, to_worker="w", epoch=number + 1)
    client.xadd(keys.moves(), {"move": move.model_dump_json()}, id=f"{at_ms}-*" if at_ms is not None else "*")


def _server_ms(client: redis.Redis) -> int:
    seconds, micros = client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def _everything(_: Move) -> bool:
    return True


@pytest.mark.parametrize("limit", [1, 7, 500, 700])
def test_pages_put_together_are_the_whole_stream_newest_first(redis_client: redis.Redis, limit: int) -> None:
    """Given 1,203 moves and any page size, then every move comes once and in order, and the pages end."""
    total = 1_203 if limit > 7 else 60
    for number in range(total):
        _move(redis_client, number)
    reader, before, seen = StreamReader(redis_client), None, []
    for _ in range(total + 2):
        page = reader.moves(_everything, limit=limit, before=before)
        assert len(page.entries) <= limit
        seen += [entry.message.at_ms for entry in page.entries]
        before = page.go_on_after
        if before is None:
            break
    assert seen == list(range(total))[::-1]
    assert page.ended


def test_a_filter_that_nothing_passes_ends_a_page_before_the_whole_stream_was_read(redis_client: redis.Redis) -> None:
    """Given 6,000 moves and a wish for none of them, then the first page is empty and names where to go on."""
    pipe = redis_client.pipeline(transaction=False)
    for number in range(6_000):
        pipe.xadd(keys.moves(), {"move": Move(at_ms=number, camera_id="c", reason="placed", epoch=1).model_dump_json()})
    pipe.execute()
    reader = StreamReader(redis_client)
    first = reader.moves(lambda _: False, limit=10)
    assert (first.entries, first.ended) == ([], False)
    second = reader.moves(lambda _: False, limit=10, before=first.go_on_after)
    assert (second.entries, second.ended) == ([], True)


def test_only_moves_since_a_time_are_returned(redis_client: redis.Redis) -> None:
    """Given moves of three times, then those recorded since the second are two."""
    for at_ms in (1_000, 2_000, 3_000):
        _move(redis_client, at_ms, at_ms=at_ms)
    page = StreamReader(redis_client).moves(_everything, limit=10, since_ms=2_000)
    assert [entry.first_part for entry in page.entries] == [3_000, 2_000]
    assert page.ended


def test_what_another_version_wrote_is_passed_over(redis_client: redis.Redis) -> None:
    """Given entries that cannot be read between others, then only the others come."""
    _move(redis_client, 1)
    redis_client.xadd(keys.moves(), {"move": b"{}"})
    redis_client.xadd(keys.moves(), {"something": b"else"})
    _move(redis_client, 2)
    page = StreamReader(redis_client).moves(_everything, limit=2)
    assert [entry.message.at_ms for entry in page.entries] == [2, 1]
    assert page.ended


def test_results_are_followed_from_a_known_one(redis_client: redis.Redis) -> None:
    """Given results of two epochs, then each page goes on where the one before ended, and waits at the end."""
    for epoch, seq in ((1, 1), (1, 2), (3, 1)):
        result = AnalysisResult(
            camera_id="c", epoch=epoch, seq=seq, worker_id="w", captured_at_ms=1, published_at_ms=1, width=1, height=1
        )
        redis_client.xadd(keys.camera_results("c"), {"result": result.model_dump_json()}, id=f"{epoch}-{seq}")
    reader = StreamReader(redis_client)
    first = reader.results_after("c", "0-0", 2)
    assert [entry.entry_id for entry in first.entries] == ["1-1", "1-2"]
    assert (first.last_looked_at, first.ended) == ("1-2", False)
    second = reader.results_after("c", "1-2", 2)
    assert [(entry.entry_id, entry.message.epoch) for entry in second.entries] == [("3-1", 3)]
    assert second.ended
    nothing = reader.results_after("c", "3-1", 2)
    assert (nothing.entries, nothing.last_looked_at, nothing.ended) == ([], "3-1", True)


def test_moves_of_the_last_hour_are_counted_by_reason(redis_client: redis.Redis) -> None:
    """Given moves before and within the last hour, and later ones, then only the latter are counted, each once."""
    now_ms = _server_ms(redis_client)
    _move(redis_client, 0, MoveReason.PLACED, at_ms=now_ms - HOUR_MS - 60_000)
    _move(redis_client, 1, MoveReason.PLACED, at_ms=now_ms - HOUR_MS + 600_000)
    recent = RecentMoves(redis_client)
    assert recent.by_reason() == {MoveReason.PLACED: 1}
    _move(redis_client, 2, MoveReason.WORKER_DIED)
    _move(redis_client, 3, MoveReason.WORKER_DIED)
    assert recent.by_reason() == recent.by_reason() == {MoveReason.PLACED: 1, MoveReason.WORKER_DIED: 2}


def test_a_move_is_no_longer_counted_once_it_is_an_hour_old(redis_client: redis.Redis) -> None:
    """Given a move that was within the hour at the first look and is not at the second, then it is gone."""
    now_ms = _server_ms(redis_client)
    _move(redis_client, 1, at_ms=now_ms - HOUR_MS + 1_500)
    recent = RecentMoves(redis_client)
    assert recent.by_reason() == {MoveReason.BALANCE: 1}
    deadline_ms = now_ms + 20_000
    while recent.by_reason() and _server_ms(redis_client) < deadline_ms:
        redis_client.blpop(["nothing"], timeout=0.2)
    assert recent.by_reason() == {}


def test_a_stream_that_begins_anew_is_counted_anew(redis_client: redis.Redis) -> None:
    """Given a Redis that lost its data, and a clock that went back, then what is recorded now is counted."""
    now_ms = _server_ms(redis_client)
    _move(redis_client, 1, at_ms=now_ms + 60_000)
    recent = RecentMoves(redis_client)
    assert recent.by_reason() == {MoveReason.BALANCE: 1}
    redis_client.flushall()
    assert recent.by_reason() == {}
    _move(redis_client, 2, MoveReason.PLACED)
    assert recent.by_reason() == {MoveReason.PLACED: 1}


def test_a_farm_without_moves_counts_none(redis_client: redis.Redis) -> None:
    """Given no stream, then nothing is counted."""
    assert RecentMoves(redis_client).by_reason() == {}
