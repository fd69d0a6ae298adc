"""Objects that were followed in one camera."""

from contextlib import suppress
from typing import Final

from flask import Response

from camera_ctrler.api.access import principal, visible_cameras
from camera_ctrler.api.documented import VERSION_PREFIX, Media, Resource
from camera_ctrler.api.event_schemas import TrackEntry, TrackPage, TrackQuery, refuse_no_time
from camera_ctrler.api.private_files import private_jpeg
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.services import services
from camera_ctrler.api.track_ways import best_crops
from camera_ctrler.event_store.filters import EventFilter, TrackFilter
from camera_ctrler.event_store.track_rollup import TrackSummary
from contract.accounts import Role
from contract.errors import ContractError
from contract.events import Event, EventKind
from contract.frame_paths import captured_at_ms

resource = Resource("tracks", "events")

_SEPARATOR: Final = " "
#: Seconds for which a browser keeps the picture of a track that is over, and of one that goes on.
_ENDED_AGE_SECONDS: Final = 3_600
_GOING_ON_AGE_SECONDS: Final = 10
#: Events of a track whose crops are looked at, the newest ones: it has twelve crops in all, told in a few events.
_EVENTS_WITH_CROPS: Final = 400


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


@resource.documented(
    "GET",
    "/tracks/<track>/crop.jpg",
    role=Role.VIEWER,
    summary="Picture of a track",
    description="The best crop of its object that there is by now.",
    answers={200: Media("image/jpeg", "The crop"), 304: None},
    errors=(404,),
)
def track_crop(track: str) -> Response:
    """Answer with the best crop of a track."""
    found = services().history.reading.track(track)
    if found is not None and principal().sees(found.camera_id):
        for each in best_crops(_events_with_crops(found)):
            with suppress(FileNotFoundError, ContractError):  # it has passed its retention, or was erased
                file = services().crops.resolve(each.crop.path)
                return private_jpeg(file, age_seconds=_ENDED_AGE_SECONDS if found.ended else _GOING_ON_AGE_SECONDS)
    raise ProblemError(
        404, "crop-not-found", "Crop not found", f"There is no picture of track {track[:80]!r}, or not yet, or no more"
    )


def _events_with_crops(track: TrackSummary) -> list[Event]:
    wanted = EventFilter(
        cameras=frozenset({track.camera_id}),
        kinds=frozenset({EventKind.TRACK_UPDATED, EventKind.TRACK_ENDED}),
        from_ms=track.first_seen_ms,
        to_ms=track.last_seen_ms + 1,
        tracks=frozenset({track.track}),
    )
    return [entry.message for entry in services().history.reading.page(wanted, limit=_EVENTS_WITH_CROPS).entries]


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
