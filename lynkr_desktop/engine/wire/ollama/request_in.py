"""Ollama's `/api/chat` and `/api/generate` → `chat`. Reading only: nothing is changed, nothing is made up.

Source: Ollama's API reference (docs/api.md). A prompt is a conversation of one turn. Calls have ids only in newer versions, and
results name their tool or nothing at all: then they are paired in order.
"""

from typing import Final

from msgspec import Raw

from lynkr_desktop.engine.chat.request import (
    ChatRequest,
    ImagePart,
    Message,
    Native,
    OutputFormat,
    Part,
    TextPart,
    Thinking,
    ThinkingPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from lynkr_desktop.engine.wire.naming import digest
from lynkr_desktop.errors import ClientError
from lynkr_desktop.json_reader import Fields, ShapeError

NAME: Final = "ollama"
GENERATE: Final = "ollama_generate"  # a prompt instead of messages; its answers differ, so no bytes go through as they are
_READ: Final = frozenset({"model", "messages", "prompt", "system", "images", "tools", "think", "format", "options", "stream"})
_OPTIONS_READ: Final = frozenset({"num_predict", "temperature", "top_p", "top_k", "stop"})


def parse_request(body: bytes) -> ChatRequest:
    """Read a client's request. Raises `ClientError(400)` that names the JSON path."""
    try:
        return _request(Fields.parse(body), body)
    except ShapeError as error:
        raise ClientError("The request is not in the form of Ollama's API.", f"{error.path}: {error.problem}.") from None


def parse_show(body: bytes) -> str:
    """The model that `/api/show` asks for. Raises `ClientError(400)`."""
    try:
        fields = Fields.parse(body)
        return fields.text_or("model", "") or fields.text("name")
    except ShapeError as error:
        raise ClientError("The request is not in the form of Ollama's API.", f"{error.path}: {error.problem}.") from None


def _request(fields: Fields, body: bytes) -> ChatRequest:
    if fields.text_or("suffix", ""):
        raise ClientError("Text cannot be filled in between two pieces here.", "$.suffix: leave it out.")
    options = fields.optional_fields("options") or Fields({}, "$.options")
    is_generate = "messages" not in fields
    messages = _prompt(fields) if is_generate else tuple(_Conversation().read(fields))
    if not any(message.parts for message in messages):
        raise ClientError(
            "There is nothing to answer.", "$.messages or $.prompt: send some words. Models need not be loaded here."
        )
    limit = options.optional("num_predict", int)
    unread = [key for key in fields.raw if key not in _READ]
    return ChatRequest(
        wire=GENERATE if is_generate else NAME,
        model=fields.text("model"),
        messages=messages,
        body=body,
        fields=fields.raw,
        system=(TextPart(fields.text("system")),) if is_generate and fields.text_or("system", "") else (),
        tools=tuple(_tool(item) for item in fields.objects("tools")),
        is_streamed=fields.optional("stream", bool) is not False,
        wants_stream_usage=True,
        max_tokens=limit if limit is not None and limit > 0 else None,  # -1 and -2 are "no limit"
        temperature=options.optional("temperature", float),
        top_p=options.optional("top_p", float),
        top_k=options.optional("top_k", int),
        stop=_stop(options),
        thinking=_thinking(fields),
        output=_output(fields),
        unread=(*unread, *(f"options.{key}" for key in options.raw if key not in _OPTIONS_READ)),
        framing="ndjson",
    )


def _prompt(fields: Fields) -> tuple[Message, ...]:
    return (Message("user", _words(fields, "prompt", None)),)


def _words(fields: Fields, key: str, native: Native | None) -> tuple[Part, ...]:
    """Words, if there are any, and pictures."""
    words = fields.text_or(key, "")
    said: list[Part] = [TextPart(words, native)] if words else []
    return (*said, *(ImagePart("", image, native=native) for image in fields.optional("images", list[str]) or ()))


class _Conversation:
    """Reads messages in order, and pairs results with calls."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, str]] = []  # id and name of calls that have no result yet

    def read(self, fields: Fields) -> list[Message]:
        """All messages; a system turn keeps its place."""
        return [self._message(item, index) for index, item in enumerate(fields.objects("messages"))]

    def _message(self, fields: Fields, index: int) -> Message:
        role, native = fields.text("role"), Native(NAME, fields.raw)
        match role:
            case "assistant":
                return Message("assistant", self._assistant(fields, index, native), native)
            case "tool":
                return Message("user", (self._result(fields, native),), native)
            case "system":
                return Message("system", (TextPart(fields.text_or("content", ""), native),), native)
            case "user":
                return Message("user", _words(fields, "content", native), native)
        raise ShapeError(fields.at("role"), f"expected system, user, assistant or tool, got {role[:40]!r}")

    def _assistant(self, fields: Fields, index: int, native: Native) -> tuple[Part, ...]:
        parts: list[Part] = []
        if fields.text_or("thinking", ""):
            parts.append(ThinkingPart(fields.text("thinking"), native=native))
        if fields.text_or("content", ""):
            parts.append(TextPart(fields.text("content"), native))
        for place, call in enumerate(fields.objects("tool_calls")):
            function = call.fields("function")
            name = function.text("name")
            call_id = call.text_or("id", "") or f"call_{digest(f'{index}:{place}:{name}', 24)}"
            self._waiting.append((call_id, name))
            arguments = bytes(function.raw["arguments"]).decode("utf-8", "replace") if function.has("arguments") else "{}"
            parts.append(ToolCallPart(call_id, name, arguments, native))
        return tuple(parts)

    def _result(self, fields: Fields, native: Native) -> ToolResultPart:
        call_id = fields.text_or("tool_call_id", "")
        name = fields.text_or("tool_name", "") or fields.text_or("name", "")
        found = next((one for one in self._waiting if one[0] == call_id), None)
        found = found or next((one for one in self._waiting if one[1] == name), None)
        found = found or next((one for one in self._waiting if not call_id and not name), None)
        if found is not None:
            self._waiting.remove(found)
            call_id = found[0]
        content: list[TextPart | ImagePart] = [TextPart(fields.text_or("content", ""))]
        content.extend(ImagePart("", image) for image in fields.optional("images", list[str]) or ())
        return ToolResultPart(call_id or f"call_{name}", tuple(content), native=native)


def _tool(fields: Fields) -> Tool:
    function = fields.fields("function")
    schema: Raw | None = function.raw["parameters"] if function.has("parameters") else None
    return Tool(function.text("name"), function.text_or("description", ""), schema, native=Native(NAME, fields.raw))


def _stop(options: Fields) -> tuple[str, ...]:
    if options.kind("stop") == "string":
        return (options.text("stop"),)
    return tuple(options.optional("stop", list[str]) or ())


def _thinking(fields: Fields) -> Thinking | None:
    match fields.kind("think"):
        case "string":
            return Thinking(is_enabled=True, effort=fields.text("think"))
        case "boolean":
            return Thinking(is_enabled=fields.flag("think"))
    return None


def _output(fields: Fields) -> OutputFormat | None:
    """`json`, or a schema; an empty text is none."""
    match fields.kind("format"):
        case "string":
            return OutputFormat() if fields.text("format") == "json" else None
        case "object":
            return OutputFormat(fields.raw["format"])
    return None
