"""Which tracker keeps people's ids? HOTA, IDF1, MOTA on PETS09-S2L1 and TUD-Campus, at full rate and at few frames.

Run: python -m benchmarks.tracking_accuracy [--mot FOLDER] [--sequence NAME] [--keep FOLDER [--trackeval PYTHON]]
"""

import argparse
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

import av
import numpy as np
import supervision as sv
from trackers import BoTSORTTracker, ByteTrackTracker, CBIoUTracker, OCSORTTracker
from trackers.core.base import BaseTracker
from trackers.eval import evaluate_mot_sequence

from benchmarks.detection_accuracy import default_model
from benchmarks.load.machine import described
from workers.detection.detector import Detector
from workers.detection.openvino_detector import OpenVinoDetector
from workers.frames import Detections
from workers.pictures import DecodedPicture, Picture
from workers.tracking.byte_track import ByteTrackCameraTracker
from workers.tracking.group_tracker import LIBRARY_FPS, LOST_SECONDS
from workers.tracking.tracker import CameraTracker

PROJECT_DIR: Final = Path(__file__).resolve().parent.parent
#: Beside the checkout; never part of it.
MOT15_DIR: Final = PROJECT_DIR.parent / "shared" / "data" / "mot" / "MOT15"
MOT_DIR: Final = MOT15_DIR / "PETS09-S2L1"
TRACKEVAL: Final = PROJECT_DIR / "benchmarks" / "peers" / "trackeval_scores.py"
PERSON: Final = 0
CONFIDENCE: Final = 0.25
#: Largest error of a frame's time in seconds: streams are never on the beat.
JITTER_SECONDS: Final = 0.03


@dataclass(frozen=True, slots=True)
class Footage:
    """One video with known tracks."""

    name: str
    fps: int
    #: Width that the truth's boxes refer to; the video may be smaller.
    truth_width: int
    frames: int


PETS: Final = Footage("PETS09-S2L1", 10, 768, 795)
TUD: Final = Footage("TUD-Campus", 25, 640, 71)


@dataclass(frozen=True, slots=True)
class Score:
    """How well ids were kept; all but the switches are at most 1."""

    hota: float
    idf1: float
    mota: float
    id_switches: float
    #: CPU milliseconds of the tracker for each frame, pixels included.
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What a camera analysed at few frames per second sees of the video."""

    #: Numbers of the video's frames, from 0.
    frames: Sequence[int]
    #: When each arrived, in seconds.
    seconds: Sequence[float]


def every(fps: float, phase: int = 0, footage: Footage = PETS) -> Sample:
    """Return the frames of a camera analysed `fps` times a second, with jitter; `phase` is its first frame."""
    frames = range(phase, footage.frames, round(footage.fps / fps))
    jitter = random.Random(1)  # noqa: S311 - the same every time, on purpose
    most = min(JITTER_SECONDS, 0.25 / fps)
    return Sample(list(frames), [frame / footage.fps + jitter.uniform(-most, most) for frame in frames])


def irregular(seed: int, footage: Footage = PETS) -> Sample:
    """Return frames that are 0.5 to 1.5 s apart."""
    gaps = random.Random(seed)  # noqa: S311 - the same every time, on purpose
    frames: list[int] = []
    at = 0.0
    while at * footage.fps < footage.frames:
        frames.append(int(at * footage.fps))
        at += gaps.uniform(0.5, 1.5)
    return Sample(frames, [frame / footage.fps for frame in frames])


class LibraryTracker:
    """A tracker as the library sets it up, for comparison; only the time for which it looks for objects is ours."""

    frames_untracked = 0

    def __init__(self, make: Callable[..., BaseTracker], fps: float, **options: bool) -> None:
        self._tracker = make(lost_track_buffer=round(LOST_SECONDS * LIBRARY_FPS), frame_rate=fps, **options)

    def update(
        self,
        detections: Detections,
        *,
        captured_monotonic: float,
        frame_size: tuple[int, int],
        picture: Picture | None = None,  # noqa: ARG002 - the protocol's name
    ) -> Detections:
        """Follow the objects into the next frame; see `CameraTracker.update`."""
        scale = PETS.truth_width / frame_size[1]
        boxes = sv.Detections(
            xyxy=detections.xyxy * scale,
            confidence=detections.confidence,
            data={"index": np.arange(len(detections))},
        )
        followed = self._tracker.update(boxes, timestamp=captured_monotonic)
        track_id = np.full(len(detections), -1, np.int64)
        if len(followed) and followed.tracker_id is not None:
            track_id[followed.data["index"]] = followed.tracker_id
        return Detections(detections.xyxy, detections.confidence, detections.class_id, track_id)


def library_default(fps: float) -> LibraryTracker:
    """Return ByteTrack as the library sets it up."""
    return LibraryTracker(ByteTrackTracker, fps)


BY_APPEARANCE: Final = "FARM_TRACKER=appearance"
#: What is compared: name -> makes the tracker for a camera of some frames a second.
KINDS: Final[dict[str, Callable[[float], CameraTracker]]] = {
    "library ByteTrack": library_default,
    "library BoT-SORT": lambda fps: LibraryTracker(BoTSORTTracker, fps, enable_cmc=False),
    "library OC-SORT": lambda fps: LibraryTracker(OCSORTTracker, fps),
    "library C-BIoU": lambda fps: LibraryTracker(CBIoUTracker, fps),
    "FARM_TRACKER=bytetrack": lambda _: ByteTrackCameraTracker({PERSON: "person"}),
    BY_APPEARANCE: lambda _: ByteTrackCameraTracker({PERSON: "person"}, uses_appearance=True),
}
SAMPLINGS: Final[dict[str, tuple[Footage, float, list[Sample]]]] = {
    "TUD 25 fps": (TUD, 25, [every(25, footage=TUD)]),
    "TUD 5 fps": (TUD, 5, [every(5, phase, TUD) for phase in range(5)]),
    "TUD 2 fps": (TUD, 2, [every(2, phase, TUD) for phase in range(0, 12, 2)]),
    "PETS 10 fps": (PETS, 10, [every(10)]),
    "PETS 5 fps": (PETS, 5, [every(5, phase) for phase in range(2)]),
    "PETS 2 fps": (PETS, 2, [every(2, phase) for phase in range(5)]),
    "PETS 1 fps": (PETS, 1, [every(1, phase) for phase in (0, 3, 6, 9)]),
    "PETS 0.5-1.5 s apart": (PETS, 1, [irregular(seed) for seed in range(4)]),
}


def video_of(folder: Path) -> Path:
    """Return the only video of a sequence's folder."""
    (video,) = folder.glob("*.mp4")
    return video


