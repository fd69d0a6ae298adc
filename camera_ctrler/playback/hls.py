"""Writes HLS playlists (RFC 8216bis, protocol version 7: fragmented MP4). Pure.

Every part states its wall-clock time in its own decode times (see `recorded_parts`), so a part is the same in every
playlist, and all parts of a camera lie on one rising timeline.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from camera_ctrler.playback.showing import HOLE_MS

MIMETYPE: Final = "application/vnd.apple.mpegurl"
#: A number that no file has fragments for: up to the end of the file.
TO_THE_END: Final = 9_999


@dataclass(frozen=True, slots=True)
class Part:
    """Some fragments of one file, the smallest thing that a player asks for."""

    #: Names the file, with the camera.
    start_ms: int
    epoch: int
    #: Fragments, both included.
    first: int
    last: int
    #: When its first picture was taken, Unix ms UTC.
    begin_ms: float
    seconds: float
    #: Names the init section by its contents; of a file in the archive, which is not looked into, by its format.
    init: str
    #: Its own init section must be loaded, even if it is named as the one before.
    own_init: bool = False
    #: Whether there is sound, and how many seconds before the first picture it begins.
    sound: bool = False
    lead: float = 0.0

    @property
    def end_ms(self) -> float:
        """When its last picture ends, Unix ms UTC."""
        return self.begin_ms + self.seconds * 1000

    @property
    def folder(self) -> str:
        """Where its init section and fragments are served, relative to the playlist."""
        return f"recordings/{self.start_ms}-{self.epoch}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a playlist begins within one that grows."""

    #: Parts before it.
    sequence: int = 0
    #: Discontinuities before it.
    discontinuities: int = 0


def follows(part: Part, before: Part) -> bool:
    """Tell whether a part goes on where the one before ends: same init section, no hole and no overlap."""
    return part.init == before.init and abs(part.begin_ms - before.end_ms) <= HOLE_MS


def playlist(
    parts: Sequence[Part], *, ended: bool, place: Place | None = None, start_ms: int | None = None, left_out: int = 0
) -> str:
    """Return a media playlist.

    Args:
        parts: In the order in which they are played.
        ended: Nothing will be added.
        place: Where it begins within one that grows.
        start_ms: Where playing shall begin, Unix ms UTC; None: where the player likes.
        left_out: Files that cannot be played, for the one who reads it.
    """
    place = place or Place()
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{target_seconds(parts, ended=ended)}",
        f"#EXT-X-MEDIA-SEQUENCE:{place.sequence}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{place.discontinuities}",
        *(["#EXT-X-PLAYLIST-TYPE:VOD"] if ended else []),
        "#EXT-X-INDEPENDENT-SEGMENTS",
        *_start(parts, start_ms),
        *([f"# {left_out} damaged or deleted files are left out"] if left_out else []),
    ]
    # A player that began with sound cannot go on without, nor the other way round.
    silent = len({part.sound for part in parts}) > 1
    before: Part | None = None
    for part in parts:
        lines += _described(part, before, "?sound=false" if silent else "")
        before = part
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _start(parts: Sequence[Part], start_ms: int | None) -> list[str]:
    if start_ms is None or not parts:
        return []
    offset = 0.0
    for part in parts:
        if part.end_ms > start_ms:
            offset += max(0.0, start_ms - part.begin_ms) / 1000
            break
        offset += part.seconds
    return [f"#EXT-X-START:TIME-OFFSET={offset:.3f},PRECISE=YES"]


def _described(part: Part, before: Part | None, query: str) -> Iterable[str]:
    goes_on = before is not None and follows(part, before)
    if before is not None and not goes_on:
        yield "#EXT-X-DISCONTINUITY"
    another_file = before is None or part.folder != before.folder
    if before is None or part.init != before.init or (part.own_init and another_file):
        yield f'#EXT-X-MAP:URI="{part.folder}/init.mp4{query}"'
    if not goes_on or another_file:
        # Of the first sample, as the standard has it: that may be one of sound.
        lead_ms = 0.0 if query else part.lead * 1000
        yield f"#EXT-X-PROGRAM-DATE-TIME:{iso_time(part.begin_ms - lead_ms)}"
    yield f"#EXTINF:{part.seconds:.5f},"
    yield f"{part.folder}/{part.first}-{part.last}.m4s{query}"


def target_seconds(parts: Sequence[Part], *, ended: bool) -> int:
    """Return the target duration: no part is longer, and of a playlist that grows it hardly ever changes."""
    longest = max((part.seconds for part in parts), default=1.0)
    if ended:
        return max(1, math.ceil(longest))
    return 1 << max(1, math.ceil(math.log2(max(1.0, longest))))


def entrance(from_ms: int, bandwidth: int, size: tuple[int, int]) -> str:
    """Return a playlist that names the live one from a time on: so all who come in the same seconds share it.

    Args:
        from_ms: Where the live playlist begins, Unix ms UTC.
        bandwidth: Bits a second, the most that is expected.
        size: Width and height in pixels; 0: not known.
    """
    resolution = f",RESOLUTION={size[0]}x{size[1]}" if all(size) else ""
    lines = (
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f"#EXT-X-STREAM-INF:BANDWIDTH={max(1, bandwidth)}{resolution}",
        f"recordings.m3u8?{urlencode({'from_ms': from_ms})}",
    )
    return "\n".join(lines) + "\n"


def iso_time(at_ms: float) -> str:
    """Return a time as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(round(at_ms) / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
