"""Gemini requests → `chat`. Reading only: nothing is changed, nothing is made up.

Source: the reference of `generateContent` (Gemini API, v1beta). As in all of Google's JSON, names may be written in camelCase or
in snake_case; both are read. Model and streaming are in the request's address: the door adds them.
"""

from collections.abc import Callable
from typing import Final, Literal

import msgspec
from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import (
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    Native,
    OpaquePart,
    OutputFormat,
    Part,
    TextPart,
    Thinking,
    ThinkingPart,
    Tool,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
)
from lynkr_desktop.engine.wire.gemini.schema import from_google
from lynkr_desktop.engine.wire.gemini.signatures import marked
from lynkr_desktop.engine.wire.naming import digest
from lynkr_desktop.errors import ClientError
from lynkr_desktop.json_reader import Fields, ShapeError

NAME: Final = "gemini"
_READ: Final = frozenset({"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model"})
_CONFIG_READ: Final = frozenset(
    {
        *("maxOutputTokens", "temperature", "topP", "topK", "stopSequences", "thinkingConfig", "candidateCount"),
        *("responseMimeType", "responseSchema", "responseJsonSchema", "_responseJsonSchema"),
    }
)
_MODES: Final[dict[str, Literal["auto", "required", "none"]]] = {
    "AUTO": "auto",
    "VALIDATED": "auto",
    "ANY": "required",
    "NONE": "none",
    "MODE_UNSPECIFIED": "auto",
}


def camel(name: str) -> str:
    """`system_instruction` → `systemInstruction`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest) if head else name


def either(fields: Fields, key: str) -> str:
    """The spelling under which a key is there; the key itself if it is not."""
    if key in fields:
        return key
    return next((name for name in fields.raw if camel(name) == key), key)


def parse_request(body: bytes) -> ChatRequest:
    """Read a client's request. Raises `ClientError(400)` that names the JSON path."""
    try:
        fields = Fields.parse(body)
        wrapped = fields.optional_fields(either(fields, "generateContentRequest"))  # of countTokens
        if wrapped is not None:
            return _request(wrapped, json_reader.encode(wrapped.raw))
        return _request(fields, body)
    except ShapeError as error:
        raise ClientError("The request is not in the form of the Gemini API.", f"{error.path}: {error.problem}.") from None


def _request(fields: Fields, body: bytes) -> ChatRequest:
    contents = either(fields, "contents")
    fields.need(contents)
    raw_config = fields.optional_fields(either(fields, "generationConfig"))
    config = raw_config or Fields({}, "$.generationConfig")
    if (config.optional(either(config, "candidateCount"), int) or 1) > 1:
        raise ClientError("Only one answer can be asked for at a time.", "$.generationConfig.candidateCount: leave it out.")
    system = fields.optional_fields(either(fields, "systemInstruction"))
    unread = [key for key in fields.raw if camel(key) not in _READ]
    unread += [f"generationConfig.{key}" for key in config.raw if camel(key) not in _CONFIG_READ]
    return ChatRequest(
        wire=NAME,
        model=fields.text_or("model", "").removeprefix("models/"),
        messages=Conversation().read(fields, contents),
        body=body,
        fields=fields.raw,
        system=system_parts(system),
        tools=tools_of(fields),
        tool_choice=_tool_choice(fields.optional_fields(either(fields, "toolConfig"))),
        wants_stream_usage=True,
        max_tokens=config.optional(either(config, "maxOutputTokens"), int),
        temperature=config.optional("temperature", float),
        top_p=config.optional(either(config, "topP"), float),
        top_k=_top_k(config),
        stop=tuple(config.optional(either(config, "stopSequences"), list[str]) or ()),
        thinking=_thinking(config.optional_fields(either(config, "thinkingConfig"))),
        output=_output(config),
        unread=tuple(unread),
    )


def system_parts(fields: Fields | None) -> tuple[TextPart, ...]:
    """The texts of a system instruction."""
    if fields is None:
        return ()
    return tuple(TextPart(part.text("text"), Native(NAME, part.raw)) for part in fields.objects("parts") if part.has("text"))


