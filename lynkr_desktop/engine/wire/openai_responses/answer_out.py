"""The response object and its output items, as streams and whole answers share them. Pure rendering.

Ids are made from the answer's own id, so that the same answer always has the same. The client's tools and instructions are not
repeated in the object: Codex sends 40 kB of them, and each stream holds the object three times.
"""

import hashlib
from typing import Any, Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.events import StopReason, Usage
from lynkr_desktop.engine.chat.request import ChatRequest, OpaquePart, TextPart, ThinkingPart, ToolCallPart
from lynkr_desktop.engine.chat.response import ChatResponse
from lynkr_desktop.engine.wire.naming import digest
from lynkr_desktop.engine.wire.openai_responses.seals import unmarked
from lynkr_desktop.engine.wire.openai_responses.tools import NAME, Callee, Form, callees_of, freeform_text
from lynkr_desktop.errors import ClientError

_SEED_BYTES: Final = 65536
_ECHOED: Final = (
    *(
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "previous_response_id",
        "prompt_cache_key",
        "reasoning",
        "safety_identifier",
    ),
    *("service_tier", "store", "temperature", "text", "top_logprobs", "top_p", "truncation", "user"),
)
_INCOMPLETE: Final = {
    StopReason.LENGTH: "max_output_tokens",
    StopReason.CONTEXT: "max_output_tokens",
    StopReason.REFUSAL: "content_filter",
}
_PREFIXES: Final = {Form.FUNCTION: "fc", Form.CUSTOM: "ctc", Form.TOOL_SEARCH: "tsc"}


class AnswerForm:
    """What all parts of one answer have in common."""

    def __init__(self, request: ChatRequest, answer_id: str) -> None:
        self.id = answer_id if answer_id.startswith("resp_") else _made_id(answer_id, request.body)
        fields: dict[str, Any] = {**request.fields} if request.wire == NAME else {}
        self._head: dict[str, Any] = {
            "id": self.id,
            "object": "response",
            "created_at": 0,  # a wire has no clock
            "model": request.model,
            "instructions": None,
            "tools": [],
            "tool_choice": fields.get("tool_choice", "auto"),
            "parallel_tool_calls": fields.get("parallel_tool_calls", True),
            **{key: fields[key] for key in _ECHOED if key in fields},
        }
        self._callees = callees_of(request)

    def callee(self, name: str) -> Callee:
        """How the client knows a tool."""
        return self._callees.get(name) or Callee(Form.FUNCTION, name)

    def item_id(self, prefix: str, index: int) -> str:
        """The id of the item at a place in the output."""
        return f"{prefix}_{digest(f'{self.id}:{index}', 40)}"

    def response(self, status: str, output: list[Any], **told: Any) -> dict[str, Any]:
        """The response object."""
        nothing = {"error": None, "incomplete_details": None, "usage": None}
        return {**self._head, "status": status, "output": output, **nothing, **told}

    def finished(self, output: list[Any], reason: StopReason, usage: Usage) -> dict[str, Any]:
        """The response object of an answer that is over."""
        cause = _INCOMPLETE.get(reason)
        details = None if cause is None else {"reason": cause}
        status = "incomplete" if cause else "completed"
        return self.response(status, output, incomplete_details=details, usage=usage_object(usage))

    def message(self, index: int, text: str, status: str = "completed") -> dict[str, Any]:
        """A message of the assistant with one text."""
        return {**self.opened_message(index), "status": status, "content": [text_part(text)]}

    def opened_message(self, index: int) -> dict[str, Any]:
        """A message that has only begun."""
        item_id = self.item_id("msg", index)
        return {"id": item_id, "type": "message", "status": "in_progress", "role": "assistant", "content": []}

    def reasoning(self, index: int, text: str, sealed: str | None = None) -> dict[str, Any]:
        """Reasoning as a summary, and encrypted if it is OpenAI's. Other vendors' signatures are of no use to it and stay out."""
        summary = [{"type": "summary_text", "text": text}] if text else []
        encrypted = {"encrypted_content": sealed} if sealed else {}
        return {"id": self.item_id("rs", index), "type": "reasoning", "summary": summary, **encrypted}

    def call(self, index: int, call_id: str, name: str, arguments: str, status: str = "completed") -> dict[str, Any]:
        """A tool call. `arguments` may be empty for one that has only begun."""
        callee = self.callee(name)
        text = freeform_text(arguments) if callee.form is Form.CUSTOM and arguments else arguments
        return self.call_of(index, call_id, callee, text, status)

    def call_of(self, index: int, call_id: str, callee: Callee, text: str, status: str) -> dict[str, Any]:
        """A tool call in the form that the client knows; `text` is its arguments, of a custom tool the free text."""
        item = {"id": self.item_id(_PREFIXES[callee.form], index), "status": status, "call_id": call_id}
        named = {"name": callee.name} | ({"namespace": callee.namespace} if callee.namespace else {})
        match callee.form:
            case Form.FUNCTION:
                return {**item, "type": "function_call", **named, "arguments": text}
            case Form.CUSTOM:
                return {**item, "type": "custom_tool_call", **named, "input": text}
            case Form.TOOL_SEARCH:
                return {**item, "type": "tool_search_call", "execution": "client", "arguments": _object(text)}


def _made_id(answer_id: str, body: bytes) -> str:
    """An id for an answer of another wire. Some servers give every answer the same one, or none, so the request counts too."""
    seed = b"%b:%d:%b" % (answer_id.encode("utf-8", "replace"), len(body), body[-_SEED_BYTES:])
    return f"resp_{hashlib.sha256(seed).hexdigest()[:40]}"


def _object(arguments: str) -> Any:
    try:
        return json_reader.decode(arguments.encode("utf-8", "replace"))
    except json_reader.ShapeError:
        return {}


def text_part(text: str) -> dict[str, Any]:
    """The content of a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def whole_arguments(arguments: str) -> str:
    """Arguments that a client can parse: a call without any has an empty object."""
    return arguments if arguments.strip() else "{}"


def usage_object(usage: Usage) -> dict[str, Any]:
    """Tokens in OpenAI's words, where the input includes what the cache held. Codex fails where a figure is missing."""
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    given = (usage.input_tokens or 0) + read + written
    made = usage.output_tokens or 0
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": read},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": given + made,
    }


def render_response(response: ChatResponse, request: ChatRequest) -> bytes:
    """A whole answer in the client's JSON, under the model name that the client asked for."""
    form = AnswerForm(request, response.id)
    is_cut = response.reason in {StopReason.LENGTH, StopReason.CONTEXT}
    output: list[Any] = []
    for part in response.parts:
        match part:
            case TextPart(text=text):
                output.append(form.message(len(output), text))
            case ThinkingPart(text=text, signature=signature) if text or unmarked(signature):
                output.append(form.reasoning(len(output), text, unmarked(signature)))
            case ToolCallPart(id=call_id, name=name, arguments=arguments):
                is_half = is_cut and part is response.parts[-1] and not json_reader.is_json(arguments)
                status = "incomplete" if is_half else "completed"
                output.append(form.call(len(output), call_id, name, whole_arguments(arguments), status))
            case OpaquePart(native=native) if native.wire == NAME:
                output.append(native.fragment)
            case _:
                pass  # only its own wire can carry it
    return json_reader.encode(form.finished(output, response.reason, response.usage))


def render_token_count(tokens: int) -> bytes:
    """The Responses API has no counting endpoint here: `ClientError(404)`."""
    raise ClientError("The Responses API cannot count tokens here.", status=404)
