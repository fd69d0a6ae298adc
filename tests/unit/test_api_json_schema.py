"""pydantic's schemas become OpenAPI 3.0 ones."""

from typing import Any

import pytest
from pydantic import BaseModel, Field

from camera_ctrler.api.json_schema import component_schemas, field_comments, to_openapi
from contract.cameras import AnalysisSettings, CameraStatus
from contract.detections import AnalysisResult


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string", "nullable": True}),
        (
            {"anyOf": [{"$ref": "#/x"}, {"type": "null"}], "default": None},
            {"allOf": [{"$ref": "#/x"}], "nullable": True, "default": None},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": True},
        ),
        ({"const": "all"}, {"enum": ["all"]}),
        ({"exclusiveMinimum": 0}, {"minimum": 0, "exclusiveMinimum": True}),
        ({"exclusiveMaximum": 1.5}, {"maximum": 1.5, "exclusiveMaximum": True}),
        (
            {"type": "array", "prefixItems": [{"type": "number"}] * 2, "minItems": 2, "maxItems": 2},
            {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        ),
        ({"$ref": "#/x", "description": "d"}, {"allOf": [{"$ref": "#/x"}], "description": "d"}),
        ({"$ref": "#/x"}, {"$ref": "#/x"}),
        ({"title": "T", "examples": [1, 2], "type": "integer"}, {"example": 1, "type": "integer"}),
        ({"properties": {"title": {"type": "string"}}}, {"properties": {"title": {"type": "string"}}}),
    ],
)
def test_each_construct_is_translated(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Given what pydantic writes, then OpenAPI 3.0's form of it comes out."""
    assert to_openapi(given) == wanted


def test_nested_models_become_components_of_their_own() -> None:
    """Given a model that holds others, then all of them are components and the tuple has a length."""
    names, schemas = component_schemas({(AnalysisResult, "serialization")})
    assert names[AnalysisResult, "serialization"] == "AnalysisResult"
    assert schemas["TrackedDetection"]["properties"]["xyxy"]["maxItems"] == 4


def test_comments_of_the_contract_become_descriptions() -> None:
    """Given `#:` above a field, of the class or its base, then that is its description."""
    assert "padding" not in field_comments(AnalysisSettings).get("confidence", "")
    assert "share of its width" in field_comments(AnalysisSettings)["box_padding"]
    _, schemas = component_schemas({(CameraStatus, "serialization")})
    assert schemas["CameraStatus"]["properties"]["frames_dropped"]["description"].startswith("Reason -> count")


def test_a_description_in_the_field_wins_over_a_comment() -> None:
    """Given both, then the field's own description stands."""
    _, schemas = component_schemas({(_Both, "validation")})
    assert schemas["_Both"]["properties"]["number"]["description"] == "said here"


class _Both(BaseModel):
    #: said above
    number: int = Field(description="said here")
