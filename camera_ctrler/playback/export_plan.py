"""Decides what goes into a clip of recorded footage: which pieces are copied, which are encoded anew. Pure."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from camera_ctrler.playback.fragments import Layout
from camera_ctrler.playback.hls import iso_time
from camera_ctrler.playback.showing import HOLE_MS, Shown
from camera_ctrler.recordings.index import IndexedSegment
from camera_ctrler.recordings.spans import Span
from contract.errors import ContractError
from contract.recordings import GAP_MS

#: Milliseconds that are encoded anew for one clip at most: some minutes of one core.
MAX_ENCODED_MS: Final = 600_000


class MixedFootageError(ContractError):
    """The stream changes within the range, and too much would have to be encoded anew."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file, the time in which it shows, and how it is laid out."""

    shown: Shown
    layout: Layout

    def wall_ms(self, seconds: Fraction) -> Fraction:
        """Return Unix ms of a time in the file."""
        return self.shown.found.segment.start_ms + seconds * 1000

    def at(self, wall_ms: Fraction | int) -> int:
        """Return the fragment in which a time (Unix ms) lies."""
        return self.layout.at(Fraction(wall_ms - self.shown.found.segment.start_ms) / 1000)


@dataclass(frozen=True, slots=True)
class Piece:
    """Pictures of one file that are shown in ``[from_ms, to_ms)``, Unix ms UTC."""

    source: Source
    #: Fragments that hold them, both included; the first begins with a keyframe.
    first: int
    last: int
    from_ms: Fraction
    to_ms: Fraction
    encode: bool = False

    @property
    def found(self) -> IndexedSegment:
        """The file."""
        return self.source.shown.found


@dataclass(frozen=True, slots=True)
class Plan:
    """What a clip is made of, in order."""

    pieces: tuple[Piece, ...]
    #: Time of each piece's beginning in the clip, seconds.
    begins: tuple[Fraction, ...]
    #: What was not recorded within the range; the clip goes on without it.
    gaps: tuple[Span, ...]
    #: Everything is encoded anew, because the stream's codec leaves no other way.
    encode_all: bool

    @property
    def encoded_ms(self) -> int:
        """Milliseconds of footage that are encoded anew."""
        return round(sum(piece.to_ms - piece.from_ms for piece in self.pieces if piece.encode))


def plan(sources: Sequence[Source], from_ms: int, to_ms: int, *, exact: bool) -> Plan:
    """Plan a clip of a range.

    Args:
        sources: The files that show in the range, in order; each has pictures in it.
        from_ms: Begin, Unix ms UTC. Without `exact` the clip begins with the keyframe before it.
        to_ms: End, not included.
        exact: Begin at `from_ms` and end at `to_ms`; what lies between there and the next keyframe is encoded anew.

    Raises:
        MixedFootageError: More than `MAX_ENCODED_MS` would have to be encoded anew.
    """
    pieces: list[Piece] = []
    for source in sources:
        piece = _copied(source, from_ms, to_ms)
        if pieces and piece.from_ms < pieces[-1].to_ms:  # a keyframe lies before the border: cut the former there
            pieces[-1] = replace(pieces[-1], to_ms=piece.from_ms)
        pieces.append(piece)
    pieces = [piece for piece in pieces if piece.from_ms < piece.to_ms]
    if exact and pieces:
        pieces = [*_exact_begin(pieces[0], from_ms), *pieces[1:]]
        pieces = [*pieces[:-1], *_exact_end(pieces[-1])]
    return _checked(_timed(_encodable(pieces)))


def _copied(source: Source, from_ms: int, to_ms: int) -> Piece:
    low, high = max(source.shown.from_ms, from_ms), min(source.shown.to_ms, to_ms)
    first = source.layout.keyframe_before(source.at(low))
    begin = source.wall_ms(source.layout.begin(first))
    end = source.wall_ms(source.layout.length)
    # Where the file ends, its own end counts, not the rounded one of the index.
    reaches_end = to_ms >= source.shown.to_ms and end - high <= HOLE_MS
    high_ms = end if reaches_end else min(Fraction(high), end)
    last = max(first, source.at(high_ms))
    return Piece(source, first, last, begin, high_ms)


def _exact_begin(piece: Piece, from_ms: int) -> list[Piece]:
    if piece.from_ms >= from_ms:
        return [piece]
    layout = piece.source.layout
    following = next((at for at in range(piece.first + 1, piece.last + 1) if layout.fragments[at].keyframe), None)
    border = piece.to_ms if following is None else piece.source.wall_ms(layout.begin(following))
    if border >= piece.to_ms or following is None:
        return [replace(piece, from_ms=Fraction(from_ms), encode=True)]
    if border <= from_ms:  # cannot be: `first` is the newest keyframe before `from_ms`
        return [piece]
    edge = replace(piece, last=following - 1, from_ms=Fraction(from_ms), to_ms=border, encode=True)
    return [edge, replace(piece, first=following, from_ms=border)]


def _exact_end(piece: Piece) -> list[Piece]:
    """Encode the last pictures anew where some of them need later ones; else they are simply left out."""
    layout = piece.source.layout
    if piece.encode or not layout.fragments[0].first_offset:
        return [piece]
    if piece.to_ms >= piece.source.wall_ms(layout.length):
        return [piece]
    key = layout.keyframe_before(piece.last)
    border = piece.source.wall_ms(layout.begin(key))
    if key <= piece.first:
        return [replace(piece, encode=True)]
    return [replace(piece, last=key - 1, to_ms=border), replace(piece, first=key, from_ms=border, encode=True)]


def _encodable(pieces: list[Piece]) -> tuple[list[Piece], bool]:
    """Mark what cannot stand beside the others: pieces of another init section; all, where the codec forbids it."""
    if not pieces:
        return pieces, False
    base = next((piece for piece in pieces if not piece.encode), pieces[0]).source.layout.head.digest
    marked = [piece if piece.source.layout.head.digest == base else replace(piece, encode=True) for piece in pieces]
    codecs = {piece.found.segment.codec for piece in marked}
    if any(piece.encode for piece in marked) and (codecs != {"h264"} or all(piece.encode for piece in marked)):
        return [replace(piece, encode=True) for piece in marked], True
    return marked, False


def _timed(encodable: tuple[list[Piece], bool]) -> Plan:
    pieces, encode_all = encodable
    begins: list[Fraction] = []
    gaps: list[Span] = []
    at = Fraction(0)
    for number, piece in enumerate(pieces):
        if number:
            hole = piece.from_ms - pieces[number - 1].to_ms
            if hole > GAP_MS:
                gaps.append(Span(round(pieces[number - 1].to_ms), round(piece.from_ms)))
            else:
                at += hole / 1000
        begins.append(at)
        at += (piece.to_ms - piece.from_ms) / 1000
    return Plan(tuple(pieces), tuple(begins), tuple(gaps), encode_all)


def _checked(made: Plan) -> Plan:
    if made.encoded_ms <= MAX_ENCODED_MS:
        return made
    changes = [
        iso_time(float(later.from_ms))
        for earlier, later in itertools.pairwise(made.pieces)
        if earlier.source.layout.head.digest != later.source.layout.head.digest
    ]
    said = f"the stream changes at {', '.join(changes[:5])}" if changes else "the stream's codec leaves no other way"
    raise MixedFootageError(
        f"{made.encoded_ms // 1000} s of this clip would have to be encoded anew, at most {MAX_ENCODED_MS // 1000} s "
        f"may be: {said}. Ask for shorter clips that do not cross it, or without exact"
    )
