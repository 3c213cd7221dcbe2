"""Ollama's answers → events: one JSON object a line. The hot path is the text delta.

Source: Ollama's API reference (docs/api.md). Thinking comes before text, a tool call comes whole, and the line with `done` brings
reason and tokens.
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
    OpenText,
    OpenThinking,
    OpenToolCall,
    Started,
    StopReason,
    StreamEvent,
    Usage,
)
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.engine.wire.naming import digest
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.json_reader import ShapeError


class _Function(msgspec.Struct, gc=False):
    name: str = ""
    arguments: Raw = Raw()


class _Call(msgspec.Struct, gc=False):
    id: str | None = None
    function: _Function | None = None


class _Message(msgspec.Struct, gc=False):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None


class _Line(msgspec.Struct, gc=False):
    model: str | None = None
    created_at: Any = None
    message: _Message | None = None
    done: bool | None = None
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: Any = None


_LINE: Final = msgspec.json.Decoder(_Line)


def stream_parser(tool_names: Mapping[str, str] = {}) -> "OllamaParser":
    """A parser for one answer. Tools keep their names here, so there is nothing to undo."""
    return OllamaParser()


def is_added(frame: Frame) -> bool:
    """Usage is always told here, so no frame is there only because it was asked for."""
    return False


class OllamaParser:
    """One answer's stream."""

    def __init__(self) -> None:
        self._is_started = False
        self._is_finished = False
        self._open: type[OpenText | OpenThinking] | None = None
        self._blank = ""
        self._id = ""
        self._call_ids: set[str] = set()

    def feed(self, frame: Frame) -> Sequence[StreamEvent]:
        """The events of one line. Raises `UpstreamError` if the provider reports a failure or breaks its own wire."""
        if self._is_finished:
            return ()
        try:
            line = json_reader.decode_with(_LINE, frame.data)
        except ShapeError as error:
            raise refusals.broken(str(error)) from None
        if line.error is not None:
            raise refusals.refusal_in_stream({"error": line.error})
        events: list[StreamEvent] = []
        if not self._is_started:
            self._is_started = True
            self._id = (
                f"ollama-{digest(f'{line.created_at}:{line.model}', 16)}"  # Ollama gives none; the time tells answers apart
            )
            events.append(Started(self._id, line.model or ""))
        if line.message is not None:
            self._message(line.message, events)
        if line.done:
            events.extend(self._finish(line))
        return events

    def _message(self, message: _Message, events: list[StreamEvent]) -> None:
        self._words(OpenThinking, message.thinking or "", events)
        self._words(OpenText, message.content or "", events)
        for call in message.tool_calls or ():
            self._call(call, events)

    def _words(self, kind: type[OpenText | OpenThinking], text: str, events: list[StreamEvent]) -> None:
        """White space alone opens nothing; it waits for the first word."""
        if text and self._open is not kind:
            text, self._blank = self._blank + text, ""
            if not text.strip():
                self._blank = text
                return
            self._close(events)
            events.append(Opened(kind()))
            self._open = kind
        if text:
            events.append(Delta(text))

    def _close(self, events: list[StreamEvent]) -> None:
        if self._open is not None:
            events.append(Closed())
            self._open = None

    def _call(self, call: _Call, events: list[StreamEvent]) -> None:
        function = call.function or _Function()
        self._close(events)
        self._blank = ""
        name = function.name or f"tool_{len(self._call_ids)}"
        call_id = call.id if call.id and call.id not in self._call_ids else ""
        call_id = call_id or f"call_{digest(f'{self._id}:{len(self._call_ids)}:{name}', 24)}"
        self._call_ids.add(call_id)
        events += (Opened(OpenToolCall(call_id, name)), Delta(_arguments(function.arguments)), Closed())

    def _finish(self, line: _Line) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        self._close(events)
        reason = StopReason.LENGTH if line.done_reason == "length" else StopReason.END
        if self._call_ids and reason is StopReason.END:
            reason = StopReason.TOOL_CALLS
        self._is_finished = True
        usage = Usage(input_tokens=line.prompt_eval_count, output_tokens=line.eval_count)
        return [*events, Finished(reason, usage)]

    def close(self) -> Sequence[StreamEvent]:
        """The bytes have ended. Raises `UpstreamError(PROTOCOL)` if the answer had not."""
        if self._is_finished:
            return ()
        raise refusals.broken("The stream ended before the answer did.")


def _arguments(raw: Raw) -> str:
    """Arguments as JSON text; some versions of some models give them as text already."""
    if not raw or json_reader.kind_of(raw) == "null":
        return "{}"
    if json_reader.kind_of(raw) == "string":
        return str(refusals.decoded(raw)).strip() or "{}"
    return bytes(raw).decode("utf-8", "replace")


def parse_response(body: bytes, tool_names: Mapping[str, str] = {}) -> Sequence[StreamEvent]:
    """A whole answer as events. Raises `UpstreamError` if it is not one."""
    parser = OllamaParser()
    return [*parser.feed(Frame(body)), *parser.close()]
