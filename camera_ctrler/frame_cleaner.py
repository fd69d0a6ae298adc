"""Deletes saved frames that are too old, and the oldest ones while the volume is nearly full."""

from heapq import merge
from pathlib import Path
from typing import Final

import structlog

from contract.frame_paths import captured_at_ms
from runtime.clock import Clock
from runtime.frame_store import FrameStore

_HOUR_MS: Final = 3_600_000
#: Milliseconds for which a frame is kept in any case: live views and events point at it.
_KEPT_MS: Final = 60_000

log = structlog.get_logger(__name__)


def clean(store: FrameStore, clock: Clock, *, max_age_hours: float, min_free_bytes: int) -> int:
    """Delete frames, oldest first; return the bytes freed. Several cleaners may work on one volume.

    Args:
        store: The frames volume.
        clock: Says how old an hour is.
        max_age_hours: Hours that ended longer ago are deleted; 0: none.
        min_free_bytes: While the volume has fewer free bytes, the oldest hour that is over is deleted; when none is
            left, the oldest frames of the running hour, but those of the newest minute.
    """
    now_ms = clock.now_ms()
    freed = 0
    running: list[Path] = []
    for start_ms, folder in store.oldest_hours():
        end_ms = start_ms + _HOUR_MS
        if end_ms > now_ms - _KEPT_MS:
            running.append(folder)
            continue
        too_old = max_age_hours > 0 and now_ms - end_ms > max_age_hours * _HOUR_MS
        if not too_old and store.free_bytes() >= min_free_bytes:
            break
        try:
            freed += store.delete_hour(folder)
        except OSError as error:  # one folder that cannot be deleted must not keep all younger ones
            _tell_not_deleted(store, folder, error)
            continue
        log.info("frames_deleted", folder=str(folder.relative_to(store.root)), reason="age" if too_old else "space")
    return freed + _clean_running(store, running, now_ms - _KEPT_MS, min_free_bytes)


def _clean_running(store: FrameStore, folders: list[Path], before_ms: int, min_free_bytes: int) -> int:
    """Delete frames of the running hour captured before `before_ms`, oldest first, until enough bytes are free."""
    cameras = sorted({folder.parent.parent.name for folder in folders})
    oldest_first = merge(*(store.frames(camera, 0, before_ms) for camera in cameras), key=captured_at_ms)
    freed = deleted = 0
    while store.free_bytes() < min_free_bytes and (path := next(oldest_first, None)) is not None:
        file = store.root / path
        try:
            size = file.stat().st_size
            file.unlink()
        except FileNotFoundError:  # another cleaner was quicker
            continue
        except OSError as error:
            _tell_not_deleted(store, file, error)
            continue
        freed, deleted = freed + size, deleted + 1
    if deleted:
        log.warning("frames_deleted", frames=deleted, bytes=freed, reason="space, within the running hour")
    return freed


def _tell_not_deleted(store: FrameStore, what: Path, error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # else another cleaner was quicker
        log.warning("frames_not_deleted", path=str(what.relative_to(store.root)), error=str(error))
