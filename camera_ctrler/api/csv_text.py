"""Rows of a CSV file, as a spreadsheet may open them. Pure."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

#: What a spreadsheet takes for the beginning of a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_rows(rows: Iterable[Iterable[object]]) -> bytes:
    """Return rows as the piece of a file that they are; texts are as `cell` says."""
    text = io.StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def cell(value: object) -> object:
    """Return a value as it may stand in a cell: a text that a spreadsheet would calculate has an apostrophe before it.

    Source:
        OWASP, "CSV Injection".
    """
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def time_cell(at_ms: int) -> str | None:
    """Return a time, Unix ms UTC, as ISO 8601 has it; None where it is none that a calendar knows."""
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return None
