"""Gemini's answers → events: the stream's state machine, and whole answers. The hot path is the text delta.

Source: the reference of `GenerateContentResponse` (v1beta). Each chunk is a small answer of its own; a tool call comes whole.
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
from lynkr_desktop.engine.wire.gemini.request_in import NAME
from lynkr_desktop.engine.wire.gemini.signatures import marked
from lynkr_desktop.engine.wire.naming import digest
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.errors import FailureKind, UpstreamError
from lynkr_desktop.json_reader import ShapeError

_PREFIXES: Final = ("default_api:", "default_api.")  # Gemini sometimes puts its own namespace before a tool's name
_REASONS: Final = {
    "STOP": StopReason.END,
    "MAX_TOKENS": StopReason.LENGTH,
    "SAFETY": StopReason.REFUSAL,
    "BLOCKLIST": StopReason.REFUSAL,
    "PROHIBITED_CONTENT": StopReason.REFUSAL,
    "SPII": StopReason.REFUSAL,
    "IMAGE_SAFETY": StopReason.REFUSAL,
    "IMAGE_PROHIBITED_CONTENT": StopReason.REFUSAL,
}
# An answer that ends so is none, and none of these is about safety.
_FAILURES: Final = {
    "MALFORMED_FUNCTION_CALL": (FailureKind.PROTOCOL, "The model made a tool call that cannot be read."),
    "UNEXPECTED_TOOL_CALL": (FailureKind.PROTOCOL, "The model called a tool that it does not have."),
    "TOO_MANY_TOOL_CALLS": (FailureKind.PROTOCOL, "The model called too many tools in a row."),
    "MISSING_THOUGHT_SIGNATURE": (FailureKind.BAD_REQUEST, "The provider misses a signature of its model's reasoning."),
    "RECITATION": (FailureKind.REFUSED, "The provider ended the answer because it repeats a known text too closely."),
    "LANGUAGE": (FailureKind.REFUSED, "The model does not support this language."),
}


class _Call(msgspec.Struct, gc=False):
    name: str = ""
    id: str | None = None
    args: Raw = Raw()


class _Part(msgspec.Struct, gc=False, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: _Call | None = None


class _Content(msgspec.Struct, gc=False):
    parts: list[Raw] | None = None


class _Candidate(msgspec.Struct, gc=False, rename="camel"):
    index: int | None = 0
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None


class _Feedback(msgspec.Struct, gc=False, rename="camel"):
    block_reason: str | None = None
    block_reason_message: str | None = None


class _Tokens(msgspec.Struct, gc=False, rename="camel"):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None


class _Chunk(msgspec.Struct, gc=False, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Tokens | None = None
    model_version: str | None = None
    response_id: str | None = None
    error: Raw = Raw()


_CHUNK: Final = msgspec.json.Decoder(_Chunk)
_CHUNKS: Final = msgspec.json.Decoder(list[Raw])
_PART: Final = msgspec.json.Decoder(_Part)
_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])


def stream_parser(tool_names: Mapping[str, str] = {}) -> "GeminiParser":
    """A parser for one answer. `tool_names` undoes the renaming of `Rendered`."""
    return GeminiParser(tool_names)


def is_added(frame: Frame) -> bool:
    """Usage is always told here, so no frame is there only because it was asked for."""
    return False


class GeminiParser:
    """One answer's stream."""

    def __init__(self, tool_names: Mapping[str, str]) -> None:
        self._tool_names = tool_names
        self._is_started = False
        self._is_finished = False
        self._open: type[OpenText | OpenThinking] | None = None
        self._blank = ""
        self._id = ""
        self._call_ids: set[str] = set()
        self._reason = ""
        self._usage = Usage()

    def feed(self, frame: Frame) -> Sequence[StreamEvent]:
        """The events of one frame. Raises `UpstreamError` if the provider reports a failure or breaks its own wire."""
        if self._is_finished or not frame.data.strip():
            return ()
        if frame.data.lstrip().startswith(b"["):  # a server that answers with an array whatever was asked
            return [event for raw in _decoded(_CHUNKS, frame.data) for event in self.feed(Frame(bytes(raw)))]
        return self._chunk(_decoded(_CHUNK, frame.data))

    def _chunk(self, chunk: _Chunk) -> list[StreamEvent]:
        if chunk.error and json_reader.kind_of(chunk.error) != "null":
            raise refusals.refusal_in_stream(refusals.told(chunk.error))
        if chunk.usage_metadata is not None:
            self._usage = self._usage.merged(usage_of(chunk.usage_metadata))
        candidate = next((each for each in chunk.candidates or () if not each.index), None)
        if candidate is None:
            self._raise_blocked(chunk.prompt_feedback)
            return []
        events: list[StreamEvent] = []
        if not self._is_started:
            self._is_started, self._id = True, chunk.response_id or ""
            events.append(Started(self._id, chunk.model_version or ""))
        for raw in (candidate.content.parts if candidate.content else None) or ():
            self._part(raw, events)
        if candidate.finish_reason:
            self._reason = candidate.finish_reason
            self._raise_failed_end(candidate)
        return events

    def _raise_blocked(self, feedback: _Feedback | None) -> None:
        if feedback is not None and feedback.block_reason:
            kind = FailureKind.REFUSED
            detail = feedback.block_reason_message or f"The prompt was blocked: {feedback.block_reason}."
            raise UpstreamError(kind, refusals.TITLES[kind], detail, status=200, code=feedback.block_reason)

    def _raise_failed_end(self, candidate: _Candidate) -> None:
        if self._reason in _FAILURES:
            kind, title = _FAILURES[self._reason]
            detail = refusals.shortened(candidate.finish_message or f"The answer ended with {self._reason}.")
            raise UpstreamError(kind, title, detail, status=200, code=self._reason)

    def _part(self, raw: Raw, events: list[StreamEvent]) -> None:
        part = _decoded(_PART, raw)
        if part.function_call is not None:
            self._call(part.function_call, part.thought_signature, events)
        elif part.text is not None:
            self._words(part, events)
        elif part.thought_signature:
            self._sign(part.thought_signature, events)
        else:
            self._opaque(_decoded(_OBJECT, raw), events)

    def _words(self, part: _Part, events: list[StreamEvent]) -> None:
        kind = OpenThinking if part.thought else OpenText
        text = part.text or ""
        if self._open is not kind:  # white space alone opens nothing; it waits for the first word
            text, self._blank = self._blank + text, ""
            if not text.strip():
                text, self._blank = "", text
        if text:
            self._open_as(kind, events)
            events.append(Delta(text))
        if part.thought_signature:
            self._sign(part.thought_signature, events)

    def _open_as(self, kind: type[OpenText | OpenThinking], events: list[StreamEvent]) -> None:
        if self._open is not kind:
            self._close(events)
            events.append(Opened(kind()))
            self._open = kind

    def _close(self, events: list[StreamEvent]) -> None:
        if self._open is not None:
            events.append(Closed())
            self._open = None

    def _sign(self, signature: str, events: list[StreamEvent]) -> None:
        """A signature belongs to the reasoning before it, or stands for reasoning that Google keeps to itself."""
        self._open_as(OpenThinking, events)
        events.append(Signed(marked(signature)))
        self._close(events)

    def _call(self, call: _Call, signature: str | None, events: list[StreamEvent]) -> None:
        if signature:
            self._sign(signature, events)
        self._close(events)
        self._blank = ""
        name = call.name
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        name = name or f"tool_{len(self._call_ids)}"
        call_id = call.id if call.id and call.id not in self._call_ids else ""
        call_id = call_id or f"call_{digest(f'{self._id}:{len(self._call_ids)}:{name}', 24)}"
        self._call_ids.add(call_id)
        has_arguments = bool(call.args) and json_reader.kind_of(call.args) == "object"
        arguments = bytes(call.args).decode("utf-8", "replace") if has_arguments else "{}"
        events += (Opened(OpenToolCall(call_id, self._tool_names.get(name, name))), Delta(arguments), Closed())

    def _opaque(self, fragment: dict[str, Raw], events: list[StreamEvent]) -> None:
        """A picture, code that Google ran, and the like: only this wire can carry it."""
        if fragment:
            self._close(events)
            events += (Opened(OpenOpaque(next(iter(fragment)), Native(NAME, fragment))), Closed())

    def close(self) -> Sequence[StreamEvent]:
        """The bytes have ended. Raises `UpstreamError(PROTOCOL)` if the answer had not.

        The end of the bytes is the only end that this wire has: some models tell a reason in every chunk, and words, signatures
        and tokens may come after it.
        """
        if self._is_finished:
            return ()
        if not self._reason:
            raise refusals.broken("The stream ended before the answer did.")
        events: list[StreamEvent] = []
        self._close(events)
        reason = _REASONS.get(self._reason, StopReason.END)
        if self._call_ids and reason is StopReason.END:
            reason = StopReason.TOOL_CALLS  # Gemini says STOP after a call too
        self._is_finished = True
        events.append(Finished(reason, self._usage))
        return events


def _decoded(decoder: Any, content: bytes | Raw) -> Any:
    try:
        return json_reader.decode_with(decoder, content)
    except ShapeError as error:
        raise refusals.broken(str(error)) from None


def usage_of(tokens: _Tokens) -> Usage:
    """Tokens as `chat` counts them: Google's prompt count includes what the cache held, and thoughts are beside the answer's."""
    prompt, cached = tokens.prompt_token_count, tokens.cached_content_token_count
    answer, thoughts = tokens.candidates_token_count, tokens.thoughts_token_count
    return Usage(
        input_tokens=None if prompt is None else max(0, prompt + (tokens.tool_use_prompt_token_count or 0) - (cached or 0)),
        output_tokens=None if answer is None and thoughts is None else (answer or 0) + (thoughts or 0),
        cache_read_tokens=cached,
        reasoning_tokens=thoughts,
    )


def parse_response(body: bytes, tool_names: Mapping[str, str] = {}) -> Sequence[StreamEvent]:
    """A whole answer as events. Raises `UpstreamError` if it is not one."""
    parser = GeminiParser(tool_names)
    events = list(parser.feed(Frame(body)))
    if not events:
        raise refusals.broken("$.candidates is missing or empty.")
    return [*events, *parser.close()]
