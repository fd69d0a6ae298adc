"""How one fragmented MP4 is laid out (ISO/IEC 14496-12). Pure.

A file of footage is ``ftyp`` and ``moov`` (the init section), then ``moof``/``mdat`` pairs, the fragments. What
follows them (``mfra``) is not looked at.
"""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from camera_ctrler.playback.boxes import box_header, boxes_of, number_at
from camera_ctrler.playback.track_runs import DamagedFootageError, pictures_of, start_times

#: Reads at most `size` bytes from `offset` on; fewer at the end of the file.
Read = Callable[[int, int], bytes]

#: An init section is some 1.5 kB; one that says it is larger than this is none.
MAX_INIT_BYTES: Final = 1_000_000
#: What describes a second of sound and pictures takes a few kB.
MAX_MOOF_BYTES: Final = 4_000_000
#: Fragments of one file that are looked at; the recorder makes some twenty.
MAX_FRAGMENTS: Final = 10_000
#: What a first read takes: most init sections at once.
_HEAD_BYTES: Final = 4_096
#: Boxes that may stand before a ``moof`` and belong to its fragment.
_BEFORE_MOOF: Final = frozenset({b"styp", b"sidx", b"prft", b"emsg", b"free"})


@dataclass(frozen=True, slots=True)
class Track:
    """One track, as the init section describes it."""

    track_id: int
    #: Ticks a second.
    timescale: int
    #: ``vide`` or ``soun``.
    handler: str
    default_duration: int
    default_flags: int


@dataclass(frozen=True, slots=True)
class Head:
    """The init section."""

    #: Bytes from the beginning of the file.
    size: int
    #: Names the init section by what stands in it.
    digest: str
    tracks: tuple[Track, ...]
    #: Seconds by which sound begins before the first picture; None while nothing follows the init section.
    lead: Fraction | None

    @property
    def video(self) -> Track:
        """The track of pictures."""
        return next(track for track in self.tracks if track.handler == "vide")

    @property
    def has_sound(self) -> bool:
        """Whether there is a track of sound."""
        return any(track.handler == "soun" for track in self.tracks)


@dataclass(frozen=True, slots=True)
class Fragment:
    """One ``moof`` with its ``mdat``; ticks are those of the video track."""

    offset: int
    #: Bytes of both.
    size: int
    #: When its first picture is decoded, ticks.
    decode_time: int
    #: Ticks that its pictures take; 0 where it holds sound alone.
    duration: int
    #: Ticks from decoding its first picture to showing it; 0 without B-frames.
    first_offset: int
    #: Whether its first picture can be decoded by itself.
    keyframe: bool
    #: Seconds by which its sound begins before its first picture is shown; 0 where it does not.
    lead: Fraction


@dataclass(frozen=True, slots=True)
class Layout:
    """One file: what can be asked for piece by piece. Times are seconds from the file's first picture."""

    head: Head
    #: Whole ones only, in order; a last one that is cut is left out.
    fragments: tuple[Fragment, ...]
    #: Whether something was left out at the end.
    cut: bool

    def begin(self, index: int) -> Fraction:
        """Return when fragment `index` begins."""
        ticks = self.fragments[index].decode_time - self.fragments[0].decode_time
        return Fraction(ticks, self.head.video.timescale)

    def end(self, index: int) -> Fraction:
        """Return when fragment `index` ends."""
        return self.begin(index) + Fraction(self.fragments[index].duration, self.head.video.timescale)

    @property
    def length(self) -> Fraction:
        """Seconds to the end of the last picture."""
        return self.end(len(self.fragments) - 1) if self.fragments else Fraction(0)

    @property
    def first_picture(self) -> int:
        """Presentation time of the first picture as the file states it, ticks of the video track."""
        return self.fragments[0].decode_time + self.fragments[0].first_offset

    def at(self, seconds: Fraction | float) -> int:
        """Return the fragment in which a moment lies; the first one for what is before it, the last one after it."""
        return next((place for place in reversed(range(len(self.fragments))) if self.begin(place) <= seconds), 0)

    def keyframe_before(self, index: int) -> int:
        """Return the newest fragment up to `index` that begins with a keyframe."""
        return next((place for place in range(index, -1, -1) if self.fragments[place].keyframe), 0)

    def last_needed(self, index: int) -> int:
        """Return the last fragment that has pictures which are shown up to the end of fragment `index`.

        With B-frames a picture may be decoded after ones that are shown later.
        """
        following = index + 1
        reorders = self.fragments[0].first_offset > 0
        if reorders and following < len(self.fragments) and not self.fragments[following].keyframe:
            return following
        return index

    def bytes_of(self, first: int, last: int) -> tuple[int, int]:
        """Return offset and size of the fragments from `first` to `last`, both included."""
        offset = self.fragments[first].offset
        return offset, self.fragments[last].offset + self.fragments[last].size - offset


