"""What a Redis server was asked, by whom, and what that cost it, between two moments."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import redis


@dataclass(frozen=True, slots=True)
class ServerSnapshot:
    """Counters of a server at one moment."""

    at: float
    #: Commands executed since its start, those that scripts call included.
    executed: int
    cpu_seconds: float
    memory_bytes: int
    #: Command -> calls.
    calls: dict[str, int]
    #: Connection id -> who it is and how many commands ran for it, those that scripts call included; empty where the
    #: server does not count that (Redis before 8, Valkey before 8.1).
    connections: dict[str, tuple[str, int]]


@dataclass(frozen=True, slots=True)
class ServerLoad:
    """What happened between two snapshots, per second."""

    executed_per_second: float
    #: Whose connections -> commands executed for them per second, those that scripts call included.
    executed_for_per_second: dict[str, float]
    #: The commands executed most.
    top_calls_per_second: dict[str, float]
    server_cores: float
    memory_bytes: int
    connections: int


def take_snapshot(client: redis.Redis, who: Callable[[str], str]) -> ServerSnapshot:
    """Read the counters; `who` turns the name of a connection into whose it is."""
    info = client.info("all")
    connections = {
        str(entry["id"]): (who(entry["name"]), int(entry["tot-cmds"]))
        for entry in client.client_list()
        if "tot-cmds" in entry
    }
    return ServerSnapshot(
        at=time.monotonic(),
        executed=info["total_commands_processed"],
        cpu_seconds=info["used_cpu_user"] + info["used_cpu_sys"],
        memory_bytes=info["used_memory"],
        calls={
            name.removeprefix("cmdstat_"): stats["calls"] for name, stats in info.items() if name.startswith("cmdstat_")
        },
        connections=connections,
    )


def load_between(before: ServerSnapshot, after: ServerSnapshot) -> ServerLoad:
    """Return what happened from `before` to `after`."""
    seconds = after.at - before.at
    ran: Counter[str] = Counter()
    for number, (whose, count) in after.connections.items():
        ran[whose] += count - before.connections.get(number, ("", 0))[1]
    calls = Counter({name: count - before.calls.get(name, 0) for name, count in after.calls.items()})
    return ServerLoad(
        executed_per_second=(after.executed - before.executed) / seconds,
        executed_for_per_second={whose: count / seconds for whose, count in sorted(ran.items())},
        top_calls_per_second={name: count / seconds for name, count in calls.most_common(10) if count > 0},
        server_cores=(after.cpu_seconds - before.cpu_seconds) / seconds,
        memory_bytes=after.memory_bytes,
        connections=len(after.connections),
    )
