"""The built web UI on the disk: its page, and its files as they are best sent."""

import re
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import Final

#: What the build leaves as the place of the nonce, see web/index.html.
_NONCE_PLACE: Final = re.compile(r'(<meta name="style-nonce" content=")"')
#: Files in it have a hash of their content in their name, so that they never change.
HASHED: Final = "assets/"
#: Encodings that the build makes files in, the smaller first, with their ends.
_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
#: Where the machine's own list of types may say something else, or nothing.
_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """One file, and how it is sent."""

    path: Path
    mimetype: str
    #: Content-Encoding; None: as it is.
    encoding: str | None
    #: Whether it can be kept for ever.
    immutable: bool


class BuiltFiles:
    """What `./farm web build` made, if it did. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder.resolve()
        self._page: tuple[float, str] | None = None

    def page(self, nonce: str) -> str | None:
        """Return the UI's page with a nonce for styles in it; None: the UI was not built."""
        path = self._folder / "index.html"
        try:
            changed = path.stat().st_mtime
            if self._page is None or self._page[0] != changed:  # built anew while the controller runs
                self._page = changed, path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return _NONCE_PLACE.sub(rf'\g<1>{nonce}"', self._page[1])

    def find(self, name: str, accepted: frozenset[str]) -> BuiltFile | None:
        """Return a file by its name within the UI, in the smallest of the accepted encodings; None: there is none.

        Args:
            name: As the address has it; what leads out of the folder is not found.
            accepted: Content encodings that the client takes.
        """
        try:
            path = (self._folder / name).resolve()
            is_there = path.is_relative_to(self._folder) and path.is_file()
        except (OSError, ValueError):  # too long for a name, or with a NUL in it
            return None
        if not is_there or path.suffix in {".br", ".gz"}:
            return None
        mimetype = _TYPES.get(path.suffix) or guess_type(path.name)[0] or "application/octet-stream"
        immutable = name.startswith(HASHED)
        for encoding, end in _ENCODINGS:
            smaller = path.with_name(path.name + end)
            if encoding in accepted and smaller.is_file():
                return BuiltFile(smaller, mimetype, encoding, immutable)
        return BuiltFile(path, mimetype, None, immutable)
