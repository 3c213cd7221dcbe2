"""JSON Schema as Google takes it. Rows are those of the list of known pitfalls."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkr_desktop.engine.wire.gemini.schema import for_google, from_google
from tests.fakes.gemini_rules import check_schema


def cleaned(schema: Any) -> tuple[Any, tuple[str, ...]]:
    found = for_google(json.dumps(schema).encode())
    value = json.loads(bytes(found.schema))
    check_schema(value, "$")
    return value, found.dropped


def test_row_168_unknown_keywords_go_and_those_that_mattered_are_told() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"a": {"type": "string", "default": "x", "pattern": "^x", "format": "uri", "examples": ["x"]}},
        "additionalProperties": False,
        "propertyNames": {"pattern": "^a"},
    }
    value, dropped = cleaned(schema)
    assert value == {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    assert dropped == ("pattern", "propertyNames")


def test_row_168_references_stay_and_all_of_is_merged() -> None:
    schema = {
        "definitions": {"point": {"type": "object", "properties": {"x": {"type": "number", "exclusiveMinimum": 0}}}},
        "allOf": [
            {"type": "object", "required": ["a"]},
            {"properties": {"a": {"$ref": "#/definitions/point", "description": "d"}}},
        ],
        "required": ["b"],
        "properties": {"b": {"const": "only"}},
    }
    value, dropped = cleaned(schema)
    assert value == {
        "$defs": {"point": {"type": "object", "properties": {"x": {"type": "number", "minimum": 0}}}},
        "type": "object",
        "required": ["b", "a"],
        "properties": {"b": {"enum": ["only"], "type": "string"}, "a": {"$ref": "#/$defs/point"}},
    }
    assert dropped == ()


def test_row_169_a_property_that_is_called_like_a_keyword() -> None:
    names = {
        "properties": {"type": "string"},
        "pattern": {"type": "string"},
        "$ref": {"type": "string"},
        "items": {"type": "array"},
    }
    value, dropped = cleaned({"type": "object", "properties": names})
    assert set(value["properties"]) == set(names)
    assert value["properties"]["items"] == {"type": "array", "items": {}}
    assert dropped == ()


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"type": "object", "properties": {"e": {"enum": ["a"]}}}, {"enum": ["a"], "type": "string"}),
        ({"type": "object", "properties": {"e": {"type": "integer", "enum": [1, 2]}}}, {"type": "integer", "enum": [1, 2]}),
        ({"type": "object", "properties": {"e": {"enum": ["a", None]}}}, {}),
        ({"type": "object", "properties": {"e": {"type": "array"}}}, {"type": "array", "items": {}}),
        (
            {"type": "object", "properties": {"e": {"type": "array", "items": [{"type": "string"}]}}},
            {"type": "array", "items": {"type": "string"}},
        ),
        ({"type": "object", "properties": {"e": True}}, True),
    ],
)
def test_row_171_what_google_demands_beyond_the_standard(schema: Any, wanted: Any) -> None:
    assert cleaned(schema)[0]["properties"]["e"] == wanted


def test_a_root_without_a_type_gets_one() -> None:
    assert cleaned({})[0] == {"type": "object"}
    assert cleaned({"anyOf": [{"type": "object"}]})[0] == {"anyOf": [{"type": "object"}]}


_KEYWORDS = st.sampled_from(["type", "format", "enum", "const", "default", "pattern", "items", "required"])
_VALUES = st.none() | st.text(max_size=3) | st.lists(st.integers() | st.none(), max_size=2)


def _nested(inner: Any) -> Any:
    maps = st.dictionaries(st.text(max_size=3), inner, max_size=2)
    return (
        st.dictionaries(st.sampled_from(["properties", "$defs", "not", "if"]), maps)
        | st.dictionaries(st.sampled_from(["anyOf", "allOf", "oneOf"]), st.lists(inner, max_size=2))
        | st.dictionaries(st.sampled_from(["items", "additionalProperties", "contains"]), inner)
    )


_SCHEMAS: Any = st.recursive(st.dictionaries(_KEYWORDS, _VALUES, max_size=3), _nested, max_leaves=8)


@settings(max_examples=80, deadline=None)
@given(_SCHEMAS)
def test_any_schema_comes_out_in_googles_words_and_stays_so(schema: Any) -> None:
    value, _ = cleaned(schema)
    assert cleaned(value) == (value, ())


def test_googles_own_form_becomes_the_standard_and_the_standard_stays() -> None:
    google = {
        "type": "OBJECT",
        "properties": {"type": {"type": "ARRAY", "items": {"type": "STRING", "nullable": True}, "minItems": "2"}},
    }
    assert json.loads(bytes(from_google(json.dumps(google).encode()))) == {
        "type": "object",
        "properties": {"type": {"type": "array", "items": {"type": ["string", "null"]}, "minItems": 2}},
    }
    standard = b'{ "type":"object" , "properties": {"a":{"type":"string"}} }'
    assert bytes(from_google(standard)) == standard
