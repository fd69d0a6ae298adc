"""Walks the boxes of an MP4 in memory (ISO/IEC 14496-12, section 4.2). Pure."""

import struct
from collections.abc import Iterator

Data = bytes | bytearray


def box_header(data: Data, offset: int) -> tuple[int, bytes]:
    """Return size (bytes, header included) and kind of the box at `offset`; 0 and nothing where there is none."""
    if len(data) < offset + 8:
        return 0, b""
    size, kind = struct.unpack_from(">I4s", data, offset)
    if size == 1 and len(data) >= offset + 16:
        (size,) = struct.unpack_from(">Q", data, offset + 8)
    return (size, kind) if size >= 8 else (0, b"")


def boxes(data: Data, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start of the body, and end of each box in a range; ends at what is no whole box."""
    while start + 8 <= end:
        size, kind = box_header(data, start)
        if not size or start + size > end:
            return
        wide = struct.unpack_from(">I", data, start)[0] == 1
        yield kind, start + (16 if wide else 8), start + size
        start += size


def boxes_of(data: Data, start: int, end: int, *path: bytes) -> Iterator[tuple[int, int]]:
    """Yield start of the body and end of every box of a path, for example ``trak``, ``mdia``, ``mdhd``."""
    for kind, body, box_end in boxes(data, start, end):
        if kind == path[0]:
            if len(path) == 1:
                yield body, box_end
            else:
                yield from boxes_of(data, body, box_end, *path[1:])


def number_at(data: Data, offset: int) -> int:
    """Return the 32-bit number at `offset`.

    Raises:
        struct.error: The data ends before.
    """
    return int(struct.unpack_from(">I", data, offset)[0])


def flags_of(data: Data, body: int) -> int:
    """Return the flags of a full box whose body begins at `body`."""
    return number_at(data, body) & 0xFF_FFFF
