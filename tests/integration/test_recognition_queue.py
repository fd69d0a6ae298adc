"""From notes to results: each recognition once, the bound held, whatever fails, on SQLite and PostgreSQL."""

from collections.abc import Iterator

import pytest
import redis
from sqlalchemy import Engine, event, insert, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from contract.recognition import RecognitionQueue, RecognitionState
from database.recognitions import recognition_notes, recognitions
from reid.queue.dispatcher import TAKE_BACK_SECONDS
from reid.queue.jobs import Held
from reid.queue.placing import FRESH_MS
from reid.queue.ticket import Ticket
from tests.support.recognitions import RecognitionFarm, ToldRecogniser, Unusable, seen_event


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Keep logs in memory: tracebacks with all that a test knows take seconds to print."""
    with capture_logs():
        yield


def test_every_event_that_is_wanted_has_its_result_once(recognition_farm: RecognitionFarm) -> None:
    """Given notes of forty events and two workers, each is recognised once, and nothing is left on the queues."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 41))
    dispatcher, workers = farm.dispatcher(), [farm.worker("reid-1"), farm.worker("reid-2")]
    farm.settle(dispatcher, *workers)
    rows = farm.rows()
    assert farm.states() == {"done": 40}
    assert {row.result["crops"] for row in rows.values()} == {2}
    assert {row.version for row in rows.values()} == {"1"}
    assert set(farm.recogniser.kept.values()) == {1}
    assert sum(worker.done["counting"] for worker in workers) == 40
    assert all(worker.done["counting"] for worker in workers)
    assert farm.notes() == 0
    assert set(farm.queues.lengths().values()) == {0}
    assert farm.queues.held() == []
    assert farm.client.keys("rq:job:*") == []


def test_a_note_of_an_event_that_nobody_wants_just_goes(recognition_farm: RecognitionFarm) -> None:
    """Given an event that no recogniser wants, and a note that somebody has spoilt, both go and leave no row."""
    farm = recognition_farm
    farm.happen(seen_event(1, [], kind="track_started"))
    with farm.engine.begin() as connection:
        connection.execute(insert(recognition_notes).values(event_id="x", at_ms=1, event={"kind": "party"}))
    farm.settle(farm.dispatcher())
    assert (farm.notes(), farm.rows()) == (0, {})


def test_an_event_noted_again_is_not_asked_again(recognition_farm: RecognitionFarm) -> None:
    """Given an event that is done and is noted once more, its result stays as it is."""
    farm = recognition_farm
    dispatcher, worker = farm.dispatcher(), farm.worker()
    for _ in range(2):
        farm.happen_with_crops([1])
        farm.settle(dispatcher, worker)
    assert farm.recogniser.kept == {"lobby:1:1": 1}


def test_the_queues_hold_no_more_than_their_bound_and_the_rest_waits(recognition_farm: RecognitionFarm) -> None:
    """Given no worker and ten times what the queues may hold, the rest waits in the database until there is room."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 51))
    dispatcher = farm.dispatcher(bound=5)
    for _ in range(20):
        dispatcher.step()
        assert farm.queues.lengths()[RecognitionQueue.DEFAULT] <= 5
    assert farm.states() == {"queued": 5, "waiting": 45}
    assert dispatcher.figures.waiting == 45
    assert dispatcher.figures.queued == {"high": 0, "default": 5, "low": 0}
    farm.settle(dispatcher, farm.worker())
    assert farm.states() == {"done": 50}


def test_with_too_much_to_do_fewer_crops_are_looked_at_and_no_event_is_left_out(
    recognition_farm: RecognitionFarm,
) -> None:
    """Given a backlog of four bounds, events of four crops are looked at by one, later ones by more, then by all."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 41), crops=4)
    dispatcher = farm.dispatcher(bound=10)
    farm.settle(dispatcher, farm.worker())
    looked_at = [row.result["crops"] for _, row in sorted(farm.rows().items(), key=lambda pair: pair[1].at_ms)]
    assert len(looked_at) == 40
    assert (looked_at[0], looked_at[-1]) == (1, 4)
    assert looked_at == sorted(looked_at)
    left_out = sum(row.left_out for row in farm.rows().values())
    assert dispatcher.figures.crops_left_out == left_out == 160 - sum(looked_at)


