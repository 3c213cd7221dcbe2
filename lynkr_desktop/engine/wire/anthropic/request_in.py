"""Anthropic Messages requests → `chat`. Reading only: nothing is changed, nothing is made up.

Source: the Messages API reference and the types of Anthropic's own SDK. Every part keeps its original fragment: messages, blocks
and tools are read twice over, once as fragments and once into the structs below, which name all that is understood of them.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal, get_args

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
from lynkr_desktop.json_reader import Fields, Place, ShapeError

NAME: Final = "anthropic"
_CHOICES: Final[dict[str, Literal["auto", "required", "named", "none"]]] = {
    "auto": "auto",
    "any": "required",
    "tool": "named",
    "none": "none",
}
_READ: Final = frozenset(
    {
        *("model", "messages", "system", "tools", "tool_choice", "stream", "max_tokens", "temperature", "top_p", "top_k"),
        *("stop_sequences", "thinking", "output_config", "metadata"),
    }
)
_ROLES: Final[dict[str, Literal["user", "assistant", "system"]]] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
}


class _Message(msgspec.Struct, gc=False):
    role: str
    content: str | list[dict[str, Raw]]


class _Tool(msgspec.Struct, gc=False):
    type: str | None = None
    name: str | None = None
    description: str | None = None
    input_schema: Raw = Raw()
    strict: bool | None = None


class _Source(msgspec.Struct, gc=False):
    type: str | None = None
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    content: Raw = Raw()


class _Block(msgspec.Struct, tag_field="type", gc=False):
    """An element of `content`. Each type has the fields that are understood of it."""


class _Text(_Block, tag="text"):
    text: str


class _Image(_Block, tag="image"):
    source: _Source


class _Document(_Block, tag="document"):
    source: _Source
    title: str | None = None


class _Thinking(_Block, tag="thinking"):
    thinking: str | None = None
    signature: str | None = None


class _Redacted(_Block, tag="redacted_thinking"):
    data: str | None = None


class _ToolUse(_Block, tag="tool_use"):
    id: str
    name: str
    input: Raw = Raw()


class _ToolResult(_Block, tag="tool_result"):
    tool_use_id: str
    content: str | list[dict[str, Raw]] | None = None
    is_error: bool | None = None


_MESSAGES: Final = msgspec.json.Decoder(list[_Message])
_TOOLS: Final = msgspec.json.Decoder(list[_Tool])
_Known = _Text | _Image | _Document | _Thinking | _Redacted | _ToolUse | _ToolResult
_BLOCK: Final[msgspec.json.Decoder[_Known]] = msgspec.json.Decoder(_Known)
_BLOCKS: Final[msgspec.json.Decoder[list[_Known]]] = msgspec.json.Decoder(list[_Known])
_KNOWN_TYPES: Final = frozenset(kind.__struct_config__.tag for kind in get_args(_Known))


def parse_request(body: bytes) -> ChatRequest:
    """Read a client's request. Raises `ClientError(400)` that names the JSON path."""
    try:
        return _request(Fields.parse(body), body).with_origin()
    except ShapeError as error:
        raise ClientError("The request is not in the form of the Messages API.", f"{error.path}: {error.problem}.") from None


def _request(fields: Fields, body: bytes) -> ChatRequest:
    metadata = fields.optional_fields("metadata")
    output = fields.optional_fields("output_config")
    fields.need("messages")
    return ChatRequest(
        wire=NAME,
        model=fields.text("model"),
        messages=_messages(fields),
        body=body,
        fields=fields.raw,
        system=_system(fields),
        tools=_tools(fields),
        tool_choice=_tool_choice(fields.optional_fields("tool_choice")),
        is_streamed=fields.flag("stream"),
        wants_stream_usage=True,
        max_tokens=fields.optional("max_tokens", int),
        temperature=fields.optional("temperature", float),
        top_p=fields.optional("top_p", float),
        top_k=fields.optional("top_k", int),
        stop=tuple(fields.optional("stop_sequences", list[str]) or ()),
        thinking=_thinking(fields.optional_fields("thinking"), output),
        output=_output(output),
        user=metadata.optional_text("user_id") if metadata else None,
        unread=tuple(key for key in fields.raw if key not in _READ),
    )


def _system(fields: Fields) -> tuple[TextPart, ...]:
    if fields.kind("system") == "string":
        return (TextPart(fields.text("system")),)
    return tuple(TextPart(item.text("text"), Native(NAME, item.raw)) for item in fields.objects("system"))


def _messages(fields: Fields) -> tuple[Message, ...]:
    messages: list[Message] = []
    for item, message in zip(fields.objects("messages"), fields.read("messages", _MESSAGES) or (), strict=True):
        role = _ROLES.get(message.role)
        if role is None:
            raise ShapeError(item.at("role"), f"expected user, assistant or system, got {message.role[:40]!r}")
        content = message.content
        parts: tuple[Part, ...]
        if isinstance(content, str):
            parts = (TextPart(content),)
        else:
            blocks = zip(_blocks(item, content), content, strict=True)
            parts = tuple([_part(block, fragment, (item, "content", index)) for index, (block, fragment) in enumerate(blocks)])
        messages.append(Message(role, parts, Native(NAME, item.raw)))
    return tuple(messages)


