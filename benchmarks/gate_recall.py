"""Does the gate hide what the detector would see? Tracks found with it beside tracks found in whole frames.

Run: python -m benchmarks.gate_recall [--fps 1 --fps 2 --fps 5] [--data FOLDER] [--clip NAME] [--out FILE.json]

Every sampled frame of every video goes to the same detector and the same tracker twice: whole, and as `Attention`
asks. A track of whole frames is found with the gate where the tracked boxes of the gated run cover at least half of
its frames (IoU of 0.5, the same group of classes), and seen where they cover any of them.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.detection_accuracy import PROJECT_DIR, default_model
from workers.detection.openvino_detector import OpenVinoDetector
from workers.detection.parts import Part, PartsDetector
from workers.frames import Detections, Wanted
from workers.motion.attention import Attention
from workers.motion.motion_score import MotionScore
from workers.pictures import DecodedPicture
from workers.tracking.byte_track import ByteTrackCameraTracker
from workers.tracking.class_groups import group_classes
from workers.tracking.tracker import NO_TRACK

#: Beside the checkout; never part of it.
DATA_DIR: Final = PROJECT_DIR.parent / "shared" / "data"
FPS: Final = (1.0, 2.0, 5.0)
#: As in workers/pipeline.py: fainter boxes than this are not tracked, and what is reported is above the other.
TRACKING_CONFIDENCE: Final = 0.2
REPORTED_CONFIDENCE: Final = 0.25
SIDE: Final = 640
SAME_IOU: Final = 0.5
FOUND_SHARE: Final = 0.5
#: Class of the people in COCO, whom the truth of MOT knows.
PERSON: Final = 0
#: Rows that Frigate scales a frame to before it compares it with the one before.
FRIGATE_ROWS: Final = 100

#: A track: frame number -> (box, shape (4,), group of classes).
Track = dict[int, tuple[np.ndarray, int]]


@dataclass(frozen=True, slots=True)
class Clip:
    """A video, and the truth where there is one."""

    name: str
    path: Path
    truth: Path | None = None
    #: Width that the truth's boxes refer to.
    truth_width: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame of a clip that a camera would analyse."""

    #: In the clip, from 0.
    number: int
    seconds: float
    picture: DecodedPicture


@dataclass(slots=True)
class Spent:
    """What the gate costs and saves in one run."""

    frames: int = 0
    #: Frames of which anything was looked at, and of which all was.
    looked_at: int = 0
    whole: int = 0
    #: Pixels, scaled as the detector sees them, and those of whole frames at `SIDE`.
    pixels: float = 0.0
    pixels_of_all: float = 0.0
    gate_ms: list[float] = field(default_factory=list)
    frigate_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Figures:
    """One clip at one rate."""

    clip: str
    fps: float
    frames: int
    #: Tracks in whole frames; of these found and seen with the gate.
    tracks: int
    found: int
    seen: int
    #: Tracks with the gate, and of these found in whole frames.
    gated_tracks: int
    gated_found: int
    #: True tracks; of these found in whole frames, and with the gate.
    truth: int
    truth_found: int
    truth_gated: int
    #: Shares of all frames, and of all their pixels, that the detector looked at.
    looked_at: float
    whole: float
    pixels: float
    gate_ms: float
    frigate_ms: float


def clips(data: Path) -> list[Clip]:
    """Return the videos in the folder of test data."""
    videos = data / "videos"
    found = [Clip(path.stem, path) for path in sorted(videos.rglob("*")) if path.suffix in {".mp4", ".gif"}]
    for folder, width in (("PETS09-S2L1", 768), ("TUD-Campus", 640)):
        mot = data / "mot" / "MOT15" / folder
        found += [Clip(folder, path, mot / "gt" / "gt.txt", width) for path in sorted(mot.glob("*.mp4"))]
    return found


def sampled(path: Path, fps: float) -> Iterator[Sample]:
    """Return the frames of a camera that is analysed `fps` times a second."""
    due = 0.0
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            seconds = float(frame.time or 0.0)
            if seconds >= due - 1e-6:
                due = max(due + 1 / fps, seconds)
                yield Sample(number, seconds, DecodedPicture(frame))


