"""Who did what."""

from camera_ctrler.api.audit_schemas import AuditInfo, AuditPage, AuditQuery
from camera_ctrler.api.documented import Resource
from camera_ctrler.api.services import services
from contract.accounts import Role

resource = Resource("audit", "accounts")


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
