"""Files of recorded footage, made while whoever asks is told how far they are."""

from typing import Final
from urllib.parse import urlencode

from flask import Response

from camera_ctrler.api.documented import VERSION_PREFIX, Media, Resource
from camera_ctrler.api.making_view import MIMETYPE, MadeFile, told_while_made
from camera_ctrler.api.recording_schemas import HOUR_MS, ClipQuery, RecordedSpan, TimelapseQuery
from camera_ctrler.api.resources.exports import (
    MAX_TIMELAPSE_MS,
    clip_url,
    made_export,
    made_timelapse,
    prepared,
    refuse_without_room,
)
from camera_ctrler.api.services import services
from camera_ctrler.playback.making import Making
from contract.accounts import Role

resource = Resource("export_progress", "recordings")

_LINES: Final = Media(
    MIMETYPE,
    'A line of JSON every now and then: `{"done": 0.25}`; the last one has `made` (`url`, `size_bytes`, `sha256`, '
    "`begin_ms`, `end_ms`, `gaps`, `notes`) or `problem`",
)


@resource.documented(
    "GET",
    "/cameras/<camera_id>/export/progress",
    role=Role.OPERATOR,
    audited=True,
    summary="Make a clip and tell how far it is",
    description="What `export` of the same range does, with news while it is made. Who goes away gives it up. Name "
    "both ends to get the same file again from `clip.mp4` without its `sha256`.",
    query=ClipQuery,
    answers={200: _LINES},
    errors=(404,),
)
def export_clip_progress(camera_id: str, query: ClipQuery) -> Response:
    """Answer with how far a clip is, and what it is when it is made."""
    recorded = services().recorded
    export = prepared(camera_id, query)
    refuse_without_room(export)

    def make(making: Making) -> MadeFile:
        with made_export(recorded, export, making) as clip:
            figures = clip.figures
            return MadeFile(
                url=clip_url(export, clip.sha256),
                size_bytes=clip.size,
                sha256=clip.sha256,
                begin_ms=figures.begin_ms,
                end_ms=figures.end_ms,
                gaps=[RecordedSpan(start_ms=gap.start_ms, end_ms=gap.end_ms) for gap in figures.gaps],
                notes=list(figures.notes),
            )

    return told_while_made(make)


@resource.documented(
    "GET",
    "/cameras/<camera_id>/timelapse/progress",
    role=Role.OPERATOR,
    audited=True,
    summary="Make a time-lapse and tell how far it is",
    description="What `timelapse.mp4` of the same range is, with news while it is made. Who goes away gives it up.",
    query=TimelapseQuery,
    answers={200: _LINES},
    errors=(404,),
)
def timelapse_progress(camera_id: str, query: TimelapseQuery) -> Response:
    """Answer with how far a time-lapse is, and what it is when it is made."""
    parts = services()
    parts.registry.get(camera_id)
    from_ms, to_ms = query.bounds(parts.clock.now_ms(), longest_ms=MAX_TIMELAPSE_MS, default_ms=HOUR_MS)

    def make(making: Making) -> MadeFile:
        with made_timelapse(parts.recorded, (camera_id, from_ms, to_ms, query.seconds), making) as clip:
            figures = clip.figures
            asked = {"from_ms": from_ms, "to_ms": to_ms, "seconds": query.seconds, "sha256": clip.sha256}
            missing = [f"nothing was recorded at {figures.missing} of the instants"] if figures.missing else []
            return MadeFile(
                url=f"{VERSION_PREFIX}/cameras/{camera_id}/timelapse.mp4?{urlencode(asked)}",
                size_bytes=clip.size,
                sha256=clip.sha256,
                begin_ms=figures.begin_ms,
                end_ms=figures.end_ms,
                gaps=[],
                notes=missing,
            )

    return told_while_made(make)
