"""Reads cameras from CSV and JSON files and checks every row before anything is done with them."""

import csv
import difflib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from contract.camera_specs import REMOVABLE, CameraCreate, CameraPatch
from contract.errors import FarmError

#: Larger than any list of cameras, small enough to be held in memory several times.
MAX_FILE_BYTES: Final = 50_000_000
COLUMNS: Final = tuple(CameraCreate.model_fields)
#: Columns that hold several values.
LIST_COLUMNS: Final = ("classes", "require_labels", "prefer_labels")
#: Column that holds JSON, as the API takes it.
JSON_COLUMN: Final = "zones"
#: Between the values in one cell of a CSV file.
LIST_SEPARATOR: Final = ";"


class CameraFileError(FarmError, ValueError):
    """A file of cameras that cannot be imported; the text names every place that is wrong."""


@dataclass(frozen=True)
class Row:
    """One camera as the file has it."""

    #: ``line 3`` or ``entry 3``.
    place: str
    fields: dict[str, Any]


@dataclass
class CheckedRows:
    """What is right and what is wrong in a file."""

    #: Place in the file -> camera.
    good: dict[str, CameraCreate] = field(default_factory=dict)
    #: One sentence each, beginning with the place.
    problems: list[str] = field(default_factory=list)


def read_rows(path: Path) -> list[Row]:
    """Return the cameras in `path`, unchecked.

    Raises:
        CameraFileError: It cannot be read as CSV or JSON.
    """
    readers = {".csv": csv_rows, ".json": json_rows}
    if path.suffix.lower() not in readers:
        raise CameraFileError(f"{path} is neither .csv nor .json")
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise CameraFileError(f"{path} is larger than {MAX_FILE_BYTES // 1_000_000} MB; split it")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CameraFileError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CameraFileError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    return readers[path.suffix.lower()](text, path.name)


def csv_rows(text: str, name: str) -> list[Row]:
    """Return the cameras of a CSV file with a header; an empty cell means that the column is not given."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        _check_header(header, name)
        rows = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(header):
                raise CameraFileError(
                    f"{name} line {reader.line_num} has {len(cells)} cells, the header has {len(header)}; "
                    "put values with a comma in quotes"
                )
            fields = {column: cell.strip() for column, cell in zip(header, cells, strict=False) if cell.strip()}
            rows.append(Row(f"line {reader.line_num}", _with_lists(fields)))
    except csv.Error as error:
        raise CameraFileError(f"{name} line {reader.line_num} is not CSV: {error}") from error
    return rows


def _check_header(header: list[str], name: str) -> None:
    if "url" not in header:
        raise CameraFileError(f"{name} line 1 must name the columns, at least url; possible: {', '.join(COLUMNS)}")
    for number, column in enumerate(header, 1):
        if column not in COLUMNS:
            close = difflib.get_close_matches(column, COLUMNS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"possible: {', '.join(COLUMNS)}"
            raise CameraFileError(f"{name} line 1, column {number}: {column!r} is unknown; {hint}")
        if header.index(column) != number - 1:
            raise CameraFileError(f"{name} line 1, column {number}: {column!r} is there twice")


def _with_lists(fields: dict[str, str]) -> dict[str, Any]:
    lists: dict[str, Any] = {
        column: [value.strip() for value in fields[column].split(LIST_SEPARATOR) if value.strip()]
        for column in LIST_COLUMNS
        if column in fields
    }
    drawn = {JSON_COLUMN: _from_json(fields[JSON_COLUMN])} if JSON_COLUMN in fields else {}
    return {**fields, **lists, **drawn}


def _from_json(text: str) -> Any:
    """Return what a cell holds; nothing drawn where it is empty, and what is no JSON as it is, to be refused."""
    try:
        return json.loads(text) if text.strip() else []
    except (json.JSONDecodeError, RecursionError):
        return text


def patch_of(assignments: Iterable[str]) -> CameraPatch:
    """Return the change that ``field=value`` texts ask for; an empty value of a URL or credential removes it.

    Raises:
        CameraFileError: One is no ``field=value``, or names no field.
        ValidationError: A value cannot be used.
    """
    fields: dict[str, Any] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or name not in CameraPatch.model_fields:
            close = difflib.get_close_matches(name, CameraPatch.model_fields, n=1)
            hint = f"did you mean {close[0]}?" if close else f"fields are {', '.join(CameraPatch.model_fields)}"
            raise CameraFileError(f"{text!r} is no FIELD=VALUE of a camera; {hint}")
        fields[name] = value
    if not fields:
        raise CameraFileError("say what to change: --set FIELD=VALUE, for example --set record=continuous")
    removed = {name: None for name in REMOVABLE if fields.get(name) == ""}
    return CameraPatch.model_validate(_with_lists(fields) | removed)


def json_rows(text: str, name: str) -> list[Row]:
    """Return the cameras of a JSON file: a list of objects."""
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise CameraFileError(f"{name} line {error.lineno}, column {error.colno} is not JSON: {error.msg}") from error
    except RecursionError as error:
        raise CameraFileError(f"{name} is nested too deeply") from error
    if not isinstance(entries, list):
        raise CameraFileError(f'{name} must hold a list of objects: [{{"url": "rtsp://..."}}, ...]')
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise CameraFileError(f'{name} entry {number} must be an object: {{"url": "rtsp://..."}}')
    return [Row(f"entry {number}", entry) for number, entry in enumerate(entries, 1)]


def check_rows(rows: Iterable[Row], taken_ids: Iterable[str]) -> CheckedRows:
    """Check every row as the API would.

    Args:
        rows: What the file has.
        taken_ids: Ids of cameras that are registered.
    """
    checked = CheckedRows()
    registered = set(taken_ids)
    seen: dict[str, str] = {}
    for row in rows:
        try:
            camera = CameraCreate.model_validate(row.fields)
        except ValidationError as error:
            checked.problems += [f"{row.place}, {problem}" for problem in problems_of(error)]
            continue
        if camera.id is not None and camera.id in registered:
            checked.problems.append(f"{row.place}, column id: camera {camera.id!r} exists already")
        elif camera.id is not None and camera.id in seen:
            checked.problems.append(f"{row.place}, column id: {camera.id!r} is also in {seen[camera.id]}")
        else:
            checked.good[row.place] = camera
            seen[camera.id or ""] = row.place
    return checked


def problems_of(error: ValidationError) -> list[str]:
    """Return what is wrong, one sentence for each column; never the values, which may hold passwords."""
    return [
        f"column {'.'.join(str(part) for part in item['loc']) or '(all)'}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors(include_input=False, include_context=False, include_url=False)
    ]
