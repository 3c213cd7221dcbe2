"""Responses API answers → events: the stream's state machine, and whole answers.

Items are told apart by their `output_index`. The first that is not over is streamed as it grows; what comes for later ones waits.
What a server leaves out (deltas, single events, whole items) is taken from what it tells again at the end, and never twice.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.events import Finished, Started, StopReason, StreamEvent, Usage
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.engine.wire.openai_responses.untangle import OutputItem
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.json_reader import Fields, ShapeError

_ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.done"})
_FAILURES: Final = frozenset({"response.failed", "response.error", "response.cancelled", "error"})


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    delta: Raw = Raw()
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    item: Raw = Raw()
    response: Raw = Raw()
    text: str | None = None
    arguments: str | None = None
    input: str | None = None
    refusal: str | None = None


_EVENT: Final = msgspec.json.Decoder(_Event)


def stream_parser(tool_names: Mapping[str, str] = {}) -> "ResponsesParser":
    """A parser for one answer. `tool_names` undoes the renaming of `Rendered`."""
    return ResponsesParser(tool_names)


def is_added(frame: Frame) -> bool:
    """Nothing is ever added to a request of this wire, so nothing comes for that."""
    return False


class ResponsesParser:
    """One answer's stream."""

    def __init__(self, tool_names: Mapping[str, str]) -> None:
        self._tool_names = tool_names
        self._call_ids: set[str] = set()
        self._items: dict[int, OutputItem] = {}
        self._queue: list[OutputItem] = []  # those that are not given whole yet, in order
        self._id = ""
        self._is_started = False
        self._is_finished = False

    def feed(self, frame: Frame) -> Sequence[StreamEvent]:
        """The events of one frame. Raises `UpstreamError` if the provider reports a failure or breaks its own wire."""
        if self._is_finished or frame.data.startswith(b"[DONE]"):
            return ()
        try:
            event = json_reader.decode_with(_EVENT, frame.data)
            return self._event(event, frame)
        except ShapeError as error:
            raise refusals.broken(str(error)) from None

    def _event(self, event: _Event, frame: Frame) -> Sequence[StreamEvent]:
        kind = event.type or frame.event
        if kind in _FAILURES or frame.event == "error":
            raise refusals.refusal_in_stream(_failure(event, frame))
        if kind in _ENDS:
            return self._finish(Fields.parse(event.response, "$.response"), kind)
        events: list[StreamEvent] = []
        if not self._is_started:
            events.append(self._start(Fields.parse(event.response) if event.response else Fields({})))
        if event.output_index is not None:
            self._grow(event.output_index, kind, event)
            self._give(events)
        return events

    def _start(self, response: Fields) -> Started:
        self._is_started = True
        self._id = response.text_or("id", "")
        return Started(self._id, response.text_or("model", ""))

    def _grow(self, index: int, kind: str, event: _Event) -> None:
        """One event of one item."""
        item = self._items.get(index)
        if item is None:
            item = self._items[index] = OutputItem(f"{self._id}:{index}", self._tool_names, self._call_ids)
            self._queue.append(item)
        match kind:
            case "response.output_item.added":
                item.describe(Fields.parse(event.item, "$.item"))
            case "response.output_item.done":
                item.end(Fields.parse(event.item, "$.item"))
            case "response.output_text.delta" | "response.refusal.delta":
                item.text(event.content_index or 0, _words(event.delta), is_refusal=kind == "response.refusal.delta")
            case "response.output_text.done" | "response.refusal.done":
                item.whole_text(event.content_index or 0, event.text or event.refusal or "", is_refusal=event.text is None)
            case "response.reasoning_summary_text.delta":
                item.thinking(event.summary_index or 0, _words(event.delta))
            case "response.reasoning_text.delta":
                item.thinking(event.content_index or 0, _words(event.delta))
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                item.arguments(_words(event.delta))
            case "response.function_call_arguments.done" | "response.custom_tool_call_input.done":
                item.whole_arguments(event.arguments if event.input is None else event.input)
            case _:
                pass  # says nothing that is not said elsewhere, or nothing that we know

    def _give(self, events: list[StreamEvent]) -> None:
        while self._queue:
            head = self._queue[0]
            events += head.take()
            if not head.is_over:
                return
            self._queue.pop(0)

    def _finish(self, response: Fields, kind: str) -> Sequence[StreamEvent]:
        """The end, whether the answer is whole or was cut by a limit: both are answers."""
        events: list[StreamEvent] = [] if self._is_started else [self._start(response)]
        if not self._items:  # nothing but the end was told
            for index, item in enumerate(response.objects("output")):
                found = self._items[index] = OutputItem(f"{self._id}:{index}", self._tool_names, self._call_ids)
                self._queue.append(found)
                found.end(item)
        for left in self._queue:
            left.cut_off()
        self._give(events)
        self._is_finished = True
        events.append(Finished(self._reason(response, kind), usage_of(response.optional_fields("usage"))))
        return events

    def _reason(self, response: Fields, kind: str) -> StopReason:
        if kind == "response.incomplete" or response.text_or("status", "") == "incomplete":
            details = response.optional_fields("incomplete_details")
            cause = details.text_or("reason", "") if details else ""
            return StopReason.REFUSAL if cause == "content_filter" else StopReason.LENGTH
        if any(item.is_call for item in self._items.values()):
            return StopReason.TOOL_CALLS
        return StopReason.REFUSAL if any(item.is_refusal for item in self._items.values()) else StopReason.END

    def close(self) -> Sequence[StreamEvent]:
        """The bytes have ended. Raises `UpstreamError(PROTOCOL)` if the answer had not."""
        if not self._is_finished:
            raise refusals.broken("The stream ended before the answer did.")
        return ()