def test_what_happens_now_is_looked_at_before_what_happened_long_ago(recognition_farm: RecognitionFarm) -> None:
    """Given an hour's backlog and something new, the new is in the next batch; so is a share of the old."""
    farm = recognition_farm
    farm.clock.advance(2 * FRESH_MS / 1000)
    farm.happen_with_crops(range(1, 31))
    now_ms = farm.clock.now_ms()
    farm.happen_with_crops(range(31, 61), at_ms=now_ms)
    dispatcher, worker = farm.dispatcher(), farm.worker()
    dispatcher.step()
    assert farm.queues.lengths() == {"high": 0, "default": 30, "low": 30}
    worker.step()
    first = {int(name.rpartition(":")[2]) for name in farm.recogniser.calls[0]}
    assert len([number for number in first if number > 30]) == 6
    assert len([number for number in first if number <= 30]) == 2


def test_what_waits_for_long_moves_to_the_last_queue(recognition_farm: RecognitionFarm) -> None:
    """Given events that were fresh and found no room, they go on the last queue later."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 11))
    dispatcher = farm.dispatcher(bound=5)
    dispatcher.step()
    farm.clock.advance(2 * FRESH_MS / 1000)
    dispatcher.step()
    assert farm.queues.lengths() == {"high": 0, "default": 5, "low": 5}


def test_one_poison_request_of_a_batch_fails_alone_and_ends_as_a_dead_letter(
    recognition_farm: RecognitionFarm,
) -> None:
    """Given one of eight that breaks the recogniser, seven have results; it is tried later and later, then dead."""
    farm = recognition_farm
    farm.recogniser.breaks["lobby:1:3"] = RuntimeError("no such thing as a nose")
    farm.happen_with_crops(range(1, 9))
    dispatcher, worker = farm.dispatcher(), farm.worker()
    farm.settle(dispatcher, worker)
    assert farm.states() == {"done": 7, "waiting": 1}
    assert [row.due_at_ms - farm.clock.now_ms() for row in farm.rows().values() if row.attempts] == [500]
    for pause, state in ((0.6, "waiting"), (1.1, "dead")):
        farm.settle(dispatcher, worker)
        farm.clock.advance(pause)
        farm.settle(dispatcher, worker)
        assert farm.states() == {"done": 7, state: 1}
    row = farm.rows()["lobby:1:3"]
    assert row.attempts == 3
    assert "no such thing as a nose" in row.reason
    assert worker.dead == {"counting": 1}
    failed = farm.queues.queues[RecognitionQueue.DEFAULT].failed_job_registry
    assert failed.get_job_ids(cleanup=False) == [Ticket("lobby:1:3", "counting").job_id]
    # What failed once is tried alone.
    assert farm.recogniser.calls[-2:] == [["lobby:1:3"], ["lobby:1:3"]]
    farm.settle(dispatcher, worker)
    assert len(farm.recogniser.calls[-1]) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\xff\xd8\xff\xe0 nothing of the kind \xff\xd9", "damaged JPEG"),
        (b"GIF89a", "is not a JPEG"),
        (None, "is gone"),
    ],
)
def test_a_crop_that_cannot_be_used_is_a_dead_letter_at_once_and_its_batch_goes_on(
    recognition_farm: RecognitionFarm, content: bytes | None, reason: str
) -> None:
    """Given one bad crop among good ones, its event is a dead letter with the reason, and all others have results."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 5))
    bad = farm.save_crop("lobby/crops/20261121/08/bad.jpg", b"x" if content is None else content)
    if content is None:
        (farm.volume / bad.path).unlink()
    farm.happen(seen_event(5, [farm.save_crop("lobby/crops/20261121/08/0.jpg"), bad]))
    farm.settle(farm.dispatcher(), farm.worker())
    assert farm.states() == {"done": 4, "dead": 1}
    assert reason in farm.rows()["lobby:1:5"].reason
    assert bad.path in farm.rows()["lobby:1:5"].reason


