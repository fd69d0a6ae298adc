"""H.264 parameter sets as MP4 keeps them: avcC (ISO/IEC 14496-15, 5.3.3.1) and ids (ITU-T H.264, 7.3.2). Pure."""

import re
from dataclasses import dataclass, replace
from typing import Final, Self

from camera_ctrler.playback.track_runs import DamagedFootageError

_START_CODE: Final = re.compile(rb"\x00\x00\x01")
_SPS: Final = 7
_PPS: Final = 8
#: Ids that a sequence parameter set can have, and the encoder gives to both kinds.
MAX_SPS: Final = 32


@dataclass(frozen=True, slots=True)
class AvcConfig:
    """What an ``avcC`` box says: how to read the samples, and all parameter sets they may name."""

    #: Profile, constraints and level.
    profile: bytes
    #: Bytes of the length before each NAL unit.
    length_size: int
    sequence_sets: tuple[bytes, ...]
    picture_sets: tuple[bytes, ...]
    #: What profiles above Main add at the end.
    rest: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an ``avcC``.

        Raises:
            DamagedFootageError: It is none.
        """
        if len(data) < 7 or data[0] != 1:
            raise DamagedFootageError("its H.264 parameter sets are not where MP4 has them")
        sequence_sets, place = _sets(data, 6, data[5] & 0x1F)
        if place >= len(data):
            raise DamagedFootageError("its H.264 parameter sets are cut off")
        picture_sets, place = _sets(data, place + 1, data[place])
        return cls(data[1:4], (data[4] & 3) + 1, sequence_sets, picture_sets, data[place:])

    def with_sets(self, annex_b: bytes) -> Self:
        """Return it with the parameter sets of another encoder added, whose ids must be others."""
        units = nal_units(annex_b)
        return replace(
            self,
            sequence_sets=(*self.sequence_sets, *(unit for unit in units if unit[0] & 0x1F == _SPS)),
            picture_sets=(*self.picture_sets, *(unit for unit in units if unit[0] & 0x1F == _PPS)),
        )

    def free_id(self) -> int | None:
        """Return an id that no parameter set has yet; None where all are taken."""
        taken = {_number(unit[4:]) for unit in self.sequence_sets} | {_number(unit[1:]) for unit in self.picture_sets}
        return next((number for number in range(MAX_SPS) if number not in taken), None)

    def pack(self) -> bytes:
        """Return the ``avcC``."""
        return b"".join(
            (
                bytes((1,)),
                self.profile,
                bytes((0xFC | self.length_size - 1, 0xE0 | len(self.sequence_sets))),
                *(len(unit).to_bytes(2, "big") + unit for unit in self.sequence_sets),
                bytes((len(self.picture_sets),)),
                *(len(unit).to_bytes(2, "big") + unit for unit in self.picture_sets),
                self.rest,
            )
        )


def _sets(data: bytes, place: int, count: int) -> tuple[tuple[bytes, ...], int]:
    found = []
    for _ in range(count):
        size = int.from_bytes(data[place : place + 2], "big")
        found.append(data[place + 2 : place + 2 + size])
        place += 2 + size
    if place > len(data) or any(len(unit) < 5 and unit[:1] != b"\x68" for unit in found):
        raise DamagedFootageError("its H.264 parameter sets are cut off")
    return tuple(found), place


def nal_units(annex_b: bytes) -> list[bytes]:
    """Return the NAL units of a byte stream with start codes."""
    starts = [match.end() for match in _START_CODE.finditer(annex_b)]
    ends = [start - 3 for start in starts[1:]] + [len(annex_b)]
    units = (annex_b[start:end].rstrip(b"\x00") for start, end in zip(starts, ends, strict=True))
    return [unit for unit in units if unit]


def with_lengths(annex_b: bytes, length_size: int) -> bytes:
    """Return a byte stream with start codes as MP4 has it: so many bytes of length before each NAL unit."""
    return b"".join(len(unit).to_bytes(length_size, "big") + unit for unit in nal_units(annex_b))


def _number(data: bytes) -> int:
    """Return the exponential-Golomb number (H.264, 9.1) at the beginning of `data`."""
    bits = "".join(f"{byte:08b}" for byte in data[:8])
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1] or "0", 2) - 1
