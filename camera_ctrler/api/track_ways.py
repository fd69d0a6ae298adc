"""Where a tracked object went, and its pictures, as far as its events tell. Pure."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from camera_ctrler.api.timeline_schemas import WayPoint
from contract.crops import Crop
from contract.errors import ContractError
from contract.events import Event
from contract.frame_paths import captured_at_ms


@dataclass(frozen=True, slots=True)
class PlacedCrop:
    """A crop, and the event that names it."""

    event_id: str
    #: Among the crops of the event, from 0.
    place: int
    crop: Crop


def best_crops(events: Iterable[Event]) -> list[PlacedCrop]:
    """Return all crops of some events, the best first."""
    found = (PlacedCrop(event.event_id, place, crop) for event in events for place, crop in enumerate(event.crops))
    return sorted(found, key=lambda each: each.crop.quality, reverse=True)


def way_of(events: Iterable[Event]) -> list[WayPoint]:
    """Return where the object of one track was, in time order, each time once.

    Crops say when they were taken. An event's own box is of the frame that it names, or of its own time.

    Args:
        events: Of one track, in any order.
    """
    found: dict[int, WayPoint] = {}
    for event in events:
        if not event.width or not event.height:
            continue
        boxes = [(crop.captured_at_ms, crop.xyxy) for crop in event.crops]
        if event.xyxy is not None:
            boxes.append((_shown_at(event), event.xyxy))
        for at_ms, xyxy in boxes:
            found[at_ms] = WayPoint(at_ms=at_ms, xyxy=xyxy, width=event.width, height=event.height)
    return [found[at_ms] for at_ms in sorted(found)]


def _shown_at(event: Event) -> int:
    """Return when the frame was taken that an event's box is of."""
    if event.frame_path is not None:
        with suppress(ContractError):  # a worker of another version may name frames in another way
            return captured_at_ms(event.frame_path)
    return event.at_ms
