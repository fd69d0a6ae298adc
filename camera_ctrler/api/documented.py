"""One declaration per operation: it checks what comes in, and it is what the OpenAPI document is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Annotated, Any, Final

from flask import Blueprint, Response, request
from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from camera_ctrler.api.access import principal
from camera_ctrler.api.auditing import change_noted, entry_of, file_noted
from camera_ctrler.api.authorisation import authorise
from camera_ctrler.api.problems import FieldError, ProblemError, field_errors, invalid_request
from camera_ctrler.api.schemas import EpochMs, whole_number
from camera_ctrler.audit.entry import AuditEntry
from contract.accounts import Role
from contract.ids import CameraId, WorkerId

_Count = Annotated[int, Field(ge=0, le=9_999), BeforeValidator(whole_number)]
_Epoch = Annotated[int, Field(ge=1, le=10**15 - 1), BeforeValidator(whole_number)]
_Text = Annotated[str, Field(min_length=1, max_length=2_000)]
_Identity = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
_Track = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f/]*$")]
_User = Annotated[str, Field(min_length=1, max_length=200)]
_Number = Annotated[int, Field(ge=1, le=2**53), BeforeValidator(whole_number)]

VERSION_PREFIX: Final = "/api/v1"
JSON_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True)
class PathParameter:
    """A variable part of a path."""

    adapter: TypeAdapter[Any]
    description: str
    example: str


#: Every variable part of a path that this API has.
PATH_PARAMETERS: Final[dict[str, PathParameter]] = {
    "camera_id": PathParameter(TypeAdapter(CameraId), "Id of the camera", "lobby"),
    "worker_id": PathParameter(TypeAdapter(WorkerId), "Id of the worker", "worker-1"),
    "captured_at_ms": PathParameter(TypeAdapter(EpochMs), "When it was captured, Unix ms UTC", "1790000000000"),
    "start_ms": PathParameter(TypeAdapter(EpochMs), "When the file of footage begins, Unix ms UTC", "1790000000000"),
    "epoch": PathParameter(TypeAdapter(_Epoch), "Epoch of the worker that recorded it", "1"),
    "first": PathParameter(TypeAdapter(_Count), "Number of the first fragment, from 0", "0"),
    "last": PathParameter(TypeAdapter(_Count), "Number of the last one; at most the file's own last one is sent", "1"),
    "identity": PathParameter(TypeAdapter(_Identity), "Id of the identity", "id-0123456789abcdef"),
    "track": PathParameter(TypeAdapter(_Track), "Id of the track: that of the event with which it began", "lobby:1:17"),
    "change": PathParameter(TypeAdapter(_Number), "Number of the change", "1"),
    "watch": PathParameter(TypeAdapter(_Identity), "Id of the entry", "watch-0123456789ab"),
    "event_id": PathParameter(TypeAdapter(_Text), "Id of the event: camera, epoch and number", "lobby:1:1"),
    "place": PathParameter(TypeAdapter(_Count), "Number of the crop, from 0: the best one", "0"),
    "token": PathParameter(TypeAdapter(_Text), "What was signed, and the signature", "WyIvY2FtZXJhcy9sb2JieSJd.c2ln"),
    "user": PathParameter(TypeAdapter(_User), "Name of the user", "guard"),
    "session": PathParameter(TypeAdapter(_Identity), "Id of the session", "session-0123456789abcdef"),
    "token_id": PathParameter(TypeAdapter(_Identity), "Id of the token", "token-0123456789abcdef"),
    "address": PathParameter(TypeAdapter(_Text), "What the link was made for", "cameras/lobby/clip.mp4"),
}


@dataclass(frozen=True, slots=True)
class Media:
    """An answer that is no JSON."""

    mimetype: str
    description: str
    #: Messages that come within it: the document describes them too.
    messages: tuple[type[BaseModel], ...] = ()


#: What comes back with a status: a message, a medium, one of several media, or nothing.
Answer = type[BaseModel] | Media | tuple[Media, ...] | None


@dataclass(frozen=True, slots=True)
class Operation:
    """What one path and method take and give."""

    method: str
    #: As Flask writes it, prefix included.
    rule: str
    name: str
    #: Name of its blueprint.
    resource: str
    #: What somebody must be to have it answered; None: nobody need log in.
    role: Role | None
    summary: str
    description: str
    tag: str
    answers: Mapping[int, Answer]
    #: It tells or changes what cannot be cut by camera: only who sees all cameras may have it.
    whole_farm: bool = False
    #: Whether the audit notes it; None: if it is no GET. A GET that is noted sends a file, which is noted once.
    audited: bool | None = None
    #: Statuses of problems, beside 400, 401, 403, 413, 415, 429, 500 and 503, which follow from the rest.
    errors: tuple[int, ...] = ()
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    #: Media of which the body is one, bytes as they are; not together with `body`.
    upload: tuple[str, ...] = ()
    #: Title -> a body that works, offered on the documentation page.
    examples: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_noted(self) -> bool:
        """Whether the audit notes it."""
        return self.method != "GET" if self.audited is None else self.audited

    @property
    def endpoint(self) -> str:
        """Flask's name of it."""
        return f"{self.resource}.{self.name}"

    @property
    def path_parameters(self) -> list[str]:
        """Names of the variable parts, in order."""
        return [part.split(">")[0].rpartition(":")[2] for part in self.rule.split("<")[1:]]


