"""Reads and shifts the times of a fragment's samples: ``tfhd``, ``tfdt`` and ``trun`` (ISO/IEC 14496-12, 8.8). Pure."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from camera_ctrler.playback.boxes import Data, boxes, boxes_of, flags_of, number_at
from contract.errors import FarmError

_NOT_SYNC: Final = 0x0001_0000
#: Boxes of one track each: their path, the box within in which the track's id stands, and its place in that.
_TRACK_IDS: Final = (
    ((b"moov", b"trak"), b"tkhd", 12),
    ((b"moov", b"mvex", b"trex"), b"", 4),
    ((b"moof", b"traf"), b"tfhd", 4),
)
#: Version of a ``trun`` whose composition offsets may be negative.
_SIGNED: Final = 1


class DamagedFootageError(FarmError):
    """A file of footage that cannot be read as one."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The samples of one track in one fragment."""

    #: Ticks: of the first one; of all together; from decoding the first one to showing it.
    decode_time: int
    duration: int
    first_offset: int
    #: Whether the first one can be decoded by itself.
    keyframe: bool


@dataclass(frozen=True, slots=True)
class _Run:
    flags: int
    samples: int
    #: Where the first sample is described, and bytes of each description.
    place: int
    stride: int

    def column(self, bit: int) -> int:
        """Return where in a description the field of `bit` stands."""
        return 4 * sum(bool(self.flags & other) for other in (0x100, 0x200, 0x400, 0x800) if other < bit)


def pictures_of(moof: bytes, track_id: int, default_duration: int, default_flags: int) -> Pictures:
    """Return what a ``moof`` says of a track; no duration where it has nothing of it.

    Raises:
        struct.error, StopIteration: It is damaged.
    """
    for start, end in boxes_of(moof, 8, len(moof), b"traf"):
        body, _ = next(boxes_of(moof, start, end, b"tfhd"))
        if number_at(moof, body + 4) == track_id:
            duration, flags = _defaults(moof, body, default_duration, default_flags)
            at, _ = next(boxes_of(moof, start, end, b"tfdt"))
            (time,) = struct.unpack_from(_time_form(moof, at), moof, at + 4)
            runs = [_measure(moof, run, duration, flags) for run, _ in boxes_of(moof, start, end, b"trun")]
            if runs:
                return Pictures(time, sum(run[0] for run in runs), runs[0][1], runs[0][2])
    return Pictures(0, 0, 0, keyframe=False)


def start_times(moof: bytes) -> dict[int, int]:
    """Return track id -> decode time of its first sample in a ``moof``, ticks of the track.

    Raises:
        struct.error, StopIteration: It is damaged.
    """
    found: dict[int, int] = {}
    for start, end in boxes_of(moof, 8, len(moof), b"traf"):
        track_id = number_at(moof, next(boxes_of(moof, start, end, b"tfhd"))[0] + 4)
        at, _ = next(boxes_of(moof, start, end, b"tfdt"))
        (found[track_id],) = struct.unpack_from(_time_form(moof, at), moof, at + 4)
    return found


def silenced(data: bytes, keep: int) -> bytes:
    """Return an init section or fragments in which players find one track only; nothing moves.

    Players that began without sound, or with it, cannot go on with footage of the other kind.

    Args:
        data: Whole boxes.
        keep: Id of the track that stays.
    """
    changed = bytearray(data)
    for path, part, place in _TRACK_IDS:
        for start, end in boxes_of(data, 0, len(data), *path):
            body = next(boxes_of(data, start, end, part))[0] if part else start
            wide = part == b"tkhd" and data[body] == 1  # its times have 64 bits
            if number_at(data, body + place + (8 if wide else 0)) != keep:
                changed[start - 4 : start] = b"free"
    return bytes(changed)


def shift(data: bytes, begins: Mapping[int, int], earlier: Mapping[int, int]) -> bytes:
    """Return fragments with other times in them.

    Args:
        data: Whole fragments, one after another.
        begins: Track id -> ticks that are added to every decode time.
        earlier: Track id -> ticks that are taken from the composition offset of every sample, so that with B-frames
            the first picture is shown when it is decoded.

    Raises:
        DamagedFootageError: A decode time has 32 bits and no room for what is added, or the boxes are damaged.
    """
    changed = bytearray(data)
    try:
        for start, end in boxes_of(data, 0, len(data), b"moof", b"traf"):
            track_id = number_at(data, next(boxes_of(data, start, end, b"tfhd"))[0] + 4)
            for kind, body, _ in boxes(data, start, end):
                if kind == b"tfdt":
                    form = _time_form(data, body)
                    (time,) = struct.unpack_from(form, data, body + 4)
                    struct.pack_into(form, changed, body + 4, time + begins.get(track_id, 0))
                elif kind == b"trun" and earlier.get(track_id):
                    _show_earlier(changed, body, earlier[track_id])
    except (struct.error, StopIteration) as error:
        raise DamagedFootageError("the times in its fragments cannot be shifted; it was not written here") from error
    return bytes(changed)


def _show_earlier(changed: bytearray, body: int, ticks: int) -> None:
    run = _run(changed, body)
    if not run.flags & 0x800:
        return
    form = _offset_form(changed, body)
    first = run.place + run.column(0x800)
    for at in range(first, first + run.samples * run.stride, run.stride):
        (offset,) = struct.unpack_from(form, changed, at)
        struct.pack_into(">i", changed, at, offset - ticks)
    changed[body] = _SIGNED


def _time_form(data: Data, body: int) -> str:
    return ">Q" if data[body] == 1 else ">I"


def _offset_form(data: Data, body: int) -> str:
    return ">i" if data[body] == _SIGNED else ">I"


def _defaults(moof: bytes, body: int, duration: int, flags: int) -> tuple[int, int]:
    """Return a track fragment's own default duration and flags, from its ``tfhd``."""
    present = flags_of(moof, body)
    place = body + 8 + (8 if present & 0x1 else 0) + (4 if present & 0x2 else 0)
    if present & 0x8:
        duration = number_at(moof, place)
        place += 4
    if present & 0x10:
        place += 4
    if present & 0x20:
        flags = number_at(moof, place)
    return duration, flags


def _run(data: Data, body: int) -> _Run:
    flags = flags_of(data, body)
    place = body + 8 + (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
    stride = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    return _Run(flags, number_at(data, body + 4), place, stride)


def _measure(moof: bytes, body: int, duration: int, flags: int) -> tuple[int, int, bool]:
    """Return duration of all, offset of the first sample and whether that is a keyframe, of a ``trun``."""
    run = _run(moof, body)
    total = run.samples * duration
    if run.flags & 0x100:
        ends = run.place + run.samples * run.stride
        total = sum(number_at(moof, at) for at in range(run.place, ends, run.stride))
    if run.flags & 0x4:
        flags = number_at(moof, run.place - 4)
    elif run.flags & 0x400 and run.samples:
        flags = number_at(moof, run.place + run.column(0x400))
    offset = 0
    if run.flags & 0x800 and run.samples:
        (offset,) = struct.unpack_from(_offset_form(moof, body), moof, run.place + run.column(0x800))
    return total, offset, not flags & _NOT_SYNC
