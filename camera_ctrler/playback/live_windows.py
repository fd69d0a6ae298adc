"""Counts what has left a live playlist at its beginning, so that every part keeps its number."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from camera_ctrler.playback.hls import Part, Place, follows

#: Seconds of a live playlist: how far one who watches live may go back.
WINDOW_SECONDS: Final = 600
#: Playlists that are remembered: each camera has one for every ten seconds in which somebody began to watch.
MAX_PLAYLISTS: Final = 2_000

#: Camera id, and where the playlist began (Unix ms UTC).
Name = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Window:
    """The end of a playlist that grows."""

    parts: tuple[Part, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class _First:
    """The first part that is still listed, and its place."""

    part: Part
    place: Place


class LiveWindows:
    """Remembers where live playlists are. Safe to use from several threads.

    A playlist that is not remembered is counted from its beginning, with the same result while its files are there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Name, _First] = OrderedDict()

    def begin_ms(self, name: Name) -> int:
        """Return from when on parts are needed to go on with a playlist."""
        with self._lock:
            known = self._known.get(name)
        return name[1] if known is None else int(known.part.begin_ms)

    def cut(self, name: Name, parts: Sequence[Part], oldest_ms: float) -> Window:
        """Leave out what ended before `oldest_ms`, and count it.

        Args:
            name: Which playlist.
            parts: All of its parts from `begin_ms` on, in order.
            oldest_ms: Unix ms UTC.
        """
        with self._lock:
            known = self._known.get(name)
        place = Place()
        if known is not None:
            place = known.place
            parts = [part for part in parts if part.begin_ms >= known.part.begin_ms]
        kept = list(parts)
        while len(kept) > 1 and kept[0].end_ms < oldest_ms:
            broken = not follows(kept[1], kept[0])
            place = Place(place.sequence + 1, place.discontinuities + broken)
            del kept[0]
        if kept:
            with self._lock:
                self._known[name] = _First(kept[0], place)
                self._known.move_to_end(name)
                if len(self._known) > MAX_PLAYLISTS:
                    self._known.popitem(last=False)
        return Window(tuple(kept), place)
