"""Reads files of footage piece by piece, and remembers how they are laid out."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final, Generic, TypeVar

import structlog

from camera_ctrler.playback.fragments import Head, Layout, read_head, read_layout
from camera_ctrler.playback.showing import Shown, shown
from camera_ctrler.playback.track_runs import DamagedFootageError
from camera_ctrler.recordings.files import FootageFiles
from camera_ctrler.recordings.index import VOLUME, IndexedSegment
from contract.errors import FarmError
from runtime.recording_store import RecordingStore

#: Layouts and init sections that are remembered: some 3 kB and 0.3 kB each.
MAX_LAYOUTS: Final = 2_000
MAX_HEADS: Final = 20_000

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")

log = structlog.get_logger(__name__)


class FootageGoneError(FarmError):
    """A file of footage that the index knows is not there any more."""


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """One file of footage, open for reading."""

    found: IndexedSegment
    file: BinaryIO
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """Return at most `size` bytes from `offset` on; fewer at the end of the file."""
        self.file.seek(offset)
        return self.file.read(size)


class RecordedFiles:
    """Files of footage, wherever they lie. Safe to use from several threads.

    A file that grows, or is made anew, has another size and is read anew.
    """

    def __init__(self, files: FootageFiles, store: RecordingStore) -> None:
        self._files = files
        self._store = store
        self._layouts: _Newest[tuple[str, int], Layout] = _Newest(MAX_LAYOUTS)
        self._heads: _Newest[str, Head] = _Newest(MAX_HEADS)

    @contextmanager
    def open(self, found: IndexedSegment) -> Iterator[OpenedFile]:
        """Open a file for the ``with`` block.

        Raises:
            FootageGoneError: It is not there any more.
            ArchiveAwayError: It is in the archive, which does not answer.
            OSError: The volume is gone.
        """
        try:
            file = self._files.open(found)
        except FileNotFoundError as error:
            raise FootageGoneError(
                f"the file {found.path} is not there any more; it may have passed its retention. "
                "./farm recordings check compares the index with the volume"
            ) from error
        with file:
            yield OpenedFile(found, file, file.seek(0, 2))

    def head(self, found: IndexedSegment) -> Head:
        """Return the init section of a file, remembered once something follows it: it is written once.

        Raises:
            FootageGoneError: The file is not there; of the archive: was not when it was asked for first.
            DamagedFootageError: The file has none.
        """

        def read() -> Head:
            with self.open(found) as opened, _named(found):
                return read_head(opened.read)

        if found.tier == VOLUME and not self._store.file(found.path).is_file():
            return read()  # it was moved or deleted since
        return self._heads.get(found.path, read, keep=lambda head: head.lead is not None)

    def shown(self, files: Iterable[IndexedSegment]) -> tuple[list[Shown], int]:
        """Return what shows when, of files that can be played, and how many others would show.

        What cannot be played hides nothing: an older epoch shows in its place. Files in the archive are believed to
        be whole: to look into each of a day would take minutes.

        Raises:
            OSError: The volume is gone.
        """
        left = list(files)
        left_out = 0
        while True:
            found = shown(left)
            useless = {each.found.path for each in found if not self._can_be_played(each.found)}
            if not useless:
                return found, left_out
            left = [each for each in left if each.path not in useless]
            left_out += len(useless)

    def _can_be_played(self, found: IndexedSegment) -> bool:
        if found.tier != VOLUME:
            return True
        try:
            self.head(found)
        except (FootageGoneError, DamagedFootageError) as error:
            log.warning("footage_left_out", path=found.path, error=str(error))
            return False
        return True

    def layout(self, opened: OpenedFile) -> Layout:
        """Return how an open file is laid out.

        Raises:
            DamagedFootageError: It has no init section.
        """

        def read() -> Layout:
            with _named(opened.found):
                return read_layout(opened.read, opened.size)

        return self._layouts.get((opened.found.path, opened.size), read)

    def layout_of(self, found: IndexedSegment) -> Layout:
        """Return how a file is laid out now; errors as in `open` and `layout`."""
        with self.open(found) as opened:
            return self.layout(opened)


class _Newest(Generic[_Key, _Value]):
    """Remembers so many values, those that were asked for last. Safe to use from several threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, _Value] = OrderedDict()

    def get(
        self, key: _Key, make: Callable[[], _Value], *, keep: Callable[[_Value], bool] = lambda _value: True
    ) -> _Value:
        """Return what is remembered, or what `make` makes, remembered if `keep` says so.

        Two threads may make the same at once.
        """
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        made = make()
        if not keep(made):
            return made
        with self._lock:
            self._known[key] = made
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        return made


@contextmanager
def _named(found: IndexedSegment) -> Iterator[None]:
    try:
        yield
    except DamagedFootageError as error:
        raise DamagedFootageError(f"the file {found.path} cannot be played: {error}") from error