Handler = Callable[..., Any]


class Resource:
    """A blueprint whose operations are documented, allowed and checked by the same declaration."""

    def __init__(self, name: str, tag: str, *, prefix: str = VERSION_PREFIX) -> None:
        self.blueprint: Final = Blueprint(name, __name__, url_prefix=prefix or None)
        self.operations: Final[list[Operation]] = []
        self._tag = tag
        self._prefix = prefix

    def documented(
        self,
        method: str,
        path: str,
        *,
        role: Role | None,
        summary: str,
        answers: Mapping[int, Answer],
        description: str = "",
        **more: Any,
    ) -> Callable[[Handler], Handler]:
        """Serve `path` with the decorated handler.

        The handler gets the path's parts by name, `query` and `body` as checked models, and `upload` as bytes, where
        they are declared.
        It returns a message, a `Response`, None, or a message with a status and headers.

        Args:
            method: HTTP method.
            path: As Flask writes it, below the resource's prefix.
            role: What somebody must be to have it answered; None: nobody need log in. Which cameras he sees is the
                handler's to heed (`camera_ctrler.api.access`), but for `camera_id` in the path.
            summary: One line for the documentation page.
            answers: Status -> what comes back.
            description: More, in Markdown.
            more: Other fields of `Operation`.
        """

        def decorate(handler: Handler) -> Handler:
            operation = Operation(
                method=method,
                rule=f"{self._prefix}{path}",
                name=handler.__name__,
                resource=self.blueprint.name,
                role=role,
                summary=summary,
                description=description,
                tag=self._tag,
                answers=answers,
                **more,
            )
            self.operations.append(operation)

            @wraps(handler)
            def view(**parts: str) -> Response:
                if role is not None:
                    authorise(principal(), role, whole_farm=operation.whole_farm, camera_id=parts.get("camera_id"))
                return _noted(operation, parts, handler, _checked(operation, parts))

            self.blueprint.add_url_rule(path, view_func=view, methods=[method])
            return handler

        return decorate


def _noted(operation: Operation, parts: dict[str, str], handler: Handler, values: dict[str, Any]) -> Response:
    """Return what the handler answers; what the audit shall know is noted before it is sent."""

    def entry() -> AuditEntry:
        return entry_of(operation.name, parts, values)

    if not operation.is_noted:
        return _respond(handler(**values), operation)
    if operation.method == "GET":
        response = _respond(handler(**values), operation)
        file_noted(response, entry)
        return response
    with change_noted(entry, is_open=operation.role is None):
        return _respond(handler(**values), operation)


def _checked(operation: Operation, parts: dict[str, str]) -> dict[str, Any]:
    """Return the handler's arguments.

    Raises:
        ProblemError: 400 with every field that is wrong; 413 and 415 for a body that is too large or no JSON.
    """
    problems: list[FieldError] = []
    values: dict[str, Any] = {}
    for name, text in parts.items():
        try:
            values[name] = PATH_PARAMETERS[name].adapter.validate_python(text)
        except ValidationError as error:
            problems += field_errors(error, prefix=name)
    try:
        query = {name: given if len(given) > 1 else given[0] for name, given in request.args.lists()}
        if operation.query is not None:
            values["query"] = operation.query.model_validate(query)
        elif query:
            problems += [FieldError(field=name[:100], message="is not known here") for name in query]
    except ValidationError as error:
        problems += field_errors(error, whole=True)
    if operation.body is not None:
        try:
            values["body"] = _body(operation.body)
        except ValidationError as error:
            problems += field_errors(error)
    if problems:
        raise invalid_request(problems[:20])
    if operation.upload:
        values["upload"] = _upload(operation.upload)
    return values


def _upload(media: tuple[str, ...]) -> bytes:
    data = request.get_data(cache=False)  # first, as of JSON
    if request.mimetype not in media:
        raise ProblemError(
            415,
            "unsupported-media-type",
            "Unsupported media type",
            f"Send the file itself as the body, with the header Content-Type: {' or '.join(media)}",
        )
    return data


def _body(model: type[BaseModel]) -> BaseModel:
    data = request.get_data(cache=False)  # first, so that a body that is too large is refused whatever it says it is
    if request.mimetype != JSON_TYPE:
        raise ProblemError(
            415,
            "unsupported-media-type",
            "Unsupported media type",
            f"Send the body as JSON with the header Content-Type: {JSON_TYPE}",
        )
    # Strict: the document says which JSON type a field has, and "yes" is no boolean.
    return model.model_validate_json(data, strict=True)


def _respond(result: Any, operation: Operation) -> Response:
    if isinstance(result, Response):
        return result
    status = next(iter(operation.answers))
    headers: dict[str, str] = {}
    if isinstance(result, tuple):
        result, status, headers = result
    if result is None:
        return Response(status=status, headers=headers)
    response = Response(result.model_dump_json(), status, headers, mimetype=JSON_TYPE)
    response.cache_control.no_store = True
    return response