def test_what_a_recogniser_calls_unusable_is_not_tried_again(recognition_farm: RecognitionFarm) -> None:
    """Given a request that the recogniser says can never be recognised, it is dead after the first try."""
    farm = recognition_farm
    farm.recogniser.breaks["lobby:1:2"] = Unusable("lobby:1:2").error
    farm.happen_with_crops(range(1, 4))
    farm.settle(farm.dispatcher(), farm.worker())
    assert farm.states() == {"done": 2, "dead": 1}
    assert "nobody is in them" in farm.rows()["lobby:1:2"].reason


def test_a_result_that_cannot_be_kept_fails_alone(recognition_farm: RecognitionFarm) -> None:
    """Given one result that is no JSON and one whose keeping fails, the others are kept in the same step."""
    farm = recognition_farm
    farm.recogniser.unkeepable.add("lobby:1:2")
    farm.happen_with_crops(range(1, 5))
    farm.settle(farm.dispatcher(), farm.worker())
    assert farm.states() == {"done": 3, "waiting": 1}
    assert "no room for it" in farm.rows()["lobby:1:2"].reason
    assert farm.recogniser.kept["lobby:1:1"] >= 1


def test_what_a_dead_worker_had_is_done_by_another_and_what_a_living_one_has_is_not(
    recognition_farm: RecognitionFarm,
) -> None:
    """Given two workers with a batch each, of which one's lease is gone, its batch is done by others, once."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 17))
    dispatcher = farm.dispatcher()
    dispatcher.step()
    dead, slow, third = farm.worker("dead"), farm.worker("slow"), farm.worker("third")
    taken = [farm.queues.take(name, worker._token, 8) for name, worker in (("dead", dead), ("slow", slow))]
    farm.clock.advance(100 * TAKE_BACK_SECONDS)
    farm.settle(dispatcher, third)
    assert farm.done() == 0
    farm.kill("dead")
    farm.clock.advance(TAKE_BACK_SECONDS)
    dispatcher.step()
    assert dispatcher.figures.taken_back == 8
    farm.clock.advance(5)
    farm.settle(dispatcher, third)
    assert {name for name, row in farm.rows().items() if row.state == "done"} == {each.event_id for each in taken[0]}
    assert {row.attempts for row in farm.rows().values() if row.state == "done"} == {1}
    assert {each.worker_id for each in farm.queues.held()} == {"slow"}


def test_leases_that_ran_out_while_redis_hung_say_nothing_of_their_holders(
    recognition_farm: RecognitionFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a server that answers after three seconds, a worker whose lease it ended meanwhile keeps its jobs."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 5))
    dispatcher = farm.dispatcher()
    dispatcher.step()
    worker = farm.worker("hung")
    farm.queues.take("hung", worker._token, 8)
    held = dispatcher._queues.held

    def hang() -> list[Held]:
        farm.clock.advance(3)
        return held()

    with monkeypatch.context() as patch:
        patch.setattr(dispatcher._queues, "held", hang)
        farm.kill("hung")
        farm.clock.advance(TAKE_BACK_SECONDS)
        dispatcher.step()
    assert dispatcher.figures.taken_back == 0
    assert len(farm.queues.held()) == 4
    farm.clock.advance(1)
    dispatcher.step()
    assert len(farm.queues.held()) == 4
    farm.clock.advance(2)
    dispatcher.step()
    assert farm.queues.held() == []


def test_a_worker_that_wakes_up_after_its_work_was_done_by_another_changes_nothing(
    recognition_farm: RecognitionFarm,
) -> None:
    """Given a worker that slept through its lease in the middle of a batch, its late results are not written again."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 5))
    dispatcher = farm.dispatcher()
    dispatcher.step()
    sleeper = farm.worker("sleeper")
    sleeper._taken = farm.queues.take("sleeper", sleeper._token, 8)
    sleeper._asked = sleeper._rows.asked(sleeper._taken)
    sleeper._recognise(sleeper._asked)
    farm.kill("sleeper")
    farm.clock.advance(TAKE_BACK_SECONDS)
    dispatcher.step()
    farm.clock.advance(10)
    farm.settle(dispatcher, farm.worker("other"))
    assert farm.states() == {"done": 4}
    sleeper.step()
    assert set(farm.recogniser.kept.values()) == {1}
    assert sleeper.done == {}


