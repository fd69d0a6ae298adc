"""Writes `web/src/api/schema.ts`, the types of the API as the web UI knows them: `python -m docs.generate_openapi`.

They come from the OpenAPI document, through openapi-typescript of `web/node_modules` (`npm ci` in `web/`). The first
line of the file has the document's digest; a test fails while it is not that of the document.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from camera_ctrler.api.app import all_operations
from camera_ctrler.api.openapi import build_document
from contract.errors import FarmError

WEB: Final = Path(__file__).resolve().parent.parent / "web"
TYPES: Final = WEB / "src" / "api" / "schema.ts"
#: openapi-typescript's own file, run with Node as it is: no shell, no registry.
GENERATOR: Final = WEB / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
NOTICE: Final = "// Made by `python -m docs.generate_openapi` from OpenAPI document"


class NoGeneratorError(FarmError):
    """What makes the types is not installed."""


def document() -> str:
    """Return the OpenAPI document as JSON, the same text for the same API."""
    made = build_document(all_operations())
    # A new version of CamFarm alone changes no type.
    made["info"]["version"] = "0"
    return json.dumps(made, indent=1, sort_keys=True)


def digest(text: str) -> str:
    """Return what tells documents apart."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def first_line(text: str) -> str:
    """Return the line with which the types of a document begin."""
    return f"{NOTICE} {digest(text)}; change the API, not this file."


def make_types(text: str) -> str:
    """Return the TypeScript of a document.

    Raises:
        NoGeneratorError: `npm ci` was not run, or there is no Node.
    """
    if not GENERATOR.is_file():
        raise NoGeneratorError("openapi-typescript is not installed; run `npm ci` in web/")
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "openapi.json", Path(folder) / "schema.ts"
        source.write_text(text)
        command = ["node", str(GENERATOR), str(source), "-o", str(made), "--alphabetize"]
        try:
            subprocess.run(command, cwd=WEB, check=True, capture_output=True, text=True)
        except FileNotFoundError as error:
            raise NoGeneratorError("there is no `node`; install Node 20 or newer") from error
        return f"{first_line(text)}\n{made.read_text()}"


def main() -> int:
    """Write the file."""
    TYPES.write_text(make_types(document()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
