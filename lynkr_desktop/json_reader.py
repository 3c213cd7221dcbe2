"""Typed reading of untrusted JSON, one level at a time; errors carry the path. Knows no vendor and no settings.

A JSON object is read as `Fields`: its values stay the original bytes (`msgspec.Raw`) until somebody asks for one of them. So a
part that nobody needs to understand costs nothing, and goes out again byte for byte: numbers of any size, unknown keys, order.
"""

import json
import re
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw

T = TypeVar("T")

_ESCAPE: Final = re.compile(  # a pair of surrogates, or half a pair (the group), or any other escape
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])
_ARRAY: Final = msgspec.json.Decoder(list[Raw])
_OBJECTS: Final = msgspec.json.Decoder(list[dict[str, Raw]])
_STRING: Final = msgspec.json.Decoder(str)
_ANY: Final = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder()
_NULL: Final = Raw(b"null")
UNREADABLE: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)  # what a decoder may raise
_MISSING: Final = re.compile(r"Object missing required field `(.*)`")
_BLANK: Final = b" \n\r\t"
_TYPES: Final = re.compile("`(.*?)`")
_WORDS: Final = {"str": "string", "bool": "true or false", "int": "whole number", "float": "number"}
_KINDS: Final = {
    ord('"'): "string",
    ord("{"): "object",
    ord("["): "array",
    ord("t"): "boolean",
    ord("f"): "boolean",
    ord("n"): "null",
}


class ShapeError(Exception):
    """JSON that is not what was expected. `path` is where (`$.messages[2].content`), `problem` is what, in plain words."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


def encode(value: Any) -> bytes:
    """JSON bytes of a value that may hold `Raw` fragments, which go out as they came in."""
    return _ENCODER.encode(value)


def kind_of(raw: Raw | bytes) -> str:
    """`string`, `object`, `array`, `boolean`, `null` or `number`: told by the first byte."""
    if not raw:
        return "nothing"
    first = memoryview(raw)[0]
    return kind_of(bytes(raw).lstrip()) if first in _BLANK else _KINDS.get(first, "number")


def present(raw: Raw) -> Raw | None:
    """An undecoded field of a struct whose default is an empty `Raw`; None if it was missing or null."""
    return raw if raw and raw != _NULL else None


def decode(raw: Raw | bytes, path: str = "$") -> Any:
    """The whole value as plain Python. Raises `ShapeError` if the bytes are not JSON."""
    return decode_with(_ANY, raw, path)


def decode_with(decoder: "msgspec.json.Decoder[T]", raw: Raw | bytes, path: str = "$") -> T:
    """The value as that decoder reads it. Half a surrogate pair becomes U+FFFD. Raises `ShapeError`, with the place inside."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$")
        path += place.rstrip("`")
        missing = _MISSING.fullmatch(problem)
        raise ShapeError(f"{path}.{missing[1]}", "is missing") if missing else ShapeError(path, _expectation(problem)) from None
    except (msgspec.DecodeError, RecursionError) as error:
        mended = _without_half_pairs(bytes(raw))
        if mended != bytes(raw):
            return decode_with(decoder, mended, path)
        raise ShapeError(path, f"is not valid JSON: {_reason(error)}") from None
    except UnicodeDecodeError as error:
        raise ShapeError(path, f"is not valid UTF-8 at byte {error.start}") from None


def _without_half_pairs(text: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: rb"\ufffd" if match[1] else match[0], text)


def _expectation(message: str) -> str:
    """msgspec's "Expected `str | null`, got `int`" in JSON's own words. What may be null may be left out, so that goes unsaid."""
    return _TYPES.sub(lambda match: _in_words(match[1].split(" | ")), message).replace("Expected", "expected", 1)


def _in_words(types: list[str]) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types if name != "null") or "null"


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return str(error).removeprefix("JSON is malformed: ")


