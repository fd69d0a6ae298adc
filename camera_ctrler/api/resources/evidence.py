"""What there is to see of an event: the clip around it, and its best picture."""

from typing import Final

from flask import Response

from camera_ctrler.api.access import principal
from camera_ctrler.api.documented import Media, Resource
from camera_ctrler.api.private_files import private_jpeg
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.recording_schemas import EventClipQuery
from camera_ctrler.api.resources.exports import CLIP_HEADERS, export_response, open_export
from camera_ctrler.api.resources.recorded_pictures import picture_response
from camera_ctrler.api.services import services
from contract.accounts import Role
from contract.errors import ContractError
from contract.events import Event
from runtime.stream_reader import Entry

resource = Resource("evidence", "recordings")

_FRAME_AGE_SECONDS: Final = 86_400


@resource.documented(
    "GET",
    "/events/<event_id>/clip.mp4",
    role=Role.VIEWER,
    audited=True,
    summary="Clip of an event",
    description="From the camera's `pre_roll_seconds` before the event to its `post_roll_seconds` after it, as far as "
    "it is recorded by now; otherwise as `/cameras/{camera_id}/clip.mp4`.",
    query=EventClipQuery,
    answers={200: Media("video/mp4", "The clip"), 206: Media("video/mp4", "A part of the clip"), 304: None},
    errors=(404, 416),
    headers=CLIP_HEADERS,
)
def event_clip(event_id: str, query: EventClipQuery) -> Response:
    """Answer with the footage around an event."""
    event = event_of(event_id)
    parts = services()
    camera = parts.registry.get(event.camera_id).view()
    from_ms = event.at_ms - round(camera.pre_roll_seconds * 1000)
    to_ms = event.at_ms + max(1, round(camera.post_roll_seconds * 1000))
    export = parts.recorded.exporter.prepare(camera.id, camera.name, max(0, from_ms), to_ms, exact=query.exact)
    return export_response(camera.id, open_export(export))


@resource.documented(
    "GET",
    "/events/<event_id>/picture.jpg",
    role=Role.VIEWER,
    summary="Picture of an event",
    description="The saved frame in which the object was seen, as it was analysed; where there is none any more, the "
    "recorded picture of that moment.",
    answers={200: Media("image/jpeg", "The picture"), 304: None},
    errors=(404,),
)
def event_picture(event_id: str) -> Response:
    """Answer with the best picture of an event."""
    event = event_of(event_id)
    parts = services()
    parts.registry.get(event.camera_id)
    if event.frame_path:
        try:
            file = parts.store.resolve(event.frame_path)
            return private_jpeg(file, age_seconds=_FRAME_AGE_SECONDS)
        except (FileNotFoundError, ContractError):  # it has passed its retention
            pass
    return picture_response(event.camera_id, event.at_ms, None)


def event_of(event_id: str) -> Event:
    """Return an event of a camera that may be seen.

    Raises:
        ProblemError: 404; it is not there, or not any more, or of another camera.
    """
    return event_entry_of(event_id).message


def event_entry_of(event_id: str) -> Entry[Event]:
    """Return an event with its place among all.

    Raises:
        ProblemError: 404; it is not there, or not any more, or of another camera.
    """
    entry = services().history.find(event_id)
    if entry is None or not principal().sees(entry.message.camera_id):
        raise ProblemError(
            404,
            "event-not-found",
            "Event not found",
            f"There is no event {event_id[:80]!r}, or no more: they are kept for as long as FARM_EVENTS_KEEP says. "
            "List them with /events",
        )
    return entry
