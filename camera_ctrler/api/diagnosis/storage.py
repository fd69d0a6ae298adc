"""What is wrong with what keeps things: the frames volume, the archive, the store of events. Pure."""

from typing import Final

from camera_ctrler.api.diagnosis.history import Past
from camera_ctrler.api.diagnosis.wording import are, counted, lost_since, split
from camera_ctrler.api.farm_schemas import FarmTotals
from camera_ctrler.api.health_schemas import Finding, Severity
from camera_ctrler.recordings.retention import Condition

#: Seconds after which an event that is not stored is late.
LATE_SECONDS: Final = 10.0
#: Conditions that cost nothing yet.
_EARLY: Final = frozenset({Condition.INDEX_AWAY, Condition.ARCHIVE_AWAY})


def volume_findings(totals: FarmTotals, floor_bytes: int) -> list[Finding]:
    """Return what is wrong with the volumes.

    Args:
        totals: The farm.
        floor_bytes: What must be free on the frames volume. The manager deletes the oldest before it is less; where
            it is much less all the same, something else fills the disk.
    """
    if totals.volume is None:
        return []
    volume = totals.volume
    found = [
        Finding(
            code=f"volume_{name}" if name not in _EARLY else name,
            severity=Severity.WARNING if name in _EARLY else Severity.BROKEN,
            text=split(text)[0],
            remedy=split(text)[1],
        )
        for name, text in volume.conditions.items()
    ]
    is_short = volume.total_bytes > 0 and volume.free_bytes < floor_bytes / 2
    if is_short and not found:
        found.append(
            Finding(
                code="disk_nearly_full",
                severity=Severity.WARNING,
                text=f"The disk of the frames volume is nearly full: {volume.free_bytes / 1e9:.1f} of "
                f"{volume.total_bytes / 1e9:.0f} GB are free.",
                remedy="Delete what else is on that disk, or give FARM_FRAMES_DIR a larger one.",
                setting="FARM_FRAMES_DIR",
                figures={"free_bytes": volume.free_bytes, "total_bytes": volume.total_bytes},
            )
        )
    return found


def event_findings(totals: FarmTotals, past: Past | None) -> list[Finding]:
    """Return what is wrong with storing events."""
    events = totals.events
    if events is None:
        return []
    found = []
    if lost := lost_since(events.lost, past.oldest.events_lost if past else None):
        found.append(
            Finding(
                code="events_lost",
                severity=Severity.BROKEN,
                text=f"{counted(lost, 'event')} of the last minutes {are(lost)} lost: Redis made room before they were "
                "stored.",
                remedy="Make the database quicker, or give Redis more room: FARM_EVENT_STREAM_SIZE.",
                setting="FARM_EVENT_STREAM_SIZE",
                count=lost,
            )
        )
    if events.waiting and (events.waiting_seconds >= LATE_SECONDS or not events.writers):
        nobody = not events.writers
        found.append(
            Finding(
                code="no_event_writer" if nobody else "events_late",
                severity=Severity.WARNING,
                text=f"{counted(events.waiting, 'event')} {are(events.waiting)} not stored yet, the oldest for "
                f"{events.waiting_seconds:.0f} s{': no event writer runs' if nobody else ''}.",
                remedy="Start one with: ./farm controller"
                if nobody
                else "Look at the database: it is away or too slow. Events wait in Redis meanwhile.",
                setting="./farm controller" if nobody else "FARM_DATABASE_URL",
                count=events.waiting,
                figures={"seconds": round(events.waiting_seconds)},
            )
        )
    if events.dead_letters:
        found.append(
            Finding(
                code="event_letters",
                severity=Severity.NOTE,
                text=f"{counted(events.dead_letters, 'event')} of a damaged form could not be stored.",
                remedy="/api/v1/events/dead-letters has them with their reasons.",
                count=events.dead_letters,
            )
        )
    return found
