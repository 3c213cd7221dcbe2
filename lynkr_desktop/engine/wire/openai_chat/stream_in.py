"""Chat Completions answers → events: the stream's state machine, and whole answers. The hot path is the text delta.

Servers of this wire differ more than any others: parallel calls interleave, ids, indexes and names are missing or late, usage
comes anywhere. All of that is put in order here, so that events obey the grammar.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.events import Delta, Finished, Started, StopReason, StreamEvent, Usage
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.engine.wire.openai_chat.untangle import Untangler
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.errors import FailureKind, UpstreamError
from lynkr_desktop.json_reader import ShapeError

_REASONS: Final = {
    "tool_calls": StopReason.TOOL_CALLS,
    "function_call": StopReason.TOOL_CALLS,
    "length": StopReason.LENGTH,
    "max_tokens": StopReason.LENGTH,
    "model_length": StopReason.CONTEXT,
    "content_filter": StopReason.REFUSAL,
    "sensitive": StopReason.REFUSAL,
    "refusal": StopReason.REFUSAL,
}


class _Function(msgspec.Struct, gc=False):
    name: Any = None
    arguments: Any = None


class _Call(msgspec.Struct, gc=False):
    index: int | None = None
    id: Any = None
    function: _Function | None = None


class _Delta(msgspec.Struct, gc=False):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    function_call: _Function | None = None


class _Choice(msgspec.Struct, gc=False):
    index: int | None = 0
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: Any = None


class _Chunk(msgspec.Struct, gc=False):
    id: Any = ""
    model: Any = ""
    choices: list[_Choice] | None = None
    usage: Raw = Raw()
    error: Raw = Raw()
    object: Any = ""


class _Details(msgspec.Struct, gc=False):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_creation_tokens: int | None = None
    reasoning_tokens: int | None = None


class _UsageShape(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_cache_hit_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cached_tokens: int | None = None
    cost: Raw = Raw()
    prompt_tokens_details: Raw = Raw()
    completion_tokens_details: Raw = Raw()


_CHUNK: Final = msgspec.json.Decoder(_Chunk)
_USAGE: Final = msgspec.json.Decoder(_UsageShape)
_DETAILS: Final = msgspec.json.Decoder(_Details)
_NO_DETAILS: Final = _Details()
_NO_USAGE: Final = Usage()


def stream_parser(tool_names: Mapping[str, str] = {}) -> "ChatParser":
    """A parser for one answer. `tool_names` undoes the renaming of `Rendered`."""
    return ChatParser(tool_names)


def is_added(frame: Frame) -> bool:
    """Is this the usage chunk (no choices, a usage) that came only because `include_usage` was added?"""
    if b'"usage"' not in frame.data or frame.data == b"[DONE]":
        return False
    try:
        chunk = _decoded(frame.data)
    except UpstreamError:
        return False
    return not chunk.choices and not chunk.error and json_reader.kind_of(chunk.usage) == "object"


def _decoded(data: bytes) -> _Chunk:
    try:
        return json_reader.decode_with(_CHUNK, data)
    except ShapeError as error:
        raise refusals.broken(str(error)) from None


class ChatParser:
    """One answer's stream."""

    def __init__(self, tool_names: Mapping[str, str]) -> None:
        self._parts = Untangler(tool_names)
        self._is_started = False
        self._is_finished = False
        self._id = ""
        self._model = ""
        self._reason = ""
        self._is_refused = False
        self._usage = Usage()

    def feed(self, frame: Frame) -> Sequence[StreamEvent]:
        """The events of one frame. Raises `UpstreamError` if the provider reports a failure or breaks its own wire."""
        if self._is_finished:
            return ()
        data = frame.data
        if data.startswith(b"[DONE]"):
            return self._finish()
        try:
            chunk = _CHUNK.decode(data)
        except json_reader.UNREADABLE:
            chunk = _decoded(data)
        choices = chunk.choices
        if choices and self._is_started and not chunk.usage and not chunk.error:
            choice = choices[0]
            delta = choice.delta
            if (
                delta is not None
                and type(delta.content) is str
                and self._parts.is_text_open
                and delta.content
                and not delta.tool_calls
                and delta.reasoning_content is None
                and delta.reasoning is None
                and not choice.finish_reason
                and not choice.index
            ):
                return (Delta(delta.content),)
        return self._chunk(chunk, frame)

    def _chunk(self, chunk: _Chunk, frame: Frame) -> Sequence[StreamEvent]:
        self._raise_failure(chunk, frame)
        if json_reader.kind_of(chunk.usage) == "object":
            self._usage = self._usage.merged(_usage(chunk.usage))
        self._id = self._id or (chunk.id if isinstance(chunk.id, str) else "")
        self._model = self._model or (chunk.model if isinstance(chunk.model, str) else "")
        events: list[StreamEvent] = []
        for choice in chunk.choices or ():
            if choice.index:
                continue
            events.extend(self._start())
            delta = choice.delta or choice.message
            if delta is not None:
                self._delta(delta, events)
            if isinstance(choice.finish_reason, str) and choice.finish_reason:
                self._reason = choice.finish_reason
                self._raise_failed_end()
        if self._reason and not chunk.choices and self._usage != _NO_USAGE:
            events.extend(self._finish())  # the usage chunk is the last one, whether `[DONE]` follows or not
        return events

    def _raise_failure(self, chunk: _Chunk, frame: Frame) -> None:
        if chunk.error and json_reader.kind_of(chunk.error) != "null":
            raise refusals.refusal_in_stream(refusals.told(chunk.error))
        if chunk.object == "error" or frame.event == "error":
            raise refusals.refusal_in_stream(refusals.told(frame.data))

    def _raise_failed_end(self) -> None:
        if self._reason in {"error", "network_error"}:
            kind = FailureKind.OVERLOADED
            raise UpstreamError(kind, refusals.TITLES[kind], f"The answer ended with {self._reason!r}.", code=self._reason)

    def _start(self) -> Sequence[StreamEvent]:
        if self._is_started:
            return ()
        self._is_started = True
        self._parts.seed = self._id
        return (Started(self._id, self._model),)

    def _delta(self, delta: _Delta, events: list[StreamEvent]) -> None:
        for reasoning in (delta.reasoning_content, delta.reasoning):
            if isinstance(reasoning, str) and reasoning:
                self._parts.thinking(reasoning, events)
                break
        if delta.content:
            self._content(delta.content, events)
        if delta.refusal:
            self._is_refused = True
            self._parts.text(delta.refusal, events)
        for position, call in enumerate(delta.tool_calls or ()):
            function = call.function or _Function()
            index = (
                call.index if call.index is not None else self._parts.index_for(_words(call.id), _words(function.name), position)
            )
            self._parts.call(index, _words(call.id), _words(function.name), _arguments(function.arguments), events)
        if delta.function_call is not None:
            function = delta.function_call
            self._parts.call(0, "", _words(function.name), _arguments(function.arguments), events)

    def _content(self, content: Any, events: list[StreamEvent]) -> None:
        """A string; or a list of parts, as Mistral's reasoning models send it."""
        if isinstance(content, str):
            self._parts.text(content, events)
            return
        for part in content if isinstance(content, list) else ():
            if not isinstance(part, dict):
                continue
            inner = part.get("thinking")
            if isinstance(part.get("text"), str) and part["text"]:
                self._parts.text(part["text"], events)
            elif isinstance(inner, list):
                text = "".join(one["text"] for one in inner if isinstance(one, dict) and isinstance(one.get("text"), str))
                if text:
                    self._parts.thinking(text, events)

    def _finish(self) -> Sequence[StreamEvent]:
        events: list[StreamEvent] = list(self._start())
        reason = _REASONS.get(self._reason, StopReason.END)
        self._parts.end(events, is_cut=reason in {StopReason.LENGTH, StopReason.CONTEXT})
        if self._parts.has_call and reason is StopReason.END:
            reason = StopReason.TOOL_CALLS  # some servers say `stop` after a call
        elif not self._parts.has_call and reason is StopReason.TOOL_CALLS:
            reason = StopReason.END
        elif self._is_refused and reason is StopReason.END:
            reason = StopReason.REFUSAL
        self._is_finished = True
        events.append(Finished(reason, self._usage))
        return events

    def close(self) -> Sequence[StreamEvent]:
        """The bytes have ended. Raises `UpstreamError(PROTOCOL)` if the answer had not.

        A finish reason without `[DONE]` is a whole answer.
        """
        if self._is_finished:
            return ()
        if not self._reason:
            raise refusals.broken("The stream ended before the answer did.")
        return self._finish()


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _arguments(value: Any) -> str:
    """Arguments as JSON text; some servers send the object itself."""
    if isinstance(value, str):
        return value
    return "" if value is None else json_reader.encode(value).decode()


