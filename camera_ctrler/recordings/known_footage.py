"""What the index says of the files on the volume, for a cleaner that must go on while the database is away or hangs."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.recordings.index import VOLUME, CameraHour, IndexedSegment, SegmentIndex, SegmentKey
from camera_ctrler.recordings.retention import EvidenceSpans
from contract.recording_paths import HOUR_MS
from contract.recordings import KeptFor
from contract.retention import KeepRules
from runtime.clock import Clock
from runtime.patience import on_its_own

#: Seconds for one answer. The volume fills meanwhile; the cleaner keeps more free than fits into this time.
PATIENCE_SECONDS: Final = 2.0
#: Seconds for the sums of all hours, which nobody waits for.
SURVEY_SECONDS: Final = 30.0
#: Seconds after a failure before the database is asked again.
REST_SECONDS: Final = 10.0
#: Files of events that are remembered for the time when the database is away: some 20 MB.
REMEMBERED_FILES: Final = 20_000
#: Hours whose files of events are read ahead in one survey, newest first.
_AHEAD_HOURS: Final = 50
#: Milliseconds after an hour in which workers may still say that a file of it is evidence.
SETTLES_MS: Final = 900_000

Answer = TypeVar("Answer")
#: Camera id and begin of the hour, Unix ms UTC.
HourKey = tuple[str, int]

log = structlog.get_logger(__name__)


class IndexSilentError(SQLAlchemyError):
    """The index does not answer, or has not answered a moment ago."""


@dataclass(frozen=True, slots=True)
class HourKnowledge:
    """What is known of a camera's files that begin in one hour."""

    #: (Start, epoch) -> file.
    files: Mapping[tuple[int, int], IndexedSegment]
    evidence: EvidenceSpans
    #: What a file counts as that is not in `files`: ``event`` where it may be evidence, for all that is known.
    unknown_is: KeptFor = KeptFor.CONTINUOUS


class KnownFootage:
    """Asks the index, waits only so long, and remembers what was evidence. Safe to use from several threads."""

    def __init__(self, index: SegmentIndex, rules: KeepRules, clock: Clock) -> None:
        self._index = index
        self._rules = rules
        self._clock = clock
        self._lock = threading.Lock()
        self._away_until = float("-inf")
        #: A question that hangs: no other is asked as long as it does.
        self._hanging: Future[Any] | None = None
        #: Files of events by hour, the longest unused first.
        self._evidence: OrderedDict[HourKey, list[IndexedSegment]] = OrderedDict()
        self._remembered = 0
        #: Sums of all hours on the volume, by the last survey. Replaced whole, never changed.
        self.hours: Mapping[HourKey, CameraHour] = {}
        #: Whether there was a survey.
        self.is_surveyed = False

    @property
    def is_away(self) -> bool:
        """Whether the index has not answered lately."""
        hangs = self._hanging is not None and not self._hanging.done()
        return hangs or self._clock.monotonic() < self._away_until

    def ask(self, question: Callable[[SegmentIndex], Answer], patience_seconds: float = PATIENCE_SECONDS) -> Answer:
        """Return what the index answers to a question.

        Raises:
            IndexSilentError: It does not, or did not a moment ago.
        """
        if self.is_away:
            raise IndexSilentError("the index of footage does not answer")
        answer = on_its_own(lambda: question(self._index), "footage-index")
        done, _ = wait([answer], patience_seconds)
        if not done:
            self._hanging = answer
            self._note_failure(f"no answer within {patience_seconds:.0f} s")
            raise IndexSilentError("the index of footage has not answered in time")
        try:
            return answer.result()
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            self._note_failure(reason)
            raise IndexSilentError(f"the index of footage cannot be read: {reason}") from error

    def survey(self) -> None:
        """Read the sums of all hours, and ahead which files are evidence in the newest of them.

        Raises:
            IndexSilentError: The index does not answer; what was known before stays.
        """
        found = self.ask(lambda index: list(index.hours(tier=VOLUME)), SURVEY_SECONDS)
        self.hours = {(hour.camera_id, hour.hour_ms): hour for hour in found}
        self.is_surveyed = True
        settled_ms = self._clock.now_ms() - HOUR_MS - SETTLES_MS
        ahead = (
            (hour.camera_id, hour.hour_ms)
            for hour in reversed(found)
            if hour.bytes[KeptFor.EVENT]
            and (hour.hour_ms > settled_ms or (hour.camera_id, hour.hour_ms) not in self._evidence)
        )
        for _, (camera_id, hour_ms) in zip(range(_AHEAD_HOURS), ahead, strict=False):
            if self._remembered >= REMEMBERED_FILES:
                break
            self._read(camera_id, hour_ms)

    def of_hour(self, camera_id: str, hour_ms: int) -> HourKnowledge:
        """Return what is known of an hour's files: by the index, or else by what was remembered of it."""
        try:
            return self._read(camera_id, hour_ms)
        except IndexSilentError:
            return self._recall(camera_id, hour_ms)

    def forget(self, keys: Iterable[SegmentKey], *, tier: int) -> None:
        """Remove files of one tier from the index.

        Raises:
            IndexSilentError: It does not answer: the rows stay until a later pass finds that their files are gone.
        """
        listed = list(keys)
        if listed:
            self.ask(lambda index: index.remove(listed, tier=tier))

    def _read(self, camera_id: str, hour_ms: int) -> HourKnowledge:
        found = self.ask(lambda index: index.find(camera_id, hour_ms, hour_ms + HOUR_MS))
        events = [each for each in found if each.segment.kept_for is KeptFor.EVENT]
        with self._lock:
            self._remembered -= len(self._evidence.pop((camera_id, hour_ms), ()))
            self._evidence[camera_id, hour_ms] = events
            self._remembered += len(events)
            while self._remembered > REMEMBERED_FILES:
                self._remembered -= len(self._evidence.popitem(last=False)[1])
        return self._knowledge(hour_ms, found)

    def _recall(self, camera_id: str, hour_ms: int) -> HourKnowledge:
        with self._lock:
            events = self._evidence.get((camera_id, hour_ms))
        if events is not None:
            return self._knowledge(hour_ms, events)
        hour = self.hours.get((camera_id, hour_ms))
        may_be = hour is not None and hour.bytes[KeptFor.EVENT] > 0
        return HourKnowledge({}, EvidenceSpans((), self._rules), KeptFor.EVENT if may_be else KeptFor.CONTINUOUS)

    def _knowledge(self, hour_ms: int, found: list[IndexedSegment]) -> HourKnowledge:
        files = {(start_ms, epoch): each for each in found for _, start_ms, epoch in [each.key] if start_ms >= hour_ms}
        return HourKnowledge(files, EvidenceSpans((each.segment for each in found), self._rules))

    def _note_failure(self, reason: str) -> None:
        self._away_until = self._clock.monotonic() + REST_SECONDS
        log.warning("footage_index_away", reason=reason)