class Fields:
    """One JSON object, read key by key. A key that is missing and a key that is `null` are the same to the `optional` readers."""

    __slots__ = ("_place", "raw")

    def __init__(self, raw: dict[str, Raw], path: "str | Place" = "$") -> None:
        self.raw = raw
        self._place = path

    @classmethod
    def parse(cls, body: bytes | Raw, path: str = "$") -> "Fields":
        """Read an object. Raises `ShapeError` if it is something else or not JSON."""
        return cls(decode_with(_OBJECT, body, path), path)

    def __contains__(self, key: str) -> bool:
        return key in self.raw

    @property
    def path(self) -> str:
        """Where this object is, for messages."""
        if isinstance(self._place, str):
            return self._place
        outer, key, index = self._place
        return f"{outer.path}.{key}[{index}]"

    def at(self, key: str) -> str:
        """The path of a key, for messages."""
        return f"{self.path}.{key}"

    def has(self, key: str) -> bool:
        """Is the key there with a value other than null?"""
        raw = self.raw.get(key)
        return raw is not None and raw != _NULL

    def kind(self, key: str) -> str:
        """The JSON kind of a key's value; `nothing` if the key is missing."""
        raw = self.raw.get(key)
        return "nothing" if raw is None else kind_of(raw)

    def need(self, key: str) -> Raw:
        """The undecoded value of a key that must be there."""
        raw = self.raw.get(key)
        if raw is None or raw == _NULL:
            raise ShapeError(self.at(key), "is missing")
        return raw

    def read(self, key: str, decoder: "msgspec.json.Decoder[T]") -> T | None:
        """The value as that decoder reads it; None if missing."""
        raw = self.raw.get(key)
        return None if raw is None or raw == _NULL else self._decoded(decoder, key, raw)

    def _decoded(self, decoder: "msgspec.json.Decoder[T]", key: str, raw: Raw) -> T:
        try:
            return decoder.decode(raw)
        except UNREADABLE:
            return decode_with(decoder, raw, self.at(key))  # once more, with what it takes to mend it or to name the place

    def text(self, key: str) -> str:
        """A string that must be there."""
        return self._decoded(_STRING, key, self.need(key))

    def optional_text(self, key: str) -> str | None:
        """A string, or None."""
        return self.read(key, _STRING)

    def text_or(self, key: str, default: str) -> str:
        """A string, or the default."""
        found = self.read(key, _STRING)
        return default if found is None else found

    def optional(self, key: str, kind: type[T]) -> T | None:
        """A value of a plain type (`int`, `float`, `bool`, `list[str]`…), or None."""
        return self.read(key, _decoder(kind)) if key in self.raw else None

    def flag(self, key: str) -> bool:
        """True or false; missing is false."""
        return bool(self.optional(key, bool))

    def value(self, key: str) -> Any:
        """The whole value as plain Python; None if missing."""
        return decode(self.raw[key], self.at(key)) if key in self.raw else None

    def fields(self, key: str) -> "Fields":
        """An object that must be there."""
        return Fields.parse(self.need(key), self.at(key))

    def optional_fields(self, key: str) -> "Fields | None":
        """An object, or None."""
        return Fields.parse(self.raw[key], self.at(key)) if self.has(key) else None

    def array(self, key: str) -> list[Raw]:
        """An array's undecoded elements; missing is empty."""
        return self.read(key, _ARRAY) or []

    def objects(self, key: str) -> "list[Fields]":
        """An array of objects, each with its own path; missing is empty."""
        return [Fields(raw, (self, key, index)) for index, raw in enumerate(self.fragments(key))]

    def fragments(self, key: str) -> list[dict[str, Raw]]:
        """An array of objects, undecoded; missing is empty."""
        return self.read(key, _OBJECTS) or []

    def without(self, *keys: str) -> dict[str, Raw]:
        """The undecoded fields but these: what nobody has read."""
        return {key: raw for key, raw in self.raw.items() if key not in keys}


Place = tuple[Fields, str, int]  # a path that is put together when it is asked for: the object around, its key, the index there

_DECODERS: dict[Any, "msgspec.json.Decoder[Any]"] = {}


def _decoder(kind: type[T]) -> "msgspec.json.Decoder[T]":
    found = _DECODERS.get(kind)
    if found is None:
        found = _DECODERS[kind] = msgspec.json.Decoder(kind)
    return found


def is_json(text: str) -> bool:
    """Is the text one whole JSON value?"""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