def read_head(read: Read) -> Head:
    """Read the init section.

    Raises:
        DamagedFootageError: There is none, or none with pictures.
    """
    data = read(0, _HEAD_BYTES)
    offset = 0
    while True:
        size, kind = box_header(data, offset)
        end = offset + size
        if kind == b"moov":
            break
        if kind in {b"moof", b"mdat", b""} or end > MAX_INIT_BYTES:
            raise DamagedFootageError("it has no init section (moov), so nothing says how to decode it")
        offset = end
        if offset + 16 > len(data):
            data = read(0, offset + _HEAD_BYTES)
    if end > MAX_INIT_BYTES:
        raise DamagedFootageError("its init section (moov) states an absurd size")
    if len(data) < end:
        data = read(0, end)
    if len(data) < end:
        raise DamagedFootageError("its init section (moov) is cut off")
    tracks = _tracks(data, offset, end)
    if all(track.handler != "vide" for track in tracks):
        raise DamagedFootageError("it has no track of pictures")
    head = Head(end, hashlib.sha256(data[:end]).hexdigest()[:16], tracks, None)
    first = _read_moof(read, end, head)
    return head if first is None else replace(head, lead=first[1].lead)


def read_layout(read: Read, size: int, head: Head | None = None) -> Layout:
    """Read a whole file's layout.

    Args:
        read: Reads the file.
        size: Bytes of the file.
        head: Its init section, where that is known already.

    Raises:
        DamagedFootageError: It has no init section. A cut end is no error.
    """
    head = head or read_head(read)
    fragments: list[Fragment] = []
    offset = head.size
    while offset + 8 <= size and len(fragments) < MAX_FRAGMENTS:
        if box_header(read(offset, 16), 0)[1] == b"mfra":
            break
        found = _read_fragment(read, offset, size, head)
        if found is None:
            return Layout(head, _placed(fragments), cut=True)
        fragments.append(found)
        offset += found.size
    return Layout(head, _placed(fragments), cut=False)


def _placed(fragments: list[Fragment]) -> tuple[Fragment, ...]:
    """Give fragments of sound alone their place between those with pictures."""
    seen = [each for each in fragments if each.duration]
    if len(seen) == len(fragments) or not seen:
        return tuple(seen)
    placed: list[Fragment] = []
    at, offset = seen[0].decode_time, seen[0].first_offset
    for each in fragments:
        if not each.duration:
            placed.append(replace(each, decode_time=at, first_offset=offset))
        else:
            placed.append(each)
            at = each.decode_time + each.duration
    return tuple(placed)


def _read_fragment(read: Read, began: int, size: int, head: Head) -> Fragment | None:
    """Return the fragment at `began`; None where it is cut or something else stands there."""
    found = _read_moof(read, began, head)
    if found is None:
        return None
    end, fragment = found
    data_size, kind = box_header(read(end, 16), 0)
    if kind != b"mdat" or end + data_size > size:
        return None
    return replace(fragment, size=end + data_size - began)


def _read_moof(read: Read, began: int, head: Head) -> tuple[int, Fragment] | None:
    """Return where the ``moof`` of the fragment at `began` ends, and what it says; None where there is none."""
    size, kind = box_header(read(began, 16), 0)
    offset = began
    while kind in _BEFORE_MOOF:
        offset += size
        size, kind = box_header(read(offset, 16), 0)
    if kind != b"moof" or size > MAX_MOOF_BYTES:
        return None
    moof = read(offset, size)
    if len(moof) < size:
        return None
    video = head.video
    try:
        found = pictures_of(moof, video.track_id, video.default_duration, video.default_flags)
        lead = _lead(start_times(moof), found.decode_time + found.first_offset, head)
    except (struct.error, StopIteration):
        return None
    described = found.decode_time, found.duration, found.first_offset, found.keyframe
    return offset + size, Fragment(began, 0, *described, lead)


def _lead(starts: dict[int, int], first_picture: int, head: Head) -> Fraction:
    """Return by how many seconds another track begins before the first picture is shown."""
    if head.video.track_id not in starts:
        return Fraction(0)
    shown = Fraction(first_picture, head.video.timescale)
    others = (track for track in head.tracks if track is not head.video and track.track_id in starts)
    return max([Fraction(0), *(shown - Fraction(starts[track.track_id], track.timescale) for track in others)])


def _tracks(data: bytes, start: int, end: int) -> tuple[Track, ...]:
    start += 8
    defaults: dict[int, tuple[int, int]] = {}
    found = []
    try:
        for body, _ in boxes_of(data, start, end, b"mvex", b"trex"):
            defaults[number_at(data, body + 4)] = number_at(data, body + 12), number_at(data, body + 20)
        for trak, trak_end in boxes_of(data, start, end, b"trak"):
            track_id = _field(data, trak, trak_end, b"tkhd")
            timescale = _field(data, trak, trak_end, b"mdia", b"mdhd")
            handler, _ = next(boxes_of(data, trak, trak_end, b"mdia", b"hdlr"))
            name = data[handler + 8 : handler + 12].decode("latin-1")
            found.append(Track(track_id, max(1, timescale), name, *defaults.get(track_id, (0, 0))))
    except (struct.error, StopIteration) as error:
        raise DamagedFootageError("its init section (moov) is damaged") from error
    return tuple(found)


def _field(data: bytes, start: int, end: int, *path: bytes) -> int:
    """Return what follows the two times at the beginning of a box, which have 32 or 64 bits."""
    body, _ = next(boxes_of(data, start, end, *path))
    return number_at(data, body + (20 if data[body] == 1 else 12))
