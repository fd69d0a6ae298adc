"""The crops of one camera: looks at every frame that was tracked, keeps the best, says when they are to be saved."""

import math
import threading
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.detections import Xyxy
from workers.crops.cutting import Cut, cut, region_around
from workers.crops.memory import CAMERA_BYTES, CropMemory
from workers.crops.sharpness import sharpness
from workers.crops.shortlist import Due, Shortlist, Sighting
from workers.crops.worth import Boxes, worth
from workers.frames import Detections, Frame

#: Share of its worth that a crop has however blurred it is.
BLURRED_FACTOR: Final = 0.4
#: Seconds without a sighting after which an object is forgotten: later than any tracker looks for it.
FORGET_SECONDS: Final = 30.0
#: Seconds without a frame after which what is held is told: no frame may come for long.
SILENT_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class ChosenCrops:
    """The crops of one object that are to be saved, and then told of."""

    track_id: int
    #: Best first; not empty.
    cuts: list[Cut]
    #: Whether they are told of when the track ends, and not at once.
    is_last: bool


class CameraCrops:
    """Chooses the crops of one camera's tracks. Safe to use from several threads."""

    def __init__(self, classes: Set[str], memory: CropMemory, *, most_bytes: int = CAMERA_BYTES) -> None:
        """Begin with no object.

        Args:
            classes: Names, in small letters, of the classes whose objects are cropped.
            memory: Counts what all cameras hold.
            most_bytes: Bytes that this camera may hold.
        """
        self._classes = classes
        self._memory = memory
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._bytes = 0
        self._objects: dict[int, Shortlist[Cut]] = {}
        self._last_at = float("-inf")
        #: When it was said last that no frames come.
        self._silent_at = float("-inf")
        self._is_closed = False
        #: Crops that were worth keeping, and found no room in memory or could not be made.
        self.dropped = 0

    @property
    def objects(self) -> int:
        """Objects of which something is known."""
        return len(self._objects)

    def saw(
        self, frame: Frame, tracked: Detections, reported: NDArray[np.bool_], names: Mapping[int, str], padding: float
    ) -> list[ChosenCrops]:
        """Look at a frame; return what is to be saved and told of now.

        Args:
            frame: With its pixels.
            tracked: All boxes of it, with track ids.
            reported: Shape (N,): those of them that results name.
            names: Of the detector's classes, by index.
            padding: Share of a box's size that its crop has more on each side.
        """
        at = frame.captured_monotonic
        with self._lock:
            if self._is_closed or not self._classes:
                return []
            gap = at - self._last_at if math.isfinite(self._last_at) else 0.0
            self._last_at = at
            self._look(frame, tracked, reported, names, padding)
            return self._chosen(at, gap)

    def _look(
        self, frame: Frame, tracked: Detections, reported: NDArray[np.bool_], names: Mapping[int, str], padding: float
    ) -> None:
        if tracked.track_id is None or not len(tracked):
            return
        classes = [names.get(int(class_id), "").lower() for class_id in tracked.class_id]
        wanted = [
            index for index, name in enumerate(classes)
            if name in self._classes and reported[index] and tracked.track_id[index] >= 0
        ]  # fmt: skip
        if not wanted:
            return
        at, found_now = frame.captured_monotonic, tracked.found_now
        known = [self._objects.get(int(tracked.track_id[index])) for index in wanted]
        if None not in known and not found_now[wanted].any():
            for shortlist in known:
                if shortlist is not None:
                    shortlist.seen(at)
            return
        best = worth(Boxes(tracked.xyxy, tracked.confidence, classes), frame.width, frame.height)
        for index in wanted:
            track_id = int(tracked.track_id[index])
            shortlist = self._objects.get(track_id)
            if shortlist is None:
                if not best[index]:
                    continue
                shortlist = self._objects[track_id] = Shortlist(at, at)
            shortlist.seen(at)
            # What is carried on shows what it showed when it was found.
            if found_now[index] and shortlist.is_worth_a_look(float(best[index]), at):
                box = [float(edge) for edge in tracked.xyxy[index]]
                self._consider(
                    shortlist, frame, (box[0], box[1], box[2], box[3]), padding,
                    worth=float(best[index]), confidence=float(tracked.confidence[index]),
                )  # fmt: skip

    def _consider(
        self, shortlist: Shortlist[Cut], frame: Frame, xyxy: Xyxy, padding: float, *, worth: float, confidence: float
    ) -> None:
        """Look at the pixels of a box, and keep its crop where it is better than what is kept, or unlike all of it."""
        inside, region = (region_around(xyxy, share, frame.width, frame.height) for share in (0.0, padding))
        if inside is None or region is None:
            return
        sharp, glance = sharpness(frame.picture.luma()[inside.top : inside.bottom, inside.left : inside.right])
        quality = worth * (BLURRED_FACTOR + (1 - BLURRED_FACTOR) * sharp)
        sighting = Sighting(quality, frame.captured_monotonic, glance)
        place = shortlist.place_of(sighting)
        if place is None:
            return
        try:
            made = cut(
                frame,
                region,
                _rounded(xyxy),
                confidence=round(confidence, 4),
                quality=round(quality, 4),
            )
        except ValueError:  # it cannot be made a JPEG
            self.dropped += 1
            return
        if not self._take(len(made.jpeg)):
            self.dropped += 1
            return
        self._give_back(shortlist.put(place, sighting, made))

    def _chosen(self, now: float, gap: float) -> list[ChosenCrops]:
        chosen = []
        for track_id, shortlist in list(self._objects.items()):
            due = shortlist.due(now, gap)
            if due is not Due.NOTHING:
                chosen.append(self._told(track_id, shortlist, now, is_last=due is Due.TELL_LAST))
            elif now - shortlist.last_at > FORGET_SECONDS:
                del self._objects[track_id]
        return chosen

    def _told(self, track_id: int, shortlist: Shortlist[Cut], now: float, *, is_last: bool) -> ChosenCrops:
        cuts = shortlist.held
        shortlist.told(now)
        self._give_back(cuts)
        return ChosenCrops(track_id, cuts, is_last)

    # --- when no frames come -----------------------------------------------------------------------------------------

    def are_due_in_silence(self, now: float) -> bool:
        """Tell whether something is held although no frame has come for a while; that is said once in a while.

        Args:
            now: Monotonic seconds.
        """
        if not self._bytes or now - max(self._last_at, self._silent_at) < SILENT_SECONDS:
            return False
        self._silent_at = now
        return True

    def all_that_is_held(self) -> list[ChosenCrops]:
        """Return what is held of all objects."""
        with self._lock:
            return [
                self._told(track_id, shortlist, self._last_at, is_last=shortlist.sets > 0)
                for track_id, shortlist in self._objects.items()
                if shortlist.held
            ]

    def not_saved(self, track_id: int, now: float) -> None:
        """Take note that none of what was chosen last of an object could be saved, at `now` (monotonic seconds)."""
        with self._lock:
            shortlist = self._objects.get(track_id)
            if shortlist is not None and shortlist.sets:
                shortlist.lost(now)

    def begin_anew(self) -> None:
        """Forget all objects: the tracker gives its numbers to others from now on."""
        with self._lock:
            self._forget()

    def close(self) -> None:
        """Forget all objects for good."""
        with self._lock:
            self._is_closed = True
            self._forget()

    def _forget(self) -> None:
        self._objects.clear()
        self._memory.give_back(self._bytes)
        self._bytes = 0

    # --- memory ------------------------------------------------------------------------------------------------------

    def _take(self, size_bytes: int) -> bool:
        if self._bytes + size_bytes > self._most_bytes or not self._memory.take(size_bytes):
            return False
        self._bytes += size_bytes
        return True

    def _give_back(self, cuts: list[Cut]) -> None:
        size_bytes = sum(len(each.jpeg) for each in cuts)
        self._memory.give_back(size_bytes)
        self._bytes -= size_bytes


def _rounded(xyxy: Xyxy) -> Xyxy:
    return round(xyxy[0], 1), round(xyxy[1], 1), round(xyxy[2], 1), round(xyxy[3], 1)