def pictures(video: Path, frames: set[int]) -> Iterator[tuple[int, Picture]]:
    """Yield the named frames of a video, in order."""
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in frames:
                yield number, DecodedPicture(frame)


def detect_people(detector: Detector, video: Path, frames: set[int]) -> tuple[dict[int, Detections], tuple[int, int]]:
    """Return the people in the named frames of the video, and its height and width."""
    found: dict[int, Detections] = {}
    size = (0, 0)
    for number, picture in pictures(video, frames):
        size = (picture.height, picture.width)
        boxes = detector.detect([picture.bgr()], confidence=CONFIDENCE)[0]
        found[number] = boxes.select(boxes.class_id == PERSON)
    return found, size


def _mot_line(frame: int, track_id: int, xyxy: Sequence[float]) -> str:
    x_min, y_min, x_max, y_max = xyxy
    return f"{frame},{track_id},{x_min},{y_min},{x_max - x_min},{y_max - y_min},1,1,1\n"


def _sampled_truth(truth: Path, sample: Sample) -> str:
    place = {frame: index + 1 for index, frame in enumerate(sample.frames)}
    lines = []
    for row in np.loadtxt(truth, delimiter=","):
        frame, track_id, x, y, width, height = row[:6].tolist()
        if int(frame) - 1 in place:
            lines.append(_mot_line(place[int(frame) - 1], int(track_id), (x, y, x + width, y + height)))
    return "".join(lines)


