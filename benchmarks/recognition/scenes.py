"""Two places that are seen by two cameras each, and who is where in them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

import model_store
from benchmarks.load.footage_loops import cache_dir
from benchmarks.recognition.people import DATA_DIR
from benchmarks.recognition.recorded import RecordedCamera
from contract.detections import Xyxy
from reid.matching.topology import Topology, Transit

PLAZA_DIR: Final = DATA_DIR / "videos" / "multicam_caesar"
#: By looking at the crops: camera, milliseconds, box.
PLAZA_LABELS: Final = Path(__file__).resolve().parent / "plaza_people.json"
#: Made by MOTChallenge for the same frames as the demo's footage.
DEMO_TRUTH: Final = DATA_DIR / "mot" / "MOT15" / "PETS09-S2L1" / "gt" / "gt.txt"
DEMO_WIDTH: Final = 768
DEMO_FPS: Final = 10
#: Who comes back gets another number in the truth; by looking at the crops, these are the same ten people.
DEMO_AGAIN: Final = {9: 5, 10: 6, 11: 3, 12: 4, 13: 2, 14: 8, 15: 8, 18: 8, 19: 1}
#: A person must be seen in a half by so much of the width to count as seen there.
SEEN_PART: Final = 0.5

#: Camera, Unix milliseconds, box.
Place = tuple[str, int, Xyxy]


@dataclass(frozen=True, slots=True)
class Scene:
    """Two cameras, and who is where."""

    name: str
    cameras: tuple[RecordedCamera, RecordedCamera]
    #: By person.
    labels: dict[str, list[Place]]
    #: What an operator would say of the ways between the two.
    said: Topology


def plaza() -> Scene:
    """Return the two views of one plaza; they touch."""
    written: dict[str, list[list[str | int]]] = json.loads(PLAZA_LABELS.read_text())
    labels = {
        person: [
            (str(row[0]), int(row[1]), (float(row[2]), float(row[3]), float(row[4]), float(row[5]))) for row in rows
        ]
        for person, rows in written.items()
    }
    one, other = (RecordedCamera(name, PLAZA_DIR / f"{name}.mp4", 20) for name in ("cam1", "cam2"))
    return Scene("plaza", (one, other), labels, _ways(one, other))


def demo() -> Scene:
    """Return the demo's plaza, cut into a left and a right camera between which people walk."""
    file = model_store.fetch_footage("vtest", cache_dir() / "footage")
    left = RecordedCamera("plaza-left", file, DEMO_FPS, (0.0, 0.5))
    right = RecordedCamera("plaza-right", file, DEMO_FPS, (0.5, 1.0))
    labels: dict[str, list[Place]] = {}
    for row in np.loadtxt(DEMO_TRUTH, delimiter=","):
        frame, person, x, y, width, height = row[:6].tolist()
        for camera in (left, right):
            place = _seen((x, y, x + width, y + height), camera)
            if place is not None:
                at_ms = (int(frame) - 1) * 1000 // DEMO_FPS
                labels.setdefault(str(DEMO_AGAIN.get(int(person), int(person))), []).append((camera.name, at_ms, place))
    return Scene("demo", (left, right), labels, _ways(left, right))


def _seen(xyxy: Xyxy, camera: RecordedCamera) -> Xyxy | None:
    """Return a box of the whole picture as the camera sees it; None: hardly anything of it."""
    begin, end = (share * DEMO_WIDTH for share in camera.columns)
    left, right = max(xyxy[0], begin), min(xyxy[2], end)
    if right - left < SEEN_PART * (xyxy[2] - xyxy[0]):
        return None
    return left - begin, xyxy[1], right - begin, xyxy[3]


def _ways(one: RecordedCamera, other: RecordedCamera) -> Topology:
    """Return that nobody takes 20 s from one to the other, and that both may see somebody at once."""
    pairs = (one.name, other.name), (other.name, one.name)
    return Topology(said={pair: Transit(-5_000, 20_000) for pair in pairs})


SCENES: Final = {"plaza": plaza, "demo": demo}
