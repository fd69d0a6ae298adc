"""Who watches which camera: even, stable, within capacity, the same for the same input."""

import random

from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.assigner import make_plan
from contract.errors import StatusReason

Farm = tuple[list[str], dict[str, int], dict[str, str]]


@st.composite
def farms(draw: st.DrawFn, max_capacity: int = 12) -> Farm:
    """Draw cameras, workers with capacities, and a current placement that may name what is gone."""
    cameras = [f"cam-{number}" for number in range(draw(st.integers(0, 40)))]
    names = [f"w{number}" for number in range(draw(st.integers(0, 8)))]
    workers = {name: draw(st.integers(0, max_capacity)) for name in names}
    known = [*cameras, "cam-gone"]
    where = [*names, "w-gone"]
    current = draw(st.dictionaries(st.sampled_from(known), st.sampled_from(where)))
    return cameras, workers, current


def loads(placement: dict[str, str], workers: dict[str, int]) -> dict[str, int]:
    """Count each worker's cameras."""
    counted = dict.fromkeys(workers, 0)
    for worker in placement.values():
        counted[worker] += 1
    return counted


def moved(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return cameras that had a worker before and have another one now."""
    return {camera for camera, worker in after.items() if camera in before and before[camera] != worker}


@given(farms())
def test_every_camera_is_placed_or_named_and_nobody_is_over_capacity(farm: Farm) -> None:
    """Given any farm, every wanted camera is placed once or named with a reason, within capacity."""
    cameras, workers, current = farm
    plan = make_plan(cameras, workers, current)
    assert plan.placement.keys() | plan.unplaced.keys() == set(cameras)
    assert not plan.placement.keys() & plan.unplaced.keys()
    counted = loads(plan.placement, workers)
    assert all(counted[worker] <= capacity for worker, capacity in workers.items())
    assert len(plan.placement) == min(len(cameras), sum(workers.values()))


@given(farms())
def test_what_cannot_be_placed_says_why(farm: Farm) -> None:
    """Given any farm, unplaced cameras say whether there is no worker or no room."""
    cameras, workers, current = farm
    reason = StatusReason.NO_CAPACITY if workers else StatusReason.NO_WORKER
    assert set(make_plan(cameras, workers, current).unplaced.values()) <= {reason}


@given(farms())
def test_numbers_differ_by_at_most_one_unless_a_worker_is_full(farm: Farm) -> None:
    """Given any farm, a worker that has two fewer cameras than another is full."""
    cameras, workers, current = farm
    counted = loads(make_plan(cameras, workers, current).placement, workers)
    for worker, count in counted.items():
        assert count == workers[worker] or max(counted.values()) - count <= 1


@given(farms(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(farm: Farm, shuffle: random.Random) -> None:
    """Given the same farm in another order of lists, sets and dictionaries, the plan is the same."""
    cameras, workers, current = farm
    other = list(cameras), list(workers.items()), list(current.items())
    for items in other:
        shuffle.shuffle(items)
    assert make_plan(cameras, workers, current) == make_plan(set(other[0]), dict(other[1]), dict(other[2]))


@given(farms())
def test_a_plan_that_was_carried_out_is_not_changed(farm: Farm) -> None:
    """Given a plan that was carried out, when nothing has changed, then the next plan moves nothing."""
    cameras, workers, current = farm
    plan = make_plan(cameras, workers, current)
    assert make_plan(cameras, workers, plan.placement) == plan


@given(st.integers(0, 60), st.integers(2, 8), st.data())
def test_when_a_worker_dies_only_its_cameras_move(cameras: int, count: int, data: st.DataObject) -> None:
    """Given an even farm, when a worker dies, then only the cameras it had go elsewhere."""
    names = [f"cam-{number}" for number in range(cameras)]
    workers = {f"w{number}": 100 for number in range(count)}
    before = make_plan(names, workers, {}).placement
    dead = data.draw(st.sampled_from(sorted(workers)))
    left = {worker: capacity for worker, capacity in workers.items() if worker != dead}
    after = make_plan(names, left, before).placement
    assert moved(before, after) == {camera for camera, worker in before.items() if worker == dead}


@given(st.integers(0, 80), st.integers(1, 8), st.integers(1, 3))
def test_when_workers_join_no_more_move_than_must(cameras: int, count: int, joining: int) -> None:
    """Given an even farm, when workers join, then exactly their even share moves, and only to them."""
    names = [f"cam-{number}" for number in range(cameras)]
    workers = {f"w{number}": 100 for number in range(count)}
    before = make_plan(names, workers, {}).placement
    more = workers | {f"new{number}": 100 for number in range(joining)}
    after = make_plan(names, more, before).placement
    # The fewest moves that give an even spread: the shares of the new workers, rounded down where others may keep one.
    share, larger = divmod(cameras, count + joining)
    old_counts = sorted(loads(before, workers).values(), reverse=True)
    targets = [share + 1] * min(larger, count) + [share] * max(0, count - larger)
    fewest = sum(max(0, held - target) for held, target in zip(old_counts, targets, strict=True))
    assert len(moved(before, after)) == fewest
    assert all(after[camera].startswith("new") for camera in moved(before, after))


@given(farms(max_capacity=1000))
def test_no_plan_moves_more_than_an_even_spread_needs(farm: Farm) -> None:
    """Given any current placement and room everywhere, moves equal what the fullest workers have too much."""
    cameras, workers, current = farm
    workers = dict.fromkeys(workers, 1000)
    if not workers:
        return
    kept = {camera: worker for camera, worker in current.items() if camera in cameras and worker in workers}
    after = make_plan(cameras, workers, current).placement
    share, larger = divmod(len(cameras), len(workers))
    counts = sorted(loads(kept, workers).values(), reverse=True)
    targets = [share + 1] * larger + [share] * (len(workers) - larger)
    fewest = sum(max(0, held - target) for held, target in zip(counts, targets, strict=True))
    assert len(moved(kept, after)) == fewest


def test_a_worker_that_may_take_fewer_now_gives_up_only_what_is_too_much() -> None:
    """Given two even workers, when one's capacity shrinks, then only its surplus moves."""
    names = [f"cam-{number}" for number in range(8)]
    before = make_plan(names, {"a": 10, "b": 10}, {}).placement
    after = make_plan(names, {"a": 2, "b": 10}, before).placement
    assert loads(after, {"a": 2, "b": 10}) == {"a": 2, "b": 6}
    assert len(moved(before, after)) == 2


def test_ten_thousand_cameras_on_five_hundred_workers_are_planned() -> None:
    """Given a city's farm whose last worker joins, the plan is even and moves only that worker's share."""
    names = [f"cam-{number}" for number in range(10_000)]
    workers = {f"w{number}": 64 for number in range(499)}
    before = make_plan(names, workers, {}).placement
    after = make_plan(names, workers | {"new": 64}, before).placement
    assert set(loads(after, workers | {"new": 64}).values()) == {20}
    assert len(moved(before, after)) == 20
