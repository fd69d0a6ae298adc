"""Crops chosen from real footage whose people are known: few, of everybody, and less covered by others than usual."""

from collections import defaultdict

import av
import numpy as np
import pytest

from benchmarks.tracking_accuracy import MOT15_DIR, TUD, video_of
from workers.crops.camera_crops import CameraCrops, ChosenCrops
from workers.crops.cutting import Cut
from workers.crops.memory import CropMemory
from workers.crops.shortlist import MOST
from workers.frames import Detections, Frame
from workers.pictures import DecodedPicture

FOLDER = MOT15_DIR / TUD.name
pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER} is not there"),
]
#: Frame of the video, from 0 -> rows of true track id, left, top, right, bottom.
Truth = dict[int, np.ndarray]


def truth() -> Truth:
    """Return the people of every frame, inside the frame."""
    rows = np.loadtxt(FOLDER / "gt" / "gt.txt", delimiter=",")
    found: Truth = {}
    for frame in range(TUD.frames):
        here = rows[rows[:, 0] == frame + 1]
        xyxy = np.hstack([here[:, 2:4], here[:, 2:4] + here[:, 4:6]]).clip(0, [640, 480, 640, 480])
        found[frame] = np.hstack([here[:, 1:2], xyxy])
    return found


def covered(people: np.ndarray, index: int) -> float:
    """Return the largest share of a person's box that one who stands nearer covers."""
    left, top, right, bottom = people[index, 1:]
    shares = [0.0]
    for other in np.delete(people, index, axis=0):
        if other[4] > bottom:
            wide = max(0.0, min(right, other[3]) - max(left, other[1]))
            high = max(0.0, min(bottom, other[4]) - max(top, other[2]))
            shares.append(wide * high / max(1.0, (right - left) * (bottom - top)))
    return max(shares)


def choose(people: Truth) -> list[ChosenCrops]:
    """Let the stage choose from all frames, told what the true tracks are."""
    crops, chosen = CameraCrops({"person"}, CropMemory()), []
    with av.open(str(video_of(FOLDER))) as container:
        for number, decoded in enumerate(container.decode(video=0)):
            here, at = people[number], number / TUD.fps
            found = Detections(
                here[:, 1:].astype(np.float32),
                np.full(len(here), 0.8, np.float32),
                np.zeros(len(here), np.int64),
                here[:, 0].astype(np.int64),
            )
            frame = Frame("street", 1, number, at, DecodedPicture(decoded))
            chosen += crops.saw(frame, found, np.ones(len(here), bool), {0: "person"}, 0.0)
    return chosen + crops.all_that_is_held()


def test_crops_of_a_crowd_are_few_of_everybody_and_less_covered_than_a_sighting_is() -> None:
    """Given a street on which people cover each other, the crops of each are few, and show him rather than others."""
    people = truth()
    of_track: dict[int, list[Cut]] = defaultdict(list)
    for each in choose(people):
        of_track[each.track_id] += each.cuts
    everybody = {int(track) for here in people.values() for track in here[:, 0]}
    assert of_track.keys() == everybody
    assert all(0 < len(cuts) <= MOST for cuts in of_track.values())
    usual = [covered(here, index) for here in people.values() for index in range(len(here))]
    # The frame's number was handed in as its time.
    kept = [
        covered(people[cut.captured_at_ms], int(np.flatnonzero(people[cut.captured_at_ms][:, 0] == track)[0]))
        for track, cuts in of_track.items()
        for cut in cuts
    ]
    best = [
        covered(people[cut.captured_at_ms], int(np.flatnonzero(people[cut.captured_at_ms][:, 0] == track)[0]))
        for track, cuts in of_track.items()
        for cut in [max(cuts, key=lambda each: each.quality)]
    ]
    assert np.mean(kept) < 0.5 * np.mean(usual)
    assert np.mean(best) < 0.5 * np.mean(usual)
    assert len(kept) < 0.3 * len(usual)
