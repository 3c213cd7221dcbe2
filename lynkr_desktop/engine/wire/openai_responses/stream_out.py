"""Events → the stream of the Responses API. Frames are byte templates around JSON text; the hot path is the delta.

Codex and the SDKs need the whole order: an item is added, its part is added, its deltas come, its text is told once more, part
and item are done. `sequence_number` rises by one; `output_index` counts items, `content_index` starts anew in each.
"""

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
from lynkr_desktop.engine.wire.openai_errors import error_object
from lynkr_desktop.engine.wire.openai_responses.answer_out import AnswerForm, text_part, whole_arguments
from lynkr_desktop.engine.wire.openai_responses.freeform import FreeformReader
from lynkr_desktop.engine.wire.openai_responses.seals import unmarked
from lynkr_desktop.engine.wire.openai_responses.tools import Callee, Form
from lynkr_desktop.errors import LynkrError


def stream_renderer(request: ChatRequest) -> "ResponsesRenderer":
    """A renderer for one answer. The client sees the model name that it asked for."""
    return ResponsesRenderer(request)


class ResponsesRenderer:
    """One answer's stream to a client."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._form = AnswerForm(request, "resp_unknown")  # until the answer has started
        self._sequence = 0
        self._output: list[Any] = []  # items that are done
        self._part: OpenText | OpenThinking | OpenToolCall | OpenOpaque | None = None
        self._is_shown = False  # the item of the open part has been added
        self._text: list[str] = []
        self._seal: str | None = None  # the open reasoning in OpenAI's own encrypted form
        self._freeform: FreeformReader | None = None
        self._delta_head = b""
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
            case Closed(is_complete=is_complete):
                return self._closed(is_complete)
            case Signed(signature=signature):
                self._seal = unmarked(signature)  # of another vendor it is of no use to OpenAI
                return self._show() if self._seal and not self._is_shown else b""
            case Started():
                return self._started(event)
            case Finished():
                return self._finished(event)
            case _:
                assert_never(event)

    def _frame(self, kind: str, fields: dict[str, Any]) -> bytes:
        sequence, self._sequence = self._sequence, self._sequence + 1
        return b"event: %b\ndata: %b\n\n" % (
            kind.encode(),
            json_reader.encode({"type": kind, **fields, "sequence_number": sequence}),
        )

    def _started(self, event: Started) -> bytes:
        self._usage = event.usage
        self._form = AnswerForm(self._request, event.id)
        body = self._form.response("in_progress", [])
        return self._frame("response.created", {"response": body}) + self._frame("response.in_progress", {"response": body})

    # --- parts ---

    def _opened(self, part: OpenText | OpenThinking | OpenToolCall | OpenOpaque) -> bytes:
        self._part, self._is_shown, self._text, self._seal = part, False, [], None
        return self._show() if isinstance(part, OpenText | OpenToolCall) else b""  # reasoning may turn out to have no words

    def _show(self) -> bytes:
        """The item of the open part is added."""
        self._is_shown = True
        form, index = self._form, len(self._output)
        match self._part:
            case OpenText():
                item = form.opened_message(index)
                self._takes("response.output_text.delta", item["id"], content_index=0, logprobs=[])
                part = {"item_id": item["id"], "output_index": index, "content_index": 0, "part": text_part("")}
                return self._added(item) + self._frame("response.content_part.added", part)
            case OpenThinking():
                item = form.reasoning(index, "")
                self._takes("response.reasoning_summary_text.delta", item["id"], summary_index=0)
                part = {"item_id": item["id"], "output_index": index, "summary_index": 0, "part": _summary("")}
                return self._added(item) + self._frame("response.reasoning_summary_part.added", part)
            case OpenToolCall(id=call_id, name=name):
                return self._show_call(call_id, form.callee(name), index)
            case _:
                return b""

    def _show_call(self, call_id: str, callee: Callee, index: int) -> bytes:
        item = self._form.call_of(index, call_id, callee, "", "in_progress")
        self._freeform = FreeformReader() if callee.form is Form.CUSTOM else None
        self._delta_head = b""
        if callee.form is Form.FUNCTION:
            self._takes("response.function_call_arguments.delta", item["id"])
        elif callee.form is Form.CUSTOM:
            self._takes("response.custom_tool_call_input.delta", item["id"])
        return self._added(item)

    def _added(self, item: dict[str, Any]) -> bytes:
        return self._frame("response.output_item.added", {"output_index": len(self._output), "item": item})

    def _takes(self, kind: str, item_id: str, **fields: Any) -> None:
        """Prepare the head of the open part's deltas."""
        body = {"type": kind, "item_id": item_id, "output_index": len(self._output), **fields}
        self._delta_head = b"event: %b\ndata: %b," % (kind.encode(), json_reader.encode(body)[:-1])

    def _delta(self, text: str) -> bytes:
        shown = b""
        if not self._is_shown:
            if not isinstance(self._part, OpenThinking):
                return b""
            shown = self._show()
        if self._freeform is not None:
            text = self._freeform.feed(text)
        self._text.append(text)
        return shown + self._delta_frame(text)

    def _delta_frame(self, text: str) -> bytes:
        if not text or not self._delta_head:
            return b""
        sequence, self._sequence = self._sequence, self._sequence + 1
        return b'%b"sequence_number":%d,"delta":%b}\n\n' % (self._delta_head, sequence, json_reader.encode(text))

    def _closed(self, is_complete: bool) -> bytes:
        part, self._part = self._part, None
        if not self._is_shown or part is None:
            return b""
        self._is_shown = False
        text, index = "".join(self._text), len(self._output)
        match part:
            case OpenText():
                item = self._form.message(index, text)
                place = {"item_id": item["id"], "output_index": index, "content_index": 0}
                told = self._frame("response.output_text.done", {**place, "text": text, "logprobs": []})
                told += self._frame("response.content_part.done", {**place, "part": text_part(text)})
            case OpenThinking():
                item = self._form.reasoning(index, text, self._seal)
                place = {"item_id": item["id"], "output_index": index, "summary_index": 0}
                told = self._frame("response.reasoning_summary_text.done", {**place, "text": text})
                told += self._frame("response.reasoning_summary_part.done", {**place, "part": _summary(text)})
            case OpenToolCall(id=call_id, name=name):
                told, item = self._closed_call(call_id, self._form.callee(name), text, is_complete)
            case OpenOpaque():
                return b""
        self._output.append(item)
        return told + self._frame("response.output_item.done", {"output_index": index, "item": item})

    def _closed_call(self, call_id: str, callee: Callee, text: str, is_complete: bool) -> tuple[bytes, dict[str, Any]]:
        """The end of a call; one that was cut off is not told to be whole."""
        rest, index = "", len(self._output)
        if self._freeform is not None:
            rest, text = self._freeform.close()
            self._freeform = None
        elif not text.strip() and is_complete:
            rest = text = whole_arguments(text)
        item = self._form.call_of(index, call_id, callee, text, "completed" if is_complete else "incomplete")
        told = self._delta_frame(rest)
        place = {"item_id": item["id"], "output_index": index}
        if is_complete and callee.form is Form.FUNCTION:
            told += self._frame("response.function_call_arguments.done", {**place, "name": callee.name, "arguments": text})
        elif is_complete and callee.form is Form.CUSTOM:
            told += self._frame("response.custom_tool_call_input.done", {**place, "input": text})
        return told, item

    # --- ends ---

    def _finished(self, event: Finished) -> bytes:
        body = self._form.finished(self._output, event.reason, self._usage.merged(event.usage))
        return self._frame(f"response.{body['status']}", {"response": body})

    def error(self, error: LynkrError) -> bytes:
        """A failure after the first byte: `response.failed`, after which Codex and the SDKs look for nothing more."""
        told = error_object(error)
        failure = {"code": told["code"] or "server_error", "message": told["message"]}
        return self._frame("response.failed", {"response": self._form.response("failed", self._output, error=failure)})


def _summary(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": text}
