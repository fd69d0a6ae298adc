"""What is wrong with cameras, those with the same trouble together. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from camera_ctrler.api.diagnosis.wording import LISTED, are, named, split
from camera_ctrler.api.health_schemas import Finding, Severity
from camera_ctrler.api.schemas import CameraStatusView
from contract.cameras import CameraState
from contract.errors import REMEDIES, StatusReason

#: Reasons that pass by themselves.
_PASSING: Final = frozenset({StatusReason.HOST_BUSY})


def camera_findings(statuses: Iterable[CameraStatusView]) -> list[Finding]:
    """Return what is wrong with cameras: not watched, not recorded, not saved; a finding for each reason.

    Args:
        statuses: Those that may be told of, in the order in which they are to be named.
    """
    offline = defaultdict[StatusReason, list[str]](list)
    waiting = defaultdict[StatusReason, list[str]](list)
    unrecorded = defaultdict[StatusReason, list[str]](list)
    unsaved = defaultdict[StatusReason, list[str]](list)
    for status in statuses:
        if status.state is CameraState.OFFLINE:
            offline[status.reason or StatusReason.UNKNOWN].append(status.camera_id)
        elif status.state is CameraState.PENDING and status.reason is not None:
            waiting[status.reason].append(status.camera_id)
        elif status.state is CameraState.ONLINE and status.saving_reason is not None:
            unsaved[status.saving_reason].append(status.camera_id)
        if status.state is CameraState.ONLINE and status.recording.reason is not None:
            unrecorded[status.recording.reason].append(status.camera_id)
    return [
        *(_finding("cameras_waiting", "not watched yet", reason, ids) for reason, ids in waiting.items()),
        *(_finding("cameras_offline", "offline", reason, ids) for reason, ids in offline.items()),
        *(_finding("cameras_unrecorded", "not recorded", reason, ids) for reason, ids in unrecorded.items()),
        *(_finding("cameras_unsaved", "analysed but not saved", reason, ids) for reason, ids in unsaved.items()),
    ]


def _finding(code: str, how: str, reason: StatusReason, ids: Sequence[str]) -> Finding:
    what, remedy = split(REMEDIES[reason])
    return Finding(
        code=code,
        severity=Severity.NOTE if reason in _PASSING else Severity.BROKEN,
        text=f"{named(ids)} {are(len(ids))} {how}: {_as_clause(what)}.",
        remedy=remedy,
        reason=reason,
        count=len(ids),
        cameras=list(ids[:LISTED]),
    )


def _as_clause(sentence: str) -> str:
    """Return a sentence as it stands after a colon: without its full stop, and small where it begins with an article.

    What begins with a name or a number stays as it is.
    """
    sentence = sentence.removesuffix(".")
    first, rest = sentence[:1], sentence[1:]
    is_word = rest[:1].islower() or rest[:1] == " "
    return first.lower() + rest if is_word else sentence
