"""Input items → messages. Knows nothing of the top level.

Items are smaller than turns: what the assistant said, thought and called in a row is one message, and so are the results of
tools in a row. Their parts carry the whole item as their native fragment, several texts of one message item the very same
`Native`. A user's or a developer's message item is a message of its own, and its parts carry their own fragments.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import (
    DocumentPart,
    ImagePart,
    Message,
    Native,
    OpaquePart,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from lynkr_desktop.engine.wire.openai_responses.seals import marked
from lynkr_desktop.engine.wire.openai_responses.tools import NAME, TOOL_SEARCH, freeform_arguments, joined, tools_of
from lynkr_desktop.json_reader import Fields, ShapeError

_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
Content = TextPart | ImagePart | DocumentPart | OpaquePart


def is_system_item(item: Fields) -> bool:
    """Is this a message of the system or the developer?"""
    return item.text_or("type", "message") == "message" and item.text_or("role", "") in _SYSTEM_ROLES


def texts_of(item: Fields) -> tuple[TextPart, ...]:
    """The words of a message item."""
    return tuple(part for part in _content(item, "content") if isinstance(part, TextPart))


def messages_of(items: Sequence[Fields]) -> tuple[Message, ...]:
    """The conversation."""
    reader = _Reader()
    for item in items:
        reader.take(item)
    reader.end_turn()
    return tuple(reader.messages)


class _Reader:
    """Gathers items into turns."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._parts: list[Part] = []
        self._is_assistant = True

    def take(self, item: Fields) -> None:
        """One item."""
        if item.text_or("type", "message") == "message" and item.text("role") != "assistant":
            role = item.text("role")
            if role not in _SYSTEM_ROLES and role != "user":
                raise ShapeError(item.at("role"), f"expected user, assistant, system or developer, got {role[:40]!r}")
            self.end_turn()
            content = _content(item, "content")
            self.messages.append(Message("user" if role == "user" else "system", content, Native(NAME, item.raw)))
            return
        parts, is_assistant = _parts(item)
        if self._parts and is_assistant is not self._is_assistant:
            self.end_turn()
        self._is_assistant = is_assistant
        self._parts.extend(parts)

    def end_turn(self) -> None:
        """What was gathered is a message."""
        if self._parts:
            self.messages.append(Message("assistant" if self._is_assistant else "user", tuple(self._parts)))
            self._parts = []


def _parts(item: Fields) -> tuple[tuple[Part, ...], bool]:
    """The parts of an item that is not a message of the user's, and whether they are the assistant's."""
    native = Native(NAME, item.raw)
    kind = item.text_or("type", "message")
    match kind:
        case "message":
            return _assistant_texts(item, native), True
        case "reasoning":
            sealed = item.optional_text("encrypted_content")
            return (ThinkingPart(_reasoning(item), sealed and marked(sealed), native=native),), True
        case "function_call_output" | "custom_tool_call_output":
            return (ToolResultPart(item.text("call_id"), _content(item, "output"), native=native),), False
        case "tool_search_output" if item.has("call_id"):
            return (ToolResultPart(item.text("call_id"), (TextPart(_found(item)),), native=native),), False
        case "item_reference":
            item.text("id")  # read later, when nothing may be wrong any more
            return (OpaquePart(kind, native),), True
        case _:
            call = _call(item, kind, native)
            return (call or OpaquePart(kind, native),), not kind.endswith("_output")


def _call(item: Fields, kind: str, native: Native) -> ToolCallPart | None:
    """A call that the client has run; None for what OpenAI itself ran and for items that nobody here knows."""
    if not item.has("call_id"):
        return None
    call_id = item.text("call_id")
    match kind:
        case "function_call":
            return ToolCallPart(call_id, _name(item), item.text_or("arguments", ""), native)
        case "custom_tool_call":
            return ToolCallPart(call_id, _name(item), freeform_arguments(item.text_or("input", "")), native)
        case "tool_search_call":
            return ToolCallPart(call_id, TOOL_SEARCH, _json(item, "arguments"), native)
        case "local_shell_call":
            return ToolCallPart(call_id, "local_shell", _json(item, "action"), native)
        case _:
            return None


def _name(item: Fields) -> str:
    return joined(item.text_or("namespace", ""), item.text("name"))


def _json(item: Fields, key: str) -> str:
    return bytes(item.raw[key]).decode("utf-8", "replace") if item.has(key) else "{}"


def _found(item: Fields) -> str:
    names = [tool.name for tool in tools_of(item.objects("tools"))]
    return f"These tools are available now: {', '.join(names)}." if names else "No tool was found."


def _assistant_texts(item: Fields, native: Native) -> tuple[Part, ...]:
    return tuple(
        TextPart(part.text, native) if isinstance(part, TextPart) else OpaquePart("message", native)
        for part in _content(item, "content")
    )


def _reasoning(item: Fields) -> str:
    """The summary where there is one, else the reasoning itself, which only open models tell."""
    for key in ("summary", "content"):
        texts = [part.text_or("text", "") for part in item.objects(key)]
        if any(texts):
            return "\n\n".join(texts)
    return ""


def _content(item: Fields, key: str) -> tuple[Content, ...]:
    kind = item.kind(key)
    if kind in {"nothing", "null"}:
        return ()
    if kind == "string":
        return (TextPart(item.text(key)),)
    if kind == "object":
        return (TextPart(_json(item, key)),)
    return tuple(_part(part) for part in item.objects(key))


def _part(fields: Fields) -> Content:
    native = Native(NAME, fields.raw)
    kind = fields.text("type")
    match kind:
        case "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text":
            return TextPart(fields.text("text"), native)
        case "refusal":
            return TextPart(fields.text("refusal"), native)
        case "input_image" if fields.kind("image_url") == "string":
            return ImagePart(*_split_data_url(fields.text("image_url")), native)
        case "input_file" if fields.has("file_data") or fields.has("file_url"):
            return _file(fields, native)
        case _:
            return OpaquePart(kind, native)


def _file(fields: Fields, native: Native) -> DocumentPart:
    title = fields.optional_text("filename")
    if not fields.has("file_data"):
        return DocumentPart(url=fields.text("file_url"), title=title, native=native)
    media_type, base64, _ = _split_data_url(fields.text("file_data"))
    if base64 is None:  # some clients leave out the `data:` head
        media_type, base64 = "application/pdf", fields.text("file_data")
    return DocumentPart(media_type, base64, title=title, native=native)


def _split_data_url(url: str) -> tuple[str, str | None, str | None]:
    """Media type and base64 of a `data:` address; any other address is the third."""
    head, comma, content = url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return head[5:-7].partition(";")[0], content, None
    return "", None, url


def own_fragment(native: Native | None) -> dict[str, Raw] | None:
    """The original fragment if it is of this wire."""
    return native.fragment if native is not None and native.wire == NAME else None


def is_string(raw: Raw | None) -> bool:
    """Is this undecoded value a string?"""
    return raw is not None and json_reader.kind_of(raw) == "string"
