"""How much of a picture moved: things that move, and all that only looks like it."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workers.motion.motion_score import HEIGHT, MOVED_SHARE, MotionScore, small_gray
from workers.pictures import BgrImage

SIZE = (480, 640)
_RANDOM = np.random.default_rng(4)


def scene(brightness: float = 1.0, noise: float = 0.0, person_at: int | None = None) -> BgrImage:
    """Return a patterned picture; a person is a dark block of 40 x 90 pixels at this column."""
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    gray = 70.0 + columns / 8 + (columns // 40 + rows // 40) % 2 * 25
    if person_at is not None:
        gray[200:290, person_at : person_at + 40] = 20
    gray = gray * brightness
    if noise:
        gray = gray + _RANDOM.normal(0, noise, SIZE)
    clipped: NDArray[np.uint8] = np.clip(gray, 0, 255).astype(np.uint8)
    return np.repeat(clipped[..., None], 3, axis=2)


def learnt(noise: float = 0.0) -> MotionScore:
    """Return a background that has seen the empty scene for a while."""
    score = MotionScore()
    for _ in range(20):
        score.update(scene(noise=noise))
    return score


def test_an_empty_scene_does_not_move() -> None:
    """Given the same picture, then nothing moves."""
    assert learnt().update(scene()) == 0


@pytest.mark.parametrize("noise", [3.0, 8.0, 15.0])
def test_noise_is_no_motion(noise: float) -> None:
    """Given a noisy sensor, then hardly a picture in fifty counts as moved."""
    score = learnt(noise)
    moved = sum(score.update(scene(noise=noise)) >= MOVED_SHARE for _ in range(50))
    assert moved <= 1


@pytest.mark.parametrize("noise", [0.0, 8.0])
def test_a_person_who_walks_moves(noise: float) -> None:
    """Given a person of one percent of the picture, then every step counts, about as large as the person is."""
    score = learnt(noise)
    shares = [score.update(scene(noise=noise, person_at=50 + 60 * step)) for step in range(8)]
    assert min(shares) >= MOVED_SHARE
    assert max(shares) < 0.08


def test_a_walk_leaves_no_motion_behind() -> None:
    """Given a person who crossed the scene at walking pace, then soon after nothing moves any more."""
    score = learnt()
    for step in range(10):
        score.update(scene(person_at=20 + 60 * step))
    for _ in range(3):
        score.update(scene())
    assert score.update(scene()) < MOVED_SHARE


@pytest.mark.parametrize("brightness", [0.7, 0.85, 1.2, 1.35])
def test_a_change_of_light_is_no_motion(brightness: float) -> None:
    """Given a cloud or an exposure that changes the whole picture at once, then nothing moves."""
    score = learnt(3.0)
    assert score.update(scene(brightness, 3.0)) < MOVED_SHARE


def test_a_person_is_seen_while_the_light_changes() -> None:
    """Given light that changes at the moment in which a person comes, then the person counts."""
    assert learnt(3.0).update(scene(0.8, 3.0, person_at=300)) >= MOVED_SHARE


def test_another_scene_is_no_motion_and_is_learnt_at_once() -> None:
    """Given a camera that is turned, then neither that nor the pictures after it count."""
    score = learnt()
    turned = np.ascontiguousarray(_RANDOM.integers(0, 255, (*SIZE, 3), np.uint8).repeat(1, axis=0))
    turned[:] = np.kron(_RANDOM.integers(0, 255, (12, 16), np.uint8), np.ones((40, 40), np.uint8))[..., None]
    assert score.update(turned) == 0
    assert score.update(turned) == 0


def test_another_size_begins_anew() -> None:
    """Given a camera whose resolution changes its proportions, then the first picture of it has not moved."""
    score = learnt()
    assert score.update(np.ascontiguousarray(scene()[:, :300])) == 0


@settings(max_examples=30)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 255), st.integers(0, 2**32 - 1))
def test_pictures_of_any_size_have_a_share(height: int, width: int, level: int, seed: int) -> None:
    """Given any two pictures of one size, then the share lies between 0 and 1."""
    score = MotionScore()
    score.update(np.full((height, width, 3), level, np.uint8))
    share = score.update(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))
    assert 0 <= share <= 1


def test_the_small_copy_keeps_proportions() -> None:
    """Given 1080p, then the copy has as many rows as are looked at, and 16:9."""
    assert small_gray(np.zeros((1080, 1920, 3), np.uint8)).shape == (HEIGHT, HEIGHT * 16 // 9)


def test_a_look_at_a_full_hd_picture_costs_little() -> None:
    """Given 1080p pictures, then a look costs far less than decoding one does (some 3 ms): below 2 ms of CPU."""
    score = MotionScore()
    image = np.ascontiguousarray(_RANDOM.integers(0, 255, (1080, 1920, 3), np.uint8))
    score.update(image)
    costs = []
    for _ in range(20):
        began = time.thread_time()
        score.update(image)
        costs.append(time.thread_time() - began)
    assert sorted(costs)[len(costs) // 2] < 0.002
