"""Events as lines of a file: CSV for people who calculate, JSON lines for programs. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from camera_ctrler.api.csv_text import csv_rows, time_cell
from camera_ctrler.api.event_schemas import EventEntry

#: Head of the CSV file, and what is below it.
COLUMNS: Final[dict[str, Callable[[EventEntry], Any]]] = {
    "event_id": lambda event: event.event_id,
    "kind": lambda event: event.kind.value,
    "camera_id": lambda event: event.camera_id,
    "at": lambda event: time_cell(event.at_ms),
    "at_ms": lambda event: event.at_ms,
    "class_name": lambda event: event.class_name,
    "confidence": lambda event: event.confidence,
    "reason": lambda event: event.reason.value if event.reason is not None else None,
    "track": lambda event: event.track,
    "track_id": lambda event: event.track_id,
    "started_at_ms": lambda event: event.started_at_ms,
    "frames_seen": lambda event: event.frames_seen,
    "x_min": lambda event: event.xyxy[0] if event.xyxy else None,
    "y_min": lambda event: event.xyxy[1] if event.xyxy else None,
    "x_max": lambda event: event.xyxy[2] if event.xyxy else None,
    "y_max": lambda event: event.xyxy[3] if event.xyxy else None,
    "width": lambda event: event.width,
    "height": lambda event: event.height,
    "frame_path": lambda event: event.frame_path,
    "epoch": lambda event: event.epoch,
    "number": lambda event: event.number,
    "worker_id": lambda event: event.worker_id,
    "recorded_at_ms": lambda event: event.recorded_at_ms,
    "entry_id": lambda event: event.entry_id,
}


def csv_lines(pages: Iterable[Iterable[EventEntry]]) -> Iterator[bytes]:
    """Yield a head line, and one piece of the file for each page."""
    yield csv_rows([list(COLUMNS)])
    for page in pages:
        yield csv_rows([[value(event) for value in COLUMNS.values()] for event in page])


def json_lines(pages: Iterable[Iterable[EventEntry]]) -> Iterator[bytes]:
    """Yield one piece of the file for each page: an event a line."""
    for page in pages:
        yield "".join(f"{event.model_dump_json()}\n" for event in page).encode()