def test_a_recognition_that_ends_its_worker_every_time_is_a_dead_letter(recognition_farm: RecognitionFarm) -> None:
    """Given a job that kills every worker that takes it, it is given up after its retries, with the reason."""
    farm = recognition_farm
    farm.happen_with_crops([1])
    dispatcher = farm.dispatcher()
    for number in range(5):
        for _ in range(2):
            farm.clock.advance(10)
            dispatcher.step()
        farm.queues.take(f"w{number}", farm.worker(f"w{number}")._token, 8)
        farm.kill(f"w{number}")
    assert farm.states() == {"dead": 1}
    assert "ended in the middle" in farm.rows()["lobby:1:1"].reason


def test_an_emptied_server_costs_no_recognition(recognition_farm: RecognitionFarm) -> None:
    """Given jobs on the queues and in a worker's hands when the server loses all its data, all are done once."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 31))
    dispatcher, worker = farm.dispatcher(), farm.worker()
    dispatcher.step()
    worker._taken = farm.queues.take("reid-1", worker._token, 8)
    farm.client.flushall()
    worker.step()
    assert farm.done() == 8
    with pytest.raises(Exception, match="lease"):
        worker.step()
    farm.let_checks_come()
    farm.settle(dispatcher, farm.worker("reid-2"))
    assert farm.states() == {"done": 30}
    assert dispatcher.figures.requeued == 22
    assert set(farm.recogniser.kept.values()) == {1}


def test_a_job_that_another_tool_of_rq_has_spoilt_is_put_on_its_queue_again(recognition_farm: RecognitionFarm) -> None:
    """Given jobs that somebody deleted or failed with RQ's own means, they are done all the same."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 4))
    dispatcher = farm.dispatcher()
    dispatcher.step()
    queue = farm.queues.queues[RecognitionQueue.DEFAULT]
    queue.fetch_job(Ticket("lobby:1:1", "counting").job_id).delete()  # type: ignore[union-attr]
    queue.fetch_job(Ticket("lobby:1:2", "counting").job_id).cancel()  # type: ignore[union-attr]
    farm.let_checks_come()
    farm.settle(dispatcher, farm.worker())
    assert farm.states() == {"done": 3}


def test_somebody_elses_job_on_the_queue_is_let_go_of(recognition_farm: RecognitionFarm) -> None:
    """Given a job of another application on a queue of the same name, ours are done and it is not held."""
    farm = recognition_farm
    farm.queues.queues[RecognitionQueue.DEFAULT].enqueue("os.getcwd", job_id="theirs")
    farm.happen_with_crops([1])
    farm.settle(farm.dispatcher(), farm.worker())
    farm.clock.advance(10)
    farm.settle(farm.dispatcher(), farm.worker("reid-2"))
    assert farm.states() == {"done": 1}
    assert farm.queues.held() == []


def test_with_the_database_away_a_worker_keeps_its_batch_and_looks_at_it_once(
    recognition_farm: RecognitionFarm,
) -> None:
    """Given a database that fails while results are written, the batch is written when it is back, recognised once."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 5))
    dispatcher, worker = farm.dispatcher(), farm.worker()
    dispatcher.step()
    with DatabaseAway(farm.engine, "UPDATE"):
        for _ in range(3):
            with pytest.raises(OperationalError):
                worker.step()
        farm.happen_with_crops([9])
        with pytest.raises(OperationalError):
            dispatcher.step()
    assert worker.in_hand == 4
    worker.step()
    assert farm.done() == 4
    assert len(farm.recogniser.calls) == 1
    farm.settle(dispatcher, worker)
    assert farm.states() == {"done": 5}


def test_a_worker_that_leaves_while_the_database_is_away_gives_its_batch_back(
    recognition_farm: RecognitionFarm,
) -> None:
    """Given a batch without results when its worker must leave, another one takes it next, without a try counted."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 5))
    dispatcher, worker = farm.dispatcher(), farm.worker()
    dispatcher.step()
    with DatabaseAway(farm.engine, "SELECT"), pytest.raises(OperationalError):
        worker.step()
    worker.give_back()
    assert farm.queues.held() == []
    farm.settle(dispatcher, farm.worker("reid-2"))
    assert farm.states() == {"done": 4}
    assert {row.attempts for row in farm.rows().values()} == {0}


