"""When half the scale is enough for a camera."""

from workers.motion.detect_scale import CALM_SECONDS, DetectScale

LARGE, SMALL = 0.3, 0.03


def calm(scale: DetectScale, since: float, seconds: float) -> float:
    """Let only large objects be found for so many seconds; return when that ended."""
    for second in range(int(seconds) + 1):
        scale.looked([LARGE], since + second, is_whole=second % 16 == 0)
    return since + int(seconds)


def usual(scale: DetectScale) -> int:
    """Return the side for regions in which something large moves."""
    return scale.side(is_whole=False, is_small_moving=False)


def test_a_camera_starts_at_full_scale_and_stays_there_where_nothing_is_found() -> None:
    """Given a camera on which nothing is ever found, then nobody knows what it would show: full scale."""
    scale = DetectScale(640)
    for second in range(1000):
        scale.looked([], float(second), is_whole=second % 16 == 0)
    assert usual(scale) == 640


def test_large_objects_alone_for_long_need_half_the_scale() -> None:
    """Given only large objects, then after a long while it is half, and not before."""
    scale = DetectScale(640)
    at = calm(scale, 0.0, CALM_SECONDS - 1)
    assert usual(scale) == 640
    calm(scale, at + 1, 1)
    assert usual(scale) == 320


def test_one_small_object_is_enough_to_go_back_and_to_stay_longer() -> None:
    """Given a small object at half the scale, then it is full at once, and it must be calm for twice as long."""
    scale = DetectScale(640)
    at = calm(scale, 0.0, CALM_SECONDS)
    scale.looked([LARGE, SMALL], at + 1, is_whole=True)
    assert usual(scale) == 640
    at = calm(scale, at + 2, CALM_SECONDS + 1)
    assert usual(scale) == 640
    calm(scale, at + 1, CALM_SECONDS)
    assert usual(scale) == 320


def test_at_half_the_scale_some_whole_looks_are_at_full_scale() -> None:
    """Given half the scale, then what it cannot see is looked for: one whole look in a few is full."""
    scale = DetectScale(640)
    at = calm(scale, 0.0, CALM_SECONDS)
    sides = []
    for number in range(9):
        sides.append(scale.side(is_whole=True, is_small_moving=False))
        scale.looked([LARGE], at + number, is_whole=True)
    assert sides.count(640) == 3
    assert sides.count(320) == 6


def test_what_is_small_and_moves_is_looked_at_at_full_scale() -> None:
    """Given half the scale, when something small moves, then that frame is looked at in full."""
    scale = DetectScale(640)
    calm(scale, 0.0, CALM_SECONDS)
    assert scale.side(is_whole=False, is_small_moving=True) == 640


def test_a_small_model_input_is_never_halved_nor_exceeded() -> None:
    """Given a setting of 480 pixels or less, then that is the only scale."""
    for side in (320, 480):
        scale = DetectScale(side)
        calm(scale, 0.0, 2 * CALM_SECONDS)
        assert usual(scale) == side
        assert scale.side(is_whole=True, is_small_moving=True) == side
