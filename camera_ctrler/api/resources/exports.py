"""Clips and time-lapses of recorded footage, as files."""

import base64
import shutil
import tempfile
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from flask import Response

from camera_ctrler.api.clip_response import clip_response
from camera_ctrler.api.documented import VERSION_PREFIX, Media, Resource
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.recorded_services import RecordedServices
from camera_ctrler.api.recording_schemas import (
    DAY_MS,
    HOUR_MS,
    ClipExport,
    ClipFileQuery,
    ClipQuery,
    RecordedSpan,
    TimelapseFileQuery,
)
from camera_ctrler.api.services import services
from camera_ctrler.playback.clip_store import ClipFile, Figures
from camera_ctrler.playback.exporter import Export, ExportFigures
from camera_ctrler.playback.making import Making
from camera_ctrler.playback.recorded_pictures import TIMELAPSE_FPS, TimelapseFigures, instants, make_timelapse
from contract.accounts import Role

resource = Resource("exports", "recordings")

#: Longest clip: more is asked for in several.
MAX_CLIP_MS: Final = 6 * HOUR_MS
MAX_TIMELAPSE_MS: Final = 400 * DAY_MS
#: A clip is written twice where its index is put in front, and some room is left for others.
_ROOM: Final = 2.5
#: Gaps named in a header, which has a bounded length; the JSON answer has all of them.
_HEADER_GAPS: Final = 20

CLIP_HEADERS: Final = {
    "X-Begin-Ms": "When its first picture was taken, Unix ms UTC",
    "X-End-Ms": "When its last picture ends, Unix ms UTC",
    "X-Gaps": "What was not recorded in between, as start-end in Unix ms, the first 20; the clip goes on without it",
    "X-Gap-Count": "How many gaps there are",
    "X-Encoded-Ms": "Milliseconds that were encoded anew; everything else is the camera's own stream",
    "X-Notes": "For people",
    "X-SHA256": "Of the whole file, in hexadecimal digits",
    "Repr-Digest": "The same as RFC 9530 has it",
}


@resource.documented(
    "GET",
    "/cameras/<camera_id>/clip.mp4",
    role=Role.OPERATOR,
    audited=True,
    summary="Recorded footage as one MP4",
    description="The camera's own stream without re-encoding, from the keyframe before `from_ms`; at most 6 hours. "
    "With `exact` it begins and ends with the very picture, and only what lies before the next keyframe is encoded "
    "anew (at most 10 minutes, where the codec leaves no other way). The same range gives the same bytes. `Range` "
    "requests are answered. The file states camera and times in its metadata.",
    query=ClipFileQuery,
    answers={200: Media("video/mp4", "The clip"), 206: Media("video/mp4", "A part of the clip"), 304: None},
    errors=(404, 409, 416),
    headers=CLIP_HEADERS,
)
def clip_mp4(camera_id: str, query: ClipFileQuery) -> Response:
    """Answer with a clip."""
    services().registry.get(camera_id)
    clip = services().recorded.exports.made(camera_id, query.sha256) if query.sha256 else None
    if clip is None:
        clip = the_same(open_export(prepared(camera_id, query)), query.sha256)
    return export_response(camera_id, clip)


@resource.documented(
    "GET",
    "/cameras/<camera_id>/export",
    role=Role.OPERATOR,
    audited=True,
    summary="Make a clip and say what it is",
    description="What `clip.mp4` of the same range sends: digest, real begin and end, gaps. Name both ends.",
    query=ClipQuery,
    answers={200: ClipExport},
    errors=(404,),
)
def export_clip(camera_id: str, query: ClipQuery) -> ClipExport:
    """Answer with what a clip is."""
    export = prepared(camera_id, query)
    with open_export(export) as clip:
        figures, size, sha256 = clip.figures, clip.size, clip.sha256
    return ClipExport(
        camera_id=camera_id,
        from_ms=export.from_ms,
        to_ms=export.to_ms,
        begin_ms=figures.begin_ms,
        end_ms=figures.end_ms,
        gaps=[RecordedSpan(start_ms=gap.start_ms, end_ms=gap.end_ms) for gap in figures.gaps],
        encoded_ms=figures.encoded_ms,
        notes=list(figures.notes),
        size_bytes=size,
        sha256=sha256,
        url=clip_url(export, sha256),
    )


def clip_url(export: Export, sha256: str) -> str:
    """Return where this API serves a clip that was made."""
    exact = {"exact": "true"} if export.exact else {}
    asked = {"from_ms": export.from_ms, "to_ms": export.to_ms, **exact, "sha256": sha256}
    return f"{VERSION_PREFIX}/cameras/{export.camera_id}/clip.mp4?{urlencode(asked)}"


def the_same(clip: ClipFile[Figures], sha256: str | None) -> ClipFile[Figures]:
    """Return a clip that was made anew, if it is the one that is asked for.

    Raises:
        ProblemError: 409; it is another. `clip` is closed then.
    """
    if sha256 in (None, clip.sha256):
        return clip
    clip.close()
    raise ProblemError(
        409,
        "footage-changed",
        "The footage of this range has changed",
        f"The file with the digest {sha256} is not kept any more, and the footage of its range gives another one by "
        "now: some of it was deleted, or came later, or the camera, whose name is in the file, was renamed. Make the "
        "file anew, or leave out sha256 to be sent what there is.",
    )


