"""Answers and lists for programs that speak to Ollama: streams of lines, whole answers, models. Pure rendering."""

from collections.abc import Sequence
from typing import Any, Final, assert_never

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
from lynkr_desktop.engine.chat.request import ChatRequest, TextPart, ThinkingPart, ToolCallPart
from lynkr_desktop.engine.chat.response import ChatResponse
from lynkr_desktop.engine.wire.ollama.request_in import GENERATE
from lynkr_desktop.engine.wire.told import message_of
from lynkr_desktop.errors import ClientError, LynkrError
from lynkr_desktop.json_reader import Fields, ShapeError

API_VERSION: Final = "0.14.0"  # of Ollama, whose API this is; programs refuse to work with what they take for an old one
_EPOCH: Final = "1970-01-01T00:00:00Z"  # a wire has no clock; programs want a time, nothing depends on it
_REASONS: Final = {StopReason.LENGTH: "length", StopReason.CONTEXT: "length"}


def stream_renderer(request: ChatRequest) -> "OllamaRenderer":
    """A renderer for one answer. The client sees the model name that it asked for."""
    return OllamaRenderer(request)


class OllamaRenderer:
    """One answer's stream to a client: a line for each delta, calls whole, the last line with reason and tokens."""

    def __init__(self, request: ChatRequest) -> None:
        self._is_generate = request.wire == GENERATE
        self._head = json_reader.encode({"model": request.model, "created_at": _EPOCH})[:-1] + b","
        self._open: OpenText | OpenThinking | OpenToolCall | None = None
        self._arguments: list[str] = []
        self._calls = 0
        self._usage = Usage()

    def feed(self, events: Sequence[StreamEvent]) -> bytes:
        """The bytes of some events, ready for one write."""
        return b"".join([self._render(event) for event in events])

    def _render(self, event: StreamEvent) -> bytes:
        match event:
            case Delta(text=text):
                return self._delta(text)
            case Opened(part=part):
                self._open = None if isinstance(part, OpenOpaque) else part
                self._arguments = []
                return b""
            case Closed():
                return self._closed()
            case Signed():
                return b""
            case Started():
                self._usage = event.usage
                return b""
            case Finished():
                return self._finished(event)
            case _:
                assert_never(event)

    def _line(self, said: bytes) -> bytes:
        return self._head + said + b',"done":false}\n'

    def _delta(self, text: str) -> bytes:
        words = json_reader.encode(text)
        match self._open:
            case OpenToolCall():
                self._arguments.append(text)
                return b""
            case OpenText():
                return self._line(
                    b'"response":' + words if self._is_generate else b'"message":{"role":"assistant","content":%b}' % words
                )
            case OpenThinking() if self._is_generate:
                return self._line(b'"response":"","thinking":' + words)
            case OpenThinking():
                return self._line(b'"message":{"role":"assistant","content":"","thinking":%b}' % words)
            case None:
                return b""

    def _closed(self) -> bytes:
        part, self._open = self._open, None
        if not isinstance(part, OpenToolCall) or self._is_generate:
            return b""
        call = call_object(part.id, part.name, "".join(self._arguments), self._calls)
        if call is None:
            return b""
        self._calls += 1
        return self._line(b'"message":' + json_reader.encode({"role": "assistant", "content": "", "tool_calls": [call]}))

    def _finished(self, event: Finished) -> bytes:
        empty = b'"response":""' if self._is_generate else b'"message":{"role":"assistant","content":""}'
        ending = json_reader.encode(_ending(event.reason, self._usage.merged(event.usage)))[1:]
        return self._head + empty + b"," + ending + b"\n"

    def error(self, error: LynkrError) -> bytes:
        """A failure after the first byte."""
        return json_reader.encode({"error": message_of(error)}) + b"\n"


def call_object(call_id: str, name: str, arguments: str, index: int) -> dict[str, Any] | None:
    """A tool call; None if its arguments were cut off, for half a call has no form here."""
    text = (arguments.strip() or "{}").encode()
    try:
        Fields.parse(text)
    except ShapeError:
        return None
    return {"id": call_id, "function": {"index": index, "name": name, "arguments": Raw(text)}}


def _ending(reason: StopReason, usage: Usage) -> dict[str, Any]:
    ending: dict[str, Any] = {"done": True, "done_reason": _REASONS.get(reason, "stop")}
    if usage != Usage():
        read = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
        ending |= {"prompt_eval_count": (usage.input_tokens or 0) + read, "eval_count": usage.output_tokens or 0}
    return ending


def render_response(response: ChatResponse, request: ChatRequest) -> bytes:
    """A whole answer in the client's JSON, under the model name that the client asked for."""
    text = "".join(part.text for part in response.parts if isinstance(part, TextPart))
    thinking = "\n".join(part.text for part in response.parts if isinstance(part, ThinkingPart) and part.text)
    body: dict[str, Any] = {"model": request.model, "created_at": _EPOCH}
    if request.wire == GENERATE:
        body["response"] = text
        if thinking:
            body["thinking"] = thinking
    else:
        calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
        objects = [call_object(part.id, part.name, part.arguments, index) for index, part in enumerate(calls)]
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if thinking:
            message["thinking"] = thinking
        if kept := [call for call in objects if call is not None]:
            message["tool_calls"] = kept
        body["message"] = message
    return json_reader.encode(body | _ending(response.reason, response.usage))


def render_token_count(tokens: int) -> bytes:
    """Ollama has no counting endpoint: `ClientError(404)`."""
    raise ClientError("Ollama's API cannot count tokens.", status=404)


def render_models(names: Sequence[str]) -> bytes:
    """The answer of `/api/tags`."""
    return json_reader.encode({"models": [_model(name) for name in names]})


def _model(name: str) -> dict[str, Any]:
    return {"name": name, "model": name, "modified_at": _EPOCH, "size": 0, "digest": "", "details": _DETAILS}


_DETAILS: Final = {
    "parent_model": "",
    "format": "",
    "family": "lynkr",
    "families": ["lynkr"],
    "parameter_size": "",
    "quantization_level": "",
}


def render_model(context_tokens: int, *, takes_images: bool) -> bytes:
    """The answer of `/api/show`."""
    return json_reader.encode(
        {
            "modelfile": "",
            "parameters": "",
            "template": "",
            "modified_at": _EPOCH,
            "details": _DETAILS,
            "model_info": {"general.architecture": "lynkr", "lynkr.context_length": context_tokens},
            "capabilities": ["completion", "tools", "thinking", *(["vision"] if takes_images else [])],
        }
    )


def render_version() -> bytes:
    """The answer of `/api/version`."""
    return json_reader.encode({"version": API_VERSION})
