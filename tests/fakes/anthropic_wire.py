"""How the Anthropic Messages API says a scripted answer. Bytes out of values; no sockets."""

import json
from collections.abc import Iterator
from typing import Any

from tests.fakes.script import REDACTED, Answer, CallTool, Part, Say, Think, Tokens, signature_of

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
REQUEST_ID = "req_011FakeAnthropic"


def error_body(status: int, message: str) -> bytes:
    """The vendor's error JSON."""
    kind = _ERROR_TYPES.get(status, "api_error")
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}, "request_id": REQUEST_ID}).encode()


def error_event() -> bytes:
    """The vendor's error inside a stream."""
    return _event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


def stop_reason(answer: Answer) -> str:
    """The vendor's word for why the answer ended."""
    if answer.stop:
        return {"length": "max_tokens", "refusal": "refusal", "stop_sequence": "stop_sequence"}[answer.stop]
    return "tool_use" if any(isinstance(part, CallTool) for part in answer.parts) else "end_turn"


def whole(answer: Answer, model: str) -> bytes:
    """The answer as one JSON object."""
    message = _message(answer, model) | {
        "content": [_block(part) for part in answer.parts],
        "stop_reason": stop_reason(answer),
        "stop_sequence": "STOP" if answer.stop == "stop_sequence" else None,
        "usage": _usage(answer.tokens, answer.tokens.output),
    }
    text = json.dumps(message, ensure_ascii=False)
    for part in answer.parts:
        if isinstance(part, CallTool) and part.raw_arguments:
            text = text.replace(json.dumps({"@@": part.id}), part.raw_arguments)
    return text.encode()


def events(answer: Answer, model: str, *, has_usage: bool) -> Iterator[bytes]:
    """The answer as events, each ending in a blank line. `has_usage` is for the other wire: here usage always comes."""
    del has_usage
    yield _event({"type": "message_start", "message": _message(answer, model)})
    for index, part in enumerate(answer.parts):
        yield _event({"type": "content_block_start", "index": index, "content_block": _opening(part)})
        if index == 0:
            yield _event({"type": "ping"})
        for delta in _deltas(part):
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    sequence = "STOP" if answer.stop == "stop_sequence" else None
    yield _event(
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason(answer), "stop_sequence": sequence},
            "usage": _usage(answer.tokens, answer.tokens.output),
        }
    )
    if answer.delivery.has_done:
        yield _event({"type": "message_stop"})


def models_list() -> bytes:
    """GET /v1/models."""
    entry = {"type": "model", "id": "claude-listed", "display_name": "Claude Listed", "created_at": "2026-01-01T00:00:00Z"}
    return json.dumps({"data": [entry], "has_more": False, "first_id": "claude-listed", "last_id": "claude-listed"}).encode()


def pieces_of(text: str, count: int) -> list[str]:
    """A text in at most `count` pieces, none of them empty."""
    size = max(1, -(-len(text) // max(1, count)))
    return [text[start : start + size] for start in range(0, len(text), size)]


def arguments_text(part: CallTool) -> str:
    """The JSON text of a call's arguments."""
    return part.raw_arguments or json.dumps(part.arguments, ensure_ascii=False)


def _event(value: dict[str, Any]) -> bytes:
    return f"event: {value['type']}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def _message(answer: Answer, model: str) -> dict[str, Any]:
    return {
        "id": "msg_01Fake",
        "type": "message",
        "role": "assistant",
        "model": answer.model or model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(answer.tokens, min(1, answer.tokens.output)),
    }


def _usage(tokens: Tokens, output: int) -> dict[str, Any]:
    return {
        "input_tokens": tokens.input,
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cache_read,
        "output_tokens": output,
    }


def _block(part: Part) -> dict[str, Any]:
    match part:
        case Say(text):
            return {"type": "text", "text": text}
        case Think(_, is_redacted=True):
            return {"type": "redacted_thinking", "data": REDACTED}
        case Think(text):
            return {"type": "thinking", "thinking": text, "signature": signature_of(text)}
        case CallTool():
            value = {"@@": part.id} if part.raw_arguments else part.arguments
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": value}


def _opening(part: Part) -> dict[str, Any]:
    match part:
        case Say():
            return {"type": "text", "text": ""}
        case Think(_, is_redacted=True):
            return {"type": "redacted_thinking", "data": REDACTED}
        case Think():
            return {"type": "thinking", "thinking": "", "signature": ""}
        case CallTool():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": {}}


def _deltas(part: Part) -> Iterator[dict[str, Any]]:
    match part:
        case Say(text, pieces):
            for piece in pieces_of(text, pieces):
                yield {"type": "text_delta", "text": piece}
        case Think(_, is_redacted=True):
            return
        case Think(text):
            for piece in pieces_of(text, 2):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": signature_of(text)}
        case CallTool():
            yield {"type": "input_json_delta", "partial_json": ""}
            if part.arguments or part.raw_arguments:
                for piece in pieces_of(arguments_text(part), part.pieces):
                    yield {"type": "input_json_delta", "partial_json": piece}
