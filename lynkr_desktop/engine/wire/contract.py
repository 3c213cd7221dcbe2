"""What every wire offers. A wire is a module of pure functions and small state machines between one vendor's JSON and `chat`.

No I/O, no clock, no settings, and wires never import one another. The modules themselves satisfy `Wire`.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from lynkr_desktop.engine.chat.events import StreamEvent
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.chat.response import ChatResponse
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.errors import ClientError, LynkrError, UpstreamError


class Quirks(msgspec.Struct, frozen=True):
    """How one provider differs from the plain form of its wire. Each flag is read in exactly one wire.

    The values come from the provider's entry in the catalogue and from the model's abilities.
    """

    has_max_completion_tokens: bool = False  # openai_chat: `max_completion_tokens` instead of `max_tokens`
    takes_sampling: bool = True  # temperature, top_p, top_k are accepted
    takes_cache_markers: bool = False  # openai_chat: `cache_control` on blocks is accepted
    takes_reasoning_content: bool = False  # openai_chat: the assistant's `reasoning_content` is wanted back
    needs_reasoning_content: bool = False  # openai_chat: a turn with tool calls is refused without it
    refuses_tool_pictures: bool = False  # openai_chat: a picture in a tool's message is refused
    refuses_reasoning_content: bool = False  # openai_chat: a request with the assistant's `reasoning_content` is refused
    takes_reasoning_effort: bool = False  # openai_chat, openai_responses: an effort is accepted
    takes_stream_options: bool = True  # openai_chat: `stream_options.include_usage` is accepted
    takes_parallel_switch: bool = True  # openai_chat: `parallel_tool_calls` is accepted
    takes_user: bool = True  # openai_chat: `user` is accepted (at most 64 characters)
    takes_later_system: bool = True  # anthropic: `role: system` inside the conversation is accepted
    takes_images: bool = True
    takes_tools: bool = True
    asks_usage_cost: bool = False  # openai_chat: `usage: {include: true}` asks for the real cost
    prints_tool_calls: bool = False  # wire.hidden: tool calls may come as text
    leaks_thinking: bool = False  # wire.hidden: reasoning may come as text between tags
    starts_thinking: bool = False  # wire.hidden: the template opened those tags, so that the answer begins inside of them
    names_limit: int = 64  # longest tool name
    keep_alive: str = ""  # ollama: how long the model stays in memory; empty leaves it to the server
    context_tokens: int = 0  # ollama: the window to ask for where the client does not; 0 leaves it to the server
    thinking_form: str = ""  # wire.claude_thinking: `adaptive` or `budget` where only that is taken, `none` where neither
    takes_output_schema: bool = False  # bedrock_converse: schemas of answers and of calls are kept to
    takes_output_effort: bool = True  # anthropic: `output_config.effort` is accepted
    takes_unsigned_thinking: bool = False  # anthropic: reasoning without a signature is wanted back, not refused
    hosted_version: str = ""  # anthropic: the `anthropic_version` that a cloud wants in the body; the model is in its address
    default_max_tokens: int = 8192  # anthropic demands max_tokens; used, and declared, where the client sent none


class Rendered(msgspec.Struct, frozen=True):
    """A request in a vendor's own JSON, and what could not be carried over (short phrases for the user)."""

    body: bytes
    losses: tuple[str, ...] = ()
    tool_names: Mapping[str, str] = {}  # renamed for the vendor → the client's own name


class CannotCarryError(Exception):
    """This wire or model cannot carry content that matters; the route moves on to the next target. `reason` is for the user."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StreamParser(Protocol):
    """One answer's stream from a vendor: frames in, events out. Any cutting of the bytes gives the same events."""

    def feed(self, frame: Frame) -> Sequence[StreamEvent]:
        """The events of one frame. Raises `UpstreamError` if the vendor reports a failure or breaks its own wire."""
        ...

    def close(self) -> Sequence[StreamEvent]:
        """The bytes have ended. Raises `UpstreamError(PROTOCOL)` if the answer had not."""
        ...


class StreamRenderer(Protocol):
    """One answer's stream to a client: events in, bytes out."""

    def feed(self, events: Sequence[StreamEvent]) -> bytes:
        """The bytes of some events, ready for one write."""
        ...

    def error(self, error: LynkrError) -> bytes:
        """A failure after the first byte, in the client's own wire, with whatever ends the stream there."""
        ...


class ProviderWire(Protocol):
    """One vendor's wire towards its provider: all that a wire has which no client speaks to us."""

    NAME: str

    def render_request(self, request: ChatRequest, model: str, quirks: Quirks, *, is_streamed: bool) -> Rendered:
        """The request for a provider of this wire. Raises `CannotCarryError`."""
        ...

    def stream_parser(self, tool_names: Mapping[str, str] = {}) -> StreamParser:
        """A parser for one answer. `tool_names` undoes the renaming of `Rendered`."""
        ...

    def parse_response(self, body: bytes, tool_names: Mapping[str, str] = {}) -> Sequence[StreamEvent]:
        """A whole answer as events. Raises `UpstreamError` if it is not one."""
        ...

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        """What a provider's refusal means. Header names are lower case. The body may be anything, HTML too."""
        ...


class Wire(ProviderWire, Protocol):
    """One vendor's wire, towards providers and clients."""

    def parse_request(self, body: bytes) -> ChatRequest:
        """Read a client's request. Raises `ClientError(400)` that names the JSON path."""
        ...

    def suits(self, request: ChatRequest, quirks: Quirks) -> bool:
        """Can a request of this very wire go to a provider with these quirks as it is? If not, it is rendered anew."""
        ...

    def renamed(self, request: ChatRequest, model: str, *, asks_usage: bool) -> bytes:
        """The client's own JSON with only `model` replaced: the verbatim path.

        `asks_usage` adds what makes the provider report tokens inside a stream where the wire makes that optional."""
        ...

    def is_added(self, frame: Frame) -> bool:
        """Is this a frame that came only because `asks_usage` was added, and that the client did not ask for?"""
        ...

    def stream_renderer(self, request: ChatRequest) -> StreamRenderer:
        """A renderer for one answer. The client sees the model name that it asked for."""
        ...

    def render_response(self, response: ChatResponse, request: ChatRequest) -> bytes:
        """A whole answer in the client's JSON."""
        ...

    def render_error(self, error: LynkrError, request_id: str) -> tuple[int, dict[str, str], bytes]:
        """HTTP status, extra headers (`retry-after`) and JSON body for the client."""
        ...

    def render_token_count(self, tokens: int) -> bytes:
        """The answer of the wire's token counting endpoint, if it has one."""
        ...


__all__ = [
    "CannotCarryError",
    "ClientError",
    "ProviderWire",
    "Quirks",
    "Rendered",
    "StreamParser",
    "StreamRenderer",
    "Wire",
]