class Whole:
    """Looks at whole frames, once at each whatever the rate."""

    def __init__(self, detector: PartsDetector) -> None:
        self._detector = detector
        self.class_names: Final = detector.detector.class_names
        self.found: dict[tuple[str, int], Detections] = {}

    def look(self, clip: Clip, sample: Sample) -> Detections:
        """Return what is found in the whole frame."""
        key = clip.name, sample.number
        if key not in self.found:
            part = Part(sample.picture, Wanted(is_whole=True, side=SIDE))
            self.found[key] = self._detector.detect([part], confidence=TRACKING_CONFIDENCE)[0]
        return self.found[key]


def run_whole(clip: Clip, fps: float, whole: Whole) -> dict[int, Detections]:
    """Return the tracked boxes of every sampled frame, looked at whole."""
    tracker = ByteTrackCameraTracker(whole.class_names)
    tracked = {}
    for sample in sampled(clip.path, fps):
        size = sample.picture.height, sample.picture.width
        boxes = whole.look(clip, sample)
        tracked[sample.number] = tracker.update(boxes, captured_monotonic=sample.seconds, frame_size=size)
    return tracked


def run_gated(clip: Clip, fps: float, detector: PartsDetector) -> tuple[dict[int, Detections], Spent]:
    """Return the tracked boxes of every sampled frame, looked at as the gate asks, and what that cost."""
    names = detector.detector.class_names
    tracker, motion = ByteTrackCameraTracker(names), MotionScore()
    attention = Attention(largest_side=SIDE, groups=group_classes(names))
    spent, tracked = Spent(), {}
    for sample in sampled(clip.path, fps):
        size = sample.picture.height, sample.picture.width
        luma = sample.picture.luma()
        began = time.thread_time()
        wanted = attention.saw(motion.update(luma, sample.seconds), sample.seconds, size)
        spent.gate_ms.append((time.thread_time() - began) * 1000)
        began = time.thread_time()
        cv2.resize(luma, (round(size[1] * FRIGATE_ROWS / size[0]), FRIGATE_ROWS))
        spent.frigate_ms.append((time.thread_time() - began) * 1000)
        note(spent, wanted, size)
        fresh = Detections()
        if not wanted.is_nothing:
            fresh = detector.detect([Part(sample.picture, wanted)], confidence=TRACKING_CONFIDENCE)[0]
        boxes = attention.looked(wanted, fresh, sample.seconds, size)
        tracked[sample.number] = tracker.update(boxes, captured_monotonic=sample.seconds, frame_size=size)
    return tracked, spent


def note(spent: Spent, wanted: Wanted, size: tuple[int, int]) -> None:
    """Add one frame to what was spent."""
    height, width = size
    spent.frames += 1
    spent.looked_at += not wanted.is_nothing
    spent.whole += wanted.is_whole
    looked = height * width if wanted.is_whole else 0
    looked += sum((each.right - each.left) * (each.bottom - each.top) for each in wanted.regions)
    spent.pixels += looked * min(1.0, wanted.side / max(size)) ** 2
    spent.pixels_of_all += height * width * min(1.0, SIDE / max(size)) ** 2


def tracks_in(tracked: dict[int, Detections], groups: dict[int, int]) -> list[Track]:
    """Return the confirmed tracks that are reported."""
    tracks: defaultdict[int, Track] = defaultdict(dict)
    for number, boxes in tracked.items():
        assert boxes.track_id is not None
        for box, confidence, class_id, track_id in zip(
            boxes.xyxy, boxes.confidence, boxes.class_id, boxes.track_id, strict=True
        ):
            if track_id != NO_TRACK and confidence >= REPORTED_CONFIDENCE:
                tracks[int(track_id)][number] = box, groups[int(class_id)]
    return list(tracks.values())


def true_tracks(clip: Clip, numbers: Sequence[int], width: int) -> list[Track]:
    """Return the true tracks in the frames with these numbers."""
    tracks: defaultdict[int, Track] = defaultdict(dict)
    wanted = set(numbers)
    for row in np.loadtxt(clip.truth, delimiter=",") if clip.truth else ():
        number, track_id, left, top, across, down = row[:6]
        if int(number) - 1 in wanted:
            box = np.array([left, top, left + across, top + down]) * width / clip.truth_width
            tracks[int(track_id)][int(number) - 1] = box, PERSON
    return list(tracks.values())


