"""Kills ReID workers, event writers and Redis in turn while events come, and starts each again."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from contract.events import Event
from tests.support.reid_farm import Audit, ReidFarm

#: Seconds for which what was killed stays away.
AWAY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Kills:
    """What came of it."""

    kills: dict[str, int]
    audit: Audit
    #: Recognitions that were tried more than once, which a kill costs.
    tried_again: int
    dead_letters: int
    #: From the last event until all was done.
    catch_up_seconds: float
    seconds: float


def kill_in_turn(farm: ReidFarm, kills: int, *, every_seconds: float, events_per_second: float) -> Kills:
    """Publish events all the time, kill something every so often, and wait until all is done.

    Args:
        farm: Started, with at least one ReID worker.
        kills: How often.
        every_seconds: Time between two kills.
        events_per_second: How many events come, as far as Redis takes them.
    """
    began, stop = time.monotonic(), threading.Event()
    load = threading.Thread(target=lambda: farm.publish(_events(farm, events_per_second, stop)), daemon=True)
    load.start()
    victims: list[tuple[str, Callable[[], None]]] = [
        ("ReID worker", lambda: _kill_reid(farm)),
        ("event writer", lambda: _kill_writer(farm)),
        ("Redis", lambda: farm.restart_redis(keep_data=True)),
    ]
    counted = dict.fromkeys((name for name, _ in victims), 0)
    for number in range(kills):
        time.sleep(every_seconds)
        name, kill = victims[number % len(victims)]
        kill()
        counted[name] += 1
    time.sleep(every_seconds)
    stop.set()
    load.join(60)
    assert not load.is_alive()
    ended = time.monotonic()
    farm.wait_all_done(120)
    caught_up = time.monotonic()
    rows = farm.results().values()
    return Kills(
        kills=counted,
        audit=farm.audit(),
        tried_again=sum(row.attempts > 0 for row in rows),
        dead_letters=sum(row.state == "dead" for row in rows),
        catch_up_seconds=round(caught_up - ended, 1),
        seconds=round(ended - began, 1),
    )


def _events(farm: ReidFarm, per_second: float, stop: threading.Event) -> Iterator[Event]:
    due = time.monotonic()
    while not stop.is_set():
        yield farm.event()
        due = max(due + 1 / per_second, time.monotonic() - 1)
        stop.wait(max(0.0, due - time.monotonic()))


def _kill_reid(farm: ReidFarm) -> None:
    farm.reid[0].kill()
    time.sleep(AWAY_SECONDS)
    farm.reid[0].start()
    # The next one to be killed is another.
    farm.reid.append(farm.reid.pop(0))


def _kill_writer(farm: ReidFarm) -> None:
    farm.writer.kill()
    time.sleep(AWAY_SECONDS)
    farm.writer.start()
