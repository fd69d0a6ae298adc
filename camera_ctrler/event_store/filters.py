"""Which events and tracks somebody asks for: told of a message, and as a condition in SQL. Pure."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, or_

from camera_ctrler.accounts.visibility import asked_and_seen, of_cameras
from camera_ctrler.event_store.tables import events, tracks
from contract.events import Event, EventKind

#: What of an event is searched for a text.
_SEARCHED: Final = ("event_id", "kind", "camera_id", "worker_id", "reason", "class_name", "track")


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; what is empty or None asks for all."""

    cameras: frozenset[str] = frozenset()
    kinds: frozenset[EventKind] = frozenset()
    classes: frozenset[str] = frozenset()
    #: When it happened, Unix ms UTC, half open.
    from_ms: int | None = None
    to_ms: int | None = None
    #: Found in any of its words, whatever the case.
    text: str = ""
    #: Cameras that the text names, too: by what people call them.
    named: frozenset[str] = frozenset()
    #: Ids of tracks, a few.
    tracks: frozenset[str] = frozenset()
    #: Who was seen, and in which tracks, as far as that is decided.
    identity: str | None = None
    sighted: frozenset[str] = frozenset()
    #: Cameras that whoever asks may see; None: all.
    visible: frozenset[str] | None = None

    @property
    def seen_cameras(self) -> frozenset[str] | None:
        """Cameras whose events these are; None: all; none at all where it is empty."""
        return asked_and_seen(self.cameras, self.visible)

    @property
    def has_range(self) -> bool:
        """Whether it matters when an event happened."""
        return self.from_ms is not None or self.to_ms is not None

    def wants(self, event: Event) -> bool:
        """Tell whether an event is one of these."""
        return (
            (not self.cameras or event.camera_id in self.cameras)
            and (self.visible is None or event.camera_id in self.visible)
            and (not self.kinds or event.kind in self.kinds)
            and (not self.classes or event.class_name in self.classes)
            and (self.from_ms is None or event.at_ms >= self.from_ms)
            and (self.to_ms is None or event.at_ms < self.to_ms)
            and (not self.tracks or event.track in self.tracks)
            and (self.identity is None or event.identity == self.identity or event.track in self.sighted)
            and self._has_text(event)
        )

    def _has_text(self, event: Event) -> bool:
        if not self.text or event.camera_id in self.named:
            return True
        wanted = self.text.lower()
        return any(wanted in str(getattr(event, name) or "").lower() for name in _SEARCHED)

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the same, without the text, of rows: what an index or a few columns decide."""
        columns = events.c
        found = of_cameras(columns.camera_id, self.cameras, self.visible)
        for column, values in (
            (columns.kind, self.kinds),
            (columns.class_name, self.classes),
            (columns.track, self.tracks),
        ):
            if values:
                found.append(column.in_(sorted(values)))
        if self.identity is not None:
            found.append(or_(columns.identity == self.identity, columns.track.in_(sorted(self.sighted))))
        if self.from_ms is not None:
            found.append(columns.at_ms >= self.from_ms)
        if self.to_ms is not None:
            found.append(columns.at_ms < self.to_ms)
        return found


@dataclass(frozen=True, slots=True)
class TrackFilter:
    """Which tracks; what is empty or None asks for all."""

    cameras: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    #: Seen at some time of this range, Unix ms UTC, half open.
    from_ms: int | None = None
    to_ms: int | None = None
    #: Cameras that whoever asks may see; None: all.
    visible: frozenset[str] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on rows."""
        found = of_cameras(tracks.c.camera_id, self.cameras, self.visible)
        if self.classes:
            found.append(tracks.c.class_name.in_(sorted(self.classes)))
        if self.from_ms is not None:
            found.append(tracks.c.last_seen_ms >= self.from_ms)
        if self.to_ms is not None:
            found.append(tracks.c.first_seen_ms < self.to_ms)
        return found
