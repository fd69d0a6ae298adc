"""Finds the parameter sets (VPS, SPS, PPS) of H.264 and H.265, without which a file cannot be decoded. Pure.

Source:
    ITU-T H.264 (annex B, 7.4.1), ITU-T H.265 (annex B, 7.4.2.2), ISO/IEC 14496-15 (5.3.3.1 avcC, 8.3.3.1 hvcC).
"""

import re
from collections.abc import Iterator
from typing import Final

#: What is recorded, by libav's names.
CODECS: Final = frozenset({"h264", "hevc"})
_START_CODE: Final = re.compile(rb"\x00\x00\x01")
_H264_SETS: Final = frozenset({7, 8})
_HEVC_SETS: Final = frozenset({32, 33, 34})

#: NAL units, without start code or length.
ParameterSets = frozenset[bytes]


def length_size(extradata: bytes, codec: str) -> int | None:
    """Return the bytes of the length before each NAL unit, or None where start codes divide them (Annex B)."""
    place = 4 if codec == "h264" else 21
    if len(extradata) <= place or extradata[0] != 1:
        return None
    return (extradata[place] & 3) + 1


def parameter_sets(data: bytes, codec: str, size: int | None) -> ParameterSets:
    """Return the parameter sets at the beginning of a packet, up to its first slice.

    Args:
        data: One packet.
        codec: ``h264`` or ``hevc``.
        size: As `length_size` says.
    """
    found = set()
    for unit in nal_units(data, size):
        kind = nal_type(unit, codec)
        if kind in (_H264_SETS if codec == "h264" else _HEVC_SETS):
            found.add(unit)
        elif kind in range(1, 6) if codec == "h264" else kind < 32:
            break
    return frozenset(found)


def declared_sets(extradata: bytes, codec: str) -> ParameterSets:
    """Return the parameter sets that a stream's description brings; none where it brings none, or is damaged."""
    if length_size(extradata, codec) is None:
        return parameter_sets(extradata, codec, None)
    return frozenset(_of_avcc(extradata) if codec == "h264" else _of_hvcc(extradata))


def have_changed(known: ParameterSets, now: ParameterSets, codec: str) -> bool:
    """Tell whether a keyframe's parameter sets `now` are others than those that are `known`, kind by kind.

    A keyframe need not repeat all of them: what it does not bring has not changed.
    """
    for kind in _H264_SETS if codec == "h264" else _HEVC_SETS:
        brought = {unit for unit in now if nal_type(unit, codec) == kind}
        if brought and brought != {unit for unit in known if nal_type(unit, codec) == kind}:
            return True
    return False


def to_annex_b(data: bytes, size: int | None) -> bytes:
    """Return a packet with start codes before its NAL units."""
    return data if size is None else b"".join(b"\x00\x00\x00\x01" + unit for unit in nal_units(data, size))


def nal_units(data: bytes, size: int | None) -> Iterator[bytes]:
    """Yield the NAL units of a packet, without start codes, lengths and trailing zeros; stops where it is damaged."""
    yield from _by_start_code(data) if size is None else _by_length(data, size)


def nal_type(unit: bytes, codec: str) -> int:
    """Return the kind of a NAL unit, which is not empty."""
    return unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F


def _by_start_code(data: bytes) -> Iterator[bytes]:
    found = _START_CODE.search(data)
    while found is not None:
        following = _START_CODE.search(data, found.end())
        unit = data[found.end() : following.start() if following else len(data)].rstrip(b"\x00")
        if unit:
            yield unit
        found = following


def _by_length(data: bytes, size: int) -> Iterator[bytes]:
    place = 0
    while place + size <= len(data):
        length = int.from_bytes(data[place : place + size])
        place += size
        if length and place + length <= len(data):
            yield data[place : place + length]
        place += length


def _of_avcc(extradata: bytes) -> Iterator[bytes]:
    place = 5
    for mask in (0x1F, 0xFF):
        if place >= len(extradata):
            return
        count, place = extradata[place] & mask, place + 1
        for _ in range(count):
            unit, place = _counted(extradata, place)
            if unit:
                yield unit


def _of_hvcc(extradata: bytes) -> Iterator[bytes]:
    if len(extradata) < 23:
        return
    place = 23
    for _ in range(extradata[22]):
        if place + 3 > len(extradata):
            return
        kind, count = extradata[place] & 0x3F, int.from_bytes(extradata[place + 1 : place + 3])
        place += 3
        for _ in range(count):
            unit, place = _counted(extradata, place)
            if unit and kind in _HEVC_SETS:
                yield unit


def _counted(data: bytes, place: int) -> tuple[bytes, int]:
    end = place + 2 + int.from_bytes(data[place : place + 2])
    return (data[place + 2 : end] if end <= len(data) else b""), end