class Conversation:
    """Reads contents. Calls and results find each other by id, or else by name and order, for older clients send no ids."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, str]] = []  # id and name of calls that have no result yet

    def read(self, fields: Fields, key: str) -> tuple[Message, ...]:
        """All messages. What a model said in several contents in a row is one turn: Google's own programs keep each chunk of a
        stream as a content of its own."""
        messages: list[Message] = []
        for index, item in enumerate(fields.objects(key)):
            message = self._message(item, index)
            if messages and message.role == "assistant" == messages[-1].role:
                messages[-1] = msgspec.structs.replace(messages[-1], parts=_joined(messages[-1].parts, message.parts))
            else:
                messages.append(message)
        return tuple(messages)

    def _message(self, fields: Fields, index: int) -> Message:
        role = fields.text_or("role", "user")
        if role not in {"user", "model", "function", "system"}:
            raise ShapeError(fields.at("role"), f"expected user or model, got {role[:40]!r}")
        parts = tuple(self._part(part, f"{index}:{place}") for place, part in enumerate(fields.objects("parts")))
        return Message("assistant" if role == "model" else "user", parts, Native(NAME, fields.raw))

    def _part(self, fields: Fields, place: str) -> Part:
        native = Native(NAME, fields.raw)
        if fields.flag("thought"):
            signature = fields.optional_text(either(fields, "thoughtSignature"))
            return ThinkingPart(fields.text_or("text", ""), signature and marked(signature), native=native)
        readers: dict[str, Callable[[Fields], Part]] = {
            "functionCall": lambda call: self._call(call, place, native),
            "functionResponse": lambda result: self._result(result, native),
            "inlineData": lambda blob: _blob(blob, native),
            "fileData": lambda file: _file(file, native),
        }
        for key, read in readers.items():
            name = either(fields, key)
            if fields.has(name):
                return read(fields.fields(name))
        if fields.has("text"):
            return TextPart(fields.text("text"), native)
        kind = next((name for name in fields.raw if camel(name) not in {"thoughtSignature", "thought"}), "empty")
        return OpaquePart(kind, native)

    def _call(self, fields: Fields, place: str, native: Native) -> ToolCallPart:
        name = fields.text("name")
        call_id = fields.text_or("id", "") or f"call_{digest(f'{place}:{name}', 24)}"
        self._waiting.append((call_id, name))
        arguments = bytes(fields.raw["args"]).decode("utf-8", "replace") if fields.has("args") else "{}"
        return ToolCallPart(call_id, name, arguments, native)

    def _result(self, fields: Fields, native: Native) -> ToolResultPart:
        name, call_id = fields.text_or("name", ""), fields.text_or("id", "")
        found = next((one for one in self._waiting if one[0] == call_id), None)
        found = found or next((one for one in self._waiting if one[1] == name), None)
        if found is not None:
            self._waiting.remove(found)
            call_id = found[0]
        response = fields.optional_fields("response") or Fields({})
        content: list[TextPart | ImagePart | DocumentPart | OpaquePart] = [TextPart(_words(response))]
        for part in fields.objects("parts"):
            blob = part.optional_fields(either(part, "inlineData"))
            content.append(_blob(blob, Native(NAME, part.raw)) if blob else OpaquePart("media", Native(NAME, part.raw)))
        return ToolResultPart(call_id or f"call_{name}", tuple(content), is_error=set(response.raw) == {"error"}, native=native)


def _joined(before: tuple[Part, ...], after: tuple[Part, ...]) -> tuple[Part, ...]:
    """Parts in a row; where words meet words, they go on without a break."""
    last, first = before[-1] if before else None, after[0] if after else None
    if not (isinstance(last, TextPart) and isinstance(first, TextPart) and _is_bare(last) and _is_bare(first)):
        return (*before, *after)
    text = last.text + first.text
    return (*before[:-1], TextPart(text, Native(NAME, {"text": Raw(json_reader.encode(text))})), *after[1:])


def _is_bare(part: TextPart) -> bool:
    return part.native is not None and set(part.native.fragment) == {"text"}


def _words(response: Fields) -> str:
    """A tool's result as text: its one `output` or `error` where that is a string, else all of it as JSON."""
    if len(response.raw) == 1:
        for key in ("output", "error", "result"):
            if response.kind(key) == "string":
                return response.text(key)
    return json_reader.encode(response.raw).decode("utf-8", "replace") if response.raw else ""