def covered(track: Track, by: list[Track]) -> float:
    """Return the share of a track's frames in which any of the other tracks has a like box."""
    like = 0
    for number, (box, group) in track.items():
        others = [each[number] for each in by if number in each]
        like += any(group == other_group and iou(box, other) >= SAME_IOU for other, other_group in others)
    return like / len(track)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Return intersection over union of two boxes."""
    both = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    return float(both / max(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - both, 1e-9))


def compare(clip: Clip, fps: float, detector: PartsDetector, whole: Whole) -> Figures:
    """Run a clip both ways."""
    groups = group_classes(detector.detector.class_names)
    reference = run_whole(clip, fps, whole)
    gated, spent = run_gated(clip, fps, detector)
    tracks, gated_tracks = tracks_in(reference, groups), tracks_in(gated, groups)
    shares = [covered(track, gated_tracks) for track in tracks]
    width = next(sampled(clip.path, fps)).picture.width
    truth = true_tracks(clip, list(reference), width)
    return Figures(
        clip=clip.name,
        fps=fps,
        frames=spent.frames,
        tracks=len(tracks),
        found=sum(share >= FOUND_SHARE for share in shares),
        seen=sum(share > 0 for share in shares),
        gated_tracks=len(gated_tracks),
        gated_found=sum(covered(track, tracks) >= FOUND_SHARE for track in gated_tracks),
        truth=len(truth),
        truth_found=sum(covered(track, tracks) >= FOUND_SHARE for track in truth),
        truth_gated=sum(covered(track, gated_tracks) >= FOUND_SHARE for track in truth),
        looked_at=spent.looked_at / spent.frames,
        whole=spent.whole / spent.frames,
        pixels=spent.pixels / spent.pixels_of_all,
        gate_ms=median(spent.gate_ms),
        frigate_ms=median(spent.frigate_ms),
    )


def show(figures: list[Figures]) -> None:
    """Print the table; the last lines are all clips of a rate together."""
    table = Table(title="Tracks found with the gate, of those found in whole frames")
    for column in ("clip", "fps", "frames", "tracks", "found", "seen", "recall", "true: whole, gate"):
        table.add_column(column)
    for column in ("frames looked at", "whole", "pixels", "gate ms", "Frigate's resize ms"):
        table.add_column(column)
    for each in figures:
        table.add_row(each.clip, f"{each.fps:g}", str(each.frames), *cells([each]))
    for fps in sorted({each.fps for each in figures}):
        of_rate = [each for each in figures if each.fps == fps]
        table.add_row("all", f"{fps:g}", str(sum(each.frames for each in of_rate)), *cells(of_rate), style="bold")
    Console(width=170).print(table)


def cells(figures: Sequence[Figures]) -> Iterator[str]:
    """Return the figures of several clips together, as text."""
    tracks, found = sum(each.tracks for each in figures), sum(each.found for each in figures)
    frames = sum(each.frames for each in figures)
    yield str(tracks)
    yield str(found)
    yield str(sum(each.seen for each in figures))
    yield f"{found / tracks:.3f}" if tracks else "-"
    truth = sum(each.truth for each in figures)
    both = sum(each.truth_found for each in figures), sum(each.truth_gated for each in figures)
    yield f"{both[0]}, {both[1]} of {truth}" if truth else ""
    for name in ("looked_at", "whole", "pixels"):
        yield f"{sum(getattr(each, name) * each.frames for each in figures) / frames:.0%}"
    yield f"{median(each.gate_ms for each in figures):.2f}"
    yield f"{median(each.frigate_ms for each in figures):.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA_DIR)
    parser.add_argument("--fps", type=float, action="append")
    parser.add_argument("--clip", action="append", help="only these, by name")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    # As in a worker: its threads are its cameras.
    cv2.setNumThreads(1)
    detector = PartsDetector(OpenVinoDetector(default_model(), precision="f32"))
    whole = Whole(detector)
    chosen = [clip for clip in clips(arguments.data) if not arguments.clip or clip.name in arguments.clip]
    figures = []
    for fps in arguments.fps or FPS:
        for clip in chosen:
            figures.append(compare(clip, fps, detector, whole))
            print(figures[-1], flush=True)
    show(figures)
    if arguments.out:
        arguments.out.write_text(json.dumps([asdict(each) for each in figures], indent=1) + "\n")


if __name__ == "__main__":
    main()
