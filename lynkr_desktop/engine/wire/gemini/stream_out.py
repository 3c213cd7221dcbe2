"""Events → Gemini's stream. Frames are byte templates around JSON text; the hot path is the delta."""

from collections.abc import Sequence
from typing import Any, assert_never

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
from lynkr_desktop.engine.wire.framing import JSON_ARRAY
from lynkr_desktop.engine.wire.gemini.errors import error_object
from lynkr_desktop.engine.wire.gemini.request_in import NAME
from lynkr_desktop.engine.wire.gemini.response_out import REASONS, call_part, usage_object
from lynkr_desktop.engine.wire.gemini.signatures import unmarked
from lynkr_desktop.errors import LynkrError


def stream_renderer(request: ChatRequest) -> "GeminiRenderer":
    """A renderer for one answer. The client sees the model name that it asked for."""
    return GeminiRenderer(request)


class GeminiRenderer:
    """One answer's stream to a client: a small answer for each delta, calls whole, the last one with reason and usage.

    Framed as events, or as one array that grows: that is what this wire does without `alt=sse`.
    """

    def __init__(self, request: ChatRequest) -> None:
        self._model = request.model
        self._is_array = request.framing == JSON_ARRAY
        self._before, self._after = (b"[", b"") if self._is_array else (b"data: ", b"\n\n")
        self._tail = b"}"
        self._close = b"}]},"  # of the open text part
        self._open: OpenText | OpenThinking | OpenToolCall | None = None
        self._arguments: list[str] = []
        self._signature: str | None = None  # waiting for the call that it belongs to
        self._usage = Usage()

    def feed(self, events: Sequence[StreamEvent]) -> bytes:
        """The bytes of some events, ready for one write."""
        return b"".join([self._render(event) for event in events])

    def _render(self, event: StreamEvent) -> bytes:
        match event:
            case Delta(text=text):
                return self._delta(text)
            case Opened(part=part):
                return self._opened(part)
            case Closed():
                return self._closed()
            case Signed(signature=signature):
                self._signature = unmarked(signature)
                return b""
            case Started():
                self._usage = event.usage
                identity = {"modelVersion": self._model, "responseId": event.id or "lynkr"}
                self._tail = b"," + json_reader.encode(identity)[1:]
                return b""
            case Finished():
                return self._finished(event)
            case _:
                assert_never(event)

    def _delta(self, text: str) -> bytes:
        if isinstance(self._open, OpenToolCall):
            self._arguments.append(text)
            return b""
        if self._open is None:
            return b""
        thought = b',"thought":true' if isinstance(self._open, OpenThinking) else b""
        return self._framed(
            b'{"candidates":[{"content":{"role":"model","parts":[{"text":%b%b}]},"index":0}]'
            % (json_reader.encode(text), thought)
            + self._tail
        )

    def _framed(self, chunk: bytes) -> bytes:
        before = self._before
        if self._is_array:
            self._before = b",\r\n"
        return before + chunk + self._after

    def _part(self, part: Any) -> bytes:
        return self._framed(
            b'{"candidates":[{"content":{"role":"model","parts":[%b]},"index":0}]' % json_reader.encode(part) + self._tail
        )

    def _opened(self, part: OpenText | OpenThinking | OpenToolCall | OpenOpaque) -> bytes:
        waiting = b""
        if self._signature and not isinstance(part, OpenToolCall):
            waiting, self._signature = self._part({"text": "", "thoughtSignature": self._signature}), None
        if isinstance(part, OpenOpaque):
            self._open = None
            return waiting + (self._part(part.native.fragment) if part.native.wire == NAME else b"")
        self._open, self._arguments = part, []
        return waiting

    def _closed(self) -> bytes:
        """A tool call goes out when it is whole. One that was cut off has no form here; the reason of the end tells of it."""
        part, self._open = self._open, None
        if not isinstance(part, OpenToolCall):
            return b""
        rendered = call_part(part.id, part.name, "".join(self._arguments), self._signature)
        self._signature = None
        return b"" if rendered is None else self._part(rendered)

    def _finished(self, event: Finished) -> bytes:
        part: dict[str, Any] = {"text": ""}
        if self._signature:
            part["thoughtSignature"] = self._signature
        candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": REASONS[event.reason], "index": 0}
        usage = usage_object(self._usage.merged(event.usage))
        told = b"" if usage is None else b',"usageMetadata":' + json_reader.encode(usage)
        chunk = b'{"candidates":[' + json_reader.encode(candidate) + b"]" + told + self._tail
        return self._framed(chunk) + (b"]" if self._is_array else b"")

    def error(self, error: LynkrError) -> bytes:
        """A failure after the first byte."""
        return self._framed(json_reader.encode({"error": error_object(error)})) + (b"]" if self._is_array else b"")
