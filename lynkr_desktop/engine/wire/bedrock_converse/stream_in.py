"""Converse's answers → events, streamed or whole. The hot path is the text delta.

Source: the shapes of ConverseStream and Converse in Amazon's API reference. Text and reasoning begin without a start event, and
the usage comes in `metadata`, after `messageStop`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.events import (
    Closed,
    Delta,
    Finished,
    Opened,
    OpenText,
    OpenThinking,
    OpenToolCall,
    Signed,
    Started,
    StopReason,
    StreamEvent,
    Usage,
)
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.engine.wire.bedrock_converse.errors import failure_in_stream
from lynkr_desktop.engine.wire.eventstream import FAILURE
from lynkr_desktop.engine.wire.naming import digest
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.json_reader import ShapeError

_REASONS: Final = {
    "end_turn": StopReason.END,
    "tool_use": StopReason.TOOL_CALLS,
    "max_tokens": StopReason.LENGTH,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "guardrail_intervened": StopReason.REFUSAL,
    "content_filtered": StopReason.REFUSAL,
    "model_context_window_exceeded": StopReason.CONTEXT,
}


class _Tool(msgspec.Struct, gc=False):
    toolUseId: str | None = None  # noqa: N815  Amazon's names, here and below
    name: str | None = None
    input: Raw = Raw()


class _ReasoningText(msgspec.Struct, gc=False):
    text: str | None = None
    signature: str | None = None


class _Reasoning(msgspec.Struct, gc=False):
    text: str | None = None
    signature: str | None = None
    redactedContent: str | None = None  # noqa: N815
    reasoningText: _ReasoningText | None = None  # noqa: N815


class _Block(msgspec.Struct, gc=False):
    text: str | None = None
    toolUse: _Tool | None = None  # noqa: N815
    reasoningContent: _Reasoning | None = None  # noqa: N815


class _CacheDetail(msgspec.Struct, gc=False):
    ttl: str | None = None
    inputTokens: int | None = None  # noqa: N815


class _Usage(msgspec.Struct, gc=False):
    inputTokens: int | None = None  # noqa: N815
    outputTokens: int | None = None  # noqa: N815
    cacheReadInputTokens: int | None = None  # noqa: N815
    cacheWriteInputTokens: int | None = None  # noqa: N815
    cacheDetails: list[_CacheDetail] | None = None  # noqa: N815


class _Event(msgspec.Struct, gc=False):
    start: _Block | None = None
    delta: _Block | None = None
    contentBlockIndex: int | None = None  # noqa: N815
    stopReason: str | None = None  # noqa: N815
    usage: _Usage | None = None


class _Message(msgspec.Struct, gc=False):
    content: list[_Block] | None = None


class _Output(msgspec.Struct, gc=False):
    message: _Message | None = None


class _Answer(msgspec.Struct, gc=False):
    output: _Output
    stopReason: str | None = None  # noqa: N815
    usage: _Usage | None = None


_EVENT: Final = msgspec.json.Decoder(_Event)
_ANSWER: Final = msgspec.json.Decoder(_Answer)
_OpenPart = OpenText | OpenThinking | OpenToolCall


def stream_parser(tool_names: Mapping[str, str] = {}) -> "ConverseParser":
    """A parser for one answer. `tool_names` undoes the renaming of the request."""
    return ConverseParser(tool_names)


class ConverseParser:
    """One answer's stream."""

    def __init__(self, tool_names: Mapping[str, str]) -> None:
        self._tool_names = tool_names
        self._id = ""
        self._is_started = False
        self._is_finished = False
        self._open: type[_OpenPart] | None = None
        self._index: int | None = None  # of the open block
        self._has_input = False
        self._call_ids: set[str] = set()
        self._reason: str | None = None

    def feed(self, frame: Frame) -> Sequence[StreamEvent]:
        """The events of one message. Raises `UpstreamError` if the provider reports a failure or breaks its own wire."""
        if frame.event.startswith(FAILURE):
            raise failure_in_stream(frame.event.removeprefix(FAILURE), frame.data)
        if self._is_finished:
            return ()
        try:
            event = json_reader.decode_with(_EVENT, frame.data)
        except ShapeError as error:
            raise refusals.broken(str(error)) from None
        events: list[StreamEvent] = [] if self._is_started else [self._started(frame)]
        match frame.event:
            case "contentBlockStart" if event.start is not None and event.start.toolUse is not None:
                self._call(event.start.toolUse, event.contentBlockIndex, events)
            case "contentBlockDelta" if event.delta is not None:
                self._delta(event.delta, event.contentBlockIndex, events)
            case "contentBlockStop":
                self._close(events)
            case "messageStop":
                self._close(events)
                self._reason = event.stopReason or ""
            case "metadata":
                events += self._finish(_usage(event.usage))
        return events

    def _started(self, frame: Frame) -> Started:
        """Bedrock names neither answer nor model here; its events are padded with random letters, which tell answers apart."""
        self._is_started = True
        self._id = f"bedrock-{digest(frame.data.decode('utf-8', 'replace'), 24)}"
        return Started(self._id, "")

    def _call(self, tool: _Tool, index: int | None, events: list[StreamEvent]) -> None:
        name = tool.name or f"tool_{len(self._call_ids)}"
        call_id = tool.toolUseId if tool.toolUseId and tool.toolUseId not in self._call_ids else ""
        call_id = call_id or f"tooluse_{digest(f'{self._id}:{len(self._call_ids)}:{name}', 24)}"
        self._call_ids.add(call_id)
        self._begin(OpenToolCall(call_id, self._tool_names.get(name, name)), index, events)

    def _delta(self, delta: _Block, index: int | None, events: list[StreamEvent]) -> None:
        if delta.text:
            self._words(OpenText, delta.text, index, events)
        elif delta.toolUse is not None:
            text = _input_text(delta.toolUse.input)
            if text and self._open is OpenToolCall:
                self._has_input = True
                events.append(Delta(text))
        elif delta.reasoningContent is not None:
            self._reasoning(delta.reasoningContent, index, events)

    def _reasoning(self, reasoning: _Reasoning, index: int | None, events: list[StreamEvent]) -> None:
        if reasoning.redactedContent:
            self._begin(OpenThinking(reasoning.redactedContent), index, events)
        if reasoning.text:
            self._words(OpenThinking, reasoning.text, index, events)
        if reasoning.signature:
            if self._open is not OpenThinking or index != self._index:
                self._begin(OpenThinking(), index, events)
            events.append(Signed(reasoning.signature))

    def _words(self, kind: type[OpenText | OpenThinking], text: str, index: int | None, events: list[StreamEvent]) -> None:
        if self._open is not kind or index != self._index:
            self._begin(kind(), index, events)
        events.append(Delta(text))

    def _begin(self, part: _OpenPart, index: int | None, events: list[StreamEvent]) -> None:
        self._close(events)
        self._open, self._index, self._has_input = type(part), index, False
        events.append(Opened(part))

    def _close(self, events: list[StreamEvent]) -> None:
        if self._open is None:
            return
        if self._open is OpenToolCall and not self._has_input:
            events.append(Delta("{}"))
        self._open = self._index = None
        events.append(Closed())

    def _finish(self, usage: Usage) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        self._close(events)
        self._is_finished = True
        unknown = StopReason.TOOL_CALLS if self._call_ids else StopReason.END
        events.append(Finished(_REASONS.get(self._reason or "", unknown), usage))
        return events

    def close(self) -> Sequence[StreamEvent]:
        """The bytes have ended. Raises `UpstreamError(PROTOCOL)` if the answer had not."""
        if self._is_finished:
            return ()
        if self._reason is None:
            raise refusals.broken("The stream ended before the answer did.")
        return self._finish(Usage())

    def whole(self, answer: _Answer, body: bytes) -> Sequence[StreamEvent]:
        """The events of an answer in one piece."""
        events: list[StreamEvent] = [self._started(Frame(body))]
        message = answer.output.message or _Message()
        for index, block in enumerate(message.content or ()):
            if block.toolUse is not None:
                self._call(block.toolUse, index, events)
            elif block.reasoningContent is not None and block.reasoningContent.reasoningText is not None:
                inner = block.reasoningContent.reasoningText
                self._reasoning(_Reasoning(text=inner.text, signature=inner.signature), index, events)
                self._close(events)
                continue
            self._delta(block, index, events)
            self._close(events)
        self._reason = answer.stopReason
        return [*events, *self._finish(_usage(answer.usage))]


def _input_text(raw: Raw) -> str:
    """Arguments as JSON text: a stream brings pieces of it as text, a whole answer an object."""
    if not raw or json_reader.kind_of(raw) == "null":
        return ""
    if json_reader.kind_of(raw) == "string":
        return str(refusals.decoded(raw))
    return bytes(raw).decode("utf-8", "replace")


def _usage(usage: _Usage | None) -> Usage:
    if usage is None:
        return Usage()
    hour = [detail.inputTokens for detail in usage.cacheDetails or () if detail.ttl == "1h" and detail.inputTokens]
    return Usage(
        input_tokens=usage.inputTokens,
        output_tokens=usage.outputTokens,
        cache_read_tokens=usage.cacheReadInputTokens,
        cache_write_tokens=usage.cacheWriteInputTokens,
        cache_write_1h_tokens=sum(hour) if hour else None,
    )


def parse_response(body: bytes, tool_names: Mapping[str, str] = {}) -> Sequence[StreamEvent]:
    """A whole answer as events. Raises `UpstreamError` if it is not one."""
    try:
        answer = json_reader.decode_with(_ANSWER, body)
    except ShapeError as error:
        raise refusals.broken(str(error)) from None
    return ConverseParser(tool_names).whole(answer, body)
