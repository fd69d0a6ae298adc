"""What a tracker of one camera promises."""

from typing import Final, Protocol

from workers.frames import Detections
from workers.pictures import Picture

#: `Detections.track_id` of a box that belongs to no confirmed track.
NO_TRACK: Final = -1


class CameraTracker(Protocol):
    """Follows objects through the frames of one camera under one assignment. Used by one thread at a time.

    Track ids count from 1, are never given twice by one tracker, and mean nothing to another tracker.
    """

    @property
    def frames_untracked(self) -> int:
        """Frames whose boxes got no track because they came out of order."""
        ...

    def update(
        self,
        detections: Detections,
        *,
        captured_monotonic: float,
        frame_size: tuple[int, int],
        picture: Picture | None = None,
    ) -> Detections:
        """Follow the objects into the next frame.

        Call it for every analysed frame, also for one without detections: that is how a track gets lost.

        Args:
            detections: What was found in the frame; `track_id` is ignored.
            captured_monotonic: Monotonic seconds when the frame arrived; later than that of the frame before. The
                spacing may vary.
            frame_size: Height and width of the frame in pixels.
            picture: Its pixels; None: objects are followed by their places alone.

        Returns:
            All the detections, in the same order, with `track_id` set: `NO_TRACK` for an object seen for the first
            time, one of too little confidence to start a track, and every box of a frame that is not later than the
            one before.
        """
        ...
