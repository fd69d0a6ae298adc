"""One event with all there is to see of it: what a person opens."""

from typing import Final
from urllib.parse import quote

from camera_ctrler.api.documented import VERSION_PREFIX, Resource
from camera_ctrler.api.event_views import event_entries, with_what_is_known
from camera_ctrler.api.recording_schemas import RecordedSpan
from camera_ctrler.api.resources.evidence import event_entry_of
from camera_ctrler.api.services import services
from camera_ctrler.api.timeline_schemas import ClipRange, EventDetail
from camera_ctrler.api.track_ways import best_crops, way_of
from camera_ctrler.event_store.filters import EventFilter
from contract.accounts import Role
from contract.camera_specs import Camera
from contract.errors import ContractError
from contract.events import Event

resource = Resource("event_details", "events")

#: Events of one track that its way is made of: an hour of a track has some 240.
_WAY_EVENTS: Final = 200


@resource.documented(
    "GET",
    "/events/<event_id>",
    role=Role.VIEWER,
    summary="Show an event",
    description="With its pictures, the time around it and what is recorded of that, the way of its track, and who was "
    "seen.",
    answers={200: EventDetail},
    errors=(404,),
)
def show_event(event_id: str) -> EventDetail:
    """Answer with one event."""
    parts = services()
    entry = event_entry_of(event_id)
    camera = parts.registry.get(entry.message.camera_id).view()
    item = with_what_is_known(event_entries([entry]))[0]
    clip = _clip(camera, entry.message)
    track = _track_events(entry.message)
    address = f"{VERSION_PREFIX}/events/{quote(item.event_id, safe=':')}"
    return EventDetail(
        event=item,
        picture_url=f"{address}/picture.jpg" if _has_picture(entry.message, clip) else None,
        crop_urls=[crop_address(each.event_id, each.place) for each in best_crops(track)],
        clip=clip,
        way=way_of(track),
        track_events=len(track),
        who=item.who,
        searchable=bool(item.track) and item.track in parts.identities.reading.of_tracks({item.track or ""}),
    )


def _clip(camera: Camera, event: Event) -> ClipRange:
    from_ms = max(0, event.at_ms - round(camera.pre_roll_seconds * 1000))
    to_ms = event.at_ms + max(1, round(camera.post_roll_seconds * 1000))
    spans = services().recorded.footage.spans(camera.id, from_ms, to_ms)
    return ClipRange(
        from_ms=from_ms,
        to_ms=to_ms,
        spans=[RecordedSpan(start_ms=span.start_ms, end_ms=span.end_ms) for span in spans],
    )


def _track_events(event: Event) -> list[Event]:
    """Return the events of an event's track, the newest of them, and itself."""
    if event.track is None:
        return [event]
    wanted = EventFilter(
        cameras=frozenset({event.camera_id}), tracks=frozenset({event.track}), from_ms=event.started_at_ms
    )
    page = services().history.page(wanted, limit=_WAY_EVENTS)
    return list({each.event_id: each for each in [*(entry.message for entry in page.entries), event]}.values())


def crop_address(event_id: str, place: int) -> str:
    """Return where this API serves a crop of an event."""
    return f"{VERSION_PREFIX}/events/{quote(event_id, safe=':')}/crops/{place}.jpg"


def _has_picture(event: Event, clip: ClipRange) -> bool:
    if any(span.start_ms <= event.at_ms < span.end_ms for span in clip.spans):
        return True
    if event.frame_path is None:
        return False
    try:
        services().store.resolve(event.frame_path)
    except (FileNotFoundError, ContractError):  # it has passed its retention
        return False
    return True
