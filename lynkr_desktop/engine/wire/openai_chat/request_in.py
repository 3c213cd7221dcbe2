"""Chat Completions requests → `chat`. Reading only: nothing is changed, nothing is made up.

Source: the Chat Completions reference and the types of OpenAI's own SDK; `reasoning_content` is what DeepSeek, llama.cpp and
others add. Every message and part keeps its original fragment: messages, calls and tools are read twice over, once as fragments
and once into the structs below, which name all that is understood of them.
"""

from collections.abc import Mapping, Sequence
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
from lynkr_desktop.errors import ClientError
from lynkr_desktop.json_reader import Fields, ShapeError

NAME: Final = "openai_chat"
_ContentPart = TextPart | ImagePart | DocumentPart | OpaquePart
_Content = tuple[_ContentPart, ...]
SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_READ: Final = frozenset(
    {
        *("model", "messages", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "user", "n"),
        *("stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "stop"),
        *("reasoning_effort", "reasoning", "response_format"),
    }
)
_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_RESULT_ROLES: Final = frozenset({"tool", "function"})
_FUNCTION_TYPES: Final = frozenset({None, "function"})  # a tool or a call without a type is one, too
_CHOICES: Final[dict[str, Literal["auto", "required", "none"]]] = {"auto": "auto", "required": "required", "none": "none"}


class _Function(msgspec.Struct, gc=False):
    name: str
    arguments: str | None = None


class _Call(msgspec.Struct, gc=False):
    id: str | None = None
    type: str | None = None
    function: _Function | None = None


class _Message(msgspec.Struct, gc=False):
    role: str
    content: str | list[Raw] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    name: str | None = None
    function_call: _Function | None = None


class _Definition(msgspec.Struct, gc=False):
    name: str
    description: str | None = None
    parameters: Raw = Raw()
    strict: bool | None = None


class _Tool(msgspec.Struct, gc=False):
    type: str | None = None
    function: _Definition | None = None


_MESSAGES: Final = msgspec.json.Decoder(list[_Message])
_TOOLS: Final = msgspec.json.Decoder(list[_Tool])
_DEFINITIONS: Final = msgspec.json.Decoder(list[_Definition])


def parse_request(body: bytes) -> ChatRequest:
    """Read a client's request. Raises `ClientError(400)` that names the JSON path."""
    try:
        return _request(Fields.parse(body), body).with_origin()
    except ShapeError as error:
        raise ClientError("The request is not in the form of Chat Completions.", f"{error.path}: {error.problem}.") from None


def _request(fields: Fields, body: bytes) -> ChatRequest:
    if (fields.optional("n", int) or 1) > 1:
        raise ClientError("Only one answer can be asked for at a time.", "$.n: leave it out or set it to 1.")
    fields.need("messages")
    turns = list(zip(fields.objects("messages"), fields.read("messages", _MESSAGES) or (), strict=True))
    system, first = _opening(turns)
    options = fields.optional_fields("stream_options")
    max_tokens = fields.optional("max_completion_tokens", int)
    return ChatRequest(
        wire=NAME,
        model=fields.text("model"),
        messages=_messages(turns[first:]),
        body=body,
        fields=fields.raw,
        system=system,
        tools=_tools(fields),
        tool_choice=_tool_choice(fields),
        is_streamed=fields.flag("stream"),
        wants_stream_usage=bool(options and options.flag("include_usage")),
        max_tokens=fields.optional("max_tokens", int) if max_tokens is None else max_tokens,
        temperature=fields.optional("temperature", float),
        top_p=fields.optional("top_p", float),
        top_k=fields.optional("top_k", int),
        stop=_stop(fields),
        thinking=_thinking(fields),
        output=_output(fields.optional_fields("response_format")),
        user=fields.optional_text("user"),
        unread=tuple(key for key in fields.raw if key not in _READ),
    )


def _opening(turns: Sequence[tuple[Fields, _Message]]) -> tuple[tuple[TextPart, ...], int]:
    """The system texts that open a conversation, and how many messages they take."""
    parts: list[TextPart] = []
    count = 0
    for item, message in turns:
        if message.role not in SYSTEM_ROLES:
            break
        parts.extend(part for part in _content(item, message) if isinstance(part, TextPart))
        count += 1
    return tuple(parts), count


def _messages(turns: Sequence[tuple[Fields, _Message]]) -> tuple[Message, ...]:
    messages: list[Message] = []
    legacy_ids: dict[str, str] = {}  # function → id made up for its last call; the legacy form has none
    for index, (item, message) in enumerate(turns):
        role = message.role
        if role not in _ROLES:
            raise ShapeError(item.at("role"), f"expected system, developer, user, assistant or tool, got {role[:40]!r}")
        native = Native(NAME, item.raw)
        content = _content(item, message)
        if role == "assistant":
            messages.append(Message("assistant", _assistant(item, message, content, index, legacy_ids), native))
        elif role in _RESULT_ROLES:
            messages.append(Message("user", (_result(item, message, content, legacy_ids, native),), native))
        else:
            messages.append(Message("system" if role in SYSTEM_ROLES else "user", content, native))
    return tuple(messages)


def _result(item: Fields, message: _Message, content: _Content, legacy_ids: Mapping[str, str], native: Native) -> ToolResultPart:
    if message.role == "tool":
        return ToolResultPart(message.tool_call_id or item.text("tool_call_id"), content, native=native)
    name = message.name or item.text("name")
    return ToolResultPart(legacy_ids.get(name, f"call_{name}"), content, native=native)


def _assistant(item: Fields, message: _Message, content: _Content, index: int, legacy_ids: dict[str, str]) -> tuple[Part, ...]:
    parts: list[Part] = []
    reasoning = reasoning_text(item)
    if reasoning:
        parts.append(ThinkingPart(reasoning, native=Native(NAME, {})))
    parts.extend(content)
    if message.tool_calls:
        parts.extend(map(_call, message.tool_calls, item.objects("tool_calls")))
    legacy = message.function_call
    if legacy is not None:
        legacy_ids[legacy.name] = f"call_{index}_{legacy.name}"
        native = Native(NAME, {"function_call": item.raw["function_call"]})
        parts.append(ToolCallPart(legacy_ids[legacy.name], legacy.name, legacy.arguments or "", native))
    return tuple(parts)


def _call(call: _Call, item: Fields) -> ToolCallPart | OpaquePart:
    native = Native(NAME, item.raw)
    if call.type not in _FUNCTION_TYPES:
        return OpaquePart(item.text("type"), native)
    function = call.function
    if call.id is None or function is None:
        raise ShapeError(item.at("function" if call.id is not None else "id"), "is missing")
    return ToolCallPart(call.id, function.name, function.arguments or "", native)


def reasoning_text(item: Fields) -> str:
    """The reasoning beside an assistant's content, under whichever of its names."""
    for key in ("reasoning_content", "reasoning"):
        if item.kind(key) == "string":
            return item.text(key)
    return ""


def _content(item: Fields, message: _Message) -> _Content:
    content = message.content
    if isinstance(content, str):
        return (TextPart(content),)
    return tuple(map(_part, item.objects("content"))) if content else ()


def _part(fields: Fields) -> _ContentPart:
    native = Native(NAME, fields.raw)
    kind = fields.text("type")
    if kind == "text":
        return TextPart(fields.text("text"), native)
    if kind == "refusal":
        return TextPart(fields.text("refusal"), native)
    if kind == "image_url":
        image = fields.fields("image_url") if fields.kind("image_url") == "object" else None
        media_type, base64, url = split_data_url(image.text("url") if image else fields.text("image_url"))
        return ImagePart(media_type, base64, url, native)
    if kind == "file":
        file = fields.fields("file")
        content = file.optional_text("file_data")
        if content is not None:
            media_type, base64, url = split_data_url(content)
            if not media_type:  # some clients leave out the `data:` head
                media_type, base64, url = "application/pdf", content, None
            return DocumentPart(media_type, base64, url, title=file.optional_text("filename"), native=native)
    return OpaquePart(kind, native)


def split_data_url(url: str) -> tuple[str, str | None, str | None]:
    """Media type and base64 of a `data:` address; any other address is the third."""
    head, comma, content = url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return head[5:-7].partition(";")[0], content, None
    return "", None, url


def _tools(fields: Fields) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for tool, item in zip(fields.read("tools", _TOOLS) or (), fields.objects("tools"), strict=True):
        native = Native(NAME, item.raw)
        if tool.type not in _FUNCTION_TYPES:
            kind = item.text("type")
            named = item.optional_fields(kind)
            tools.append(Tool(named.text_or("name", kind) if named else kind, kind=kind, native=native))
        elif tool.function is None:
            raise ShapeError(item.at("function"), "is missing")
        else:
            tools.append(_function(tool.function, native))
    tools.extend(_function(function, Native(NAME, {})) for function in fields.read("functions", _DEFINITIONS) or ())
    return tuple(tools)


def _function(read: _Definition, native: Native) -> Tool:
    schema = json_reader.present(read.parameters)
    return Tool(read.name, read.description or "", schema, is_strict=read.strict, native=native)


def _tool_choice(fields: Fields) -> ToolChoice | None:
    is_parallel = fields.optional("parallel_tool_calls", bool)
    key = "tool_choice" if fields.has("tool_choice") else "function_call"
    kind = fields.kind(key)
    if kind in {"nothing", "null"}:
        return None if is_parallel is None else ToolChoice(is_parallel=is_parallel)
    if kind == "string":
        word = fields.text(key)
        if word not in _CHOICES:
            raise ShapeError(fields.at(key), f"expected auto, required, none or a named tool, got {word[:40]!r}")
        return ToolChoice(_CHOICES[word], is_parallel=is_parallel)
    choice = fields.fields(key)
    if key == "function_call":
        return ToolChoice("named", choice.text("name"), is_parallel)
    form = choice.text_or("type", "function")
    named = choice.optional_fields(form)
    if form in {"function", "custom"} and named is not None:
        return ToolChoice("named", named.text("name"), is_parallel)
    return ToolChoice("required" if named and named.text_or("mode", "") == "required" else "auto", is_parallel=is_parallel)


def _stop(fields: Fields) -> tuple[str, ...]:
    if fields.kind("stop") == "string":
        return (fields.text("stop"),)
    return tuple(fields.optional("stop", list[str]) or ())


def _thinking(fields: Fields) -> Thinking | None:
    effort = fields.optional_text("reasoning_effort")
    if effort is None and fields.kind("reasoning") == "object":
        effort = fields.fields("reasoning").optional_text("effort")
    return None if effort is None else Thinking(is_enabled=effort != "none", effort=effort)


def _output(fields: Fields | None) -> OutputFormat | None:
    kind = fields.text_or("type", "text") if fields else "text"
    if fields is None or kind == "text":
        return None
    schema = fields.optional_fields("json_schema")
    if schema is None:
        return OutputFormat()
    raw = schema.raw["schema"] if schema.has("schema") else None
    return OutputFormat(raw, schema.text_or("name", ""), schema.optional("strict", bool))


def is_text(raw: Raw | None) -> bool:
    """Is this undecoded value a string?"""
    return raw is not None and json_reader.kind_of(raw) == "string"
