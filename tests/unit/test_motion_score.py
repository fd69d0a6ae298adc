"""How much of a picture moved, and where: things that move, and all that only looks like it."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workers.frames import Region
from workers.motion.motion_score import MAX_REGIONS, MOVED_SHARE, SIDE, Motion, MotionScore, small_gray
from workers.pictures import GrayImage

SIZE = (480, 640)
_RANDOM = np.random.default_rng(4)


def scene(brightness: float = 1.0, noise: float = 0.0, person_at: int | None = None) -> GrayImage:
    """Return a patterned picture; a person is a dark block of 40 x 90 pixels at this column."""
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    gray = 70.0 + columns / 8 + (columns // 40 + rows // 40) % 2 * 25
    if person_at is not None:
        gray[200:290, person_at : person_at + 40] = 20
    return shown(gray * brightness, noise)


def shown(gray: NDArray[np.float64], noise: float = 0.0) -> GrayImage:
    """Return a picture of these grey levels, as a noisy sensor sees them."""
    if noise:
        gray = gray + _RANDOM.normal(0, noise, gray.shape)
    return np.clip(gray, 0, 255).astype(np.uint8)


def looks(score: MotionScore, pictures: Iterable[GrayImage], *, since: float = 100.0, fps: float = 1.0) -> list[Motion]:
    """Return what moved in each of the pictures."""
    return [score.update(picture, since + number / fps) for number, picture in enumerate(pictures)]


def learnt(noise: float = 0.0) -> MotionScore:
    """Return a background that has seen the empty scene for 20 s."""
    score = MotionScore()
    looks(score, (scene(noise=noise) for _ in range(20)), since=79.0)
    return score


def holds(motion: Motion, left: int, top: int, right: int, bottom: int, slack: int = 8) -> bool:
    """Whether one of the regions holds this rectangle, but for a few pixels."""
    return any(
        region.left <= left + slack
        and region.top <= top + slack
        and region.right >= right - slack
        and region.bottom >= bottom - slack
        for region in motion.regions
    )


def test_the_first_picture_is_a_new_scene_in_which_nothing_moves() -> None:
    """Given no picture before, then it is a new scene; the next one is not."""
    score = MotionScore()
    assert score.update(scene(), 1.0) == Motion(0.0, (), is_new_scene=True)
    assert score.update(scene(), 2.0) == Motion(0.0)


@pytest.mark.parametrize("noise", [3.0, 8.0, 15.0])
@pytest.mark.parametrize("fps", [1.0, 5.0])
def test_noise_is_no_motion(noise: float, fps: float) -> None:
    """Given a noisy sensor, then hardly a picture in fifty counts as moved or is worth a look."""
    motions = looks(learnt(noise), (scene(noise=noise) for _ in range(50)), fps=fps)
    assert sum(motion.share >= MOVED_SHARE for motion in motions) <= 1
    assert sum(bool(motion.regions) for motion in motions) <= 1


@pytest.mark.parametrize("noise", [0.0, 8.0])
def test_a_person_who_walks_moves(noise: float) -> None:
    """Given a person of one percent of the picture, then every step counts, about as large as the person is."""
    steps = [50 + 60 * step for step in range(8)]
    motions = looks(learnt(noise), (scene(noise=noise, person_at=step) for step in steps))
    assert min(motion.share for motion in motions) >= MOVED_SHARE
    assert max(motion.share for motion in motions) < 0.08
    assert all(holds(motion, step, 200, step + 40, 290) for motion, step in zip(motions, steps, strict=True))


@pytest.mark.parametrize("fps", [1.0, 2.0, 5.0])
def test_a_person_far_away_who_walks_slowly_is_worth_a_look(fps: float) -> None:
    """Given 7 by 18 pixels, 20 grey levels off the ground, that go 8 pixels a second, then every frame shows them."""

    def far(seconds: float) -> GrayImage:
        gray = np.full(SIZE, 110.0)
        column = int(100 + 8 * seconds)
        gray[240:258, column : column + 7] -= 20
        return shown(gray, 3.0)

    score = MotionScore()
    looks(score, (shown(np.full(SIZE, 110.0), 3.0) for _ in range(20)), since=80.0)
    count = int(20 * fps)
    motions = looks(score, (far(number / fps) for number in range(count)), fps=fps)
    seen = [
        holds(motion, int(100 + 8 * number / fps), 240, int(107 + 8 * number / fps), 258)
        for number, motion in enumerate(motions)
    ]
    assert sum(seen) >= 0.95 * count


def test_who_stands_still_moves_on_but_is_worth_no_look_for_long() -> None:
    """Given a person who comes and stands, then there are two looks at least, soon none, and the share goes on."""
    motions = looks(learnt(), (scene(person_at=300) for _ in range(8)))
    assert all(motion.regions for motion in motions[:2])
    assert not any(motion.regions for motion in motions[4:])
    assert all(motion.share >= MOVED_SHARE for motion in motions)


def test_who_leaves_after_a_long_time_is_worth_a_look() -> None:
    """Given a person who stood for long enough to be background, when they leave, then the place is looked at."""
    score = learnt()
    looks(score, (scene(person_at=300) for _ in range(200)))
    assert holds(score.update(scene(), 301.0), 300, 200, 340, 290)


def test_a_walk_leaves_no_motion_behind() -> None:
    """Given a person who crossed the scene at walking pace, then soon after nothing moves any more."""
    score = learnt()
    looks(score, [*(scene(person_at=20 + 60 * step) for step in range(10)), *(scene() for _ in range(3))])
    assert score.update(scene(), 113.0).share < MOVED_SHARE


@pytest.mark.parametrize("brightness", [0.7, 0.85, 1.2, 1.35])
def test_a_change_of_light_is_no_motion(brightness: float) -> None:
    """Given a cloud or an exposure that changes the whole picture at once, then nothing moves."""
    motion = learnt(3.0).update(scene(brightness, 3.0), 100.0)
    assert motion.share < MOVED_SHARE
    assert not motion.regions


def test_a_person_is_seen_while_the_light_changes() -> None:
    """Given light that changes at the moment in which a person comes, then the person counts."""
    motion = learnt(3.0).update(scene(0.8, 3.0, person_at=300), 100.0)
    assert motion.share >= MOVED_SHARE
    assert holds(motion, 300, 200, 340, 290)


def detail(darkest: int) -> NDArray[np.float64]:
    """Return squares of 20 pixels of any grey levels from this on."""
    levels = np.kron(_RANDOM.integers(darkest, 200, (24, 32)), np.ones((20, 20), np.int64))
    return levels.astype(np.float64)


def shaken(picture: GrayImage, across: int, down: int) -> GrayImage:
    """Return what a camera sees that was moved by so many pixels."""
    return np.roll(picture, (down, across), axis=(0, 1))[4:-4, 4:-4]


def test_a_camera_that_shakes_sees_no_motion() -> None:
    """Given a detailed scene and a mast in the wind, then hardly a frame moves."""
    detailed = shown(detail(40))
    score = MotionScore()
    shifts = [(0, 0), (2, 1), (-1, 2), (3, 0), (0, -3), (-2, -2)]
    motions = looks(score, (shaken(detailed, *shifts[number % 6]) for number in range(30)))
    assert not any(motion.is_new_scene for motion in motions[1:])
    assert sum(motion.share >= MOVED_SHARE for motion in motions) <= 1
    assert sum(bool(motion.regions) for motion in motions) <= 1


def test_a_person_is_seen_by_a_camera_that_shakes() -> None:
    """Given a detailed scene that shakes, when a person comes, then the place is worth a look."""
    detailed = shown(detail(80))
    score = MotionScore()
    looks(score, (shaken(detailed, number % 3, 0) for number in range(20)), since=80.0)
    detailed[200:290, 300:340] = 10
    assert holds(score.update(shaken(detailed, 2, 1), 100.0), 298, 197, 338, 287)


def test_another_scene_is_no_motion_and_is_learnt_at_once() -> None:
    """Given a camera that is turned, then neither that nor the pictures after it count, and it says so once."""
    score = learnt()
    turned = np.kron(_RANDOM.integers(0, 255, (12, 16), np.uint8), np.ones((40, 40), np.uint8))
    assert score.update(turned, 100.0) == Motion(0.0, is_new_scene=True)
    assert score.update(turned, 101.0) == Motion(0.0)


def test_another_size_begins_anew() -> None:
    """Given a camera whose resolution changes, then the first picture of it is a new scene."""
    assert learnt().update(scene()[:, :300], 100.0) == Motion(0.0, is_new_scene=True)


def test_the_copy_of_a_large_picture_is_as_quick_to_look_at() -> None:
    """Given sizes from CIF to 4K, then the copy's longer side is near what is looked at, whatever the rows' stride."""
    for height, width in ((288, 352), (360, 640), (432, 768), (1080, 1920), (2160, 3840)):
        padded = np.zeros((height, width + 64), np.uint8)
        copy, scale = small_gray(padded[:, :width])
        assert copy.shape == (height // scale, width // scale)
        assert 0.5 <= copy.shape[1] / SIDE <= 1.4


def test_what_lies_beside_a_strided_picture_is_not_looked_at() -> None:
    """Given 4K rows with padding that changes, then nothing moves; a person in the picture does, where it is."""
    buffer = np.full((2160, 3840 + 64), 90, np.uint8)
    score = MotionScore()
    for number in range(5):
        buffer[:, 3840:] = number * 60
        motion = score.update(buffer[:, :3840], float(number))
        assert motion.share == 0
        assert not motion.regions
    buffer[1000:1100, 2000:2040] = 200
    assert holds(score.update(buffer[:, :3840], 6.0), 2000, 1000, 2040, 1100, slack=24)


def test_motion_at_the_last_pixels_reaches_the_edge() -> None:
    """Given a size that is no multiple of anything, then a region at its corner ends where the picture does."""
    still = np.full((363, 645), 90, np.uint8)
    score = MotionScore()
    score.update(still, 0.0)
    moved = still.copy()
    moved[300:, 600:] = 200
    (region,) = score.update(moved, 1.0).regions
    assert (region.right, region.bottom) == (645, 363)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 900), st.integers(1, 900), st.integers(0, 255), st.integers(0, 2**32 - 1))
def test_pictures_of_any_size_have_a_share_and_regions_inside(height: int, width: int, level: int, seed: int) -> None:
    """Given any two pictures of one size, then the share lies in [0, 1], and the few regions inside the picture."""
    score = MotionScore()
    score.update(np.full((height, width), level, np.uint8), 0.0)
    picture = np.full((height, width), level, np.uint8)
    random = np.random.default_rng(seed)
    for _ in range(30):
        row, column = random.integers(0, height), random.integers(0, width)
        picture[row : row + height // 9 + 1, column : column + width // 9 + 1] = random.integers(0, 256)
    motion = score.update(picture, 1.0)
    assert 0 <= motion.share <= 1
    assert len(motion.regions) <= MAX_REGIONS
    for region in motion.regions:
        assert isinstance(region, Region)
        assert 0 <= region.left < region.right <= width
        assert 0 <= region.top < region.bottom <= height