def _blocks(item: Fields, fragments: Sequence[dict[str, Raw]]) -> Sequence[_Known | None]:
    """The blocks of `content` as far as they are understood. None is a block of a type that only its own wire can carry."""
    try:
        return _BLOCKS.decode(item.raw["content"])
    except json_reader.UNREADABLE:
        return [_block(Fields(fragment, (item, "content", index))) for index, fragment in enumerate(fragments)]


def _block(fields: Fields) -> _Known | None:
    if fields.text("type") not in _KNOWN_TYPES:
        return None
    return json_reader.decode_with(_BLOCK, json_reader.encode(fields.raw), fields.path)


def _part(block: _Known | None, fragment: dict[str, Raw], place: Place) -> Part:
    native = Native(NAME, fragment)
    match block:
        case _Text(text=text):
            return TextPart(text, native)
        case _ToolUse():
            return ToolCallPart(block.id, block.name, _arguments(block.input), native)
        case _ToolResult(content=content):
            inner = (TextPart(content),) if isinstance(content, str) else _inner_parts(content or (), Fields(fragment, place))
            return ToolResultPart(block.tool_use_id, inner, bool(block.is_error), native)
        case _Thinking():
            return ThinkingPart(block.thinking or "", block.signature, native=native)
        case _Redacted():
            return ThinkingPart(redacted=block.data or "", native=native)
        case _:
            return _content_part(block, native, place)


def _arguments(given: Raw) -> str:
    """The original JSON text of `input`, so that no number is rounded."""
    return bytes(given).decode("utf-8", "replace") if json_reader.present(given) else "{}"


def _content_part(block: _Known | None, native: Native, place: Place) -> TextPart | ImagePart | DocumentPart | OpaquePart:
    """A block that may also be inside a tool's result."""
    match block:
        case _Text(text=text):
            return TextPart(text, native)
        case _Image(source=source) if address := _address(source):
            return ImagePart(source.media_type or "", *address, native)
        case _Document(source=source) if address := _address(source):
            return DocumentPart(source.media_type or "", *address, None, block.title, native)
        case _Document(source=source) if (words := _document_text(source, place)) is not None:
            return DocumentPart(source.media_type or "", None, None, words, block.title, native)
        case _:
            return OpaquePart(Fields(native.fragment).text("type"), native)


def _address(source: _Source) -> tuple[str | None, str | None] | None:
    """Base64 or URL of a picture or a file; None if it is sent in another form."""
    if source.type == "base64" and source.data:
        return source.data, None
    return (None, source.url) if source.type == "url" and source.url else None


def _document_text(source: _Source, place: Place) -> str | None:
    """The words of a document that is sent as text; None if it holds anything else."""
    if source.type not in {"text", "content"}:
        return None
    if source.data is not None:
        return source.data
    fields = Fields({"content": source.content} if source.content else {}, Fields({}, place).at("source"))
    if fields.kind("content") == "string":
        return fields.text("content")
    blocks = fields.objects("content")
    if any(block.text_or("type", "") != "text" for block in blocks):
        return None
    return "\n".join(block.text("text") for block in blocks)


def _inner_parts(
    fragments: Sequence[dict[str, Raw]], result: Fields
) -> tuple[TextPart | ImagePart | DocumentPart | OpaquePart, ...]:
    blocks = zip(_blocks(result, fragments), fragments, strict=True) if fragments else ()
    return tuple(
        _content_part(block, Native(NAME, fragment), (result, "content", index)) for index, (block, fragment) in enumerate(blocks)
    )


def _tools(fields: Fields) -> tuple[Tool, ...]:
    read = fields.read("tools", _TOOLS) or ()
    return tuple(_tool(tool, item) for tool, item in zip(read, fields.objects("tools"), strict=True))


def _tool(tool: _Tool, item: Fields) -> Tool:
    """A tool without a type is the client's own, as is one of type `custom`; any other type is Anthropic's."""
    kind = tool.type or "custom"
    is_own = kind in {"custom", "function"}
    return Tool(
        item.text("name") if is_own and tool.name is None else tool.name or kind,
        tool.description or "",
        json_reader.present(tool.input_schema),
        "function" if is_own else kind,
        tool.strict,
        Native(NAME, item.raw),
    )


def _tool_choice(fields: Fields | None) -> ToolChoice | None:
    if fields is None:
        return None
    kind = fields.text("type")
    if kind not in _CHOICES:
        raise ShapeError(fields.at("type"), f"expected auto, any, tool or none, got {kind[:40]!r}")
    is_single = fields.optional("disable_parallel_tool_use", bool)
    return ToolChoice(
        mode=_CHOICES[kind],
        name=fields.text("name") if kind == "tool" else "",
        is_parallel=None if is_single is None else not is_single,
    )


def _thinking(fields: Fields | None, output: Fields | None) -> Thinking | None:
    effort = output.optional_text("effort") if output else None
    if fields is None:
        return None if effort is None else Thinking(is_enabled=True, effort=effort)
    kind = fields.text("type")
    return Thinking(
        is_enabled=kind != "disabled",
        budget_tokens=fields.optional("budget_tokens", int),
        effort=effort,
        is_adaptive=kind not in {"enabled", "disabled"},
    )


def _output(output: Fields | None) -> OutputFormat | None:
    wanted: Any = output.optional_fields("format") if output else None
    if wanted is None or wanted.text_or("type", "") != "json_schema":
        return None
    return OutputFormat(schema=wanted.need("schema"))
