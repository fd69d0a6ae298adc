"""Events as people are shown them: with what recognisers say, and who was seen."""

from collections.abc import Iterable

from camera_ctrler.api.event_schemas import EventEntry, RecognitionBrief, Who
from camera_ctrler.api.services import services
from contract.events import Event
from runtime.stream_reader import Entry


def event_entries(entries: Iterable[Entry[Event]]) -> list[EventEntry]:
    """Return events as the API gives them."""
    return [
        EventEntry(**entry.message.model_dump(), entry_id=entry.entry_id, recorded_at_ms=entry.first_part)
        for entry in entries
    ]


def with_what_is_known(items: list[EventEntry]) -> list[EventEntry]:
    """Return events with what recognisers say of them, and who was seen; both may still come."""
    recognitions = services().recognitions.of_events(item.event_id for item in items if item.crops)
    sightings = services().identities.reading.of_tracks({item.track for item in items if item.track is not None})
    for item in items:
        item.recognitions = [
            RecognitionBrief(recogniser=each.recogniser, state=each.state, reason=each.reason, result=each.result)
            for each in recognitions.get(item.event_id, [])
        ]
        sighting = sightings.get(item.track or "")
        if sighting is not None and sighting.identity is not None:
            item.who = Who(identity=sighting.identity, name=sighting.name, similarity=sighting.similarity)
    return items
