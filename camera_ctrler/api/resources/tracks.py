"""Objects that were followed in one camera."""

from contextlib import suppress
from typing import Final

from camera_ctrler.api.access import visible_cameras
from camera_ctrler.api.documented import VERSION_PREFIX, Resource
from camera_ctrler.api.event_schemas import TrackEntry, TrackPage, TrackQuery, refuse_no_time
from camera_ctrler.api.services import services
from camera_ctrler.event_store.filters import TrackFilter
from camera_ctrler.event_store.track_rollup import TrackSummary
from contract.accounts import Role
from contract.errors import ContractError
from contract.frame_paths import captured_at_ms

resource = Resource("tracks", "events")

_SEPARATOR: Final = " "


@resource.documented(
    "GET",
    "/tracks",
    role=Role.VIEWER,
    summary="List tracks",
    description="What was followed in each camera, put together from its events, the one that began last first; a "
    "second or so behind them. Kept for as long as events are.",
    query=TrackQuery,
    answers={200: TrackPage},
)
def list_tracks(query: TrackQuery) -> TrackPage:
    """Answer with one page of tracks."""
    refuse_no_time(query.from_ms, query.to_ms)
    wanted = TrackFilter(
        cameras=frozenset(query.camera),
        classes=frozenset(query.class_name),
        from_ms=query.from_ms,
        to_ms=query.to_ms,
        visible=visible_cameras(),
    )
    scope = f"tracks?{query.model_dump_json(exclude={'cursor', 'limit'})}"
    cursor = services().cursors.read(scope, query.cursor)
    before = None
    if cursor is not None:
        first_seen_ms, _, name = cursor.partition(_SEPARATOR)
        before = int(first_seen_ms), name
    found = services().history.reading.tracks(wanted, limit=query.limit + 1, before=before)
    page = found[: query.limit]
    next_cursor = None
    if len(found) > len(page):
        next_cursor = services().cursors.make(scope, f"{page[-1].first_seen_ms}{_SEPARATOR}{page[-1].track}")
    return TrackPage(items=[_entry(track) for track in page], next_cursor=next_cursor)


def _entry(track: TrackSummary) -> TrackEntry:
    picture_url = None
    if track.best_path is not None:
        with suppress(ContractError):  # a worker of another version may name frames in another way
            picture_url = f"{VERSION_PREFIX}/cameras/{track.camera_id}/frames/{captured_at_ms(track.best_path)}.jpg"
    return TrackEntry(
        track=track.track,
        camera_id=track.camera_id,
        epoch=track.epoch,
        track_id=track.track_id,
        class_name=track.class_name,
        first_seen_ms=track.first_seen_ms,
        last_seen_ms=track.last_seen_ms,
        ended=track.ended,
        frames_seen=track.frames_seen,
        frame_path=track.best_path,
        picture_url=picture_url,
        xyxy=track.best_xyxy,
        confidence=track.best_confidence,
    )
