"""How long footage is kept, as people write it: ``continuous=3d,motion=7d,event=30d,person=60d``. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

from contract.errors import ContractError
from contract.recording_paths import HOUR_MS
from contract.recordings import KeptFor, Segment

#: Longer than any clock goes: what is kept for ever.
FOREVER_MS: Final = 10**15
FOREVER: Final = "forever"
#: What holds for a reason that the text does not name.
DEFAULT_AGES_MS: Final = {
    KeptFor.CONTINUOUS: 3 * 24 * HOUR_MS,
    KeptFor.MOTION: 7 * 24 * HOUR_MS,
    KeptFor.EVENT: 30 * 24 * HOUR_MS,
}
_AGE: Final = re.compile(r"(?P<number>\d{1,6}(\.\d{1,3})?)(?P<unit>[hd])")
_UNITS_MS: Final = {"h": HOUR_MS, "d": 24 * HOUR_MS}


class RetentionError(ContractError):
    """A rule of retention that cannot be used; the text names it and says what would do."""


def parse_age(text: str) -> int:
    """Return the milliseconds that ``12h``, ``3d`` or ``forever`` mean.

    Raises:
        RetentionError: It is none of these, or no time at all.
    """
    text = text.strip()
    if text == FOREVER:
        return FOREVER_MS
    match = _AGE.fullmatch(text)
    if match is None:
        raise RetentionError(f"{text!r} is not an age; write hours as 12h, days as 3d, or {FOREVER}")
    age_ms = round(float(match["number"]) * _UNITS_MS[match["unit"]])
    if age_ms == 0:
        raise RetentionError(f"{text!r} keeps nothing; write {FOREVER}, or set the camera's record to off")
    return age_ms


@dataclass(frozen=True, slots=True)
class KeepRules:
    """How long footage is kept, by the reason why it is kept and by what was seen in it."""

    #: Every reason -> milliseconds; a better reason never for a shorter time.
    ages_ms: Mapping[KeptFor, int]
    #: Class name -> milliseconds, for footage of events in which that class was seen.
    labels_ms: Mapping[str, int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the rules; a reason that is not named has its default, or what a worse one has if that is longer.

        Raises:
            RetentionError: Names the part that cannot be used.
        """
        ages, labels = dict(DEFAULT_AGES_MS), dict[str, int]()
        named: set[str] = set()
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, equals, age = (each.strip() for each in part.partition("="))
            if not equals or not name:
                raise RetentionError(f"{part!r} is not a rule; write for example motion=7d or person=60d")
            if name in named:
                raise RetentionError(f"{name!r} has two ages; leave one of them out")
            named.add(name)
            try:
                age_ms = parse_age(age)
            except RetentionError as error:
                raise RetentionError(f"{name}: {error}") from error
            if name in set(KeptFor):
                ages[KeptFor(name)] = age_ms
            else:
                labels[name] = age_ms
        return cls(_in_order(ages, named), labels)

    def age_ms(self, kept_for: KeptFor, seen: Iterable[str] = ()) -> int:
        """Return how long footage is kept after its end: the longest of the rules that apply."""
        age_ms = self.ages_ms[kept_for]
        if kept_for is not KeptFor.EVENT:
            return age_ms
        return max([age_ms, *(self.labels_ms.get(name, 0) for name in seen)])

    def expires_ms(self, segment: Segment) -> int:
        """Return when a file has been kept long enough, Unix ms UTC."""
        return segment.end_ms + self.age_ms(segment.kept_for, segment.seen)

    @property
    def longest_ms(self) -> int:
        """The longest time for which anything is kept."""
        return max([*self.ages_ms.values(), *self.labels_ms.values()])


def _in_order(ages: Mapping[KeptFor, int], named: set[str]) -> dict[KeptFor, int]:
    """Return the ages so that no better reason shortens the life of footage; one that was not named is raised."""
    found = dict(ages)
    for worse, better in pairwise(KeptFor):
        if found[better] >= found[worse]:
            continue
        if better in named:
            said = "" if worse in named else " (which has its default)"
            raise RetentionError(
                f"{better} must not be kept for a shorter time than {worse}{said}; raise the one or lower the other"
            )
        found[better] = found[worse]
    return found
