"""Which inputs a detector has, and how rectangles are laid on them together."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.detection.canvases import GAP, Canvas, place, plan, smallest_that_holds, widened
from workers.detection.input_sizes import STRIDE, Size, area, sizes_for

SIZES = sizes_for(640)

rectangles = st.lists(st.tuples(st.integers(1, 640), st.integers(1, 640)), max_size=12)
small_rectangles = st.lists(st.tuples(st.integers(1, 200), st.integers(1, 200)), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("side", "sizes"),
    [
        (640, ((192, 320), (320, 320), (384, 640), (640, 640))),
        (1280, ((384, 640), (640, 640), (768, 1280), (1280, 1280))),
        (320, ((160, 160), (192, 320), (320, 320))),
        (64, ((64, 64),)),
        (65, ((65, 65),)),
    ],
)
def test_a_model_of_any_size_is_opened_at_some_smaller_ones(side: int, sizes: tuple[Size, ...]) -> None:
    """Given the side of the largest input, then the others are smaller, fit wide frames, and are not tiny."""
    assert sizes_for(side) == sizes


@given(side=st.integers(2, 60).map(lambda count: count * STRIDE))
def test_inputs_are_on_the_models_grid_and_grow(side: int) -> None:
    """Given any side on the grid, then so is every input; each is larger than the one before and within the last."""
    sizes = sizes_for(side)

    assert sizes[-1] == (side, side)
    assert all(height % STRIDE == width % STRIDE == 0 for height, width in sizes)
    assert all(area(smaller) < area(larger) for smaller, larger in pairwise(sizes))


def checked(canvases: list[Canvas], sizes: list[Size]) -> None:
    """Check that every rectangle lies once on a canvas, inside it and away from the others."""
    assert sorted(lies.index for canvas in canvases for lies in canvas.placements) == list(range(len(sizes)))
    for canvas in canvases:
        assert canvas.size in SIZES
        for lies in canvas.placements:
            assert (lies.height, lies.width) == sizes[lies.index]
            assert 0 <= lies.left <= lies.left + lies.width <= canvas.size[1]
            assert 0 <= lies.top <= lies.top + lies.height <= canvas.size[0]
        for one, other in combinations(canvas.placements, 2):
            beside = one.left + one.width + GAP <= other.left or other.left + other.width + GAP <= one.left
            above = one.top + one.height + GAP <= other.top or other.top + other.height + GAP <= one.top
            assert beside or above


@given(sizes=rectangles)
def test_every_rectangle_lies_once_inside_an_input_and_away_from_the_others(sizes: list[Size]) -> None:
    """Given rectangles, when planned, then each is placed once, inside, as it is, with a gap to every other."""
    checked(plan(sizes, SIZES), sizes)


@given(sizes=rectangles)
def test_a_plan_never_costs_more_than_an_input_for_each_rectangle(sizes: list[Size]) -> None:
    """Given rectangles, when planned together, then they cost at most what they cost alone."""
    alone = sum(canvas.cost for size in sizes for canvas in plan([size], SIZES))

    assert sum(canvas.cost for canvas in plan(sizes, SIZES)) <= alone


@given(sizes=small_rectangles)
def test_the_smallest_input_that_holds_what_is_on_it_is_taken(sizes: list[Size]) -> None:
    """Given what was planned on an input, then no smaller one holds it by the same rule of placing."""
    for canvas in plan(sizes, SIZES):
        members = [lies.index for lies in canvas.placements]
        smaller = [size for size in SIZES if area(size) < area(canvas.size)]
        assert smallest_that_holds(members, sizes, SIZES) == canvas
        assert all(place(members, sizes, size, STRIDE) is None for size in smaller)


@given(sizes=small_rectangles)
def test_the_same_rectangles_are_always_placed_alike(sizes: list[Size]) -> None:
    """Given rectangles, when planned twice, then the plans are equal."""
    assert plan(sizes, SIZES) == plan(sizes, SIZES)


@given(sizes=rectangles, extra=st.tuples(st.integers(0, 300), st.integers(0, 300)))
def test_room_to_spare_is_used_without_touching_a_neighbour(sizes: list[Size], extra: Size) -> None:
    """Given a plan, when widened, then nothing shrinks or outgrows its limit, and all is still apart and inside."""
    most = [(height + extra[0], width + extra[1]) for height, width in sizes]
    planned = plan(sizes, SIZES)

    wide = [widened(canvas, sizes, most) for canvas in planned]

    grown = {lies.index: (lies.height, lies.width) for canvas in wide for lies in canvas.placements}
    checked(wide, [grown[index] for index in range(len(sizes))])
    assert [canvas.size for canvas in wide] == [canvas.size for canvas in planned]
    for index, (height, width) in grown.items():
        assert sizes[index][0] <= height <= most[index][0]
        assert sizes[index][1] <= width <= most[index][1]


def test_a_lone_region_gets_its_whole_input() -> None:
    """Given one region of a large frame, when widened, then it fills its input; of a small frame, all there is."""
    (canvas,) = plan([(100, 60)], SIZES)

    (large,) = widened(canvas, [(100, 60)], [(480, 640)]).placements
    (small,) = widened(canvas, [(100, 60)], [(120, 100)]).placements

    assert (large.left, large.top, large.height, large.width) == (0, 0, 192, 320)
    assert (small.height, small.width) == (120, 100)


def test_a_lone_rectangle_lies_in_the_middle_as_in_training() -> None:
    """Given one rectangle, when planned, then its border is the same on both sides, an odd pixel right and below."""
    ((canvas,), (exact,)) = plan([(361, 619)], SIZES), plan([(640, 640)], SIZES)

    assert (canvas.size, canvas.placements[0].left, canvas.placements[0].top) == ((384, 640), 10, 11)
    assert (exact.size, exact.placements[0].left, exact.placements[0].top) == ((640, 640), 0, 0)


def test_a_few_regions_share_an_input_and_large_ones_do_not() -> None:
    """Given small regions, then they share the smallest input; given two that would need a dearer one, then none."""
    shared = plan([(100, 60), (90, 50), (80, 80)], SIZES)
    apart = plan([(180, 320), (180, 320)], SIZES)

    assert [(canvas.size, len(canvas.placements)) for canvas in shared] == [((192, 320), 3)]
    assert [canvas.size for canvas in apart] == [(192, 320), (192, 320)]


def test_rectangles_lie_on_the_grid_where_there_is_room_and_closer_where_there_is_not() -> None:
    """Given room, then corners are on multiples of the stride; given little, then the rectangles still fit."""
    (roomy,) = plan([(100, 60), (90, 50)], SIZES)
    tight = smallest_that_holds([0, 1], [(300, 304), (300, 304)], [(300, 624)])

    assert all(lies.left % STRIDE == lies.top % STRIDE == 0 for lies in roomy.placements)
    assert tight is not None
    assert [lies.left for lies in tight.placements] == [0, 320]


def test_what_fits_into_no_input_is_refused() -> None:
    """Given a rectangle higher than every input, when planned, then the error names both."""
    with pytest.raises(ValueError, match=r"no input of .* holds a rectangle of \(700, 20\)"):
        plan([(700, 20)], SIZES)


def test_nothing_is_no_canvas() -> None:
    """Given no rectangles, then there is nothing to run."""
    assert plan([], SIZES) == []