def _blob(fields: Fields, native: Native) -> ImagePart | DocumentPart | OpaquePart:
    media_type = fields.text_or(either(fields, "mimeType"), "")
    content = fields.text("data")
    if media_type.startswith("image/"):
        return ImagePart(media_type, content, native=native)
    if media_type.startswith(("audio/", "video/")):
        return OpaquePart(media_type, native)
    return DocumentPart(media_type, content, native=native)


def _file(fields: Fields, native: Native) -> ImagePart | DocumentPart:
    media_type = fields.text_or(either(fields, "mimeType"), "")
    address = fields.text(either(fields, "fileUri"))
    if media_type.startswith("image/"):
        return ImagePart(media_type, url=address, native=native)
    return DocumentPart(media_type, url=address, native=native)


def tools_of(fields: Fields) -> tuple[Tool, ...]:
    """The functions of all entries, and each tool that Google runs itself as one of its own kind."""
    tools: list[Tool] = []
    for entry in fields.objects("tools"):
        functions = either(entry, "functionDeclarations")
        tools.extend(_function(item) for item in entry.objects(functions))
        tools.extend(
            Tool(camel(key), kind=camel(key), native=Native(NAME, {key: raw})) for key, raw in entry.without(functions).items()
        )
    return tuple(tools)


def _function(fields: Fields) -> Tool:
    key = either(fields, "parametersJsonSchema")
    if not fields.has(key):
        key = "parameters"
    schema: Raw | None = from_google(bytes(fields.raw[key])) if fields.has(key) else None
    return Tool(fields.text("name"), fields.text_or("description", ""), schema, native=Native(NAME, fields.raw))


def _tool_choice(fields: Fields | None) -> ToolChoice | None:
    config = fields.optional_fields(either(fields, "functionCallingConfig")) if fields else None
    if config is None:
        return None
    mode = config.text_or("mode", "AUTO").upper()
    if mode not in _MODES:
        raise ShapeError(config.at("mode"), f"expected AUTO, ANY, NONE or VALIDATED, got {mode[:40]!r}")
    names = config.optional(either(config, "allowedFunctionNames"), list[str]) or []
    if mode == "ANY" and len(names) == 1:
        return ToolChoice("named", names[0])
    return ToolChoice(_MODES[mode])


def _top_k(config: Fields) -> int | None:
    """Google's clients send a whole number as `40` or `40.0`."""
    value = config.optional(either(config, "topK"), float)
    return None if value is None else int(value)


def _thinking(fields: Fields | None) -> Thinking | None:
    if fields is None:
        return None
    budget = fields.optional(either(fields, "thinkingBudget"), int)
    level = fields.optional_text(either(fields, "thinkingLevel"))
    effort = None if level is None or level.upper() == "THINKING_LEVEL_UNSPECIFIED" else level.lower()
    if budget is None and effort is None:
        return Thinking(is_enabled=True, is_adaptive=True) if fields.flag(either(fields, "includeThoughts")) else None
    is_adaptive = budget is not None and budget < 0  # -1 leaves it to the model
    return Thinking(
        is_enabled=budget != 0, budget_tokens=budget or None if not is_adaptive else None, effort=effort, is_adaptive=is_adaptive
    )


def _output(config: Fields) -> OutputFormat | None:
    for key in ("responseJsonSchema", "_responseJsonSchema", "responseSchema"):
        name = either(config, key)
        if config.has(name):
            return OutputFormat(from_google(bytes(config.raw[name])))
    is_json = config.text_or(either(config, "responseMimeType"), "text/plain") == "application/json"
    return OutputFormat() if is_json else None
