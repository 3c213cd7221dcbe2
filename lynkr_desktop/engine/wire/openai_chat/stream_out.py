"""Events → the stream of Chat Completions. Frames are byte templates around JSON text; the hot path is the delta."""

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
from lynkr_desktop.engine.wire.openai_chat.response_out import REASONS, is_legacy, usage_object
from lynkr_desktop.engine.wire.openai_errors import error_object
from lynkr_desktop.errors import LynkrError

DONE = b"data: [DONE]\n\n"


def stream_renderer(request: ChatRequest) -> "ChatRenderer":
    """A renderer for one answer. The client sees the model name that it asked for."""
    return ChatRenderer(request)


class ChatRenderer:
    """One answer's stream to a client: the role, the deltas, the finish reason, the usage if it was asked for, `[DONE]`."""

    def __init__(self, request: ChatRequest) -> None:
        self._model = request.model
        self._wants_usage = request.wants_stream_usage
        self._is_legacy = is_legacy(request)
        self._chunk_head = b""
        self._chunk_tail = b',"finish_reason":null}]%s}\n\n' % (b',"usage":null' if self._wants_usage else b"")
        self._head = b""  # of the open part's chunks; empty if no part is open or the part is left out
        self._tail = b""
        self._call = -1  # ordinal of the last tool call
        self._needs_arguments = False
        self._usage = Usage()

    def feed(self, events: Sequence[StreamEvent]) -> bytes:
        """The bytes of some events, ready for one write."""
        if len(events) == 1 and type(event := events[0]) is Delta:
            return self._delta(event.text)
        return b"".join([self._render(event) for event in events])

    def _delta(self, text: str) -> bytes:
        self._needs_arguments = False
        return self._head + json_reader.encode(text) + self._tail if self._head else b""

    def _render(self, event: StreamEvent) -> bytes:
        match event:
            case Delta(text=text):
                return self._delta(text)
            case Opened(part=part):
                return self._opened(part)
            case Closed():
                return self._closed()
            case Signed():
                return b""
            case Started():
                return self._started(event)
            case Finished():
                return self._finished(event)
            case _:
                assert_never(event)

    def _started(self, event: Started) -> bytes:
        self._usage = event.usage
        identity = {"id": event.id or "chatcmpl-lynkr", "object": "chat.completion.chunk", "created": 0, "model": self._model}
        self._chunk_head = b"data: " + json_reader.encode(identity)[:-1] + b',"choices":['
        return self._chunk({"role": "assistant", "content": ""})

    def _chunk(self, delta: Any) -> bytes:
        return self._chunk_head + b'{"index":0,"delta":' + json_reader.encode(delta) + self._chunk_tail

    def _opened(self, part: OpenText | OpenThinking | OpenToolCall | OpenOpaque) -> bytes:
        match part:
            case OpenText():
                self._takes(b'{"content":', b"}")
            case OpenThinking():
                self._takes(b'{"reasoning_content":', b"}")
            case OpenToolCall(id=call_id, name=name):
                return self._open_call(call_id, name)
            case OpenOpaque():
                pass  # only its own wire can carry it
        return b""

    def _takes(self, before: bytes, after: bytes) -> None:
        self._head = self._chunk_head + b'{"index":0,"delta":' + before
        self._tail = after + self._chunk_tail

    def _open_call(self, call_id: str, name: str) -> bytes:
        self._call += 1
        if self._is_legacy:
            if self._call:
                return b""  # the form before `tools` has room for one call
            self._takes(b'{"function_call":{"arguments":', b"}}")
            self._needs_arguments = True
            return self._chunk({"function_call": {"name": name, "arguments": ""}})
        self._takes(b'{"tool_calls":[{"index":%d,"function":{"arguments":' % self._call, b"}}]}")
        self._needs_arguments = True
        function = {"name": name, "arguments": ""}
        return self._chunk({"tool_calls": [{"index": self._call, "id": call_id, "type": "function", "function": function}]})

    def _closed(self) -> bytes:
        """A call without arguments gets an empty object: clients parse the text."""
        rest = self._delta("{}") if self._needs_arguments and self._head else b""
        self._head, self._needs_arguments = b"", False
        return rest

    def _finished(self, event: Finished) -> bytes:
        reason = REASONS[event.reason]
        if self._is_legacy and reason == "tool_calls":
            reason = "function_call"
        nothing = b',"usage":null' if self._wants_usage else b""
        ending = self._chunk_head + b'{"index":0,"delta":{},"finish_reason":"%s"}]%s}\n\n' % (reason.encode(), nothing)
        usage = usage_object(self._usage.merged(event.usage)) if self._wants_usage else None
        told = b"" if usage is None else self._chunk_head + b'],"usage":' + json_reader.encode(usage) + b"}\n\n"
        return ending + told + DONE

    def error(self, error: LynkrError) -> bytes:
        """A failure after the first byte. No `[DONE]` follows: nobody may take this for a whole answer."""
        return b"data: " + json_reader.encode({"error": error_object(error)}) + b"\n\n"
