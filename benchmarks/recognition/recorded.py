"""What workers would tell of two recorded cameras: tracks of people with chosen crops, by the farm's own parts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import av
import numpy as np

from benchmarks.detection_accuracy import default_model
from contract.cameras import AnalysisSettings
from contract.detections import Xyxy
from workers.crops.camera_crops import CameraCrops
from workers.crops.cutting import Cut
from workers.crops.memory import CropMemory
from workers.detection.openvino_detector import OpenVinoDetector
from workers.frames import Frame
from workers.pictures import BgrPicture
from workers.tracking.byte_track import ByteTrackCameraTracker

PERSON: Final = 0
CONFIDENCE: Final = 0.25


@dataclass(frozen=True, slots=True)
class RecordedCamera:
    """A video that stands for a camera; it began at time 0."""

    name: str
    file: Path
    #: Frames per second of the video.
    fps: int
    #: Part of each frame that is seen, as shares of its width: from, to.
    columns: tuple[float, float] = (0.0, 1.0)


@dataclass(slots=True)
class SeenTrack:
    """One person in one camera, as long as the tracker followed."""

    camera: str
    track_id: int
    started_ms: int
    ended_ms: int
    #: Best first within each set, as they were told.
    cuts: list[Cut] = field(default_factory=list)


def watch(camera: RecordedCamera, fps: float, detector: OpenVinoDetector) -> list[SeenTrack]:
    """Return the tracks of people with crops.

    Args:
        camera: The video.
        fps: Frames per second that are looked at.
        detector: With class 0 as people.
    """
    tracker = ByteTrackCameraTracker(detector.class_names)
    chooser = CameraCrops({"person"}, CropMemory())
    padding = float(AnalysisSettings.model_fields["box_padding"].default)
    tracks: dict[int, SeenTrack] = {}
    for frame in frames(camera, fps):
        boxes = detector.detect([frame.image], confidence=CONFIDENCE)[0]
        boxes = boxes.select(boxes.class_id == PERSON)
        tracked = tracker.update(
            boxes, captured_monotonic=frame.captured_monotonic, frame_size=(frame.height, frame.width)
        )
        numbers = [] if tracked.track_id is None else [int(number) for number in tracked.track_id if number >= 0]
        for number in numbers:
            track = tracks.setdefault(
                number, SeenTrack(camera.name, number, frame.captured_at_ms, frame.captured_at_ms)
            )
            track.ended_ms = frame.captured_at_ms
        reported = np.ones(len(tracked), np.bool_)
        for chosen in chooser.saw(frame, tracked, reported, detector.class_names, padding):
            tracks[chosen.track_id].cuts += chosen.cuts
    for chosen in chooser.all_that_is_held():
        tracks[chosen.track_id].cuts += chosen.cuts
    return [track for track in tracks.values() if track.cuts]


def frames(camera: RecordedCamera, fps: float) -> Iterator[Frame]:
    """Yield the frames of a video that are looked at."""
    step = round(camera.fps / fps)
    with av.open(str(camera.file)) as container:
        for number, decoded in enumerate(container.decode(video=0)):
            if number % step == 0:
                at_ms = number * 1000 // camera.fps
                image = np.asarray(decoded.to_ndarray(format="bgr24"), np.uint8)
                left, right = (round(share * image.shape[1]) for share in camera.columns)
                seen = np.ascontiguousarray(image[:, left:right])
                yield Frame(camera.name, 1, at_ms, at_ms / 1000, BgrPicture(seen))


def tracks_of(cameras: Sequence[RecordedCamera], fps: float) -> list[SeenTrack]:
    """Return the tracks of all cameras, in the order in which they ended."""
    detector = OpenVinoDetector(default_model(), precision="f32")
    tracks = [track for camera in cameras for track in watch(camera, fps, detector)]
    return sorted(tracks, key=lambda track: (track.ended_ms, track.camera, track.track_id))


def overlap(a: Xyxy, b: Xyxy) -> float:
    """Return the intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(0.0, width) * max(0.0, height)
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / area if area > 0 else 0.0
