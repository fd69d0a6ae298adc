"""Which worker watches which camera. Pure: the same input gives the same plan.

The load of a worker is what its cameras cost ÷ what it may spend (`load_board`). Capacity is a target and no door: a
camera that fits nowhere makes the least loaded worker slower rather than going unseen. Only labels and the number of
cameras that a worker takes can leave a camera without one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from camera_ctrler.planning.load_board import CameraNeed, LeastLoaded, LoadBoard, WorkerOffer
from contract.errors import StatusReason
from contract.moves import MoveReason

#: Loads within this share of the mean are even enough to leave them alone.
UNEVEN: Final = 0.10
#: Once they are not, cameras move until loads are within this share.
TOLERANCE: Final = 0.05
#: A move for the sake of balance must narrow the gap between two workers by this share of the camera's cost, so that
#: small changes of a measured cost send no camera back and forth.
WORTH: Final = 1.25


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may happen at once."""

    #: Moves between live workers that nobody needs right now: for balance, capacity or preference.
    moves: int = 1_000_000
    #: Camera host -> connections that may still be opened to it at this moment; a host that is not named: any number.
    connects: Mapping[str, int] = field(default_factory=dict)
    #: Cameras that are on their way already and stay where they go.
    pinned: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """Where every camera goes."""

    #: Camera id -> worker id.
    placement: dict[str, str]
    #: Camera id -> why no worker can have it.
    unplaced: dict[str, StatusReason]
    #: Cameras that stay as they are, with a worker that leaves or is dead, or with none, until their host's turn comes.
    waiting: list[str]
    #: Camera id -> why it leaves a worker that lives and could keep it.
    reasons: dict[str, MoveReason]
    #: Worker id -> its load.
    load: dict[str, float]
    #: Whether there is more to move than `Limits` let through.
    unfinished: bool


class _Connects:
    """What is left of the connections allowed to each camera host."""

    def __init__(self, cameras: Mapping[str, CameraNeed], allowed: Mapping[str, int]) -> None:
        self._cameras = cameras
        self._left = dict(allowed)

    def may(self, camera: str) -> bool:
        return self._left.get(self._cameras[camera].host, 1) > 0

    def take(self, camera: str) -> None:
        host = self._cameras[camera].host
        if host in self._left:
            self._left[host] -= 1


def make_plan(
    cameras: Mapping[str, CameraNeed],
    workers: Mapping[str, WorkerOffer],
    current: Mapping[str, str],
    limits: Limits | None = None,
) -> Plan:
    """Place `cameras` on `workers`, moving as few as that takes.

    Cameras stay where they are if they can. Those without a worker go first, dearest first: to workers that they
    prefer and that have room, else to any with room, else to the least loaded. In a plan with such cameras nothing
    else moves. Otherwise cameras leave workers that are over capacity for those with room, go where they would rather
    be, and move from the most to the least loaded worker while that narrows the gap.

    Args:
        cameras: Cameras that shall be watched, by id.
        workers: Workers that live and may be given cameras, by id.
        current: Camera id -> worker id, as things stand; may name workers and cameras that are gone.
        limits: How much may happen at once.

    Returns:
        The plan. Made again from its own result until it is not `unfinished`, it comes to rest: then nobody is over
        capacity while another has room for one of its cameras.
    """
    limits = limits or Limits()
    board = LoadBoard(cameras, workers)
    connects = _Connects(cameras, limits.connects)
    orphans, evicted = _keep(board, cameras, current)
    unplaced, waiting = _place(board, orphans, connects)
    mover = _Mover(board, connects, limits)
    only_orphans = len(orphans) > len(unplaced)
    if not only_orphans:
        mover.relieve()
        mover.please()
        mover.even_out()
    return Plan(
        placement=board.placement(),
        unplaced=unplaced,
        waiting=waiting,
        reasons=evicted | mover.reasons,
        load=board.loads(),
        unfinished=only_orphans or mover.stopped,
    )


