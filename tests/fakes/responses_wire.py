"""How the OpenAI Responses API says a scripted answer. Bytes out of values; no sockets.

Ids tell what belongs together: what follows a thought has the thought's digest in its own id, and must come back with it.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.fakes import openai_wire
from tests.fakes.anthropic_wire import arguments_text, pieces_of
from tests.fakes.script import Answer, CallTool, Part, Say, Think, Tokens

REASONED_ID = re.compile(r"(?:msg|fc)_r([0-9a-f]{16})_\d+")
_PREFIXES = {Say: "msg", CallTool: "fc"}


def encrypted_of(thinking: str) -> str:
    """The encrypted form that the fake gives to a thought, and wants back with exactly that thought."""
    return "gAAAAAB" + base64.urlsafe_b64encode(hashlib.sha256(b"sealed:" + thinking.encode()).digest() * 3).decode()


def error_event() -> bytes:
    """The vendor's error inside a stream."""
    error = {"type": "error", "code": "server_error", "message": "The server had an error while processing your request."}
    return _event(error | {"param": None, "sequence_number": 0})


@dataclass(frozen=True, slots=True)
class ResponsesSpeech:
    """The vendor's speech to one request. `is_sealed`: the client asked for encrypted reasoning."""

    is_sealed: bool = False

    def whole(self, answer: Answer, model: str) -> bytes:
        """The answer as one JSON object."""
        return json.dumps(self._finished(answer, model), ensure_ascii=False).encode()

    def events(self, answer: Answer, model: str, *, has_usage: bool) -> Iterator[bytes]:
        """The answer as events, each ending in a blank line. Usage is always told."""
        for number, value in enumerate(self._values(answer, model)):
            yield _event(value | {"sequence_number": number})

    def error_event(self) -> bytes:
        """The vendor's error inside a stream."""
        return error_event()

    def error_body(self, status: int, message: str) -> bytes:
        """The vendor's error JSON."""
        return openai_wire.error_body(status, message)

    def models_list(self) -> bytes:
        """GET /v1/models."""
        return openai_wire.models_list()

    def _values(self, answer: Answer, model: str) -> Iterator[dict[str, Any]]:
        begun = _response(answer, model, "in_progress", [])
        yield {"type": "response.created", "response": begun}
        yield {"type": "response.in_progress", "response": begun}
        for index, (part, item) in enumerate(zip(answer.parts, self._items(answer), strict=True)):
            place = {"output_index": index}
            yield {"type": "response.output_item.added", "item": _opening(item), **place}
            yield from _grows(part, item, {"item_id": item["id"], **place})
            yield {"type": "response.output_item.done", "item": item, **place}
        if answer.delivery.has_done:
            finished = self._finished(answer, model)
            yield {"type": f"response.{finished['status']}", "response": finished}

    def _finished(self, answer: Answer, model: str) -> dict[str, Any]:
        cause = {"length": "max_output_tokens", "refusal": "content_filter"}.get(answer.stop)
        told = {"usage": _usage(answer.tokens), "incomplete_details": {"reason": cause} if cause else None}
        return _response(answer, model, "incomplete" if cause else "completed", self._items(answer)) | told

    def _items(self, answer: Answer) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        mark = ""
        for number, part in enumerate(answer.parts):
            if isinstance(part, Think):
                mark = hashlib.sha256(f"{part.text}:{number}".encode()).hexdigest()[:16]
                items.append(self._thought(part, f"rs_{mark}"))
            else:
                identity = f"{_PREFIXES[type(part)]}_{f'r{mark}' if mark else 'plain'}_{number}"
                items.append(_item(part, identity))
        return items

    def _thought(self, part: Think, identity: str) -> dict[str, Any]:
        summary = [] if part.is_redacted else [{"type": "summary_text", "text": part.text}]
        sealed = {"encrypted_content": encrypted_of("" if part.is_redacted else part.text)} if self.is_sealed else {}
        return {"id": identity, "type": "reasoning", "summary": summary, **sealed}


def _item(part: Part, identity: str) -> dict[str, Any]:
    if isinstance(part, CallTool):
        named = {"call_id": part.id, "name": part.name, "arguments": arguments_text(part)}
        return {"id": identity, "type": "function_call", "status": "completed", **named}
    content = [_text(part.text)]
    return {"id": identity, "type": "message", "status": "completed", "role": "assistant", "content": content}


def _opening(item: dict[str, Any]) -> dict[str, Any]:
    match item["type"]:
        case "message":
            return item | {"status": "in_progress", "content": []}
        case "function_call":
            return item | {"status": "in_progress", "arguments": ""}
        case _:
            return item | {"summary": []}


def _grows(part: Part, item: dict[str, Any], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    match part:
        case Say(text, pieces):
            place = {**place, "content_index": 0}
            yield {"type": "response.content_part.added", "part": _text(""), **place}
            for piece in pieces_of(text, pieces):
                yield {"type": "response.output_text.delta", "delta": piece, "logprobs": [], "obfuscation": "xY", **place}
            yield {"type": "response.output_text.done", "text": text, "logprobs": [], **place}
            yield {"type": "response.content_part.done", "part": _text(text), **place}
        case Think(text, is_redacted=False):
            place = {**place, "summary_index": 0}
            yield {"type": "response.reasoning_summary_part.added", "part": {"type": "summary_text", "text": ""}, **place}
            for piece in pieces_of(text, 2):
                yield {"type": "response.reasoning_summary_text.delta", "delta": piece, "obfuscation": "xY", **place}
            yield {"type": "response.reasoning_summary_text.done", "text": text, **place}
            yield {"type": "response.reasoning_summary_part.done", "part": {"type": "summary_text", "text": text}, **place}
        case CallTool():
            for piece in pieces_of(arguments_text(part), part.pieces):
                yield {"type": "response.function_call_arguments.delta", "delta": piece, "obfuscation": "xY", **place}
            told = {"arguments": item["arguments"], "name": part.name}
            yield {"type": "response.function_call_arguments.done", **told, **place}


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _response(answer: Answer, model: str, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    nothing = dict.fromkeys(("error", "incomplete_details", "instructions", "usage", "max_output_tokens", "previous_response_id"))
    head = {"id": "resp_Fake01", "object": "response", "created_at": 1795000000, "status": status, "background": False}
    fixed = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "temperature": 1.0, "top_p": 1.0, "metadata": {}}
    return {**nothing, **head, **fixed, "model": answer.model or model, "output": output}


def _usage(tokens: Tokens) -> dict[str, Any]:
    given = tokens.input + tokens.cache_read + tokens.cache_write
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": tokens.cache_read},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": given + tokens.output,
    }


def _event(value: dict[str, Any]) -> bytes:
    return f"event: {value['type']}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n".encode()
