"""Makes clips of recorded footage: one MP4 that says which camera and which time it shows."""

import hashlib
import math
import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import structlog

from camera_ctrler.playback.clip_writer import ClipWriter
from camera_ctrler.playback.export_plan import Plan, Source, plan
from camera_ctrler.playback.hls import iso_time
from camera_ctrler.playback.making import Making
from camera_ctrler.playback.recorded import files_of, nothing_recorded
from camera_ctrler.playback.recorded_files import FootageGoneError, RecordedFiles
from camera_ctrler.playback.track_runs import DamagedFootageError
from camera_ctrler.recordings.footage import Footage
from camera_ctrler.recordings.spans import Span

#: Gaps that are named one by one.
_NAMED_GAPS: Final = 20

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ExportFigures:
    """What a clip really shows; Unix ms UTC."""

    begin_ms: int
    end_ms: int
    #: What was not recorded in between; the clip goes on without it.
    gaps: tuple[Span, ...]
    #: Milliseconds of footage that were encoded anew; everything else was copied.
    encoded_ms: int
    #: Files that were left out because they are damaged or gone.
    left_out: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """A clip that can be made."""

    camera_id: str
    camera_name: str
    from_ms: int
    #: As asked for, or where the footage ends by now: the same range is the same clip later on.
    to_ms: int
    exact: bool
    planned: Plan
    #: Files that cannot be read.
    left_out: int

    @property
    def size_bytes(self) -> int:
        """What it takes at most, about."""
        return sum(piece.found.segment.size_bytes for piece in self.planned.pieces)

    @property
    def name(self) -> str:
        """Names what it is made of: the same name, the same clip."""
        pieces = ((*piece.found.key, piece.first, piece.last, piece.encode) for piece in self.planned.pieces)
        made_of = f"{self.camera_name} {self.from_ms} {self.to_ms} {self.exact} {list(pieces)}"
        return hashlib.sha256(made_of.encode()).hexdigest()[:32]


class Exporter:
    """Plans and makes clips. Safe to use from several threads."""

    def __init__(self, footage: Footage, files: RecordedFiles, stopping: threading.Event) -> None:
        self._footage = footage
        self._files = files
        self._stopping = stopping

    def prepare(self, camera_id: str, camera_name: str, from_ms: int, to_ms: int, *, exact: bool) -> Export:
        """Decide what a clip of ``[from_ms, to_ms)`` is made of.

        Raises:
            NothingRecordedError: There is no footage that can be played.
            MixedFootageError: Too much would have to be encoded anew.
            IndexAwayError, ArchiveAwayError: Something does not answer.
        """
        files, growing = files_of(self._footage, camera_id, from_ms, to_ms)
        sources: list[Source] = []
        showing, left_out = self._files.shown(files)
        for file in showing:
            if file.to_ms <= from_ms or file.from_ms >= to_ms:
                continue
            try:
                layout = self._files.layout_of(file.found)
            except (FootageGoneError, DamagedFootageError) as error:
                log.warning("footage_left_out", path=file.found.path, error=str(error))
                left_out += 1
                continue
            if layout.fragments:
                sources.append(Source(file, layout))
        if sources:
            last = sources[-1]
            end_ms = _end_so_far(last) if last.shown.found.path == growing else last.shown.to_ms
            to_ms = max(from_ms + 1, min(to_ms, end_ms))
        planned = plan(sources, from_ms, to_ms, exact=exact)
        if not planned.pieces:
            raise nothing_recorded(self._footage, camera_id, from_ms, to_ms)
        return Export(camera_id, camera_name, from_ms, to_ms, exact, planned, left_out)

    def make(self, export: Export, target: Path, making: Making | None = None) -> ExportFigures:
        """Write a clip to `target`; the same footage gives the same bytes. `making` is told how far it is.

        Raises:
            FootageGoneError: A file was deleted since `prepare`.
            ClipInterruptedError: The server stops, or nobody wants it any more.
            DamagedFootageError, ArchiveAwayError: A file cannot be read.
            OSError: `target` cannot be written.
        """
        planned = export.planned
        making = making or Making(self._stopping)
        base = next((piece for piece in planned.pieces if not piece.encode), planned.pieces[0])
        try:
            with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as container:
                container.metadata.update(_described(export))
                writer = ClipWriter(container, self._files, planned, base)
                for number, (piece, begin) in enumerate(zip(planned.pieces, planned.begins, strict=True)):
                    making.tell(number / len(planned.pieces))
                    writer.write(piece, begin)
        except av.FFmpegError as error:
            raise DamagedFootageError(f"the footage of this range cannot be put into one clip: {error}") from error
        return ExportFigures(
            begin_ms=round(writer.begin_ms or Fraction(0)),
            end_ms=round(writer.end_ms),
            gaps=planned.gaps,
            encoded_ms=planned.encoded_ms,
            left_out=export.left_out,
            notes=_notes(export, writer),
        )


def _end_so_far(growing: Source) -> int:
    """Return an end (Unix ms) within what is written of a file by now: more of it will not change what lies before.

    Of pictures that are shown before others that are decoded first, the last may not be there yet.
    """
    layout = growing.layout
    reordering = Fraction(layout.fragments[0].first_offset, layout.head.video.timescale)
    written_ms = math.ceil(growing.wall_ms(layout.length - reordering)) - 1
    return min(growing.shown.to_ms - 1, written_ms)


def _described(export: Export) -> dict[str, str]:
    pieces = export.planned.pieces
    begin, end = iso_time(float(pieces[0].from_ms)), iso_time(float(pieces[-1].to_ms))
    return {
        "title": export.camera_name or export.camera_id,
        "artist": f"CamFarm camera {export.camera_id}",
        "creation_time": begin,
        "comment": f"camera {export.camera_id}, {begin} to {end}, {len(export.planned.gaps)} gaps",
    }


def _notes(export: Export, writer: ClipWriter) -> tuple[str, ...]:
    planned = export.planned
    notes = []
    if planned.encode_all:
        notes.append("everything was encoded anew as H.264: the camera's codec cannot be cut otherwise")
    elif planned.encoded_ms:
        notes.append(f"{planned.encoded_ms} ms were encoded anew, everything else is the camera's own stream")
    if planned.gaps:
        named = ", ".join(f"{iso_time(gap.start_ms)} to {iso_time(gap.end_ms)}" for gap in planned.gaps[:_NAMED_GAPS])
        more = f" and {len(planned.gaps) - _NAMED_GAPS} more" if len(planned.gaps) > _NAMED_GAPS else ""
        notes.append(f"not recorded, the clip goes on without it: {named}{more}")
    if export.left_out:
        notes.append(f"{export.left_out} damaged or deleted files are left out")
    if writer.left_out_sound:
        notes.append("sound of another kind than at the beginning is left out")
    return tuple(notes)
