"""Signed links to footage, for people without an account."""

from dataclasses import replace
from typing import Any, Final, cast
from urllib.parse import parse_qs, urlsplit

from flask import Response, current_app, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from camera_ctrler.accounts.principal import EVERYBODY, Principal
from camera_ctrler.api.access import principal, set_principal
from camera_ctrler.api.auditing import address as address_of_client
from camera_ctrler.api.authorisation import authorise
from camera_ctrler.api.documented import VERSION_PREFIX, Media, Operation, Resource
from camera_ctrler.api.problems import FieldError, field_errors, invalid_request
from camera_ctrler.api.recording_schemas import LinkCreate, LinkedQuery, SignedLink
from camera_ctrler.api.resources import evidence, exports, recorded_pictures, recordings
from camera_ctrler.api.services import services
from camera_ctrler.audit.entry import AuditEntry
from camera_ctrler.playback.links import Link, LinkError
from contract.accounts import Role

resource = Resource("links", "recordings")

#: What a link may be for; the parts of a playlist come with it.
LINKABLE: Final = frozenset(
    {"clip_mp4", "timelapse_mp4", "recorded_jpg", "thumbnails_jpg", "recordings_m3u8", "event_clip", "event_picture"}
)
_SERVED: Final = LINKABLE | {"recording_init", "recording_part"}
#: What somebody must be to share footage, when he makes a link and whenever it is used.
LINK_ROLE: Final = Role.OPERATOR
_EXAMPLE: Final = "/api/v1/cameras/lobby/clip.mp4?from_ms=1790000000000&to_ms=1790000060000"


@resource.documented(
    "POST",
    "/links",
    role=LINK_ROLE,
    summary="Make a link that works for a while",
    description="For clips, time-lapses, pictures, and playlists with all that they play. The link gives access to "
    "that alone: it cannot be altered, and ends by itself. Links end too when FARM_SECRET_KEY is changed, and as soon "
    "as who made them may not see the camera or make links any more.",
    body=LinkCreate,
    answers={201: SignedLink},
    errors=(404,),
    examples={"A clip, for a day": {"path": _EXAMPLE, "expires_seconds": 86_400}},
)
def create_link(body: LinkCreate) -> tuple[SignedLink, int, dict[str, str]]:
    """Answer with a signed link."""
    parts = urlsplit(body.path)
    if parts.scheme or parts.netloc or parts.fragment or not parts.path.startswith(f"{VERSION_PREFIX}/"):
        raise _refused(f"must begin with {VERSION_PREFIX}/, without scheme and host")
    operation, values = _operation_of(parts.path)
    if operation.name not in LINKABLE:
        raise _refused("cannot be linked to; links are for clips, time-lapses, pictures and playlists")
    _check_query(operation, parts.query)
    who = principal()
    _allow(who, operation, values)
    address = parts.path.removeprefix(VERSION_PREFIX) + (f"?{parts.query}" if parts.query else "")
    path, expires_at_ms = services().recorded.links.sign(address, body.expires_seconds, who.name)
    url = request.host_url.rstrip("/") + path
    return SignedLink(url=url, path=path, expires_at_ms=expires_at_ms), 201, {"Location": path}


def _allow(who: Principal, operation: Operation, values: dict[str, Any]) -> None:
    """Pass, if somebody may see what a link is to be made for.

    Raises:
        ProblemError, CameraNotFoundError: He may not, or it is not there.
    """
    camera_id = values.get("camera_id")
    if operation.role is not None:
        authorise(who, operation.role, whole_farm=operation.whole_farm, camera_id=camera_id)
    if camera_id is not None:
        services().registry.get(camera_id)
    if "event_id" in values:
        evidence.event_of(values["event_id"])


def _maker_of(link: Link) -> Principal:
    """Return who made a link, as he is now.

    Raises:
        LinkError: He is gone, or may not make links any more.
    """
    if not services().settings.auth:
        return EVERYBODY
    maker = services().accounts.since(link.maker, link.signed_at_ms)
    if maker is None or not maker.may(LINK_ROLE):
        raise LinkError("whoever made this link may not share footage any more; ask somebody who may for a new one")
    return maker


def _operation_of(path: str) -> tuple[Operation, dict[str, Any]]:
    """Return which operation serves a path, and the path's parts."""
    try:
        endpoint, values = current_app.url_map.bind("").match(path, method="GET")
    except HTTPException as error:
        raise _refused("is nothing that this API serves; /apidocs/ lists what there is") from error
    name = endpoint.rpartition(".")[2]
    operations = (
        operation
        for each in (recordings, exports, recorded_pictures, evidence)
        for operation in each.resource.operations
    )
    found = next((operation for operation in operations if operation.name == name), None)
    if found is None:
        raise _refused("cannot be linked to; links are for clips, time-lapses, pictures and playlists")
    return found, cast("dict[str, Any]", dict(values))


def _check_query(operation: Operation, query: str) -> None:
    asked = {
        name: given if len(given) > 1 else given[0] for name, given in parse_qs(query, keep_blank_values=True).items()
    }
    try:
        if operation.query is not None:
            operation.query.model_validate(asked)
        elif asked:
            raise _refused("has a query, and this takes none")
    except ValidationError as error:
        raise invalid_request(field_errors(error, prefix="path")) from error


def _refused(message: str) -> Exception:
    return invalid_request([FieldError(field="path", message=message)])


@resource.documented(
    "GET",
    "/links/<token>/<path:address>",
    role=None,
    summary="Use a signed link",
    description="Answers as what the link was made for does.",
    query=LinkedQuery,
    answers={200: Media("*/*", "What was linked to"), 206: None, 304: None},
    errors=(403, 404, 409, 416),
)
def use_link(token: str, address: str, query: LinkedQuery) -> Response:  # noqa: ARG001 - the query itself is signed
    """Answer as the linked operation does."""
    link = services().recorded.links.check(token, f"/{address}", request.query_string.decode("utf-8", "replace"))
    maker = _maker_of(link)
    # Named as what he is here: the audit must not take a visitor for him.
    visitor = replace(maker, name=f"link of {maker.name}")
    set_principal(visitor)
    operation, values = _operation_of(f"{VERSION_PREFIX}/{address}")
    if operation.name not in _SERVED:
        raise _refused("cannot be linked to")
    if not operation.is_noted:  # else it notes itself, with what was asked for
        services().audit.append_once(AuditEntry(visitor.name, "use_link", link.path, link.query, address_of_client()))
    endpoint, _ = current_app.url_map.bind("").match(f"{VERSION_PREFIX}/{address}", method="GET")
    return cast("Response", current_app.view_functions[endpoint](**values))
