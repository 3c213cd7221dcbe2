"""The canonical request: what a client asks of a model, in no vendor's words. Values only; no I/O, no vendor names.

Every part can carry its `Native`: the original fragment and the wire it came from. Only a wire of the same name may re-emit
it, so signatures, cache markers and fields that nobody knows yet survive where they can and are declared lost where they cannot.
Who changes a part gives it no `Native`, for the old fragment is no longer what it says; a changed message keeps its own.
`gc=False`: frozen values hold no cycles, and a long conversation is thousands of them.
"""

from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import Final, Literal

import msgspec
from msgspec import Raw


class Native(msgspec.Struct, frozen=True, gc=False):
    """An original JSON object, key by key undecoded, and the name of the wire that it came in."""

    wire: str
    fragment: dict[str, Raw]


class TextPart(msgspec.Struct, frozen=True, gc=False):
    """Words."""

    text: str
    native: Native | None = None


class ImagePart(msgspec.Struct, frozen=True, gc=False):
    """A picture: either `base64` with its media type, or a `url`."""

    media_type: str = ""
    base64: str | None = None
    url: str | None = None
    native: Native | None = None


class DocumentPart(msgspec.Struct, frozen=True, gc=False):
    """A file such as a PDF: `base64` with its media type, or a `url`, or plain `text`."""

    media_type: str = ""
    base64: str | None = None
    url: str | None = None
    text: str | None = None
    title: str | None = None
    native: Native | None = None


class ThinkingPart(msgspec.Struct, frozen=True, gc=False):
    """A model's reasoning, replayed by the client. `redacted` is encrypted reasoning without any text."""

    text: str = ""
    signature: str | None = None
    redacted: str | None = None
    native: Native | None = None


class ToolCallPart(msgspec.Struct, frozen=True, gc=False):
    """The model asks for a tool. `arguments` is JSON text, kept as text so that no number is rounded."""

    id: str
    name: str
    arguments: str
    native: Native | None = None


class OpaquePart(msgspec.Struct, frozen=True, gc=False):
    """A block that only its own wire understands (a server tool's result, say). `kind` is the vendor's type."""

    kind: str
    native: Native


class ToolResultPart(msgspec.Struct, frozen=True, gc=False):
    """What a tool gave back."""

    call_id: str
    content: "tuple[TextPart | ImagePart | DocumentPart | OpaquePart, ...]" = ()
    is_error: bool = False
    native: Native | None = None


Part = TextPart | ImagePart | DocumentPart | ThinkingPart | ToolCallPart | ToolResultPart | OpaquePart


class Message(msgspec.Struct, frozen=True, gc=False):
    """One turn. `system` inside the conversation is a system turn that came later than the first."""

    role: Literal["user", "assistant", "system"]
    parts: tuple[Part, ...]
    native: Native | None = None


class Tool(msgspec.Struct, frozen=True, gc=False):
    """A tool that the model may call. `schema` is the JSON Schema of its arguments, as JSON bytes.

    A tool that runs at the vendor (web search, say) has `kind` = the vendor's type and only its own wire can carry it.
    """

    name: str
    description: str = ""
    schema: Raw | None = None
    kind: str = "function"
    is_strict: bool | None = None
    native: Native | None = None


class ToolChoice(msgspec.Struct, frozen=True, gc=False):
    """May, must or must not the model call a tool? `name` belongs to `named`."""

    mode: Literal["auto", "required", "named", "none"] = "auto"
    name: str = ""
    is_parallel: bool | None = None


class Thinking(msgspec.Struct, frozen=True, gc=False):
    """How much the client wants the model to think. Each vendor has its own knob; what the client did not set is None."""

    is_enabled: bool
    budget_tokens: int | None = None
    effort: str | None = None  # minimal, low, medium, high, …
    is_adaptive: bool = False


class OutputFormat(msgspec.Struct, frozen=True, gc=False):
    """The answer must be JSON: any (`schema` None) or of a schema."""

    schema: Raw | None = None
    name: str = ""
    is_strict: bool | None = None


class ChatRequest(msgspec.Struct, frozen=True, gc=False):
    """One whole request. What the client did not send stays None: nothing is made up here.

    `body` is the client's own bytes and `fields` its top level undecoded, for the verbatim path and for what no part holds.
    """

    wire: str
    model: str
    messages: tuple[Message, ...]
    body: bytes
    fields: dict[str, Raw]
    system: tuple[TextPart, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    is_streamed: bool = False
    wants_stream_usage: bool = False  # the client asked for usage inside the stream where the wire makes it optional
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    thinking: Thinking | None = None
    output: OutputFormat | None = None
    user: str | None = None
    unread: tuple[str, ...] = ()  # top-level keys that nothing here holds: lost in any other wire
    origin: "ChatRequest | None" = None  # as the wire read it: what is the very same object there was not edited
    framing: str = "sse"  # how the client wants a stream cut into frames; the names are in `wire.framing`

    def with_origin(self) -> "ChatRequest":
        """This request with itself as its origin: for wires, at the end of their reading."""
        return msgspec.structs.replace(self, origin=self)

    @property
    def has_images(self) -> bool:
        """Is there a picture anywhere, in tool results too?"""
        kinds = kinds_in(self.messages)
        return ImagePart in kinds or (ToolResultPart in kinds and any(map(has_tool_pictures, self.messages)))


def kinds_in(messages: Iterable[Message]) -> set[type[Part]]:
    """The kinds of parts in a conversation: most questions about it are answered by the kinds that are not there."""
    return set(map(type, chain.from_iterable(map(_PARTS, messages))))


def has_tool_pictures(message: Message) -> bool:
    """Is there a picture in a tool's result?"""
    return any(isinstance(part, ToolResultPart) and ImagePart in set(map(type, part.content)) for part in message.parts)


_PARTS: Final = attrgetter("parts")


def without_reasoning(request: ChatRequest) -> ChatRequest:
    """The request without the reasoning in its history, and without turns that were nothing else; itself if it has none."""
    if not any(isinstance(part, ThinkingPart) for message in request.messages for part in message.parts):
        return request
    turns = (
        msgspec.structs.replace(message, parts=tuple(part for part in message.parts if not isinstance(part, ThinkingPart)))
        for message in request.messages
    )
    return msgspec.structs.replace(request, messages=tuple(turn for turn in turns if turn.parts))
