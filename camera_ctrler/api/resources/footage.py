"""Saved frames and their playback."""

from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from flask import Response

from camera_ctrler.api.clip_response import clip_response
from camera_ctrler.api.documented import Media, Resource
from camera_ctrler.api.long_answers import may_go_on, while_allowed
from camera_ctrler.api.private_files import private_jpeg
from camera_ctrler.api.problems import FieldError, ProblemError, invalid_request
from camera_ctrler.api.schemas import FramePage, FrameQuery, PlaybackQuery, SavedFrame
from camera_ctrler.api.services import services
from camera_ctrler.playback.errors import NothingToPlayError
from camera_ctrler.playback.saved_frames import mjpeg
from camera_ctrler.playback.saved_frames.clip import times_of
from contract.accounts import Role
from contract.frame_paths import captured_at_ms as time_of
from contract.frame_paths import frame_path

resource = Resource("footage", "footage")

#: Longest range and most frames of one MP4: some minutes of one core.
MAX_CLIP_MS: Final = 6 * 3_600_000
MAX_CLIP_FRAMES: Final = 20_000
_FRAME_AGE_SECONDS: Final = 86_400


@resource.documented(
    "GET",
    "/cameras/<camera_id>/frames",
    role=Role.VIEWER,
    summary="List saved frames",
    description="In time order, in pages. With `cursor` the range is that of the first page.",
    query=FrameQuery,
    answers={200: FramePage},
    errors=(404,),
)
def list_frames(camera_id: str, query: FrameQuery) -> FramePage:
    """Answer with one page of saved frames."""
    services().registry.get(camera_id)
    from_ms, to_ms, start_ms = _range_of_page(camera_id, query)
    found = list(islice(services().frames.frames(camera_id, start_ms, to_ms), query.limit + 1))
    items = [_saved_frame(camera_id, path) for path in found[: query.limit]]
    cursor = None
    if len(found) > len(items):
        after = f"{from_ms},{to_ms},{items[-1].captured_at_ms + 1}"
        cursor = services().cursors.make(f"frames/{camera_id}", after)
    return FramePage(from_ms=from_ms, to_ms=to_ms, items=items, next_cursor=cursor)


def _range_of_page(camera_id: str, query: FrameQuery) -> tuple[int, int, int]:
    """Return start and end of the whole list, and where this page starts."""
    after = services().cursors.read(f"frames/{camera_id}", query.cursor)
    if after is None:
        from_ms, to_ms = query.bounds(services().clock.now_ms())
        return from_ms, to_ms, from_ms
    from_ms, to_ms, start_ms = (int(part) for part in after.split(","))
    if query.from_ms not in {None, from_ms} or query.to_ms not in {None, to_ms}:
        raise invalid_request([FieldError(field="cursor", message="belongs to another range; start again without it")])
    return from_ms, to_ms, start_ms


def _saved_frame(camera_id: str, path: str) -> SavedFrame:
    time_ms = time_of(path)
    return SavedFrame(captured_at_ms=time_ms, path=path, url=f"/api/v1/cameras/{camera_id}/frames/{time_ms}.jpg")


@resource.documented(
    "GET",
    "/cameras/<camera_id>/frames/<captured_at_ms>.jpg",
    role=Role.VIEWER,
    summary="One saved frame",
    answers={200: Media("image/jpeg", "The frame as it was saved"), 304: None},
    errors=(404,),
)
def saved_frame(camera_id: str, captured_at_ms: int) -> Response:
    """Answer with one saved frame."""
    services().registry.get(camera_id)
    try:
        file = services().store.resolve(frame_path(camera_id, captured_at_ms))
        return private_jpeg(file, age_seconds=_FRAME_AGE_SECONDS)
    except FileNotFoundError as error:
        raise ProblemError(404, "frame-not-found", "Frame not found", str(error)) from error


@resource.documented(
    "GET",
    "/cameras/<camera_id>/playback.mjpeg",
    role=Role.VIEWER,
    summary="Play saved frames",
    description="Saved frames at their real spacing divided by `speed`; gaps longer than 5 s are shown as 1 s. "
    "Use it as the source of an image.",
    query=PlaybackQuery,
    answers={200: Media(mjpeg.MIMETYPE, "JPEG pictures, one after another")},
    errors=(404,),
)
def playback_mjpeg(camera_id: str, query: PlaybackQuery) -> Response:
    """Answer with saved frames, each when it is due."""
    parts = services()
    parts.registry.get(camera_id)
    from_ms, to_ms = query.bounds(parts.clock.now_ms())
    frames = parts.frames.frames(camera_id, from_ms, to_ms)
    with ExitStack() as stack:
        stack.enter_context(parts.streams.one())
        played = mjpeg.play(frames, parts.store, speed=query.speed, clock=parts.clock, stopping=parts.stopping)
        response = Response(while_allowed(played, may_go_on()), content_type=mjpeg.CONTENT_TYPE)
        response.cache_control.no_store = True
        response.call_on_close(stack.pop_all().close)
    return response


@resource.documented(
    "GET",
    "/cameras/<camera_id>/playback.mp4",
    role=Role.OPERATOR,
    audited=True,
    summary="Saved frames as one MP4",
    description="H.264. At most 6 hours and 20,000 frames. `Range` requests are answered. Name both ends of the range "
    "when the clip is to be sought in: without an end it is another clip every time.",
    query=PlaybackQuery,
    answers={200: Media("video/mp4", "The clip"), 206: Media("video/mp4", "A part of the clip"), 304: None},
    errors=(404, 416),
    headers={
        "X-Frames": "How many frames the clip shows",
        "X-Skipped-Frames": "How many saved frames had vanished or are damaged",
    },
)
def playback_mp4(camera_id: str, query: PlaybackQuery) -> Response:
    """Answer with one clip."""
    parts = services()
    parts.registry.get(camera_id)
    times = _times_of_clip(camera_id, query)
    # What is in the clip names it, so that frames that come later make another one.
    key = (camera_id, times[0], times[-1], len(times), query.speed)
    with parts.streams.one():
        clip = parts.clips.open(key, lambda path: parts.clip_maker.make(camera_id, times, query.speed, path))
    began = datetime.fromtimestamp(times[0] / 1000, UTC)
    return clip_response(
        clip,
        tag="-".join(map(str, key)),
        name=f"{camera_id}-{began:%Y%m%dT%H%M%SZ}.mp4",
        headers={"X-Frames": str(clip.figures.frames), "X-Skipped-Frames": str(clip.figures.skipped)},
    )


def _times_of_clip(camera_id: str, query: PlaybackQuery) -> list[int]:
    from_ms, to_ms = query.bounds(services().clock.now_ms())
    if to_ms - from_ms > MAX_CLIP_MS:
        message = f"a clip spans at most {MAX_CLIP_MS} ms (6 hours); ask for several clips"
        raise invalid_request([FieldError(field="to_ms", message=message)])
    times = list(islice(times_of(services().frames.frames(camera_id, from_ms, to_ms)), MAX_CLIP_FRAMES + 1))
    if len(times) > MAX_CLIP_FRAMES:
        message = f"the range holds more than {MAX_CLIP_FRAMES} frames; ask for several clips"
        raise invalid_request([FieldError(field="to_ms", message=message)])
    if not times:
        raise NothingToPlayError(f"camera {camera_id!r} has no saved frames in that range; list them with /frames")
    return times
