"""Finds a camera's footage for players: finished files and the one that is being written, and what is nearby."""

from camera_ctrler.playback.errors import NothingToPlayError
from camera_ctrler.playback.hls import iso_time
from camera_ctrler.recordings.footage import Footage
from camera_ctrler.recordings.index import VOLUME, IndexedSegment
from contract.recordings import OpenSegment, Segment

#: Milliseconds around a range in which nothing is, in which to look for what may have been meant.
NEARBY_MS = 7 * 86_400_000


class NothingRecordedError(NothingToPlayError):
    """Nothing was recorded then; the text says when something was."""


def named(camera_id: str, start_ms: int, epoch: int) -> IndexedSegment:
    """Return a file by its key alone: enough to open it, wherever it lies."""
    segment = Segment(camera_id=camera_id, start_ms=start_ms, end_ms=start_ms, epoch=epoch, size_bytes=0, codec="")
    return IndexedSegment(segment, VOLUME)


def opened_as_file(opened: OpenSegment) -> IndexedSegment:
    """Return the file that is being written as far as it is written."""
    segment = Segment.model_validate(opened.model_dump(exclude={"worker_id"}) | {"end_ms": _end(opened)})
    return IndexedSegment(segment, VOLUME)


def _end(opened: OpenSegment) -> int:
    return max(opened.start_ms, opened.end_ms)


def files_of(footage: Footage, camera_id: str, from_ms: int, to_ms: int) -> tuple[list[IndexedSegment], str]:
    """Return all files that have something of the range, and the path of the one that is being written, or nothing.

    Raises:
        IndexAwayError: The database is away.
    """
    opened = footage.open_segment(camera_id)  # first: what is closed meanwhile is then found as finished
    found = footage.find(camera_id, from_ms, to_ms)
    if opened is None or opened.start_ms >= to_ms or _end(opened) <= from_ms:
        return found, ""
    growing = opened_as_file(opened)
    if any(each.path == growing.path for each in found):
        return found, ""
    return [*found, growing], growing.path


def nothing_recorded(footage: Footage, camera_id: str, from_ms: int, to_ms: int) -> NothingRecordedError:
    """Return the error for a range in which nothing was recorded, with the footage next to it."""
    spans = footage.spans(camera_id, max(0, from_ms - NEARBY_MS), to_ms + NEARBY_MS)
    before = [span for span in spans if span.end_ms <= from_ms][-1:]
    after = [span for span in spans if span.start_ms >= to_ms][:1]
    nearby = [f"{iso_time(span.start_ms)} to {iso_time(span.end_ms)}" for span in (*before, *after)]
    advice = f"nearby there is footage from {' and from '.join(nearby)}" if nearby else "nor in the week around it"
    when = iso_time(from_ms) if to_ms - from_ms <= 1 else f"from {iso_time(from_ms)} to {iso_time(to_ms)}"
    return NothingRecordedError(
        f"camera {camera_id!r} has no footage that can be played {when}; {advice}. See /cameras/{camera_id}/timeline"
    )
