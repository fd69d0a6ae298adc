"""`./farm recordings ...`: what the index knows of footage, and whether the volume agrees."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.options import JsonOption
from contract.errors import FarmError

if TYPE_CHECKING:
    from camera_ctrler.recordings.index import IndexedSegment
    from camera_ctrler.recordings.volume_check import CheckedHour, Finding

_DAY_MS: Final = 86_400_000
#: Differences that are shown; more are counted.
_SHOWN: Final = 100
#: Seconds between two words on how far it is.
_WORD_SECONDS: Final = 10.0

recordings = typer.Typer(help="List footage; compare the files with the index.", no_args_is_help=True)

FromOption = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="2026-11-21, 2026-11-21T08:30 (UTC), or Unix ms.")
]
ToOption = Annotated[str | None, typer.Option("--to", metavar="TIME", help="As --from; not included.")]


class InvalidTimeError(FarmError, ValueError):
    """A time, or a range of times, that cannot be used."""


class DifferencesError(FarmError):
    """Volume and index differ."""


class VolumeAwayError(FarmError):
    """The volume with the footage cannot be used."""


@recordings.callback()
def prepare() -> None:
    """Let what is logged go to stderr: stdout is the command's answer."""
    from runtime.logs import configure_logs
    from runtime.settings import CommonSettings

    configure_logs(CommonSettings.load())