@dataclass(frozen=True, slots=True)
class Scene:
    """A video with what was found in it."""

    folder: Path
    footage: Footage
    found: dict[int, Detections]
    #: Height and width of a frame.
    size: tuple[int, int]

    def track(self, tracker: CameraTracker, sample: Sample, *, shows_pictures: bool = True) -> tuple[str, float]:
        """Track through a sample; return the boxes that have an id as MOT lines, and CPU milliseconds a frame."""
        lines, cpu_seconds = [], 0.0
        shown = pictures(video_of(self.folder), set(sample.frames)) if shows_pictures else None
        for index, (frame, seconds) in enumerate(zip(sample.frames, sample.seconds, strict=True)):
            picture = next(shown)[1] if shown is not None else None
            began = time.thread_time()
            boxes = tracker.update(self.found[frame], captured_monotonic=seconds, frame_size=self.size, picture=picture)
            cpu_seconds += time.thread_time() - began
            track_ids = [] if boxes.track_id is None else boxes.track_id.tolist()
            scaled = boxes.xyxy * self.footage.truth_width / self.size[1]
            for xyxy, track_id in zip(scaled.tolist(), track_ids, strict=True):
                if track_id >= 0:
                    lines.append(_mot_line(index + 1, track_id, xyxy))
        return "".join(lines), cpu_seconds * 1000 / len(sample.frames)

    def score(
        self, tracker: CameraTracker, sample: Sample, keep: "Kept | None" = None, *, shows_pictures: bool = True
    ) -> Score:
        """Track through a sample of the video and score it."""
        tracked, cpu_ms = self.track(tracker, sample, shows_pictures=shows_pictures)
        truth = _sampled_truth(self.folder / "gt" / "gt.txt", sample)
        with tempfile.TemporaryDirectory() as temporary:
            kept = keep or Kept(Path(temporary), "tracker", "sequence")
            for file, text in ((kept.truth, truth), (kept.tracked, tracked)):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            result = evaluate_mot_sequence(kept.truth, kept.tracked, ["CLEAR", "HOTA", "Identity"])
        assert result.CLEAR is not None
        assert result.Identity is not None
        assert result.HOTA is not None
        return Score(result.HOTA.HOTA, result.Identity.IDF1, result.CLEAR.MOTA, result.CLEAR.IDSW, cpu_ms)


@dataclass(frozen=True, slots=True)
class Kept:
    """Where truth and tracks of one run are kept, in the layout that TrackEval reads."""

    folder: Path
    kind: str
    sequence: str

    @property
    def truth(self) -> Path:
        """File of the true tracks."""
        return self.folder / "truth" / self.sequence / "truth.txt"

    @property
    def tracked(self) -> Path:
        """File of the tracks found."""
        return self.folder / "trackers" / self.kind / "data" / f"{self.sequence}.txt"


def scene(detector: Detector, folder: Path, footage: Footage, frames: set[int]) -> Scene:
    """Look for people in the named frames of a video."""
    return Scene(folder, footage, *detect_people(detector, video_of(folder), frames))


def mean(scores: Sequence[Score]) -> Score:
    """Return the mean of scores from different samples."""
    return Score(*(float(np.mean([getattr(score, each.name) for score in scores])) for each in fields(Score)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mot", type=Path, default=MOT15_DIR)
    parser.add_argument("--sequence", help="TUD or PETS; both unless it is given")
    parser.add_argument("--keep", type=Path, help="folder for truth and tracks as MOT files")
    parser.add_argument("--trackeval", type=Path, help="Python with the package trackeval, to score --keep once more")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    detector = OpenVinoDetector(default_model(), precision="f32")
    scenes = {
        footage: scene(detector, arguments.mot / footage.name, footage, set(range(footage.frames)))
        for footage in (TUD, PETS)
        if footage.name.startswith(arguments.sequence or "")
    }
    found: dict[str, dict[str, dict[str, float]]] = {}
    for sampling, (footage, fps, samples) in SAMPLINGS.items():
        if footage not in scenes:
            continue
        print(f"\n| {sampling} | HOTA | IDF1 | MOTA | id switches | CPU ms a frame |", "|---" * 6 + "|", sep="\n")
        for kind, make in KINDS.items():
            score = mean(
                [
                    scenes[footage].score(
                        make(fps),
                        sample,
                        arguments.keep and Kept(arguments.keep, kind, f"{sampling} {number}"),
                        shows_pictures=kind == BY_APPEARANCE,
                    )
                    for number, sample in enumerate(samples)
                ]
            )
            found.setdefault(sampling, {})[kind] = {name: round(value, 4) for name, value in asdict(score).items()}
            cells = f"{score.hota:.3f} | {score.idf1:.3f} | {score.mota:.3f}"
            print(f"| {kind} | {cells} | {score.id_switches:.1f} | {score.cpu_ms:.2f} |", flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps({"machine": described(), "scores": found}, indent=1) + "\n")
    if arguments.trackeval and arguments.keep:
        subprocess.run([str(arguments.trackeval), str(TRACKEVAL), str(arguments.keep)], check=True)


if __name__ == "__main__":
    main()
