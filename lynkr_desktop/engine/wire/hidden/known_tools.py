"""A request's tools as a model may print them: names mended where that is unambiguous, arguments with types. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import Tool
from lynkr_desktop.engine.wire.hidden.source import Mismatch
from lynkr_desktop.json_reader import Fields, ShapeError

_PREFIX: Final = re.compile(r"^(?:functions?|tools?|default_api)[.:/]")
_ORDINAL: Final = re.compile(r":\d+$")  # Kimi numbers its calls
_NAMES: Final = ("name", "tool_name", "tool", "function")
_ARGUMENTS: Final = ("arguments", "parameters", "input", "args")
_OBJECTS: Final = msgspec.json.Decoder(list[dict[str, Raw]])
_KINDS: Final = {"integer": "number"}


class Call(NamedTuple):
    """One call: the client's own name of the tool, and its arguments as the text of a JSON object."""

    name: str
    arguments: str


class KnownTools:
    """The tools of one request. `tool_names` are those that were renamed for the provider: its name → the client's."""

    def __init__(self, tools: Iterable[Tool], tool_names: Mapping[str, str]) -> None:
        self._schemas = {tool.name: tool.schema for tool in tools if tool.kind == "function" and tool.name}
        self._printed = {name: name for name in self._schemas}
        self._printed |= {printed: name for printed, name in tool_names.items() if name in self._schemas}

    def __bool__(self) -> bool:
        return bool(self._printed)

    def name(self, printed: str) -> str:
        """The tool that a model means. Raises `Mismatch` if it is none, or if it could be two."""
        printed = printed.strip().strip("\"'")
        short = _ORDINAL.sub("", _PREFIX.sub("", printed))
        for candidate in (printed, short):
            if candidate in self._printed:
                return self._printed[candidate]
        folded = short.casefold()
        for fits in (str.__eq__, lambda known, wanted: bool(wanted) and known.endswith((f"__{wanted}", f".{wanted}"))):
            found = {name for known, name in self._printed.items() if fits(known.casefold(), folded)}
            if len(found) == 1:
                return found.pop()
        raise Mismatch

    def call(self, printed: str, arguments: str) -> Call:
        """A call whose arguments are the text of a JSON object."""
        return Call(self.name(printed), _object_text(arguments))

    def calls(self, text: str, *, needs_arguments: bool = False) -> list[Call]:
        """The calls that a JSON object, or an array of such, says. Raises `Mismatch` unless all of it are calls."""
        rows = _decoded(text if text.startswith("[") else f"[{text}]")
        if not rows:
            raise Mismatch
        return [self._call_of(row, needs_arguments=needs_arguments) for row in rows]

    def _call_of(self, row: dict[str, Raw], *, needs_arguments: bool) -> Call:
        inner = row.get("function")
        if inner is not None and json_reader.kind_of(inner) == "object":
            return self._call_of(Fields.parse(inner).raw, needs_arguments=needs_arguments)
        names = [row[key] for key in _NAMES if key in row and json_reader.kind_of(row[key]) == "string"]
        arguments = next((row[key] for key in _ARGUMENTS if key in row), None)
        if not names or (arguments is None and needs_arguments):
            raise Mismatch
        name = self.name(json_reader.decode(names[0]))
        match "nothing" if arguments is None else json_reader.kind_of(arguments):
            case "nothing" | "null":
                return Call(name, "{}")
            case "object":
                return Call(name, bytes(arguments or b"").decode("utf-8", "replace"))
            case "string":
                return Call(name, _object_text(json_reader.decode(arguments or b"")))
            case _:
                raise Mismatch

    def typed(self, name: str, values: Mapping[str, str], *, words: frozenset[str] = frozenset()) -> Call:
        """A call whose arguments came as words: the tool's schema says what they are. Those in `words` are text for certain."""
        schema = self._schemas[name]
        fields = Fields.parse(schema) if schema is not None and json_reader.kind_of(schema) == "object" else None
        properties = fields.fields("properties") if fields and fields.kind("properties") == "object" else Fields({})
        arguments = {key: text if key in words else _typed(text, properties, key) for key, text in values.items()}
        return Call(name, json_reader.encode(arguments).decode())


def _typed(text: str, properties: Fields, key: str) -> Any:
    """A value of the declared kind where the text is one; else the text itself."""
    if properties.kind(key) != "object":
        return text
    kinds = _declared(properties.fields(key))
    plain = text.strip()
    if plain in {"True", "False"}:
        plain = plain.lower()
    if "string" in kinds or not json_reader.is_json(plain):
        return text
    kind = json_reader.kind_of(plain.encode())
    if kind in kinds or (not kinds and kind in {"object", "array"}):
        return Raw(plain.encode())
    return text


def _declared(schema: Fields) -> set[str]:
    """The JSON kinds that a schema names; none if it does not say."""
    raw = schema.value("type")
    kinds = {raw} if isinstance(raw, str) else {kind for kind in raw if isinstance(kind, str)} if isinstance(raw, list) else set()
    for choice in ("anyOf", "oneOf"):
        if schema.kind(choice) == "array":
            for inner in schema.array(choice):
                if json_reader.kind_of(inner) == "object":
                    kinds |= _declared(Fields.parse(inner))
    return {_KINDS.get(kind, kind) for kind in kinds}


def _decoded(text: str) -> list[dict[str, Raw]]:
    """An array of objects. Line breaks inside of strings, which models print and JSON forbids, are let pass."""
    body = text.encode("utf-8", "replace")
    try:
        return json_reader.decode_with(_OBJECTS, body)
    except ShapeError:
        try:
            loose = json.dumps(json.loads(text, strict=False), ensure_ascii=False)
            return json_reader.decode_with(_OBJECTS, loose.encode("utf-8", "replace"))
        except (ValueError, RecursionError, ShapeError):
            raise Mismatch from None


def _object_text(text: str) -> str:
    """The text of one JSON object; nothing at all is an empty one."""
    text = text.strip() or "{}"
    rows = _decoded(f"[{text}]") if text.startswith("{") else []
    if len(rows) != 1:
        raise Mismatch
    return text if json_reader.is_json(text) else json_reader.encode(rows[0]).decode()
