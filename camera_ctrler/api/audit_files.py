"""The audit as lines of a CSV file. Pure."""

import json
from collections.abc import Iterable, Iterator
from typing import Final

from camera_ctrler.api.csv_text import csv_rows, time_cell
from camera_ctrler.audit.log import AuditRecord

COLUMNS: Final = ("number", "at", "at_ms", "actor", "action", "what", "detail", "address")


def audit_lines(pages: Iterable[Iterable[AuditRecord]]) -> Iterator[bytes]:
    """Yield a head line, and one piece of the file for each page; a detail is JSON."""
    yield csv_rows([COLUMNS])
    for page in pages:
        yield csv_rows(map(_row, page))


def _row(entry: AuditRecord) -> tuple[object, ...]:
    detail = json.dumps(entry.detail, ensure_ascii=False) if entry.detail else ""
    when = (time_cell(entry.at_ms), entry.at_ms)
    return (entry.number, *when, entry.actor, entry.action, entry.what, detail, entry.address)
