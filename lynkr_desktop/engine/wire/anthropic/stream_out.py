"""Events → the Messages API's stream. Frames are byte templates around JSON text; the hot path is the delta."""

from collections.abc import Sequence
from typing import Any, Final, assert_never

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
    StreamEvent,
    Usage,
)
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.wire.anthropic.errors import error_object
from lynkr_desktop.engine.wire.anthropic.request_in import NAME
from lynkr_desktop.engine.wire.anthropic.response_out import REASONS, call_id, usage_object
from lynkr_desktop.errors import LynkrError

_TAIL: Final = b"}}\n\n"


def stream_renderer(request: ChatRequest) -> "AnthropicRenderer":
    """A renderer for one answer. The client sees the model name that it asked for."""
    return AnthropicRenderer(request.model)


class AnthropicRenderer:
    """One answer's stream to a client: `message_start` … `message_stop`."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._index = -1
        self._head = b""  # of the open part's delta frames; empty if no part is open or the part is left out
        self._is_open = False
        self._usage = Usage()

    def feed(self, events: Sequence[StreamEvent]) -> bytes:
        """The bytes of some events, ready for one write."""
        if len(events) == 1 and type(event := events[0]) is Delta:
            return self._head + json_reader.encode(event.text) + _TAIL if self._head else b""
        return b"".join([self._render(event) for event in events])

    def _render(self, event: StreamEvent) -> bytes:
        match event:
            case Delta(text=text):
                return self._head + json_reader.encode(text) + _TAIL if self._head else b""
            case Opened(part=part):
                return self._opened(part)
            case Closed():
                return self._closed()
            case Signed(signature=signature):
                delta = {"type": "signature_delta", "signature": signature}
                return frame("content_block_delta", index=self._index, delta=delta) if self._head else b""
            case Started():
                return self._started(event)
            case Finished():
                return self._finished(event)
            case _:
                assert_never(event)

    def _started(self, event: Started) -> bytes:
        self._usage = event.usage
        message: dict[str, Any] = {
            "id": event.id or "msg_lynkr",
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_object(event.usage),
        }
        return frame("message_start", message=message)

    def _opened(self, part: OpenText | OpenThinking | OpenToolCall | OpenOpaque) -> bytes:
        block: Any
        match part:
            case OpenText():
                return self._block({"type": "text", "text": ""}, "text_delta", "text")
            case OpenThinking(redacted=redacted) if redacted is not None:
                return self._block({"type": "redacted_thinking", "data": redacted}, "", "")
            case OpenThinking():
                return self._block({"type": "thinking", "thinking": "", "signature": ""}, "thinking_delta", "thinking")
            case OpenToolCall(id=given, name=name):
                block = {"type": "tool_use", "id": call_id(given), "name": name, "input": {}}
                return self._block(block, "input_json_delta", "partial_json")
            case OpenOpaque(native=native):
                return self._block(native.fragment, "", "") if native.wire == NAME else b""

    def _block(self, block: Any, delta: str, key: str) -> bytes:
        self._index += 1
        self._is_open = True
        if delta:
            self._head = (
                b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%s","%s":'
                % (self._index, delta.encode(), key.encode())
            )
        return frame("content_block_start", index=self._index, content_block=block)

    def _closed(self) -> bytes:
        was_open, self._is_open, self._head = self._is_open, False, b""
        return frame("content_block_stop", index=self._index) if was_open else b""

    def _finished(self, event: Finished) -> bytes:
        usage = usage_object(self._usage.merged(event.usage))
        delta = {"stop_reason": REASONS[event.reason], "stop_sequence": event.stop_sequence}
        return frame("message_delta", delta=delta, usage=usage) + frame("message_stop")

    def error(self, error: LynkrError) -> bytes:
        """A failure after the first byte: the `error` event, which ends a stream in this wire."""
        return frame("error", error=error_object(error))


def frame(kind: str, **values: Any) -> bytes:
    """One event of the stream."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), json_reader.encode({"type": kind, **values}))