def prepared(camera_id: str, query: ClipQuery) -> Export:
    """Return the clip that is asked for, not made yet.

    Raises:
        NothingRecordedError: There is no footage that can be played.
        ProblemError: 400; no such range.
    """
    parts = services()
    name = parts.registry.get(camera_id).view().name
    from_ms, to_ms = query.bounds(parts.clock.now_ms(), longest_ms=MAX_CLIP_MS)
    return parts.recorded.exporter.prepare(camera_id, name, from_ms, to_ms, exact=query.exact)


def open_export(export: Export) -> ClipFile[ExportFigures]:
    """Return the clip, made now unless there is one.

    Raises:
        ProblemError: 503; there is no room for it, or all streams are taken.
        FarmError: It cannot be made.
    """
    refuse_without_room(export)
    with services().streams.one():
        return made_export(services().recorded, export, Making(services().stopping))


def refuse_without_room(export: Export) -> None:
    """Pass, if the controller has room for a clip.

    Raises:
        ProblemError: 503; there is none.
    """
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if export.size_bytes * _ROOM > free:
        raise ProblemError(
            503,
            "no-room-for-clip",
            "No room for the clip",
            f"The clip takes some {export.size_bytes / 1e6:.0f} MB, and the controller's temporary folder has "
            f"{free / 1e6:.0f} MB left; ask for a shorter range, or set TMPDIR to a larger volume.",
        )


def made_export(recorded: RecordedServices, export: Export, making: Making) -> ClipFile[ExportFigures]:
    """Return the clip, made now unless there is one.

    Raises:
        FarmError: It cannot be made.
    """
    return recorded.exports.open(
        (export.camera_id, export.name), lambda path: recorded.exporter.make(export, path, making)
    )


def export_response(camera_id: str, clip: ClipFile[ExportFigures]) -> Response:
    """Return the answer with a clip, and what is said of it."""
    figures = clip.figures
    named = [f"{gap.start_ms}-{gap.end_ms}" for gap in figures.gaps[:_HEADER_GAPS]]
    headers = {
        "X-Begin-Ms": str(figures.begin_ms),
        "X-End-Ms": str(figures.end_ms),
        "X-Gaps": ", ".join(named),
        "X-Gap-Count": str(len(figures.gaps)),
        "X-Encoded-Ms": str(figures.encoded_ms),
        "X-Notes": "; ".join(figures.notes),
        "X-SHA256": clip.sha256,
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(clip.sha256)).decode()}:",
    }
    began = datetime.fromtimestamp(figures.begin_ms / 1000, UTC)
    name = f"{camera_id}-{began:%Y%m%dT%H%M%SZ}.mp4"
    return clip_response(clip, tag=clip.sha256, name=name, headers=headers)


@resource.documented(
    "GET",
    "/cameras/<camera_id>/timelapse.mp4",
    role=Role.OPERATOR,
    audited=True,
    summary="Recorded footage as a time-lapse",
    description="Keyframes at equal distances, 25 a second; times without footage are left out.",
    query=TimelapseFileQuery,
    answers={200: Media("video/mp4", "The time-lapse"), 206: Media("video/mp4", "A part of it"), 304: None},
    errors=(404, 409, 416),
    headers={
        "X-Frames": "How many pictures it shows",
        "X-Missing-Frames": "At how many instants nothing was recorded",
        "X-Begin-Ms": "When its first picture was taken, Unix ms UTC",
        "X-End-Ms": "When its last picture was taken, Unix ms UTC",
    },
)
def timelapse_mp4(camera_id: str, query: TimelapseFileQuery) -> Response:
    """Answer with a time-lapse."""
    parts = services()
    parts.registry.get(camera_id)
    from_ms, to_ms = query.bounds(parts.clock.now_ms(), longest_ms=MAX_TIMELAPSE_MS, default_ms=HOUR_MS)
    clip = parts.recorded.timelapses.made(camera_id, query.sha256) if query.sha256 else None
    if clip is None:
        key = (camera_id, from_ms, to_ms, query.seconds)
        with parts.streams.one():
            clip = the_same(made_timelapse(parts.recorded, key, Making(parts.stopping)), query.sha256)
    figures = clip.figures
    headers = {
        "X-Frames": str(figures.pictures),
        "X-Missing-Frames": str(figures.missing),
        "X-Begin-Ms": str(figures.begin_ms),
        "X-End-Ms": str(figures.end_ms),
    }
    return clip_response(clip, tag=clip.sha256, name=f"{camera_id}-timelapse.mp4", headers=headers)


#: Camera, begin and end of the range in Unix ms UTC, and seconds of the time-lapse.
TimelapseKey = tuple[str, int, int, int]


def made_timelapse(recorded: RecordedServices, key: TimelapseKey, making: Making) -> ClipFile[TimelapseFigures]:
    """Return a time-lapse, made now unless there is one.

    Raises:
        FarmError: It cannot be made.
    """
    camera_id, from_ms, to_ms, seconds = key
    times = instants(from_ms, to_ms, seconds * TIMELAPSE_FPS)
    return recorded.timelapses.open(key, lambda path: make_timelapse(recorded.moments, camera_id, times, path, making))
