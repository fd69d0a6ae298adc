"""Which worker watches which camera. Pure: the same input gives the same plan."""

import heapq
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from contract.errors import StatusReason


@dataclass(frozen=True, slots=True)
class Plan:
    """Where every camera goes."""

    #: Camera id -> worker id.
    placement: dict[str, str]
    #: Camera id -> why no worker can have it.
    unplaced: dict[str, StatusReason]


def make_plan(cameras: Collection[str], workers: Mapping[str, int], current: Mapping[str, str]) -> Plan:
    """Spread `cameras` evenly over `workers`, moving as few as that takes.

    Cameras stay where they are if they can. Those without a worker go, one after the other, to the worker that has
    the fewest. Then cameras move from the fullest to the emptiest worker while that makes their numbers more even:
    each such move is needed, for no order of moves evens them out in fewer.

    Args:
        cameras: Ids of cameras that shall be watched.
        workers: Worker id -> cameras it can take, of workers that live and may be given cameras.
        current: Camera id -> worker id, as things stand; may name workers and cameras that are gone.

    Returns:
        The plan. Numbers of cameras of two workers differ by at most one, except where one is full.
    """
    wanted = sorted(set(cameras))
    held: dict[str, list[str]] = {worker: [] for worker in sorted(workers)}
    orphans = []
    for camera in wanted:
        worker = current.get(camera)
        if worker in held and len(held[worker]) < workers[worker]:
            held[worker].append(camera)
        else:
            orphans.append(camera)
    without = _place(orphans, held, workers)
    _even_out(held, workers)
    reason = StatusReason.NO_CAPACITY if workers else StatusReason.NO_WORKER
    return Plan(
        placement={camera: worker for worker, its in held.items() for camera in its},
        unplaced=dict.fromkeys(without, reason),
    )


def _place(orphans: list[str], held: dict[str, list[str]], workers: Mapping[str, int]) -> list[str]:
    """Give each orphan to the worker with the fewest cameras; return those for which there is no room."""
    open_workers = [(len(its), worker) for worker, its in held.items() if len(its) < workers[worker]]
    heapq.heapify(open_workers)
    for index, camera in enumerate(orphans):
        if not open_workers:
            return orphans[index:]
        _, worker = heapq.heappop(open_workers)
        held[worker].append(camera)
        if len(held[worker]) < workers[worker]:
            heapq.heappush(open_workers, (len(held[worker]), worker))
    return []


def _even_out(held: dict[str, list[str]], workers: Mapping[str, int]) -> None:
    """Move cameras from the fullest to the emptiest worker that has room, while they differ by more than one."""
    fullest = [(-len(its), worker) for worker, its in held.items()]
    emptiest = [(len(its), worker) for worker, its in held.items() if len(its) < workers[worker]]
    heapq.heapify(fullest)
    heapq.heapify(emptiest)
    while fullest and emptiest:
        count, giver = fullest[0]
        room, taker = emptiest[0]
        # Entries are not updated in place: one whose count is no longer true is put right when it comes up.
        if -count != len(held[giver]):
            heapq.heapreplace(fullest, (-len(held[giver]), giver))
        elif room != len(held[taker]):
            heapq.heapreplace(emptiest, (len(held[taker]), taker))
        elif room >= workers[taker]:
            heapq.heappop(emptiest)
        elif -count - room <= 1:
            return
        else:
            held[taker].append(held[giver].pop())
            heapq.heapreplace(emptiest, (len(held[taker]), taker))
            heapq.heapreplace(fullest, (-len(held[giver]), giver))
