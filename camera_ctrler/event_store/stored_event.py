"""Between entries of the stream, events and rows of the tables; an entry that has no event has a reason. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from pydantic import ValidationError

from camera_ctrler.event_store.tables import ID_LENGTH, event_photos, events
from contract.events import Event
from runtime.event_feed import RawEvent

#: Larger than any true figure, and what the columns hold.
_LIMIT: Final = 10**15
_SMALL_LIMIT: Final = 2**31
_SMALL: Final = ("class_id", "width", "height")
_MAX_PATH: Final = 1_000
#: Characters of an entry that cannot be stored which are kept of it.
MAX_BODY: Final = 10_000
_MAX_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event, and with which entry of the stream it came."""

    entry_id: str
    event: Event


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One entry of the stream that cannot be stored as an event."""

    entry_id: str
    reason: str
    body: str


def halves(entry_id: str) -> tuple[int, int]:
    """Return an entry's id as numbers, which compare as Redis orders them; the first is Unix ms by its clock."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def read_entry(raw: RawEvent) -> StreamEvent | DeadLetter:
    """Return the event that an entry has, or why it has none that can be stored."""
    if raw.text is None:
        return dead_letter(raw.entry_id, "the entry has no field event", b"")
    try:
        event = Event.model_validate_json(raw.text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return dead_letter(raw.entry_id, f"{where}: {first['msg']}" if where else first["msg"], raw.text)
    problem = why_unstorable(event)
    return dead_letter(raw.entry_id, problem, raw.text) if problem else StreamEvent(raw.entry_id, event)


def dead_letter(entry_id: str, reason: str, body: bytes) -> DeadLetter:
    """Return what is kept of an entry: text that any database takes."""
    text = body.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return DeadLetter(entry_id, reason.replace("\0", "")[:_MAX_REASON], text[:MAX_BODY])


def why_unstorable(event: Event) -> str:
    """Tell why the database has no room for an event; empty: it has. One must not keep all others out."""
    for name, value in event.model_dump().items():
        if isinstance(value, str):
            limit = _MAX_PATH if name == "frame_path" else ID_LENGTH
            if len(value) > limit or "\0" in value:
                return f"{name} is longer than {limit} characters, or has one that no text has"
        elif isinstance(value, int):
            limit = _SMALL_LIMIT if name in _SMALL else _LIMIT
            if not -limit < value < limit:
                return f"{name} is larger than any true figure"
    boxes = [crop.xyxy for crop in event.crops] + ([] if event.xyxy is None else [event.xyxy])
    if not all(isfinite(side) for xyxy in boxes for side in xyxy):
        return "xyxy has something that is no number"
    if any(len(crop.path) > _MAX_PATH or "\0" in crop.path for crop in event.crops):
        return f"the path of a crop is longer than {_MAX_PATH} characters, or has one that no text has"
    return ""


def event_row(item: StreamEvent) -> dict[str, Any]:
    """Return an event as a row of `events`."""
    entry_ms, entry_seq = halves(item.entry_id)
    values = item.event.model_dump(mode="json") | {"entry_ms": entry_ms, "entry_seq": entry_seq}
    values["crops"] = values["crops"] or None
    return {column.name: values[column.name] for column in events.c}


def photo_row(event: Event) -> dict[str, Any] | None:
    """Return the saved frame of an event as a row of `event_photos`; None: it has none."""
    if event.frame_path is None:
        return None
    values = {
        "at_ms": event.at_ms,
        "event_id": event.event_id,
        "path": event.frame_path,
        "xyxy": None if event.xyxy is None else list(event.xyxy),
    }
    return {column.name: values[column.name] for column in event_photos.c}


def note_row(event: Event) -> dict[str, Any] | None:
    """Return what recognisers are told of an event, as a row of `recognition_notes`; None: it has no crops."""
    if not event.crops:
        return None
    return {"event_id": event.event_id, "at_ms": event.at_ms, "event": event.model_dump(mode="json")}


def event_of_row(row: Mapping[Any, Any]) -> StreamEvent:
    """Return the event that a row of `events` has, joined with the ``path`` of its photo."""
    values = {name: row[name] for name in Event.model_fields if name != "frame_path"}
    values["crops"] = values["crops"] or []
    return StreamEvent(
        f"{row['entry_ms']}-{row['entry_seq']}", Event.model_validate({**values, "frame_path": row["path"]})
    )