@recordings.command("list")
def list_recordings(
    camera_id: Annotated[str, typer.Argument(metavar="CAMERA")],
    from_time: FromOption = None,
    to_time: ToOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Files at most; the newest ones.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show the newest files of a camera in the index; of the last day unless --from says otherwise."""
    from camera_ctrler.recordings.index import SegmentIndex
    from camera_ctrler.registry import CameraNotFoundError
    from cli.connection import open_registry
    from cli.screen import screen
    from runtime.settings import DatabaseSettings

    now_ms = time.time_ns() // 1_000_000
    to_ms = now_ms + _DAY_MS if to_time is None else parse_time(to_time)
    from_ms = min(to_ms, now_ms) - _DAY_MS if from_time is None else parse_time(from_time)
    _check_range(from_ms, to_ms)
    with _named_failures(), open_registry(DatabaseSettings.load()) as registry:
        found = SegmentIndex(registry.engine).find(camera_id, from_ms, to_ms)
        if not found and not registry.exists(camera_id):
            raise CameraNotFoundError(camera_id)
    shown = found[-limit:]
    if as_json:
        print(json.dumps([_document(each) for each in shown], indent=2))
        return
    if not found:
        print(f"nothing of {camera_id} is in the index from {_time_text(from_ms)} to {_time_text(to_ms)}")
        return
    console = screen()
    console.print(_table(shown))
    size = sum(each.segment.size_bytes for each in found)
    seconds = sum(each.segment.end_ms - each.segment.start_ms for each in found) // 1000
    print(f"{len(found)} files, {seconds} s, {size} bytes; {len(shown)} shown")


@recordings.command()
def check(
    camera_ids: Annotated[
        list[str] | None, typer.Option("--camera", metavar="ID", help="Only this one; repeatable.")
    ] = None,
    from_time: FromOption = None,
    to_time: ToOption = None,
    repair: Annotated[bool, typer.Option("--repair", help="Correct the index; put damaged files aside.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare files and index; with --repair the index is made to say what the volume has.

    Files are never deleted: those that cannot be played are moved to <camera>/recordings/damaged/. It may be stopped
    and started again at any time, and run beside the farm. Exit code 1: differences are left.
    """
    from camera_ctrler.recordings.index import SegmentIndex
    from camera_ctrler.recordings.volume_check import Repair, VolumeCheck, kept_for_by
    from cli.connection import open_registry
    from runtime.recording_store import LAST_MS, RecordingStore
    from runtime.settings import DatabaseSettings

    settings = DatabaseSettings.load()
    from_ms = 0 if from_time is None else parse_time(from_time)
    to_ms = LAST_MS if to_time is None else parse_time(to_time)
    _check_range(from_ms, to_ms)
    with _named_failures(), open_registry(settings) as registry:
        store = RecordingStore(settings.frames_dir)
        checker = VolumeCheck(store, SegmentIndex(registry.engine), kept_for_by(registry))
        hours = checker.hours(camera_ids or [], from_ms, to_ms)
        outcome = _Outcome(as_json=as_json)
        progress = _Progress(len(hours))
        for camera_id, hour_ms in hours:
            checked = checker.check_hour(camera_id, hour_ms, Repair.ALL if repair else Repair.NOTHING)
            outcome.add(checked)
            progress.tell(checked, outcome)
    outcome.tell(repair=repair)


@contextmanager
def _named_failures() -> Iterator[None]:
    """Turn failures of the database and the volume into a sentence."""
    from sqlalchemy.exc import SQLAlchemyError

    from camera_ctrler.recordings.footage import IndexAwayError

    try:
        yield
    except SQLAlchemyError as error:
        raise IndexAwayError(error) from error
    except OSError as error:
        raise VolumeAwayError(
            f"the frames volume cannot be read or changed ({error}); what was repaired stays so: correct that, and "
            "run the same command again"
        ) from error


class _Outcome:
    """Counts what was found."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._began = time.monotonic()
        self._findings: list[Finding] = []
        self._counts: Counter[str] = Counter()
        self._repaired = 0
        self.hours = self.files = self.bytes = 0

    def add(self, checked: "CheckedHour") -> None:
        """Count one hour, and show its first differences."""
        self.hours += 1
        self.files += checked.files
        self.bytes += checked.bytes
        for finding in checked.findings:
            self._counts[finding.difference] += 1
            self._repaired += bool(finding.repaired)
            if self._as_json or len(self._findings) < _SHOWN:
                self._findings.append(finding)
                if not self._as_json:
                    done = f": {finding.repaired}" if finding.repaired else ""
                    print(f"{finding.difference}  {finding.path}  ({finding.detail}){done}", flush=True)

    def tell(self, *, repair: bool) -> None:
        """Say what came of it.

        Raises:
            DifferencesError: Some are left.
        """
        total = self._counts.total()
        seconds = time.monotonic() - self._began
        if self._as_json:
            print(json.dumps(self._document(seconds), indent=2))
        else:
            if total > len(self._findings):
                print(f"... and {total - len(self._findings)} more")
            counts = ", ".join(f"{number} {name}" for name, number in sorted(self._counts.items())) or "no differences"
            print(f"{self.files} files, {self.bytes} bytes, in {self.hours} hours of cameras: {counts}", end="")
            print(f"; {self._repaired} repaired" if repair else "")
        if total > self._repaired:
            remedy = "the lines above say what to do" if repair else "correct them with --repair"
            raise DifferencesError(f"{total - self._repaired} differences between volume and index are left; {remedy}")

    def _document(self, seconds: float) -> dict[str, Any]:
        return {
            "hours": self.hours,
            "files": self.files,
            "bytes": self.bytes,
            "seconds": round(seconds, 3),
            "differences": dict(sorted(self._counts.items())),
            "repaired": self._repaired,
            "findings": [
                {
                    "difference": each.difference,
                    "path": each.path,
                    "detail": each.detail,
                    "repaired": each.repaired,
                }
                for each in self._findings
            ],
        }


class _Progress:
    """Says now and then how far the check is, on stderr."""

    def __init__(self, hours: int) -> None:
        self._hours = hours
        self._said_at = time.monotonic()

    def tell(self, checked: "CheckedHour", outcome: _Outcome) -> None:
        """Take note of one hour."""
        now = time.monotonic()
        if now - self._said_at >= _WORD_SECONDS:
            self._said_at = now
            print(
                f"checked {outcome.hours} of {self._hours} hours of cameras, {outcome.files} files; "
                f"now {checked.camera_id} {_time_text(checked.hour_ms)}",
                file=sys.stderr,
                flush=True,
            )


def parse_time(text: str) -> int:
    """Return the Unix milliseconds that a person means; UTC where no zone is given.

    Raises:
        InvalidTimeError: It is not a time.
    """
    if text.isascii() and text.isdigit():
        return min(int(text), 10**15)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidTimeError(
            f"{text!r} is not a time; write 2026-11-21, 2026-11-21T08:30, 2026-11-21T08:30:15+01:00, or Unix "
            "milliseconds"
        ) from None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _check_range(from_ms: int, to_ms: int) -> None:
    if from_ms >= to_ms:
        raise InvalidTimeError(f"--from ({_time_text(from_ms)}) must be before --to ({_time_text(to_ms)})")


def _time_text(at_ms: int) -> str:
    try:
        return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"
    except (ValueError, OverflowError):
        return f"{at_ms} ms"


def _document(found: "IndexedSegment") -> dict[str, Any]:
    return found.segment.model_dump(mode="json") | {"path": found.path, "tier": found.tier}


def _table(shown: "Sequence[IndexedSegment]") -> Any:
    from cli.table_text import Column, bytes_text, table_of

    columns = (
        Column("start (UTC)"),
        Column("seconds", right=True),
        Column("size", right=True),
        Column("format"),
        Column("kept for"),
        Column("motion", right=True),
        Column("seen"),
        Column("path", shrinks=True),
    )
    rows = []
    for each in shown:
        segment = each.segment
        form = f"{segment.codec} {segment.width}x{segment.height}{' ' + segment.audio if segment.audio else ''}"
        rows.append(
            (
                _time_text(segment.start_ms),
                f"{(segment.end_ms - segment.start_ms) / 1000:.1f}",
                bytes_text(segment.size_bytes),
                form,
                str(segment.kept_for),
                f"{segment.motion:.0%}",
                ", ".join(f"{name} {most}" for name, most in sorted(segment.seen.items())),
                each.path if each.tier == 0 else f"{each.path} (archive)",
            )
        )
    return table_of(columns, rows)
