"""Deletes saved frames that are too old, and the oldest ones while the volume is nearly full."""

import structlog

from runtime.clock import Clock
from runtime.frame_store import FrameStore

_HOUR_MS = 3_600_000

log = structlog.get_logger(__name__)


def clean(store: FrameStore, clock: Clock, *, max_age_hours: float, min_free_bytes: int) -> int:
    """Delete whole hours of frames, oldest first; return the bytes freed.

    Args:
        store: The frames volume.
        clock: Says how old an hour is.
        max_age_hours: Hours that ended longer ago are deleted; 0: none.
        min_free_bytes: While the volume has fewer free bytes, the oldest hour that is over is deleted.
    """
    now_ms = clock.now_ms()
    freed = 0
    for start_ms, folder in store.oldest_hours():
        end_ms = start_ms + _HOUR_MS
        if end_ms > now_ms:
            break  # the running hour is being written
        too_old = max_age_hours > 0 and now_ms - end_ms > max_age_hours * _HOUR_MS
        if not too_old and store.free_bytes() >= min_free_bytes:
            break
        try:
            freed += store.delete_hour(folder)
        except OSError as error:  # one folder that cannot be deleted must not keep all younger ones
            log.warning("frames_not_deleted", folder=str(folder.relative_to(store.root)), error=str(error))
            continue
        log.info("frames_deleted", folder=str(folder.relative_to(store.root)), reason="age" if too_old else "space")
    return freed
