"""Which tracker keeps people's ids at few frames per second? MOTA, IDF1 and id switches on PETS09-S2L1.

Run: python -m benchmarks.tracking_accuracy [--mot FOLDER]
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
import supervision as sv
from trackers import ByteTrackTracker
from trackers.eval import evaluate_mot_sequence

from benchmarks.detection_accuracy import default_model
from workers.detection.detector import Detector
from workers.detection.openvino_detector import OpenVinoDetector
from workers.frames import Detections
from workers.tracking.byte_track import LIBRARY_FPS, LOST_SECONDS, ByteTrackCameraTracker
from workers.tracking.tracker import CameraTracker

PROJECT_DIR: Final = Path(__file__).resolve().parent.parent
#: Beside the checkout; never part of it.
MOT_DIR: Final = PROJECT_DIR.parent / "shared" / "data" / "mot" / "MOT15" / "PETS09-S2L1"
VIDEO_FPS: Final = 10
#: Width that the truth's boxes refer to; the video was made smaller.
TRUTH_WIDTH: Final = 768
PERSON: Final = 0
CONFIDENCE: Final = 0.25
#: Largest error of a frame's time in seconds: streams are never on the beat.
JITTER_SECONDS: Final = 0.03


@dataclass(frozen=True, slots=True)
class Score:
    """How well ids were kept; MOTA and IDF1 are at most 1."""

    mota: float
    idf1: float
    id_switches: float
    #: CPU milliseconds of the tracker for each frame.
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What a camera analysed at few frames per second sees of the video."""

    #: Numbers of the video's frames, from 0.
    frames: Sequence[int]
    #: When each arrived, in seconds.
    seconds: Sequence[float]


def every(fps: float, phase: int = 0) -> Sample:
    """Return the frames of a camera analysed `fps` times a second, with jitter; `phase` is its first frame."""
    frames = range(phase, 795, round(VIDEO_FPS / fps))
    jitter = random.Random(1)  # noqa: S311 - the same every time, on purpose
    return Sample(
        list(frames), [frame / VIDEO_FPS + jitter.uniform(-JITTER_SECONDS, JITTER_SECONDS) for frame in frames]
    )


def irregular(seed: int) -> Sample:
    """Return frames that are 0.5 to 1.5 s apart."""
    gaps = random.Random(seed)  # noqa: S311 - the same every time, on purpose
    frames: list[int] = []
    at = 0.0
    while at * VIDEO_FPS < 795:
        frames.append(int(at * VIDEO_FPS))
        at += gaps.uniform(0.5, 1.5)
    return Sample(frames, [frame / VIDEO_FPS for frame in frames])


class LibraryDefault:
    """ByteTrack as the library sets it up, for comparison; only the buffer is the same as ours."""

    frames_untracked = 0

    def __init__(self, fps: float) -> None:
        self._tracker = ByteTrackTracker(lost_track_buffer=round(LOST_SECONDS * LIBRARY_FPS), frame_rate=fps)

    def update(self, detections: Detections, *, captured_monotonic: float, frame_size: tuple[int, int]) -> Detections:
        """Follow the objects into the next frame; see `CameraTracker.update`."""
        scale = TRUTH_WIDTH / frame_size[1]
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


def detect_people(detector: Detector, video: Path, frames: set[int]) -> tuple[dict[int, Detections], tuple[int, int]]:
    """Return the people in the named frames of the video, and its height and width."""
    found: dict[int, Detections] = {}
    size = (0, 0)
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            size = (frame.height, frame.width)
            if number in frames:
                image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                boxes = detector.detect([image], confidence=CONFIDENCE)[0]
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


def track_and_score(
    tracker: CameraTracker, sample: Sample, found: dict[int, Detections], size: tuple[int, int], truth: Path
) -> Score:
    """Track through a sample of the video and score the boxes that have an id with CLEAR and identity metrics."""
    lines = []
    cpu_started = time.process_time()
    for index, (frame, seconds) in enumerate(zip(sample.frames, sample.seconds, strict=True)):
        boxes = tracker.update(found[frame], captured_monotonic=seconds, frame_size=size)
        track_ids = [] if boxes.track_id is None else boxes.track_id.tolist()
        for xyxy, track_id in zip((boxes.xyxy * TRUTH_WIDTH / size[1]).tolist(), track_ids, strict=True):
            if track_id >= 0:
                lines.append(_mot_line(index + 1, track_id, xyxy))
    cpu_ms = (time.process_time() - cpu_started) * 1000 / len(sample.frames)
    with tempfile.TemporaryDirectory() as folder:
        truth_file, tracked_file = Path(folder) / "truth.txt", Path(folder) / "tracked.txt"
        truth_file.write_text(_sampled_truth(truth, sample))
        tracked_file.write_text("".join(lines))
        result = evaluate_mot_sequence(truth_file, tracked_file, ["CLEAR", "Identity"])
    assert result.CLEAR is not None
    assert result.Identity is not None
    return Score(result.CLEAR.MOTA, result.Identity.IDF1, result.CLEAR.IDSW, cpu_ms)


def mean(scores: Sequence[Score]) -> Score:
    """Return the mean of scores from different samples."""
    rows = np.array([(score.mota, score.idf1, score.id_switches, score.cpu_ms) for score in scores])
    return Score(*rows.mean(axis=0).tolist())


SAMPLINGS: Final[dict[str, tuple[float, list[Sample]]]] = {
    "1 fps": (1, [every(1, phase) for phase in (0, 3, 6, 9)]),
    "0.5-1.5 s": (1, [irregular(seed) for seed in range(4)]),
    "2 fps": (2, [every(2, phase) for phase in range(5)]),
    "5 fps": (5, [every(5, phase) for phase in range(2)]),
    "10 fps": (10, [every(10)]),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mot", type=Path, default=MOT_DIR)
    arguments = parser.parse_args()
    detector = OpenVinoDetector(default_model(), precision="f32")
    video = next(arguments.mot.glob("*.mp4"))
    found, size = detect_people(detector, video, set(range(795)))
    kinds: dict[str, Callable[[float], CameraTracker]] = {
        "library's defaults": LibraryDefault,
        "workers/tracking": lambda _fps: ByteTrackCameraTracker(detector.class_names),
    }
    print("| MOTA / IDF1 / id switches | " + " | ".join(SAMPLINGS) + " |")
    print("|---" * (len(SAMPLINGS) + 1) + "|")
    cpu_ms: dict[str, float] = {}
    for kind, make in kinds.items():
        cells = []
        for fps, samples in SAMPLINGS.values():
            score = mean(
                [track_and_score(make(fps), sample, found, size, arguments.mot / "gt" / "gt.txt") for sample in samples]
            )
            cells.append(f"{score.mota:.3f} / {score.idf1:.3f} / {score.id_switches:.0f}")
            cpu_ms[kind] = score.cpu_ms
        print(f"| {kind} | " + " | ".join(cells) + " |", flush=True)
    print("CPU ms a frame at 10 fps: " + ", ".join(f"{kind} {value:.2f}" for kind, value in cpu_ms.items()))


if __name__ == "__main__":
    main()
