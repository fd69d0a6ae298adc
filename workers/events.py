"""What happens at one camera, told as numbered events, from its results and the states of its capture. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from contract.cameras import CameraState
from contract.crops import Crop
from contract.detections import AnalysisResult, TrackedDetection
from contract.events import Event, EventKind
from workers.capture.state import CaptureState
from workers.followed_track import FollowedTrack, View

#: Seconds without being seen after which a track has ended: a little longer than the tracker looks for it, so that an
#: object that comes back under the same id has not ended meanwhile.
TRACK_ENDED_SECONDS: Final = 6.0
#: The same where no frames come, and nothing says whether the object is still there: longer, for frames may be waiting
#: for a slow detector.
SILENT_SECONDS: Final = 2 * TRACK_ENDED_SECONDS


@dataclass(frozen=True, slots=True)
class SavedCrops:
    """Crops of one object that lie on the volume."""

    track_id: int
    #: Best first.
    crops: Sequence[Crop]
    #: Whether they are told of with the next word of the track, its end at the latest; or else at once.
    can_wait: bool = False


class CameraEvents:
    """The events of one camera under one worker. Not thread-safe.

    Tracks go on when the epoch changes, for the tracker does; numbers begin anew. What the capture says is told only
    when the camera is known to be this worker's: while it is handed over, the former worker may see it without a gap,
    and a camera that takes one client refuses this one until then.
    """

    def __init__(self, camera_id: str, worker_id: str, epoch: int, number: int = 0) -> None:
        """Begin with nothing known of the camera.

        Args:
            camera_id: Whose events these are.
            worker_id: Who tells them.
            epoch: Under which they are told.
            number: That of the last event which was told under this epoch before.
        """
        self._camera_id = camera_id
        self._worker_id = worker_id
        self._epoch = epoch
        self._number = number
        self._tracks: dict[int, FollowedTrack] = {}
        self._online: bool | None = None
        self._is_ours = False
        #: What the capture said last, and when (Unix ms), of what was not told yet.
        self._untold: tuple[CaptureState, int] | None = None
        self._left = False

    @property
    def number(self) -> int:
        """Number of the last event of this epoch; 0: none."""
        return self._number

    def reassigned(self, epoch: int, *, was_anothers: bool = False) -> None:
        """Go on under a newer epoch; `was_anothers`: another worker had the camera meanwhile."""
        self._epoch, self._number = epoch, 0
        self._is_ours = self._is_ours and not was_anothers

    def accepted(self, epoch: int) -> list[Event]:
        """Take note that a status or result of `epoch` counts; return the newest of what was held back until then."""
        if epoch != self._epoch or self._is_ours:
            return []
        self._is_ours = True
        untold, self._untold = self._untold, None
        return [] if untold is None else self.capture_changed(*untold)

    def capture_changed(self, state: CaptureState, at_ms: int) -> list[Event]:
        """Return what the capture's state means; nothing while it is as it was, whatever the reason.

        Held back until the camera is known to be this worker's.
        """
        online = {CameraState.ONLINE: True, CameraState.OFFLINE: False}.get(state.state)
        if online is None or self._left:
            return []
        if not self._is_ours:
            if self._untold is None or self._untold[0].state is not state.state:
                self._untold = state, at_ms
            return []
        if online == self._online:
            return []
        self._online = online
        kind = EventKind.CAMERA_ONLINE if online else EventKind.CAMERA_OFFLINE
        return [self._event(kind, at_ms, reason=None if online else state.reason)]

    def saw(self, result: AnalysisResult, captured_monotonic: float, saved: Sequence[SavedCrops] = ()) -> list[Event]:
        """Return what one analysed frame means: tracks that begin, are worth another word, and have ended.

        Args:
            result: As it is published, with the path of the saved frame.
            captured_monotonic: Monotonic seconds when the frame arrived.
            saved: Crops that were saved since the frame before.
        """
        if self._left:
            return []
        seen = {detection.track_id for detection in result.detections}
        # Those of tracks that are not seen any more first, for they may end with this frame.
        events = [event for each in saved if each.track_id not in seen for event in self.cropped(each)]
        for detection in result.detections:
            if detection.track_id is not None:
                events += self._followed(detection.track_id, detection, result, captured_monotonic)
        events += [event for each in saved if each.track_id in seen for event in self.cropped(each)]
        return events + self._end_unseen(captured_monotonic - TRACK_ENDED_SECONDS)

    def cropped(self, saved: SavedCrops) -> list[Event]:
        """Return what crops mean that lie on the volume: a word of their track, unless they can wait for another."""
        track = self._tracks.get(saved.track_id)
        if track is None or self._left or not saved.crops:
            return []
        track.kept(saved.crops)
        if saved.can_wait:
            return []
        track.told()
        return [self._track_event(EventKind.TRACK_UPDATED, saved.track_id, track)]

    def _followed(
        self, track_id: int, detection: TrackedDetection, result: AnalysisResult, captured_monotonic: float
    ) -> list[Event]:
        track, kind = self._tracks.get(track_id), EventKind.TRACK_UPDATED
        if track is None:
            kind, first = EventKind.TRACK_STARTED, self._id_of(self._number + 1)
            track = FollowedTrack(first, detection.class_id, detection.class_name, result.captured_at_ms)
            self._tracks[track_id] = track
        track.seen(View.of(detection, result), result.captured_at_ms, captured_monotonic)
        if kind is EventKind.TRACK_UPDATED and not track.is_worth_telling:
            return []
        track.told()
        return [self._track_event(kind, track_id, track)]

    def time_passed(self, now_monotonic: float) -> list[Event]:
        """Return the ends of tracks of a camera that has sent nothing for long."""
        return self._end_unseen(now_monotonic - SILENT_SECONDS)

    def tracks_lost(self) -> list[Event]:
        """Return the ends of all tracks: the tracker begins anew, and its ids with it."""
        return self._end_unseen(float("inf"))

    def left(self) -> list[Event]:
        """Return the ends of all tracks, for the camera is given up; nothing is told after that."""
        events = self.tracks_lost()
        self._left = True
        return events

    def _end_unseen(self, seen_before: float) -> list[Event]:
        ended = [(name, track) for name, track in self._tracks.items() if track.last_seen_monotonic < seen_before]
        for track_id, _ in ended:
            del self._tracks[track_id]
        return [self._track_event(EventKind.TRACK_ENDED, track_id, track) for track_id, track in ended]

    def _track_event(self, kind: EventKind, track_id: int, track: FollowedTrack) -> Event:
        """Return an event of a track, with the best that was seen of it; its time is that of the last sighting."""
        best = track.best
        assert best is not None
        return self._event(
            kind,
            track.last_seen_ms,
            track_id=track_id,
            track=track.track,
            started_at_ms=track.started_at_ms,
            frames_seen=track.frames_seen,
            class_id=track.class_id,
            class_name=track.class_name,
            frame_path=best.frame_path,
            xyxy=best.xyxy,
            confidence=best.confidence,
            width=best.width,
            height=best.height,
            crops=track.take_crops(),
        )

    def _event(self, kind: EventKind, at_ms: int, **more: Any) -> Event:
        self._number += 1
        return Event(
            event_id=self._id_of(self._number),
            kind=kind,
            camera_id=self._camera_id,
            epoch=self._epoch,
            number=self._number,
            worker_id=self._worker_id,
            at_ms=at_ms,
            **more,
        )

    def _id_of(self, number: int) -> str:
        return f"{self._camera_id}:{self._epoch}:{number}"
