"""Single pictures of recorded footage, and sprites of them for scrubbing."""

import json
from typing import Final

from flask import Response, request

from camera_ctrler.api.documented import Media, Resource
from camera_ctrler.api.problems import FieldError, invalid_request
from camera_ctrler.api.recording_schemas import DAY_MS, HOUR_MS, MomentQuery, ThumbnailQuery, refuse_future
from camera_ctrler.api.services import services
from camera_ctrler.playback.recorded_pictures import instants, jpeg_of, make_sprite, name_of
from contract.accounts import Role

resource = Resource("recorded_pictures", "recordings")

MAX_THUMBNAILS: Final = 200
MAX_THUMBNAIL_MS: Final = 400 * DAY_MS
_PICTURE_AGE_SECONDS: Final = 86_400
#: Milliseconds after which what was recorded of a time is known.
_SETTLED_MS: Final = 60_000


@resource.documented(
    "GET",
    "/cameras/<camera_id>/recorded.jpg",
    role=Role.VIEWER,
    summary="The recorded picture of an instant",
    description="The very picture that was shown then; where nothing was recorded, the one before, at most 2 s older.",
    query=MomentQuery,
    answers={200: Media("image/jpeg", "The picture"), 304: None},
    errors=(404,),
    headers={"X-Captured-At-Ms": "When it was taken, Unix ms UTC"},
)
def recorded_jpg(camera_id: str, query: MomentQuery) -> Response:
    """Answer with the picture of an instant."""
    parts = services()
    parts.registry.get(camera_id)
    now_ms = parts.clock.now_ms()
    at_ms = query.at_ms
    if at_ms is None:
        opened = parts.recorded.footage.open_segment(camera_id)
        at_ms = now_ms if opened is None else opened.end_ms - 1
    refuse_future("at_ms", at_ms, now_ms)
    return picture_response(camera_id, at_ms, query.width)


def picture_response(camera_id: str, at_ms: int, width: int | None) -> Response:
    """Return the answer with the recorded picture of an instant.

    Raises:
        NothingRecordedError: There is none.
    """
    moment = services().recorded.moments.picture(camera_id, at_ms)
    response = Response(jpeg_of(moment, width), mimetype="image/jpeg")
    response.headers["X-Captured-At-Ms"] = str(moment.at_ms)
    response.set_etag(f"{moment.at_ms}-{width}")
    response.cache_control.private = True
    if at_ms < services().clock.now_ms() - _SETTLED_MS:
        response.cache_control.max_age = _PICTURE_AGE_SECONDS
    else:  # a later one may come that is nearer
        response.cache_control.no_cache = True
    response.make_conditional(request.environ)
    return response


@resource.documented(
    "GET",
    "/cameras/<camera_id>/thumbnails.jpg",
    role=Role.VIEWER,
    summary="Small pictures of a range in one",
    description="Keyframes at equal distances, row by row; black where nothing was recorded. At most 200 of them; the "
    "last hour if no range is named.",
    query=ThumbnailQuery,
    answers={200: Media("image/jpeg", "The pictures side by side")},
    errors=(404,),
    headers={
        "X-Times": "JSON: when each was taken, Unix ms UTC, row by row; null: nothing was recorded",
        "X-Thumbnail-Size": "Width and height of each in pixels, as 160x90",
    },
)
def thumbnails_jpg(camera_id: str, query: ThumbnailQuery) -> Response:
    """Answer with a sprite of keyframes."""
    parts = services()
    parts.registry.get(camera_id)
    count = query.columns * query.rows
    if count > MAX_THUMBNAILS:
        message = f"times columns makes {count} pictures; ask for at most {MAX_THUMBNAILS}"
        raise invalid_request([FieldError(field="rows", message=message)])
    now_ms = parts.clock.now_ms()
    from_ms, to_ms = query.bounds(now_ms, longest_ms=MAX_THUMBNAIL_MS, default_ms=HOUR_MS)
    name = name_of(camera_id, from_ms, to_ms, query.columns, query.rows, query.width)
    kept = parts.recorded.thumbnails.get(f"{name}.jpg")
    said = parts.recorded.thumbnails.get(f"{name}.json")
    if kept is None or said is None:
        with parts.streams.one():
            sprite = make_sprite(
                parts.recorded.moments, camera_id, instants(from_ms, to_ms, count), query.columns, query.width
            )
        kept = sprite.jpeg
        said = json.dumps([list(sprite.times_ms), f"{sprite.width}x{sprite.height}"]).encode()
        if to_ms < now_ms - _SETTLED_MS and None not in sprite.times_ms:
            parts.recorded.thumbnails.put(f"{name}.jpg", kept)
            parts.recorded.thumbnails.put(f"{name}.json", said)
    times, size = json.loads(said)
    response = Response(kept, mimetype="image/jpeg")
    response.headers["X-Times"] = json.dumps(times)
    response.headers["X-Thumbnail-Size"] = size
    response.cache_control.private = True
    response.cache_control.no_cache = True
    return response
