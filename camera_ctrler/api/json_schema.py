"""Turns pydantic's JSON Schema (2020-12) into the dialect of OpenAPI 3.0.3. Pure."""

import ast
import inspect
import textwrap
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]

REF: Final = "#/components/schemas/{model}"
#: Words that OpenAPI 3.0 does not know, or that only repeat a field's name.
_DROPPED: Final = frozenset({"title", "propertyNames", "$defs"})


def component_schemas(
    models: set[tuple[type[BaseModel], Mode]],
) -> tuple[dict[tuple[type[BaseModel], Mode], str], Schema]:
    """Return the component name of each model, and all components, nested ones too."""
    ordered = sorted(models, key=lambda item: (item[0].__name__, item[1]))
    refs, document = models_json_schema(ordered, ref_template=REF)
    comments = _all_comments(models)
    schemas = {
        name: to_openapi(_commented(schema, comments.get(name, {}))) for name, schema in document["$defs"].items()
    }
    names = {(model, mode): refs[model, mode]["$ref"].rpartition("/")[2] for model, mode in ordered}
    return names, schemas


def to_openapi(schema: Any) -> Any:
    """Return `schema` with every 2020-12 construct that pydantic makes replaced by its OpenAPI 3.0 form."""
    if isinstance(schema, list):
        return [to_openapi(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {
        name: _properties(value) if name == "properties" else to_openapi(value)
        for name, value in schema.items()
        if name not in _DROPPED
    }
    for rule in (_null_to_nullable, _const_to_enum, _exclusive_bounds, _tuple_to_array, _example, _ref_alone):
        rule(converted)
    return converted


def _properties(value: Schema) -> Schema:
    """Convert each property; their names are not words of the schema language."""
    return {name: to_openapi(schema) for name, schema in value.items()}


def _null_to_nullable(schema: Schema) -> None:
    options = schema.get("anyOf")
    if not isinstance(options, list) or {"type": "null"} not in options:
        return
    rest = [option for option in options if option != {"type": "null"}]
    del schema["anyOf"]
    if len(rest) == 1 and "$ref" not in rest[0]:
        schema.update({**rest[0], **schema})
    elif len(rest) == 1:
        schema["allOf"] = rest
    else:
        schema["anyOf"] = rest
    schema["nullable"] = True
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"].append(None)


def _const_to_enum(schema: Schema) -> None:
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]


def _exclusive_bounds(schema: Schema) -> None:
    for bound, word in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(word), int | float) and not isinstance(schema[word], bool):
            schema[bound] = schema[word]
            schema[word] = True


def _tuple_to_array(schema: Schema) -> None:
    items = schema.pop("prefixItems", None)
    if items is not None:
        same = all(item == items[0] for item in items)
        schema["items"] = items[0] if same else {"anyOf": items}


def _example(schema: Schema) -> None:
    examples = schema.pop("examples", None)
    if isinstance(examples, list) and examples:
        schema["example"] = examples[0]


def _ref_alone(schema: Schema) -> None:
    """Move a reference that has words beside it into `allOf`, for OpenAPI 3.0 ignores the words."""
    if "$ref" in schema and len(schema) > 1:
        schema["allOf"] = [{"$ref": schema.pop("$ref")}]


def _commented(schema: Schema, comments: dict[str, str]) -> Schema:
    for name, text in comments.items():
        field = schema.get("properties", {}).get(name)
        if isinstance(field, dict):
            field.setdefault("description", text)
    return schema


def _all_comments(models: set[tuple[type[BaseModel], Mode]]) -> dict[str, dict[str, str]]:
    """Return component name -> field -> the ``#:`` comment above it, for the models and all they hold."""
    found: dict[str, dict[str, str]] = {}
    waiting = [model for model, _ in models]
    while waiting:
        model = waiting.pop()
        if model.__name__ not in found:
            found[model.__name__] = field_comments(model)
            waiting.extend(_models_in([field.annotation for field in model.model_fields.values()]))
    return found


def _models_in(annotations: list[Any]) -> list[type[BaseModel]]:
    found: list[type[BaseModel]] = []
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.append(annotation)
        else:
            found.extend(_models_in(list(getattr(annotation, "__args__", ()))))
    return found


def field_comments(model: type[BaseModel]) -> dict[str, str]:
    """Return the ``#:`` comments above the fields of `model` and its bases, by field name."""
    comments: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            comments |= _comments_in(textwrap.dedent(inspect.getsource(base)))
    return comments


def _comments_in(source: str) -> dict[str, str]:
    lines = source.splitlines()
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    comments = {}
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            above = node.lineno - 2
            text: list[str] = []
            while lines[above].strip().startswith("#:"):
                text.insert(0, lines[above].strip()[2:].strip())
                above -= 1
            if text:
                comments[node.target.id] = " ".join(text).replace("``", "`")
    return comments