def _words(delta: Raw) -> str:
    """A delta's text. Newer events of other kinds have objects there."""
    return json_reader.decode_with(_STRING, delta, "$.delta") if delta and json_reader.kind_of(delta) == "string" else ""


_STRING: Final = msgspec.json.Decoder(str)


def _failure(event: _Event, frame: Frame) -> object:
    """The error object of an event that reports a failure, wherever it is."""
    if event.response:
        error = Fields.parse(event.response, "$.response").value("error")
        return error or {"message": "The answer ended with a failure that was not explained."}
    body = refusals.told(frame.data)
    if isinstance(body, dict) and not isinstance(body.get("error"), dict):
        body.pop("type", None)  # `error` is the event's own type and says nothing of the failure
    return body


def usage_of(fields: Fields | None) -> Usage:
    """Tokens as `chat` counts them: what was read from the cache is inside `input_tokens` here, and taken out."""
    if fields is None:
        return Usage()
    given = fields.optional("input_tokens", int)
    input_details, output_details = (
        fields.optional_fields("input_tokens_details"),
        fields.optional_fields("output_tokens_details"),
    )
    read = input_details.optional("cached_tokens", int) if input_details else None
    written = input_details.optional("cache_write_tokens", int) if input_details else None
    return Usage(
        input_tokens=None if given is None else max(0, given - (read or 0) - (written or 0)),
        output_tokens=fields.optional("output_tokens", int),
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=output_details.optional("reasoning_tokens", int) if output_details else None,
    )


def parse_response(body: bytes, tool_names: Mapping[str, str] = {}) -> Sequence[StreamEvent]:
    """A whole answer as events. Raises `UpstreamError` if it is not one."""
    try:
        response = Fields.parse(body)
        if response.text_or("object", "response") != "response" or "output" not in response:
            raise refusals.broken("$.output is missing.")
        if response.has("error") or response.text_or("status", "completed") in {"failed", "cancelled"}:
            raise refusals.refusal_in_stream(response.value("error") or {"message": "The answer failed."})
    except ShapeError as error:
        raise refusals.broken(str(error)) from None
    return ResponsesParser(tool_names).feed(Frame(b'{"type":"response.completed","response":%b}' % body))
