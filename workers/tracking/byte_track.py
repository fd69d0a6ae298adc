"""Objects of one camera: a tracker per group of classes, in one scale and under one set of ids."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.frames import Detections
from workers.pictures import Picture
from workers.tracking.appearance import Appearance, appearance_of
from workers.tracking.class_groups import group_classes
from workers.tracking.group_tracker import LOST_SECONDS, GroupTracker
from workers.tracking.tracker import NO_TRACK

#: Boxes below this are not matched at all: noise that lures tracks away, in [0, 1].
FAINTEST_CONFIDENCE: Final = 0.2
#: Pixels that the longer side of every frame is scaled to for tracking: the filter's noise is in pixels.
REFERENCE_SIDE: Final = 768.0
#: Seconds for which objects must be expected where they are, for the filters to be stopped.
STANDING_SECONDS: Final = 4.0
#: Difference in aspect, as a share, up to which two frame sizes show the same view.
SAME_ASPECT: Final = 0.02


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame, and the tracks of its boxes."""

    detections: Detections
    size: tuple[int, int]
    #: Monotonic.
    seconds: float
    #: Shape (N,).
    track_id: NDArray[np.int64]

    def is_shown_again_by(self, detections: Detections, size: tuple[int, int]) -> bool:
        """Whether all of another frame is carried on from this one."""
        return (
            size == self.size
            and not detections.found_now.any()
            and np.array_equal(detections.xyxy, self.detections.xyxy)
            and np.array_equal(detections.class_id, self.detections.class_id)
            and np.array_equal(detections.confidence, self.detections.confidence)
        )


class ByteTrackCameraTracker:
    """Follows the objects of one camera; see `CameraTracker`.

    Where nothing was looked at and nothing has moved the filters would learn nothing, and cost a millisecond a frame:
    they are stopped, and so is their clock.

    Args:
        class_names: Name of every class by index; which of them may be one object, `class_groups` says.
        uses_appearance: Whether what objects look like counts, where a frame's pixels are given.
    """

    def __init__(self, class_names: Mapping[int, str], *, uses_appearance: bool = False) -> None:
        self._group_of = group_classes(class_names)
        self._uses_appearance = uses_appearance
        self._trackers: dict[int, GroupTracker] = {}
        #: (group, id within the group's tracker) -> id within the camera, for tracks that are alive.
        self._ids: dict[tuple[int, int], int] = {}
        self._last_id = 0
        #: The newest frame whose boxes have tracks.
        self._last: _Frame | None = None
        #: Seconds for which the filters were stopped.
        self._stopped_seconds = 0.0
        self._aspect = 0.0
        #: Frames whose boxes got no track because they came out of order.
        self.frames_untracked = 0

    def update(
        self,
        detections: Detections,
        *,
        captured_monotonic: float,
        frame_size: tuple[int, int],
        picture: Picture | None = None,
    ) -> Detections:
        """Follow the objects into the next frame; see `CameraTracker.update`."""
        track_id = np.full(len(detections), NO_TRACK, np.int64)
        is_late = self._last is not None and not captured_monotonic > self._last.seconds
        if is_late or not math.isfinite(captured_monotonic):
            self.frames_untracked += 1
        else:
            shown = picture if self._uses_appearance else None
            track_id = self._tracks(detections, frame_size, shown, captured_monotonic)
            self._last = _Frame(detections, frame_size, captured_monotonic, track_id)
        return replace(detections, track_id=track_id)

    def _tracks(
        self, detections: Detections, frame_size: tuple[int, int], picture: Picture | None, seconds: float
    ) -> NDArray[np.int64]:
        """Return the ids of this frame's boxes, shape (N,)."""
        last = self._last
        if last is not None and last.is_shown_again_by(detections, frame_size) and self._is_settled:
            gap = seconds - last.seconds
            if gap < LOST_SECONDS:
                self._stopped_seconds += gap
                return last.track_id
        self._forget_if_view_changed(frame_size)
        return self._follow(detections, frame_size, picture, seconds - self._stopped_seconds)

    @property
    def _is_settled(self) -> bool:
        return all(tracker.is_settled(STANDING_SECONDS) for tracker in self._trackers.values())

    def _forget_if_view_changed(self, frame_size: tuple[int, int]) -> None:
        """Start anew when the aspect changes; the same view in another size goes on, for boxes are scaled."""
        height, width = frame_size
        aspect = width / height
        if self._aspect and abs(aspect / self._aspect - 1) > SAME_ASPECT:
            self._trackers.clear()
            self._ids.clear()
        self._aspect = aspect

    def _follow(
        self,
        detections: Detections,
        frame_size: tuple[int, int],
        picture: Picture | None,
        seconds: float,
    ) -> NDArray[np.int64]:
        """Follow a frame's objects, group by group; return their tracks' ids; `seconds`: of the filters' clock."""
        track_id = np.full(len(detections), NO_TRACK, np.int64)
        scale = REFERENCE_SIDE / max(frame_size)
        usable = np.isfinite(detections.xyxy).all(axis=1) & (detections.confidence >= FAINTEST_CONFIDENCE)
        group_of_box = np.array([self._group_of.get(int(c), int(c)) for c in detections.class_id], np.int64)
        for group in sorted(self._trackers.keys() | set(group_of_box.tolist())):
            boxes = np.flatnonzero((group_of_box == group) & usable)
            tracker = self._trackers.setdefault(group, GroupTracker())
            found = tracker.update(
                detections.xyxy[boxes] * np.float32(scale),
                detections.confidence[boxes],
                _appearances(picture, detections.select(boxes)),
                seconds,
            )
            track_id[boxes] = [self._camera_id(group, int(local_id)) for local_id in found]
            self._forget_removed(group, tracker)
        return track_id

    def _camera_id(self, group: int, local_id: int) -> int:
        """Return the camera's id of a group's track; the groups' trackers all count from 0."""
        if local_id == NO_TRACK:
            return NO_TRACK
        if (group, local_id) not in self._ids:
            self._last_id += 1
            self._ids[group, local_id] = self._last_id
        return self._ids[group, local_id]

    def _forget_removed(self, group: int, tracker: GroupTracker) -> None:
        """Keep memory bounded: ids of removed tracks never come back, nor does a tracker without tracks."""
        alive = tracker.alive
        for key in [key for key in self._ids if key[0] == group and key[1] not in alive]:
            del self._ids[key]
        if not alive:
            del self._trackers[group]


def _appearances(picture: Picture | None, boxes: Detections) -> Sequence[Appearance | None]:
    """Return what N boxes look like; nothing is known of any where there are no pixels.

    What is carried on from earlier frames was looked at in them, and has not moved since.
    """
    if picture is None:
        return [None] * len(boxes)
    return [
        appearance_of(picture, (box[0], box[1], box[2], box[3])) if is_fresh else None
        for box, is_fresh in zip(boxes.xyxy.tolist(), boxes.found_now.tolist(), strict=True)
    ]