def _usage(raw: Raw) -> Usage:
    """Tokens as `chat` counts them: what was read from or written to the cache is inside `prompt_tokens` here, and taken out.

    Raises `UpstreamError`.
    """
    try:
        usage = json_reader.decode_with(_USAGE, raw, "$.usage")
        prompt = _details(usage.prompt_tokens_details, "$.usage.prompt_tokens_details")
        output = _details(usage.completion_tokens_details, "$.usage.completion_tokens_details")
    except ShapeError as error:
        raise refusals.broken(str(error)) from None
    read = _first(prompt.cached_tokens, usage.prompt_cache_hit_tokens, usage.cache_read_input_tokens, usage.cached_tokens)
    written = _first(prompt.cache_write_tokens, prompt.cache_creation_tokens, usage.cache_creation_input_tokens)
    tokens = usage.prompt_tokens
    return Usage(
        input_tokens=None if tokens is None else max(0, tokens - (read or 0) - (written or 0)),
        output_tokens=usage.completion_tokens,
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=output.reasoning_tokens,
        cost_usd=f"{Decimal(bytes(usage.cost).decode()):f}" if json_reader.kind_of(usage.cost) == "number" else None,
    )


def _details(raw: Raw, path: str) -> _Details:
    return json_reader.decode_with(_DETAILS, raw, path) if json_reader.kind_of(raw) == "object" else _NO_DETAILS


def _first(*figures: int | None) -> int | None:
    """The first figure above zero; a zero only if nothing says more."""
    return next(filter(None, figures), 0 if 0 in figures else None)


def parse_response(body: bytes, tool_names: Mapping[str, str] = {}) -> Sequence[StreamEvent]:
    """A whole answer as events. Raises `UpstreamError` if it is not one."""
    parser = ChatParser(tool_names)
    events = list(parser.feed(Frame(body)))
    if not events:
        raise refusals.broken("$.choices is missing or empty.")
    return [*events, *parser.feed(Frame(b"[DONE]"))]
