"""Recorded footage as it is played: timeline, HLS playlists and their parts, several cameras in step."""

from typing import Final
from urllib.parse import urlencode

from flask import Response, request

from camera_ctrler.api.access import see
from camera_ctrler.api.documented import Media, Resource
from camera_ctrler.api.event_schemas import EventEntry
from camera_ctrler.api.event_views import event_entries
from camera_ctrler.api.problems import FieldError, invalid_request
from camera_ctrler.api.recording_schemas import (
    DAY_MS,
    HOUR_MS,
    CameraTogether,
    PartQuery,
    PlaylistQuery,
    RecordedSpan,
    Timeline,
    TimelineBucket,
    TimelineQuery,
    Together,
    TogetherQuery,
    refuse_future,
)
from camera_ctrler.api.services import services
from camera_ctrler.event_store.filters import EventFilter
from camera_ctrler.playback.hls import MIMETYPE
from camera_ctrler.playback.playlists import MAX_LIVE_MS
from camera_ctrler.playback.recorded_parts import PartBytes
from camera_ctrler.playback.recorded_timeline import bucket_width, gaps
from camera_ctrler.recordings.spans import Span
from contract.accounts import Role
from contract.ids import is_valid_id

resource = Resource("recordings", "recordings")

#: Longest ranges: of a timeline, of one playlist (some 8,640 parts), of one round of several cameras.
MAX_TIMELINE_MS: Final = 400 * DAY_MS
MAX_PLAYLIST_MS: Final = DAY_MS
MAX_TOGETHER: Final = 16
_TOGETHER_MS: Final = 10 * 60_000
_PART_AGE_SECONDS: Final = 30 * 86_400
_INIT: Final = Media("video/mp4", "The init section")


@resource.documented(
    "GET",
    "/cameras/<camera_id>/timeline",
    role=Role.VIEWER,
    summary="What there is of a camera in a range",
    description="Recorded spans and gaps, how much moved and what was seen in each step, events, and the live edge. "
    "At most 400 days; the last hour if nothing is named.",
    query=TimelineQuery,
    answers={200: Timeline},
    errors=(404,),
)
def timeline(camera_id: str, query: TimelineQuery) -> Timeline:
    """Answer with what there is in a range."""
    parts = services()
    parts.registry.get(camera_id)
    now_ms = parts.clock.now_ms()
    from_ms, to_ms = query.bounds(now_ms, longest_ms=MAX_TIMELINE_MS, default_ms=HOUR_MS)
    footage = parts.recorded.footage
    opened = footage.open_segment(camera_id)
    spans = footage.spans(camera_id, from_ms, to_ms)
    width = bucket_width(from_ms, to_ms, query.buckets)
    events, complete = _events(camera_id, from_ms, to_ms, query.events)
    return Timeline(
        camera_id=camera_id,
        from_ms=from_ms,
        to_ms=to_ms,
        spans=_spans(spans),
        gaps=_spans(gaps(spans, from_ms, max(from_ms, min(to_ms, opened.end_ms if opened else now_ms)))),
        bucket_ms=width,
        buckets=[
            TimelineBucket(
                start_ms=bucket.start_ms,
                recorded_seconds=bucket.recorded_seconds,
                motion=bucket.motion,
                seen=bucket.seen,
            )
            for bucket in footage.density(camera_id, from_ms, to_ms, width)
        ],
        events=events,
        events_complete=complete,
        live_edge_ms=opened.end_ms if opened else None,
    )


def _events(camera_id: str, from_ms: int, to_ms: int, most: int) -> tuple[list[EventEntry], bool]:
    """Return the newest events of a range, and whether all of them were found."""
    if most == 0:
        return [], False

    wanted = EventFilter(cameras=frozenset({camera_id}), from_ms=from_ms, to_ms=to_ms)
    page = services().history.page(wanted, limit=most)
    return event_entries(page.entries), page.go_on_after is None and page.has_newest


def _spans(spans: list[Span]) -> list[RecordedSpan]:
    return [RecordedSpan(start_ms=span.start_ms, end_ms=span.end_ms) for span in spans]


@resource.documented(
    "GET",
    "/cameras/<camera_id>/recordings.m3u8",
    role=Role.VIEWER,
    summary="Play recorded footage (HLS)",
    description="Fragmented MP4. With `to_ms` a playlist with an end that begins playing at `from_ms`, of whole files "
    "but for the first; at most 24 hours. Without it a playlist that grows, a few seconds behind. Gaps, and changes of "
    "the stream, are discontinuities; `EXT-X-PROGRAM-DATE-TIME` is the time of the first sample after each.",
    query=PlaylistQuery,
    answers={200: Media(MIMETYPE, "The playlist")},
    errors=(404,),
)
def recordings_m3u8(camera_id: str, query: PlaylistQuery) -> Response:
    """Answer with a playlist."""
    parts = services()
    parts.registry.get(camera_id)
    now_ms = parts.clock.now_ms()
    if query.to_ms is not None:
        text = parts.recorded.playlists.of_range(camera_id, *query.bounds(now_ms, longest_ms=MAX_PLAYLIST_MS))
    elif query.from_ms is None:
        text = parts.recorded.playlists.entrance(camera_id)
    else:
        refuse_future("from_ms", query.from_ms, now_ms)
        if now_ms - query.from_ms > MAX_LIVE_MS:
            message = f"is more than {MAX_LIVE_MS // HOUR_MS} h ago; name to_ms too, or begin the live view anew"
            raise invalid_request([FieldError(field="from_ms", message=message)])
        text = parts.recorded.playlists.live(camera_id, query.from_ms)
    response = Response(text, content_type=MIMETYPE)
    response.cache_control.no_cache = True
    return response


