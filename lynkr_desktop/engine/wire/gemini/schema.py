"""JSON Schema as Gemini takes it, and Gemini's own schemas as JSON Schema. Pure.

Google's `parametersJsonSchema` and `responseJsonSchema` know the keywords listed here and refuse or ignore others (reference of
`GenerationConfig`, read in November 2026). So a schema is walked by role: what is a schema is cleaned, what is a map of names to
schemas is not, and a property that happens to be called `properties` is neither taken for the one nor for the other.
"""

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from msgspec import Raw

from lynkr_desktop import json_reader

_PLAIN: Final = frozenset(
    {
        *("type", "title", "description", "enum", "required", "format"),
        *("minItems", "maxItems", "minimum", "maximum", "$ref", "$id", "$anchor", "propertyOrdering"),
    }
)
_SCHEMAS: Final = frozenset({"items", "additionalProperties"})
_LISTS: Final = frozenset({"anyOf", "oneOf", "prefixItems"})
_MAPS: Final = frozenset({"properties", "$defs"})
_FORMATS: Final = frozenset({"date-time", "date", "time", "enum", "int32", "int64", "float", "double"})
# Dropping these changes nothing that a model may answer.
_HARMLESS: Final = frozenset(
    {"$schema", "$comment", "default", "examples", "example", "deprecated", "readOnly", "writeOnly", "format"}
)
_SHAPES: Final = {"type": str | list, "enum": list, "required": list, "format": str, "title": str, "description": str}
_OLD_REFERENCE: Final = re.compile(r"^#/definitions/")


class Cleaned(NamedTuple):
    """A schema for Google, and the keywords that mattered and were dropped."""

    schema: Raw
    dropped: tuple[str, ...]


@lru_cache(maxsize=512)
def for_google(schema: bytes) -> Cleaned:
    """A JSON Schema with only what Google knows. Same schema, same result."""
    dropped: dict[str, None] = {}
    value = json_reader.decode(schema)
    cleaned = _clean(value, dropped) if isinstance(value, dict) else {}
    if isinstance(cleaned, dict) and not {"type", "$ref", "anyOf", "oneOf"} & set(cleaned):
        cleaned = {"type": "object", **cleaned}
    return Cleaned(Raw(json_reader.encode(cleaned)), tuple(dropped))


def _clean(schema: Any, dropped: dict[str, None]) -> Any:
    if not isinstance(schema, dict):
        return schema if isinstance(schema, bool) else {}
    schema = _merged(_translated(schema))
    if isinstance(reference := schema.get("$ref"), str):  # beside it Google allows only keywords that begin with `$`
        kept = {"$ref": _OLD_REFERENCE.sub("#/$defs/", reference)}
        return kept | {key: _cleaned(key, schema[key], dropped) for key in ("$defs",) if key in schema}
    cleaned: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _PLAIN | _SCHEMAS | _LISTS | _MAPS:
            cleaned[key] = _cleaned(key, value, dropped)
        elif key not in _HARMLESS:
            dropped[key] = None
    return _mended(cleaned)


def _cleaned(key: str, value: Any, dropped: dict[str, None]) -> Any:
    """The value of one keyword, by the role that it has."""
    if key in _SCHEMAS:
        if key == "items" and isinstance(value, list):  # a tuple in the manner of older drafts
            return _clean(value[0], dropped) if value else {}
        return _clean(value, dropped)
    if key in _LISTS:
        return [_clean(one, dropped) for one in value] if isinstance(value, list) else []
    if key in _MAPS:
        return {name: _clean(one, dropped) for name, one in value.items()} if isinstance(value, dict) else {}
    return value


def _translated(schema: dict[str, Any]) -> dict[str, Any]:
    """Keywords that have another form which Google knows."""
    translated = {("$defs" if key == "definitions" else key): value for key, value in schema.items()}
    if "const" in translated:
        translated.setdefault("enum", [translated.pop("const")])
    for bound, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(translated.get(bound), int | float) and not isinstance(translated[bound], bool):
            translated.setdefault(plain, translated.pop(bound))
    return translated


def _merged(schema: dict[str, Any]) -> dict[str, Any]:
    """Without `allOf`: its parts are laid over each other, properties and required names united."""
    parts = schema.get("allOf")
    if not isinstance(parts, list):
        return schema
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in parts:
        for key, value in _merged(_translated(part)).items() if isinstance(part, dict) else ():
            if isinstance(merged.get(key), dict) and isinstance(value, dict):
                merged[key] = {**merged[key], **value}
            elif key == "required" and isinstance(merged.get(key), list) and isinstance(value, list):
                merged[key] = list(dict.fromkeys([*merged[key], *value]))
            else:
                merged.setdefault(key, value)
    return merged


def _mended(schema: dict[str, Any]) -> dict[str, Any]:
    """What Google demands where JSON Schema does not: words as the values of an enum, items of an array."""
    schema = {key: value for key, value in schema.items() if isinstance(value, _SHAPES.get(key, object))}
    enum = schema.get("enum")
    if enum is not None:
        if "type" not in schema and all(isinstance(value, str) for value in enum):
            schema["type"] = "string"
        elif not all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in enum):
            schema.pop("enum")  # `null`, objects: Google knows words and numbers only
    if schema.get("type") == "array" and not {"items", "prefixItems"} & set(schema):
        schema["items"] = {}
    if schema.get("format") not in _FORMATS:
        schema.pop("format", None)
    return schema


@lru_cache(maxsize=512)
def from_google(schema: bytes) -> Raw:
    """Google's own form of schema (`"type": "STRING"`, `nullable`) as JSON Schema; one that is that already stays as it is."""
    value = json_reader.decode(schema)
    plain = _plain(value)
    return Raw(schema) if plain == value else Raw(json_reader.encode(plain))


def _plain(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    plain: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, str):
            plain[key] = value.lower()
        elif key in {"minItems", "maxItems", "minLength", "maxLength"} and isinstance(value, str) and value.isdigit():
            plain[key] = int(value)  # Google writes 64-bit numbers as text
        elif key in _SCHEMAS:
            plain[key] = _plain(value)
        elif key in _LISTS and isinstance(value, list):
            plain[key] = [_plain(one) for one in value]
        elif key in _MAPS and isinstance(value, dict):
            plain[key] = {name: _plain(one) for name, one in value.items()}
        else:
            plain[key] = value
    if plain.pop("nullable", False) is True and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    return plain