def test_with_the_frames_volume_away_a_worker_waits_and_buries_nothing(recognition_farm: RecognitionFarm) -> None:
    """Given a volume that is not mounted, nothing becomes a dead letter; when it is back all is done."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 5))
    dispatcher, worker = farm.dispatcher(), farm.worker()
    dispatcher.step()
    away_to = farm.volume.with_name(farm.volume.name + "-away")
    farm.volume.rename(away_to)
    farm.volume.mkdir()
    for _ in range(2):
        with pytest.raises(Exception, match="see that it is mounted"):
            worker.step()
    farm.volume.rmdir()
    away_to.rename(farm.volume)
    farm.settle(dispatcher, worker)
    assert farm.states() == {"done": 4}


def test_two_dispatchers_at_once_put_nothing_on_the_queues_twice(recognition_farm: RecognitionFarm) -> None:
    """Given two that believe they lead, every recognition is on the queues once."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 31))
    first, second = farm.dispatcher(), farm.dispatcher()
    for _ in range(3):
        first.step()
        second.step()
    assert farm.queues.lengths()[RecognitionQueue.DEFAULT] == 30
    farm.settle(first, farm.worker())
    assert set(farm.recogniser.kept.values()) == {1}


def test_a_dispatcher_interrupted_between_database_and_queue_is_made_up_for(recognition_farm: RecognitionFarm) -> None:
    """Given rows that say queued and jobs that were never put, another dispatcher puts them."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 11))
    killed = farm.dispatcher()
    killed._ask()
    killed._rows.place(dict.fromkeys(RecognitionQueue, 10), 10, 100, farm.clock.now_ms())
    assert farm.states() == {"queued": 10}
    farm.let_checks_come()
    farm.settle(farm.dispatcher(), farm.worker())
    assert farm.states() == {"done": 10}


def test_a_row_that_was_edited_into_nonsense_is_a_dead_letter_and_blocks_nobody(
    recognition_farm: RecognitionFarm,
) -> None:
    """Given rows whose requests are no requests any more, they are dead letters, and the others have results."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 5))
    dispatcher = farm.dispatcher()
    dispatcher._ask()
    for name, nonsense in (("lobby:1:1", []), ("lobby:1:2", {"crops": 7}), ("lobby:1:3", "?")):
        with farm.engine.begin() as connection:
            connection.execute(update(recognitions).where(recognitions.c.event_id == name).values(request=nonsense))
    farm.settle(dispatcher, farm.worker())
    assert farm.states() == {"done": 1, "dead": 3}
    assert farm.rows()["lobby:1:1"].reason == "its request cannot be read"


def test_a_worker_without_the_recogniser_that_is_asked_for_says_so(recognition_farm: RecognitionFarm) -> None:
    """Given a worker with other recognisers than the dispatcher's, what it cannot do is tried again elsewhere."""
    farm = recognition_farm
    farm.happen_with_crops([1])
    dispatcher = farm.dispatcher()
    dispatcher.step()
    farm.worker("other", ToldRecogniser("else")).step()
    row = farm.rows()["lobby:1:1"]
    assert row.state == RecognitionState.WAITING
    assert "FARM_RECOGNISERS" in row.reason
    farm.clock.advance(10)
    farm.settle(dispatcher, farm.worker())
    assert farm.done() == 1


def test_redis_away_in_the_middle_of_placing_loses_nothing(recognition_farm: RecognitionFarm) -> None:
    """Given a server that fails after places were given, the dispatcher puts them when it is back."""
    farm = recognition_farm
    farm.happen_with_crops(range(1, 11))
    dispatcher = farm.dispatcher()

    def away(*_: object) -> bool:
        raise redis.ConnectionError("away")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatcher._queues, "put", away)
        for _ in range(2):
            with pytest.raises(redis.ConnectionError):
                dispatcher.step()
    assert farm.states() == {"queued": 10}
    farm.settle(dispatcher, farm.worker())
    assert farm.states() == {"done": 10}


class DatabaseAway:
    """A block in which the database refuses statements of a kind, as one does whose server is being restarted."""

    def __init__(self, engine: Engine, kind: str) -> None:
        self._engine, self._kind = engine, kind

    def __enter__(self) -> None:
        event.listen(self._engine, "before_cursor_execute", self._refuse)

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._refuse)

    def _refuse(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(self._kind):
            raise OperationalError(statement, {}, ConnectionError("away"))
