"""Makes the OpenAPI 3.0.3 document from the declared operations. Pure."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel

from camera_ctrler.api.documented import JSON_TYPE, PATH_PARAMETERS, Answer, Media, Operation
from camera_ctrler.api.json_schema import Mode, Schema, component_schemas, to_openapi
from camera_ctrler.api.problems import PROBLEM_TYPE, Problem
from runtime.version import VERSION

DESCRIPTION: Final = """
A farm of video workers: cameras in; detections, tracks and footage out.

* Times are Unix milliseconds UTC and named `*_ms`; boxes are `xyxy` in pixels of the frame whose size is given beside.
* Lists come in pages: ask again with `cursor` set to `next_cursor`.
* Every error is an `application/problem+json` (RFC 9457) whose `detail` says what to do.

**Try it:** open *Register a camera* below, press *Try it out*, then *Execute*, and look at [the live wall](/live).
"""

TAGS: Final = {
    "cameras": "Which cameras the farm watches",
    "status": "How cameras and the farm do",
    "workers": "Who watches what, at what cost, and why it moved",
    "events": "What happened at cameras, and every result",
    "recognitions": "What recognisers say of crops, and what could not be recognised",
    "identities": "Who was seen where, put right, searched for, watched for, erased",
    "pictures": "Latest results, snapshots and live views",
    "recordings": "Recorded footage: timeline, HLS, clips, pictures, links",
    "accounts": "Who may use the farm: log in, users, sessions, tokens of programs",
    "footage": "Saved frames and their playback",
    "operations": "For orchestrators and monitoring",
}

#: How somebody says who he is: people by the cookie that logging in gives them, programs by a token.
SECURITY: Final = {
    "cookie": {"type": "apiKey", "in": "cookie", "name": "farm_access", "description": "Given by `POST /auth/login`"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token, made with `POST /tokens`"},
}


def build_document(operations: Iterable[Operation]) -> Schema:
    """Return the document; it shares nothing with `operations`."""
    listed = list(operations)
    names, schemas = component_schemas(_models(listed))
    paths: dict[str, Schema] = {}
    for operation in listed:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", operation.rule)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, names, schemas)
    for operation in listed:  # a query's model is spread over parameters and needs no component
        if operation.query is not None:
            schemas.pop(names[operation.query, "validation"], None)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "CamFarm",
            "version": VERSION,
            "description": DESCRIPTION.strip(),
            "license": {"name": "AGPL-3.0-or-later", "url": "https://www.gnu.org/licenses/agpl-3.0.html"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": SECURITY},
    }


def _models(operations: list[Operation]) -> set[tuple[type[BaseModel], Mode]]:
    models: set[tuple[type[BaseModel], Mode]] = {(Problem, "serialization")}
    for operation in operations:
        models |= {(model, "validation") for model in (operation.query, operation.body) if model is not None}
        for answer in operation.answers.values():
            named = answer.messages if isinstance(answer, Media) else (answer,) if isinstance(answer, type) else ()
            models |= {(model, "serialization") for model in named}
    return models


Names = dict[tuple[type[BaseModel], Mode], str]


def _operation(operation: Operation, names: Names, schemas: Schema) -> Schema:
    described: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "description": _described(operation),
        "security": [] if operation.role is None else [{name: []} for name in SECURITY],
        "responses": _responses(operation, names),
    }
    if operation.role is not None:
        described["x-role"] = operation.role.value
    parameters = [_path_parameter(name) for name in operation.path_parameters]
    if operation.query is not None:
        parameters += _query_parameters(schemas[names[operation.query, "validation"]])
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        content: Schema = {"schema": _ref(names[operation.body, "validation"])}
        if operation.examples:
            content["examples"] = {
                re.sub(r"\W+", "_", title): {"summary": title, "value": value}
                for title, value in operation.examples.items()
            }
        described["requestBody"] = {"required": True, "content": {JSON_TYPE: content}}
    if operation.upload:
        described["requestBody"] = {
            "required": True,
            "content": {mimetype: {"schema": _bytes_of(mimetype)} for mimetype in operation.upload},
        }
    return described


def _described(operation: Operation) -> str:
    """Return what an operation does, and who may have it done."""
    who = "Nobody need log in for it."
    if operation.role is not None:
        all_cameras = ", and to see all cameras" if operation.whole_farm else ""
        who = f"Needs the role *{operation.role.value}*{all_cameras}."
    return f"{operation.description}\n\n{who}".strip()


def _path_parameter(name: str) -> Schema:
    known = PATH_PARAMETERS[name]
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": known.description,
        "schema": to_openapi(known.adapter.json_schema()),
        "example": int(known.example) if known.example.isdigit() else known.example,
    }


def _query_parameters(schema: Schema) -> list[Schema]:
    parameters = []
    for name, field in schema["properties"].items():
        shape = {key: value for key, value in field.items() if key not in {"description", "nullable"}}
        if shape.get("default", "") is None:
            del shape["default"]
        parameters.append(
            {"name": name, "in": "query", "required": False, "description": field["description"], "schema": shape}
        )
    return parameters


def _responses(operation: Operation, names: Names) -> Schema:
    responses: Schema = {}
    for status, answer in operation.answers.items():
        responses[str(status)] = _answer(status, answer, names, operation.headers)
    for status in sorted({*operation.errors, *_usual_errors(operation)}):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM_TYPE: {"schema": _ref(names[Problem, "serialization"])}},
        }
    return responses


def _usual_errors(operation: Operation) -> set[int]:
    # 400 everywhere: a query parameter that is not known is refused too. 429: so is who sends too many.
    found = {400, 429, 500, 503} | ({413, 415} if operation.body is not None or operation.upload else set())
    return found if operation.role is None else found | {401, 403}


def _answer(status: int, answer: Answer, names: Names, headers: Any) -> Schema:
    described: Schema = {"description": HTTPStatus(status).phrase}
    if isinstance(answer, Media | tuple):
        media = answer if isinstance(answer, tuple) else (answer,)
        described = {
            "description": "; or: ".join(each.description for each in media),
            "content": {each.mimetype: {"schema": _bytes_of(each.mimetype)} for each in media},
        }
    elif answer is not None:
        summary = (answer.__doc__ or "").strip().splitlines()[0]
        schema = _ref(names[answer, "serialization"])
        described = {"description": summary, "content": {JSON_TYPE: {"schema": schema}}}
    if headers and status < 300:
        described["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
        }
    return described


def _bytes_of(mimetype: str) -> Schema:
    return {"type": "string"} if mimetype.startswith("text/") else {"type": "string", "format": "binary"}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
