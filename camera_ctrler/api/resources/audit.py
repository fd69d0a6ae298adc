"""Who did what."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from typing import Final

from flask import Response

from camera_ctrler.api.audit_files import audit_lines
from camera_ctrler.api.audit_schemas import AuditFilterQuery, AuditInfo, AuditPage, AuditQuery
from camera_ctrler.api.documented import Media, Resource
from camera_ctrler.api.long_answers import may_go_on
from camera_ctrler.api.services import services
from camera_ctrler.audit.log import AuditRecord
from contract.accounts import Role

resource = Resource("audit", "accounts")

#: Entries of one page of a file: some 5 MB while it is made.
_EXPORT_PAGE: Final = 5_000
_CSV: Final = Media("text/csv", "Comma-separated values with a head line")


@resource.documented(
    "GET",
    "/audit",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Who did what",
    description="Every change, every export, every login and every failed one, newest first, for as long as "
    "FARM_AUDIT_KEEP says. `action` is the id of the operation. The database lets nobody change an entry, or delete "
    "one of the last 30 days.",
    query=AuditQuery,
    answers={200: AuditPage},
)
def list_audit(query: AuditQuery) -> AuditPage:
    """Answer with one page of the audit."""
    scope = f"audit?{query.model_dump_json(exclude={'cursor', 'limit'})}"
    cursor = services().cursors.read(scope, query.cursor)
    before = None if cursor is None else int(cursor)
    found = services().audit.page(limit=query.limit + 1, before=before, actor=query.actor, action=query.action)
    page = found[: query.limit]
    return AuditPage(
        items=[
            AuditInfo(
                number=each.number,
                at_ms=each.at_ms,
                actor=each.actor,
                action=each.action,
                what=each.what,
                detail=each.detail,
                address=each.address,
            )
            for each in page
        ],
        next_cursor=services().cursors.make(scope, str(page[-1].number)) if len(found) > len(page) else None,
    )


@resource.documented(
    "GET",
    "/audit/export",
    role=Role.ADMIN,
    whole_farm=True,
    audited=True,
    summary="The audit as a file",
    description="All entries that pass the filters, newest first, as CSV; a detail is JSON. A text that a spreadsheet "
    "would take for a formula has an apostrophe before it. A file that ends too early, because the database went away, "
    "ends with a broken connection.",
    query=AuditFilterQuery,
    answers={200: _CSV},
    headers={"Content-Disposition": "Name of the file"},
)
def export_audit(query: AuditFilterQuery) -> Response:
    """Answer with a file of entries, made while it is sent."""
    parts, go_on = services(), may_go_on()
    pages = parts.audit.pages(limit=_EXPORT_PAGE, actor=query.actor, action=query.action)
    with ExitStack() as stack:
        stack.enter_context(parts.streams.one())
        first = next(pages)  # here, where an outage can still be told in words

        def entries() -> Iterator[list[AuditRecord]]:
            for page in chain([first], pages):
                if parts.stopping.is_set() or not go_on():
                    raise ConnectionAbortedError("the server stops, or who asked may not have them any more")
                yield page

        response = Response(audit_lines(entries()), mimetype=_CSV.mimetype)
        response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
        response.cache_control.no_store = True
        response.call_on_close(stack.pop_all().close)
    return response
