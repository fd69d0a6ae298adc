"""The tracks of one group of classes: ByteTrack of the library `trackers`, tuned for few frames per second."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from trackers import ByteTrackTracker, GIoU
from trackers.core.bytetrack.tracklet import ByteTrackTracklet

from workers.tracking.appearance import Appearance, blended
from workers.tracking.similarity import AppearanceGIoU, key_of
from workers.tracking.tracker import NO_TRACK

# Chosen by measurement at rates from 1 to 25 frames per second; see benchmarks/README.md, "tracking_accuracy".

#: Seconds after which an object that is not seen any more is given up.
LOST_SECONDS: Final = 5.0
#: Frames per second that the Kalman filter's noise is scaled to; not the camera's.
REFERENCE_FPS: Final = 4.0
#: Boxes below this continue a track and never start one, in [0, 1].
ACTIVATION_CONFIDENCE: Final = 0.5
#: Boxes at or above this are matched first, in [0, 1].
HIGH_CONFIDENCE: Final = 0.5
#: Sightings one after the other that confirm a track.
CONFIRMING_SIGHTINGS: Final = 2
#: Least similarity of two boxes that may be one object, in frames that come quickly and in such that are seconds apart.
#: Generalised IoU, in [-1, 1], is negative for boxes apart: within a second a walker has left the box of the frame
#: before.
NEAR_GIOU: Final = 0.0
FAR_GIOU: Final = -0.6
#: Seconds between two frames up to which the first holds, and from which on the second does.
NEAR_SECONDS: Final = 0.2
FAR_SECONDS: Final = 1.0
#: The library states its buffer in frames of a video with 30 per second.
LIBRARY_FPS: Final = 30
#: Share of a box's shorter side that an object may be expected to go and still stands.
STANDING_SHARE: Final = 0.1
#: Weight of the newest sighting in what a track looks like.
NEWEST_WEIGHT: Final = 0.2


def least_giou(gap_seconds: float) -> float:
    """Return the least similarity of a track and a box that may be one object, some seconds later."""
    share = (gap_seconds - NEAR_SECONDS) / (FAR_SECONDS - NEAR_SECONDS)
    return NEAR_GIOU + (FAR_GIOU - NEAR_GIOU) * min(1.0, max(0.0, share))


class GroupTracker:
    """Follows objects that may be taken for one another. Used by one thread at a time; ids count from 0."""

    def __init__(self) -> None:
        self._metric = AppearanceGIoU(self._appearances_by_box)
        self._tracker = ByteTrackTracker(
            lost_track_buffer=round(LOST_SECONDS * LIBRARY_FPS),
            frame_rate=REFERENCE_FPS,
            track_activation_threshold=ACTIVATION_CONFIDENCE,
            minimum_consecutive_frames=CONFIRMING_SIGHTINGS,
            minimum_iou_threshold=FAR_GIOU,
            high_conf_det_threshold=HIGH_CONFIDENCE,
            iou=self._metric,
        )
        self._last_seconds = -math.inf
        #: `id` of a track of the library -> what its object looks like.
        self._appearances: dict[int, Appearance] = {}

    def update(
        self,
        xyxy: NDArray[np.float32],
        confidence: NDArray[np.float32],
        appearances: Sequence[Appearance | None],
        seconds: float,
    ) -> NDArray[np.int64]:
        """Follow the objects into the next frame.

        Args:
            xyxy: Shape (N, 4).
            confidence: Shape (N,), in [0, 1].
            appearances: What the N boxes look like, as far as that is known.
            seconds: When the frame arrived, monotonic; later than that of the frame before.

        Returns:
            Shape (N,), the ids of their tracks; `NO_TRACK` where there is none yet.
        """
        self._tracker.minimum_iou_threshold = least_giou(seconds - self._last_seconds)
        self._last_seconds = seconds
        self._metric.show({key_of(box): seen for box, seen in zip(xyxy, appearances, strict=True) if seen is not None})
        followed = self._tracker.update(
            # The library reorders boxes; the index says which is which.
            sv.Detections(xyxy=xyxy, confidence=confidence, data={"index": np.arange(len(xyxy))}),
            timestamp=seconds,
        )
        track_id = np.full(len(xyxy), NO_TRACK, np.int64)
        if len(followed) and followed.tracker_id is not None:
            track_id[followed.data["index"]] = followed.tracker_id
        self._learn(xyxy, appearances, track_id)
        return track_id

    @property
    def alive(self) -> set[int]:
        """Ids of tracks that are followed or looked for; `NO_TRACK` among them while one is not confirmed."""
        return {track.tracker_id for track in self._tracker.tracks}

    def is_settled(self, seconds: float) -> bool:
        """Whether all tracks are confirmed, were seen in the last frame, and are expected there some seconds later."""
        return all(
            track.tracker_id != NO_TRACK and not track.time_since_update and _stands(track, seconds)
            for track in self._tracker.tracks
        )

    def _appearances_by_box(self) -> dict[bytes, Appearance]:
        """Return what the tracks look like, by the boxes in which the library expects them now."""
        known = ((track, self._appearances.get(id(track))) for track in self._tracker.tracks)
        return {key_of(track.get_state_bbox()): seen for track, seen in known if seen is not None}

    def _learn(
        self, xyxy: NDArray[np.float32], appearances: Sequence[Appearance | None], track_id: NDArray[np.int64]
    ) -> None:
        """Take note of what the tracks of this frame's boxes look like, and forget those that are gone."""
        if not any(seen is not None for seen in appearances):
            # Another track may get the id of one that is gone.
            alive = {id(track) for track in self._tracker.tracks}
            self._appearances = {key: seen for key, seen in self._appearances.items() if key in alive}
            return
        learnt: dict[int, Appearance] = {}
        for track in self._tracker.tracks:
            known = self._appearances.get(id(track))
            box = (
                _box_of(track.tracker_id, track.get_state_bbox(), xyxy, track_id)
                if not track.time_since_update
                else None
            )
            seen = appearances[box] if box is not None else None
            if seen is not None:
                known = blended(known, seen, NEWEST_WEIGHT)
            if known is not None:
                learnt[id(track)] = known
        self._appearances = learnt


def _stands(track: ByteTrackTracklet, seconds: float) -> bool:
    """Whether the filter expects an object's box at nearly the same place some seconds later."""
    left, top, right, bottom, *speeds = track.state_estimator.kf.state.ravel().tolist()
    # The library's speeds are pixels in a frame at the rate that it was told.
    way = max(abs(speed) for speed in speeds) * REFERENCE_FPS * seconds
    return way < STANDING_SHARE * min(right - left, bottom - top)


def _box_of(
    tracker_id: int, expected: NDArray[np.generic], xyxy: NDArray[np.float32], track_id: NDArray[np.int64]
) -> int | None:
    """Return which box a track that was seen has: by its id, or before it has one by where it is."""
    places = np.flatnonzero(track_id == tracker_id)
    if tracker_id != NO_TRACK or not len(places):
        return int(places[0]) if len(places) else None
    return int(places[np.argmax(GIoU().compute(expected[None], xyxy[places])[0])])
