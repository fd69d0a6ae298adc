"""What a track comes to, from its events, in whatever order and however often they come. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from contract.events import Event, EventKind

TRACK_KINDS: Final = (EventKind.TRACK_STARTED, EventKind.TRACK_UPDATED, EventKind.TRACK_ENDED)
#: What a picture adds to the score of a view: one that can be shown is better than any that cannot.
_SHOWN: Final = 10.0


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """One tracked object, as far as its events tell."""

    #: Id of the event with which it started.
    track: str
    camera_id: str
    epoch: int
    track_id: int
    class_name: str | None
    first_seen_ms: int
    last_seen_ms: int
    ended: bool
    frames_seen: int
    best_score: float = -1.0
    best_path: str | None = None
    best_xyxy: list[float] | None = None
    best_confidence: float | None = None

    @classmethod
    def of(cls, event: Event) -> Self | None:
        """Return what one event tells of a track; None where it tells of none."""
        if event.kind not in TRACK_KINDS or event.track_id is None:
            return None
        started_at_ms = event.at_ms if event.started_at_ms is None else event.started_at_ms
        return cls(
            track=track_of(event),
            camera_id=event.camera_id,
            epoch=event.epoch,
            track_id=event.track_id,
            class_name=event.class_name,
            first_seen_ms=min(started_at_ms, event.at_ms),
            last_seen_ms=event.at_ms,
            ended=event.kind is EventKind.TRACK_ENDED,
            frames_seen=1 if event.frames_seen is None else event.frames_seen,
            best_score=_score(event),
            best_path=event.frame_path,
            best_xyxy=None if event.xyxy is None else list(event.xyxy),
            best_confidence=event.confidence,
        )

    def joined(self, other: Self) -> Self:
        """Return what both tell of the same track; the order makes no difference, nor does joining one twice."""
        best = max(self, other, key=_goodness)
        return replace(
            best,
            epoch=min(self.epoch, other.epoch),
            class_name=max(self.class_name or "", other.class_name or "") or None,
            first_seen_ms=min(self.first_seen_ms, other.first_seen_ms),
            last_seen_ms=max(self.last_seen_ms, other.last_seen_ms),
            ended=self.ended or other.ended,
            frames_seen=max(self.frames_seen, other.frames_seen),
        )


def track_of(event: Event) -> str:
    """Return the id of the track that an event tells of."""
    # Workers that do not say so used a number again only after they had begun anew, which they seldom do.
    return event.track or f"{event.camera_id}:{event.epoch}:track-{event.track_id}"


def rolled_up(found: Iterable[Event], known: Mapping[str, TrackSummary]) -> dict[str, TrackSummary]:
    """Return the tracks that events tell of, by id, joined with what is known of them."""
    tracks: dict[str, TrackSummary] = {}
    for event in found:
        told = TrackSummary.of(event)
        if told is not None:
            before = tracks.get(told.track) or known.get(told.track)
            tracks[told.track] = told if before is None else before.joined(told)
    return tracks


def _goodness(track: TrackSummary) -> tuple[float, str, bool, float, list[float]]:
    """Return what views are compared by: all that is kept of them, so that no two different ones are alike."""
    confidence = track.best_confidence
    return track.best_score, track.best_path or "", confidence is not None, confidence or 0.0, track.best_xyxy or []


def _score(event: Event) -> float:
    """Return how good the view is that an event shows: confidence times share of the frame; more with a picture."""
    score = 0.0
    if event.xyxy is not None and event.width and event.height:
        left, top, right, bottom = event.xyxy
        share = (right - left) * (bottom - top) / (event.width * event.height)
        score = (event.confidence or 0.0) * min(1.0, max(0.0, share))
    return score + (_SHOWN if event.frame_path is not None else 0.0)


def summary_of_row(row: Mapping[Any, Any]) -> TrackSummary:
    """Return the track that a row of the table has."""
    return TrackSummary(**row)
