"""Anthropic's answers → events: the stream's state machine, and whole answers. The hot path is the text delta.

Source: the Messages API's description of streaming. Tolerates what compatible servers get wrong: a delta without its start, a
start without its stop, usage only at the end.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.events import (
    Closed,
    Delta,
    Finished,
    Opened,
    OpenOpaque,
    OpenText,
    OpenThinking,
    OpenToolCall,
    Signed,
    Started,
    StopReason,
    StreamEvent,
    Usage,
)
from lynkr_desktop.engine.chat.request import Native
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.engine.wire.anthropic.request_in import NAME
from lynkr_desktop.engine.wire.naming import digest
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.json_reader import Fields, ShapeError

_REASONS: Final = {
    "end_turn": StopReason.END,
    "tool_use": StopReason.TOOL_CALLS,
    "max_tokens": StopReason.LENGTH,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "refusal": StopReason.REFUSAL,
    "pause_turn": StopReason.PAUSE,
    "model_context_window_exceeded": StopReason.CONTEXT,
}


class _Delta(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    signature: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    delta: _Delta | None = None
    message: Raw = Raw()
    content_block: Raw = Raw()
    usage: Raw = Raw()
    error: Raw = Raw()


_EVENT: Final = msgspec.json.Decoder(_Event)


def stream_parser(tool_names: Mapping[str, str] = {}) -> "AnthropicParser":
    """A parser for one answer. `tool_names` undoes the renaming of `Rendered`."""
    return AnthropicParser(tool_names)


def is_added(frame: Frame) -> bool:
    """Did this frame come only because usage was asked for? Never here: Anthropic always tells."""
    return False


class AnthropicParser:
    """One answer's stream."""

    def __init__(self, tool_names: Mapping[str, str]) -> None:
        self._tool_names = tool_names
        self._open = ""  # the delta type that the open part takes; `opaque` for a held block
        self._whole_input: str = ""  # arguments that came with the start of the block
        self._held: Fields | None = None
        self._held_input: list[str] = []
        self._is_started = False
        self._is_finished = False
        self._id = ""
        self._call_ids: list[str] = []
        self._reason: str | None = None
        self._stop_sequence: str | None = None
        self._usage = Usage()

    def feed(self, frame: Frame) -> Sequence[StreamEvent]:
        """The events of one frame. Raises `UpstreamError` if the provider reports a failure or breaks its own wire."""
        if self._is_finished:
            return ()
        try:
            event = _EVENT.decode(frame.data)
            delta = event.delta
            if event.type == "content_block_delta" and delta is not None:
                if delta.text and self._open == "text_delta" and delta.type == "text_delta":
                    return (Delta(delta.text),)
                return self._delta(delta)
        except json_reader.UNREADABLE:
            event = self._mended(frame)
        try:
            return self._event(event)
        except ShapeError as error:
            raise refusals.broken(str(error)) from None

    def _mended(self, frame: Frame) -> _Event:
        try:
            return json_reader.decode_with(_EVENT, frame.data)
        except ShapeError as error:
            raise refusals.broken(str(error)) from None

    def _event(self, event: _Event) -> Sequence[StreamEvent]:
        match event.type:
            case "content_block_delta" if event.delta is not None:
                return self._delta(event.delta)
            case "content_block_start":
                return self._start_block(Fields.parse(event.content_block, "$.content_block"))
            case "content_block_stop":
                return self._close_block()
            case "message_start":
                return self._start(Fields.parse(event.message, "$.message"))
            case "message_delta":
                if event.delta is not None:
                    self._reason = event.delta.stop_reason or self._reason
                    self._stop_sequence = event.delta.stop_sequence or self._stop_sequence
                self._usage = self._usage.merged(usage_of(event.usage))
            case "message_stop":
                return self._finish()
            case "error":
                raise refusals.refusal_in_stream(refusals.told(event.error) if event.error else {})
            case _:
                if event.error:
                    raise refusals.refusal_in_stream(refusals.told(event.error))
        return ()

    def _start(self, message: Fields) -> Sequence[StreamEvent]:
        if self._is_started:
            return ()
        self._is_started = True
        usage = usage_of(message.raw.get("usage", Raw()))
        self._usage = usage
        self._id = message.text_or("id", "")
        return (Started(self._id, message.text_or("model", ""), usage),)

    def _begun(self) -> list[StreamEvent]:
        """What must come before a part."""
        events: list[StreamEvent] = [] if self._is_started else [Started("", "")]
        self._is_started = True
        events.extend(self._close_block())
        return events

    def _start_block(self, block: Fields) -> Sequence[StreamEvent]:
        events = self._begun()
        match block.text_or("type", ""):
            case "text":
                events.append(Opened(OpenText()))
                self._open = "text_delta"
                first = block.text_or("text", "")
            case "thinking":
                events.append(Opened(OpenThinking()))
                self._open = "thinking_delta"
                first = block.text_or("thinking", "")
            case "redacted_thinking":
                events.append(Opened(OpenThinking(block.text_or("data", ""))))
                self._open = "thinking_delta"
                first = ""
            case "tool_use":
                events.append(Opened(self._call(block)))
                self._open = "input_json_delta"
                self._whole_input = _text_of_input(block)
                first = ""
            case _:
                self._held, self._held_input, self._open = block, [], "opaque"
                first = ""
        if first:
            events.append(Delta(first))
        signature = block.text_or("signature", "") if self._open == "thinking_delta" else ""
        if signature:
            events.append(Signed(signature))
        return events

    def _call(self, block: Fields) -> OpenToolCall:
        """A call with an id of its own, whatever a compatible server left out or said twice."""
        number = len(self._call_ids)
        name = block.text_or("name", "") or f"tool_{number}"
        call_id = block.text_or("id", "")
        if not call_id or call_id in self._call_ids:
            call_id = f"toolu_{digest(f'{self._id}:{number}:{name}', 24)}"
        self._call_ids.append(call_id)
        return OpenToolCall(call_id, self._tool_names.get(name, name))

    def _delta(self, delta: _Delta) -> Sequence[StreamEvent]:
        if delta.type == "signature_delta":
            return (Signed(delta.signature),) if delta.signature and self._open == "thinking_delta" else ()
        text = delta.text or delta.thinking or delta.partial_json
        if not text:
            return ()
        if self._open == "opaque":
            self._held_input.append(text)
            return ()
        if self._open and delta.type == self._open:
            self._whole_input = ""
            return (Delta(text),)
        if delta.type not in {"text_delta", "thinking_delta"}:
            return ()  # citations, and what is not known yet: no part of the answer's words
        events = self._begun()
        events.append(Opened(OpenText() if delta.type == "text_delta" else OpenThinking()))
        self._open = delta.type
        events.append(Delta(text))
        return events

    def _close_block(self) -> Sequence[StreamEvent]:
        kind, self._open = self._open, ""
        if not kind:
            return ()
        if kind == "opaque":
            return self._release()
        whole, self._whole_input = self._whole_input, ""
        return (Delta(whole), Closed()) if whole else (Closed(),)

    def _release(self) -> Sequence[StreamEvent]:
        """A block that only this wire understands, given whole."""
        held = self._held
        if held is None:
            return ()
        fragment = dict(held.raw)
        collected = "".join(self._held_input)
        if collected.strip() and json_reader.is_json(collected):
            fragment["input"] = Raw(collected.encode("utf-8", "replace"))
        self._held = None
        return (Opened(OpenOpaque(held.text_or("type", ""), Native(NAME, fragment))), Closed())

    def _finish(self) -> Sequence[StreamEvent]:
        events = self._begun()
        self._is_finished = True
        unknown = StopReason.TOOL_CALLS if self._call_ids else StopReason.END
        events.append(Finished(_REASONS.get(self._reason or "", unknown), self._usage, self._stop_sequence))
        return events

    def close(self) -> Sequence[StreamEvent]:
        """The bytes have ended. Raises `UpstreamError(PROTOCOL)` if the answer had not."""
        if self._is_finished:
            return ()
        if self._reason is None:
            raise refusals.broken("The stream ended before the answer did.")
        return self._finish()


