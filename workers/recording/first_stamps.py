"""Finds the times of a stream's first packets, which libav leaves out until it knows how frames are reordered. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

#: Packets after which it is not waited any longer: more than any stream reorders.
MOST_PACKETS: Final = 20


@dataclass(slots=True)
class Stamp:
    """The times of one packet in seconds, as the stream gives them; None: it does not."""

    decode: float | None
    present: float | None


def completed(stamps: Sequence[Stamp]) -> list[Stamp] | None:
    """Return the stamps of a stream's first packets, with those filled in that are missing before the first known.

    None: more packets are needed to tell. Two decode times in a row that are known tell how far apart packets are.
    """
    known = next((place for place, stamp in enumerate(stamps) if stamp.decode is not None), None)
    if known == 0 or len(stamps) >= MOST_PACKETS:
        return _filled(stamps, known) if known else list(stamps)
    if known is None or known + 1 >= len(stamps) or stamps[known + 1].decode is None:
        return None
    return _filled(stamps, known)


def _filled(stamps: Sequence[Stamp], known: int) -> list[Stamp]:
    first, second = stamps[known].decode, stamps[min(known + 1, len(stamps) - 1)].decode
    if first is None or second is None or second <= first:
        return list(stamps)
    interval = second - first
    filled = [
        replace(stamp, decode=first - (known - place) * interval) if place < known else stamp
        for place, stamp in enumerate(stamps)
    ]
    shown = min(stamp.present for stamp in stamps if stamp.present is not None)
    # A first picture without a time is shown before all others.
    if filled[0].present is None:
        filled[0] = replace(filled[0], present=max(shown - interval, filled[0].decode or 0.0))
    return filled
