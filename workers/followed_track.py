"""One object while it is followed: how it was seen best, and when there is something new to tell of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from contract.crops import Crop
from contract.detections import AnalysisResult, TrackedDetection, Xyxy

#: Seconds after which a track that goes on is told of again, whether or not there is anything new.
UPDATE_SECONDS: Final = 15.0
#: Seconds between two updates of a track at least, but for the one that brings its first picture.
UPDATE_MIN_SECONDS: Final = 3.0
#: A view is worth telling from so many times the score of the one that was told last: an object that walks towards the
#: camera makes a few updates and not one for each frame.
BETTER_VIEW: Final = 1.5


@dataclass(frozen=True, slots=True)
class View:
    """How an object was seen in one frame."""

    xyxy: Xyxy
    confidence: float
    #: Size of the frame in pixels.
    width: int
    height: int
    #: Where the frame was saved, relative to the frames volume; None: it was not.
    frame_path: str | None

    @classmethod
    def of(cls, detection: TrackedDetection, result: AnalysisResult) -> Self:
        """Return how one detection of a result shows its object."""
        return cls(detection.xyxy, detection.confidence, result.width, result.height, result.frame_path)

    @property
    def score(self) -> float:
        """How good it is, in [0, 1]: the detector's confidence times the share of the frame that the object takes."""
        left, top, right, bottom = self.xyxy
        share = (right - left) * (bottom - top) / max(1, self.width * self.height)
        return self.confidence * min(1.0, max(0.0, share))

    @property
    def rank(self) -> tuple[bool, float]:
        """What views are compared by: one of which there is a picture is better than any of which there is none."""
        return self.frame_path is not None, self.score


class FollowedTrack:
    """One object that is being followed."""

    def __init__(self, track: str, class_id: int, class_name: str, started_at_ms: int) -> None:
        """Begin to follow an object.

        Args:
            track: Id of the event that tells of its start.
            class_id: Of the detection in which it was seen first.
            class_name: The same.
            started_at_ms: When that frame was captured, Unix ms UTC.
        """
        self.track: Final = track
        self.class_id: Final = class_id
        self.class_name: Final = class_name
        self.started_at_ms: Final = started_at_ms
        self.last_seen_ms = started_at_ms
        self.last_seen_monotonic = 0.0
        self.frames_seen = 0
        self.best: View | None = None
        #: Crops that were saved and not told of.
        self._crops: list[Crop] = []
        self._told: View | None = None
        self._told_at = 0.0

    def seen(self, view: View, at_ms: int, at_monotonic: float) -> None:
        """Take note of one more frame; of views that are as good the newest counts."""
        self.last_seen_ms, self.last_seen_monotonic = at_ms, at_monotonic
        self.frames_seen += 1
        if self.best is None or view.rank >= self.best.rank:
            self.best = view

    def kept(self, crops: Sequence[Crop]) -> None:
        """Take note of crops that were saved: the next word of the object names them."""
        self._crops += crops

    def take_crops(self) -> list[Crop]:
        """Return the crops that were not told of yet, best first; they are now."""
        crops, self._crops = self._crops, []
        return sorted(crops, key=lambda crop: crop.quality, reverse=True)

    def told(self) -> None:
        """Take note that what is known by now was told."""
        self._told, self._told_at = self.best, self.last_seen_monotonic

    @property
    def is_worth_telling(self) -> bool:
        """Whether there is something new, and the last word is old enough."""
        best, told = self.best, self._told
        if best is None or told is None:
            return False
        if told.frame_path is None and best.frame_path is not None:
            return True
        age_seconds = self.last_seen_monotonic - self._told_at
        is_better = best.rank > told.rank and best.score >= BETTER_VIEW * told.score
        return age_seconds >= UPDATE_SECONDS or (is_better and age_seconds >= UPDATE_MIN_SECONDS)
