"""What is told of a camera's finished files: once at their end, and again when more is found out about them."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from contract.recordings import KeptFor, RecordingSettings, Segment
from workers.recording.wishes import Findings, Look, Wishes

#: Seconds after its end in which something may be found out about a file: rolls are long, and detectors can be slow.
RETOLD_SECONDS: Final = 120.0
#: Files remembered for that, and files that may wait to be told of.
_REMEMBERED: Final = 64


@dataclass(slots=True)
class _Finished:
    segment: Segment
    #: Monotonic seconds when its first and last packets arrived.
    from_at: float
    to_at: float


class ToldSegments:
    """The finished files of one camera. Not thread-safe."""

    def __init__(self, settings: RecordingSettings) -> None:
        self.wishes: Final = Wishes(settings)
        self._findings = Findings()
        self._finished: deque[_Finished] = deque(maxlen=_REMEMBERED)
        self._news: dict[tuple[int, int], Segment] = {}

    def looked(self, looks: Iterable[Look]) -> None:
        """Take note of frames that were looked at; what that means for finished files is told again."""
        new = list(looks)
        if not new:
            return
        for look in new:
            self.wishes.note(look)
            self._findings.note(look)
        start = min(look.at for look in new) - self.wishes.settings.pre_roll_seconds
        newest = max(look.at for look in new)
        while self._finished and newest - self._finished[0].to_at > RETOLD_SECONDS:
            self._finished.popleft()
        for finished in self._finished:
            if finished.to_at >= start:
                self._judge(finished)

    def finished(self, segment: Segment, from_at: float, to_at: float) -> None:
        """Take note of a file that has come to its end.

        Args:
            segment: Without what was found in it.
            from_at: Monotonic seconds when its first packet arrived.
            to_at: Monotonic seconds when its last packet arrived.
        """
        made = _Finished(segment, from_at, to_at)
        self._finished.append(made)
        self._news[segment.start_ms, segment.epoch] = segment
        self._judge(made)

    def news(self) -> list[Segment]:
        """Return what is to be told since the last time, oldest file first."""
        news, self._news = self._news, {}
        return [news[key] for key in sorted(news)]

    def _judge(self, finished: _Finished) -> None:
        before = finished.segment
        kept_for = self.wishes.kept_for(finished.from_at, finished.to_at)
        motion, seen = self._findings.between(finished.from_at, finished.to_at)
        after = before.model_copy(
            update={"kept_for": max(before.kept_for, kept_for, key=_rank), "motion": motion, "seen": seen}
        )
        if after != before:
            finished.segment = after
            self._news[after.start_ms, after.epoch] = after


def _rank(reason: KeptFor) -> int:
    return reason.rank