def _keep(
    board: LoadBoard, cameras: Mapping[str, CameraNeed], current: Mapping[str, str]
) -> tuple[list[str], dict[str, MoveReason]]:
    """Leave cameras where they are if they can stay; return the others, and why those of live workers cannot."""
    orphans: list[str] = []
    evicted: dict[str, MoveReason] = {}
    for camera in sorted(cameras):
        worker = current.get(camera)
        if worker is None or worker not in board.held:
            orphans.append(camera)
        elif not board.may_have(worker, camera):
            orphans.append(camera)
            evicted[camera] = MoveReason.LABELS
        elif board.is_full(worker):
            orphans.append(camera)
            evicted[camera] = MoveReason.OVER_CAPACITY
        else:
            board.put(camera, worker)
    return orphans, evicted


def _place(board: LoadBoard, orphans: list[str], connects: _Connects) -> tuple[dict[str, StatusReason], list[str]]:
    """Give each of `orphans` a worker; return those that can have none and why, and those that have to wait."""
    unplaced: dict[str, StatusReason] = {}
    waiting: list[str] = []
    queues: dict[int, list[LeastLoaded]] = {}
    dearest_first = sorted(orphans, key=lambda camera: (-_cost_anywhere(board, camera), camera))
    for camera in dearest_first:
        tiers = board.tiers(camera)
        if not tiers:
            unplaced[camera] = StatusReason.NO_LABELS if board.held else StatusReason.NO_WORKER
        elif not connects.may(camera):
            waiting.append(camera)
        else:
            if id(tiers) not in queues:
                queues[id(tiers)] = [LeastLoaded(board, tier) for tier in tiers]
            worker = _best(board, camera, queues[id(tiers)])
            if worker is None:
                unplaced[camera] = StatusReason.NO_CAPACITY
            else:
                board.put(camera, worker)
                connects.take(camera)
    return dict(sorted(unplaced.items())), sorted(waiting)


def _cost_anywhere(board: LoadBoard, camera: str) -> float:
    """Return what it costs on the first worker that may have it: to tell dear cameras from cheap ones."""
    tiers = board.tiers(camera)
    return board.cost(camera, tiers[0][0]) if tiers else 0.0


def _best(board: LoadBoard, camera: str, queues: list[LeastLoaded]) -> str | None:
    """Return the worker for a camera; None where all that may have it are full."""
    firsts = []
    for queue in queues:
        first = queue.first()
        if first is None:
            continue
        if board.has_room(first, camera):
            return first
        # The least loaded may be a small one: a larger one may yet have room.
        others = [] if board.alike else queue.all()
        roomy = min((worker for worker in others if board.has_room(worker, camera)), default=None)
        if roomy is not None:
            return roomy
        firsts.append(first)
    return min(firsts, key=lambda worker: (board.ratio_with(worker, camera), worker), default=None)


def _is_wide(board: LoadBoard, giver: str, taker: str, cores: float) -> bool:
    """Tell whether the gap between two workers is worth the move of a camera that costs the taker `cores`."""
    return board.ratio(taker) + WORTH * cores / board.cores(taker) <= board.ratio(giver)


