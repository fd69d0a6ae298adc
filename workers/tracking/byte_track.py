"""ByteTrack of the library `trackers`, one instance per group of classes, tuned for few frames per second."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from trackers import ByteTrackTracker, GIoU

from workers.frames import Detections
from workers.tracking.class_groups import group_classes
from workers.tracking.tracker import NO_TRACK

# Chosen by measurement at 1, 2, 5 and 10 frames per second; see benchmarks/README.md, "tracking".

#: Seconds after which an object that is not seen any more is given up.
LOST_SECONDS: Final = 5.0
#: Frames per second that the Kalman filter's noise is scaled to; not the camera's.
REFERENCE_FPS: Final = 4.0
#: Boxes below this are not matched at all: noise that lures tracks away, in [0, 1].
FAINTEST_CONFIDENCE: Final = 0.2
#: Boxes below this continue a track and never start one, in [0, 1].
ACTIVATION_CONFIDENCE: Final = 0.5
#: Boxes at or above this are matched first, in [0, 1].
HIGH_CONFIDENCE: Final = 0.5
#: Sightings one after the other that confirm a track.
CONFIRMING_SIGHTINGS: Final = 2
#: Least similarity of two boxes that may be one object. Generalised IoU, in [-1, 1], is negative for boxes apart: at
#: one frame per second a walker has left the box of the frame before.
MINIMUM_GIOU: Final = -0.6
#: Pixels that the longer side of every frame is scaled to for tracking: the filter's noise is in pixels.
REFERENCE_SIDE: Final = 768.0
#: The library states its buffer in frames of a video with 30 per second.
LIBRARY_FPS: Final = 30
#: Difference in aspect, as a share, up to which two frame sizes show the same view.
SAME_ASPECT: Final = 0.02


class ByteTrackCameraTracker:
    """Follows the objects of one camera; see `CameraTracker`.

    Args:
        class_names: Name of every class by index; which of them may be one object, `class_groups` says.
    """

    def __init__(self, class_names: Mapping[int, str]) -> None:
        self._group_of = group_classes(class_names)
        self._trackers: dict[int, ByteTrackTracker] = {}
        #: (group, id within the group's tracker) -> id within the camera, for tracks that are alive.
        self._ids: dict[tuple[int, int], int] = {}
        self._last_id = 0
        self._last_seconds = -math.inf
        self._aspect = 0.0
        #: Frames whose boxes got no track because they came out of order.
        self.frames_untracked = 0

    def update(self, detections: Detections, *, captured_monotonic: float, frame_size: tuple[int, int]) -> Detections:
        """Follow the objects into the next frame; see `CameraTracker.update`."""
        track_id = np.full(len(detections), NO_TRACK, np.int64)
        if not captured_monotonic > self._last_seconds or not math.isfinite(captured_monotonic):
            self.frames_untracked += 1
        else:
            self._last_seconds = captured_monotonic
            self._forget_if_view_changed(frame_size)
            self._follow(detections, frame_size, track_id)
        return Detections(detections.xyxy, detections.confidence, detections.class_id, track_id)

    def _forget_if_view_changed(self, frame_size: tuple[int, int]) -> None:
        """Start anew when the aspect changes; the same view in another size goes on, for boxes are scaled."""
        height, width = frame_size
        aspect = width / height
        if self._aspect and abs(aspect / self._aspect - 1) > SAME_ASPECT:
            self._trackers.clear()
            self._ids.clear()
        self._aspect = aspect

    def _follow(self, detections: Detections, frame_size: tuple[int, int], track_id: NDArray[np.int64]) -> None:
        """Write the ids of this frame's boxes into `track_id`, group by group."""
        scale = REFERENCE_SIDE / max(frame_size)
        usable = np.isfinite(detections.xyxy).all(axis=1) & (detections.confidence >= FAINTEST_CONFIDENCE)
        group_of_box = np.array([self._group_of.get(int(c), int(c)) for c in detections.class_id], np.int64)
        for group in sorted(self._trackers.keys() | set(group_of_box.tolist())):
            boxes = np.flatnonzero((group_of_box == group) & usable)
            self._follow_group(group, detections, boxes, scale, track_id)

    def _follow_group(
        self,
        group: int,
        detections: Detections,
        boxes: NDArray[np.intp],
        scale: float,
        track_id: NDArray[np.int64],
    ) -> None:
        if group not in self._trackers:
            self._trackers[group] = _new_tracker()
        tracker = self._trackers[group]
        followed = tracker.update(
            sv.Detections(
                xyxy=detections.xyxy[boxes] * scale,
                confidence=detections.confidence[boxes],
                # The library reorders boxes; this says which is which.
                data={"index": boxes},
            ),
            timestamp=self._last_seconds,
        )
        if len(followed) and followed.tracker_id is not None:
            for index, local_id in zip(followed.data["index"], followed.tracker_id, strict=True):
                track_id[index] = self._camera_id(group, int(local_id))
        self._forget_removed(group, tracker)

    def _camera_id(self, group: int, local_id: int) -> int:
        """Return the camera's id of a group's track; the groups' trackers all count from 0."""
        if local_id == NO_TRACK:
            return NO_TRACK
        if (group, local_id) not in self._ids:
            self._last_id += 1
            self._ids[group, local_id] = self._last_id
        return self._ids[group, local_id]

    def _forget_removed(self, group: int, tracker: ByteTrackTracker) -> None:
        """Keep memory bounded: ids of removed tracks never come back, nor does a tracker without tracks."""
        alive = {track.tracker_id for track in tracker.tracks}
        for key in [key for key in self._ids if key[0] == group and key[1] not in alive]:
            del self._ids[key]
        if not tracker.tracks:
            del self._trackers[group]


def _new_tracker() -> ByteTrackTracker:
    return ByteTrackTracker(
        lost_track_buffer=round(LOST_SECONDS * LIBRARY_FPS),
        frame_rate=REFERENCE_FPS,
        track_activation_threshold=ACTIVATION_CONFIDENCE,
        minimum_consecutive_frames=CONFIRMING_SIGHTINGS,
        minimum_iou_threshold=MINIMUM_GIOU,
        high_conf_det_threshold=HIGH_CONFIDENCE,
        iou=GIoU(),
    )