def _text_of_input(block: Fields) -> str:
    if block.kind("input") != "object" or not block.fields("input").raw:
        return ""
    return bytes(block.raw["input"]).decode("utf-8", "replace")


def usage_of(raw: Raw) -> Usage:
    """Tokens as Anthropic tells them; anything but an object tells nothing."""
    if json_reader.kind_of(raw) != "object":
        return Usage()
    fields = Fields.parse(raw, "$.usage")
    buckets = fields.optional_fields("cache_creation")
    details = fields.optional_fields("output_tokens_details")
    return Usage(
        input_tokens=fields.optional("input_tokens", int),
        output_tokens=fields.optional("output_tokens", int),
        cache_read_tokens=fields.optional("cache_read_input_tokens", int),
        cache_write_tokens=fields.optional("cache_creation_input_tokens", int),
        cache_write_1h_tokens=buckets.optional("ephemeral_1h_input_tokens", int) if buckets else None,
        reasoning_tokens=details.optional("thinking_tokens", int) if details else None,
    )


def parse_response(body: bytes, tool_names: Mapping[str, str] = {}) -> Sequence[StreamEvent]:
    """A whole answer as events. Raises `UpstreamError` if it is not one."""
    parser = AnthropicParser(tool_names)
    try:
        message = Fields.parse(body)
        if message.text_or("type", "") == "error" or message.has("error"):
            raise refusals.refusal_in_stream(refusals.told(body))
        if "content" not in message:
            raise refusals.broken("$.content is missing.")
        events: list[StreamEvent] = list(parser.feed(_frame("message_start", message=message.raw)))
        for block in message.objects("content"):
            events += parser.feed(_frame("content_block_start", content_block=block.raw))
            events += parser.feed(_frame("content_block_stop"))
        ending = {"stop_reason": message.raw.get("stop_reason"), "stop_sequence": message.raw.get("stop_sequence")}
        events += parser.feed(_frame("message_delta", delta=ending))
        events += parser.feed(_frame("message_stop"))
    except ShapeError as error:
        raise refusals.broken(str(error)) from None
    return events


def _frame(kind: str, **values: Any) -> Frame:
    return Frame(json_reader.encode({"type": kind, **values}))