class _Mover:
    """Moves cameras between live workers, as far as the limits go."""

    def __init__(self, board: LoadBoard, connects: _Connects, limits: Limits) -> None:
        self._board = board
        self._connects = connects
        self._left = limits.moves
        self._pinned = limits.pinned
        self.reasons: dict[str, MoveReason] = {}
        #: Whether a limit kept a camera from moving.
        self.stopped = False

    def relieve(self) -> None:
        """Take cameras from workers that are over capacity while another has room for one of theirs."""
        board = self._board
        for giver in reversed(board.by_ratio()):
            # Where nobody has room even for its cheapest one, as in a farm that is too small, there is nothing to try.
            while board.spare(giver) < 0 and board.cheapest(giver) <= board.most_room():
                # One that is dear enough by itself means one move; else the dearest.
                enough = [name for name in board.held[giver] if board.cost(name, giver) >= -board.spare(giver)]
                order = sorted(enough, key=lambda name: (board.cost(name, giver), name))
                rest = sorted(board.held[giver] - set(enough), key=lambda name: (-board.cost(name, giver), name))
                if not any(self._to_room(camera, giver) for camera in [*order, *rest]):
                    break

    def _to_room(self, camera: str, giver: str) -> bool:
        """Move a camera to the best liked worker with room, the least loaded of those."""
        for tier in self._board.tiers(camera):
            roomy = [name for name in tier if name != giver and self._board.has_room(name, camera)]
            if roomy:
                taker = min(roomy, key=lambda name: (self._board.ratio(name), name))
                return self._move(camera, giver, taker, MoveReason.OVER_CAPACITY)
        return False

    def please(self) -> None:
        """Move cameras to workers that have more of the labels they prefer, and room."""
        board = self._board
        for camera, giver in board.placement_of_picky():
            tiers = board.tiers(camera)
            if len(tiers) < 2:
                continue
            liking = board.liking(camera, giver)
            for tier in tiers:
                if board.liking(camera, tier[0]) <= liking:
                    break
                roomy = [name for name in tier if board.has_room(name, camera)]
                if roomy:
                    taker = min(roomy, key=lambda name: (board.ratio(name), name))
                    self._move(camera, giver, taker, MoveReason.PREFERENCE)
                    break

    def even_out(self) -> None:
        """Move cameras from more to less loaded workers while that narrows the gap between the two."""
        loads, mean = self._board.loads().values(), self._board.mean_ratio()
        if all(mean * (1 - UNEVEN) <= load <= mean * (1 + UNEVEN) for load in loads):
            return
        while (found := self._next_even_move()) is not None:
            if not self._move(*found, MoveReason.BALANCE):
                return

    def _next_even_move(self) -> tuple[str, str, str] | None:
        board = self._board
        order = board.by_ratio()
        if len(order) < 2:
            return None
        mean = board.mean_ratio()
        for giver in reversed(order):
            cheapest = board.cheapest(giver)
            for taker in order:
                even = board.ratio(giver) <= mean * (1 + TOLERANCE) and board.ratio(taker) >= mean * (1 - TOLERANCE)
                if even or (board.alike and not _is_wide(board, giver, taker, cheapest)):
                    break  # so it is with all the others, which have more to do
                if not board.is_full(taker) and (camera := self._to_even_out(giver, taker, mean)) is not None:
                    return camera, giver, taker
        return None

    def _to_even_out(self, giver: str, taker: str, mean: float) -> str | None:
        """Return the camera whose move brings two workers nearest to the mean; None where no move is worth it."""
        board = self._board
        worthy = [camera for camera in board.held[giver] if self._is_worthy(camera, giver, taker)]
        if not worthy:
            return None
        above = (board.ratio(giver) - mean) / max(board.ratio(giver), 1e-9)
        wanted = above * sum(board.cost(camera, giver) for camera in board.held[giver])
        fitting = [camera for camera in worthy if board.cost(camera, giver) <= wanted]
        # The dearest that is not too dear, so that few moves do; else the cheapest.
        if fitting:
            return min(fitting, key=lambda camera: (-board.cost(camera, giver), camera))
        return min(worthy, key=lambda camera: (board.cost(camera, giver), camera))

    def _is_worthy(self, camera: str, giver: str, taker: str) -> bool:
        board = self._board
        if camera in self._pinned or camera in self.reasons or not board.may_have(taker, camera):
            return False
        if board.liking(camera, taker) < board.liking(camera, giver):
            return False
        return _is_wide(board, giver, taker, board.cost(camera, taker))

    def _move(self, camera: str, giver: str, taker: str, reason: MoveReason) -> bool:
        if camera in self._pinned or camera in self.reasons:
            return False
        if self._left <= 0 or not self._connects.may(camera):
            self.stopped = True
            return False
        self._left -= 1
        self._connects.take(camera)
        self._board.move(camera, giver, taker)
        self.reasons[camera] = reason
        return True