@resource.documented(
    "GET",
    "/cameras/<camera_id>/recordings/<start_ms>-<epoch>/init.mp4",
    role=Role.VIEWER,
    summary="Init section of a file of footage",
    description="Playlists name it.",
    query=PartQuery,
    answers={200: _INIT, 304: None},
    errors=(404,),
)
def recording_init(camera_id: str, start_ms: int, epoch: int, query: PartQuery) -> Response:
    """Answer with the init section of a file."""
    parts = services()
    parts.registry.get(camera_id)
    return _part(parts.recorded.parts.init(camera_id, start_ms, epoch, sound=query.sound))


@resource.documented(
    "GET",
    "/cameras/<camera_id>/recordings/<start_ms>-<epoch>/<first>-<last>.m4s",
    role=Role.VIEWER,
    summary="Some fragments of a file of footage",
    description="Playlists name them. Their decode times are Unix time, so a part is the same in every playlist.",
    query=PartQuery,
    answers={200: Media("video/mp4", "Fragments"), 304: None},
    errors=(404,),
)
def recording_part(camera_id: str, start_ms: int, epoch: int, first: int, last: int, query: PartQuery) -> Response:
    """Answer with some fragments of a file."""
    parts = services()
    parts.registry.get(camera_id)
    return _part(parts.recorded.parts.media(camera_id, start_ms, epoch, first, last, sound=query.sound))


def _part(part: PartBytes) -> Response:
    response = Response(part.data, mimetype="video/mp4")
    response.set_etag(part.tag)
    response.cache_control.private = True
    if part.growing:
        response.cache_control.no_cache = True
    else:
        response.cache_control.max_age = _PART_AGE_SECONDS
        response.cache_control.immutable = True
    response.make_conditional(request.environ)
    return response


@resource.documented(
    "GET",
    "/playback/together",
    role=Role.VIEWER,
    summary="Play several cameras in step",
    description="One playlist for each camera, for the same range (ten minutes from `from_ms` on, if there is no "
    "`to_ms`). Keep one clock, Unix time, in the page. For each player: the wall-clock time of what it shows follows "
    "from `EXT-X-PROGRAM-DATE-TIME` (hls.js: `hls.playingDate`); where it is off the clock by more than half a frame "
    "seek by the difference, where it is off by less change its `playbackRate` by a few per cent. Outside of its "
    "`spans` a camera has nothing: cover its picture, and let the clock run on. Load `next` before the end.",
    query=TogetherQuery,
    answers={200: Together},
    errors=(404,),
)
def play_together(query: TogetherQuery) -> Together:
    """Answer with playlists of several cameras for the same time."""
    parts = services()
    now_ms = parts.clock.now_ms()
    camera_ids = _camera_ids(query.cameras)
    see(*camera_ids)
    default_to_ms = now_ms if query.from_ms is None else min(now_ms, query.from_ms + _TOGETHER_MS)
    asked = query if query.to_ms is not None else query.model_copy(update={"to_ms": default_to_ms})
    if query.from_ms is not None:
        refuse_future("from_ms", query.from_ms, now_ms)
    from_ms, to_ms = asked.bounds(now_ms, longest_ms=MAX_PLAYLIST_MS)
    for camera_id in camera_ids:
        parts.registry.get(camera_id)
    cameras = []
    for camera_id in camera_ids:
        opened = parts.recorded.footage.open_segment(camera_id)
        address = f"/api/v1/cameras/{camera_id}/recordings.m3u8?{urlencode({'from_ms': from_ms, 'to_ms': to_ms})}"
        cameras.append(
            CameraTogether(
                camera_id=camera_id,
                playlist=address,
                spans=_spans(parts.recorded.footage.spans(camera_id, from_ms, to_ms)),
                live_edge_ms=opened.end_ms if opened else None,
            )
        )
    following = {"cameras": ",".join(camera_ids), "from_ms": to_ms}
    next_range = f"/api/v1/playback/together?{urlencode(following)}" if to_ms < now_ms else None
    return Together(from_ms=from_ms, to_ms=to_ms, now_ms=now_ms, cameras=cameras, next=next_range)


def _camera_ids(text: str) -> list[str]:
    found = list(dict.fromkeys(name for name in text.split(",") if name))
    wrong = [name for name in found if not is_valid_id(name)]
    message = ""
    if wrong:
        message = f"{wrong[0][:80]!r} is no camera id"
    elif not 1 <= len(found) <= MAX_TOGETHER:
        message = f"names {len(found)} cameras; name 1 to {MAX_TOGETHER}, separated by commas"
    if message:
        raise invalid_request([FieldError(field="cameras", message=message)])
    return found
