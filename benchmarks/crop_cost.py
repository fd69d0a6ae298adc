"""What does it cost a worker to choose crops, and how many does it write? True tracks of PETS09-S2L1 and TUD-Campus.

Run: python -m benchmarks.crop_cost [--mot FOLDER] [--out FILE.json]
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.load.machine import described
from benchmarks.tracking_accuracy import MOT15_DIR, PETS, TUD, Footage, pictures, video_of
from runtime.crop_store import CropStore
from workers.crops.camera_crops import CameraCrops, ChosenCrops
from workers.crops.memory import CropMemory
from workers.crops.saver import CropSaver
from workers.frames import Detections, Frame
from workers.pictures import DecodedPicture, Picture

RATES: Final = (1, 5)
NAMES: Final = {0: "person"}


@dataclass(slots=True)
class Cost:
    """What was spent on one video."""

    frames: int = 0
    boxes: int = 0
    choosing_seconds: float = 0.0
    writing_seconds: float = 0.0
    #: Of the same boxes, with all of the frame made first, which a saved frame costs anyway.
    choosing_of_saved_seconds: float = 0.0
    longest_seconds: float = 0.0
    crops: Counter[int] = field(default_factory=Counter)
    crop_bytes: int = 0

    def told(self) -> dict[str, float]:
        """Return the figures."""
        crops = self.crops.total()
        return {
            "boxes a frame": round(self.boxes / self.frames, 2),
            "ms a box, choosing": round(1000 * self.choosing_seconds / self.boxes, 3),
            "ms a box, choosing, frame saved": round(1000 * self.choosing_of_saved_seconds / self.boxes, 3),
            "ms a box, writing": round(1000 * self.writing_seconds / self.boxes, 3),
            "ms a frame, all": round(1000 * (self.choosing_seconds + self.writing_seconds) / self.frames, 3),
            "ms, longest frame": round(1000 * self.longest_seconds, 2),
            "tracks": len(self.crops),
            "crops a track": round(crops / len(self.crops), 2),
            "most crops of a track": max(self.crops.values()),
            "boxes a crop": round(self.boxes / crops, 1),
            "bytes a crop": round(self.crop_bytes / crops),
        }


def true_boxes(folder: Path, footage: Footage, width: int, height: int) -> dict[int, Detections]:
    """Return the people of every frame, from 0, inside the frame, with their true ids."""
    rows = np.loadtxt(folder / "gt" / "gt.txt", delimiter=",")
    rows[:, 2:6] *= width / footage.truth_width
    found = {}
    for frame in range(footage.frames):
        here = rows[rows[:, 0] == frame + 1]
        xyxy = np.hstack([here[:, 2:4], here[:, 2:4] + here[:, 4:6]]).clip(0, [width, height, width, height])
        count = len(here)
        found[frame] = Detections(
            xyxy.astype(np.float32), np.full(count, 0.8, np.float32), np.zeros(count, np.int64), here[:, 1].astype(int)
        )
    return found


def measure(folder: Path, footage: Footage, fps: float, volume: Path) -> Cost:
    """Choose and write the crops of one video, analysed at a rate."""
    cost, saver = Cost(), CropSaver(CropStore(volume))
    crops, of_saved = (CameraCrops(set(NAMES.values()), CropMemory()) for _ in range(2))
    truth: dict[int, Detections] = {}
    numbers = set(range(0, footage.frames, round(footage.fps / fps)))
    for number, picture in pictures(video_of(folder), numbers):
        truth = truth or true_boxes(folder, footage, picture.width, picture.height)
        at, people = number / footage.fps, truth[number]
        chosen, seconds = _choose(crops, number, at, picture, people)
        written = _write(saver, chosen, cost)
        assert isinstance(picture, DecodedPicture)
        picture.bgr()
        cost.choosing_of_saved_seconds += _choose(of_saved, number, at, picture, people)[1]
        cost.frames += 1
        cost.boxes += len(people)
        cost.choosing_seconds += seconds
        cost.writing_seconds += written
        cost.longest_seconds = max(cost.longest_seconds, seconds + written)
    cost.writing_seconds += _write(saver, crops.all_that_is_held(), cost)
    return cost


def _choose(
    crops: CameraCrops, number: int, at: float, picture: Picture, people: Detections
) -> tuple[list[ChosenCrops], float]:
    frame = Frame("camera", 1, number, at, picture)
    began = time.thread_time()
    chosen = crops.saw(frame, people, np.ones(len(people), bool), NAMES, 0.0)
    return chosen, time.thread_time() - began


def _write(saver: CropSaver, chosen: list[ChosenCrops], cost: Cost) -> float:
    began = time.thread_time()
    for each in chosen:
        for cut in each.cuts:
            saver.save("camera", each.track_id, cut)
            cost.crops[each.track_id] += 1
            cost.crop_bytes += len(cut.jpeg)
    return time.thread_time() - began


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mot", type=Path, default=MOT15_DIR)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as volume:  # what is done once is no cost of a box
        measure(arguments.mot / TUD.name, TUD, max(RATES), Path(volume))
    for footage in (TUD, PETS):
        for fps in RATES:
            with tempfile.TemporaryDirectory() as volume:
                cost = measure(arguments.mot / footage.name, footage, fps, Path(volume))
            found[f"{footage.name}, {fps} fps"] = cost.told()
    names = list(next(iter(found.values())))
    print("| | " + " | ".join(found) + " |", "|---" * (len(found) + 1) + "|", sep="\n")
    for name in names:
        print(f"| {name} | " + " | ".join(str(each[name]) for each in found.values()) + " |")
    if arguments.out:
        arguments.out.write_text(json.dumps({"machine": described(), "cost": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
