"""How the OpenAI Chat Completions API says a scripted answer. Bytes out of values; no sockets.

Reasoning goes as `reasoning_content`, which OpenAI's own server does not send and most compatible servers do.
"""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from tests.fakes.anthropic_wire import arguments_text, pieces_of
from tests.fakes.script import Answer, CallTool, Say, Think, Tokens

_CODES: dict[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    402: ("insufficient_quota", "insufficient_quota"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", None),
    529: ("server_error", None),
}


def error_body(status: int, message: str, param: str | None = None, code: str | None = None) -> bytes:
    """The vendor's error JSON."""
    kind, usual = _CODES.get(status, ("server_error", None))
    return json.dumps({"error": {"message": message, "type": kind, "param": param, "code": code or usual}}, indent=2).encode()


def error_event() -> bytes:
    """The vendor's error inside a stream."""
    error = {
        "message": "The server had an error while processing your request.",
        "type": "server_error",
        "param": None,
        "code": None,
    }
    return _event({"error": error})


def finish_reason(answer: Answer) -> str:
    """The vendor's word for why the answer ended."""
    if answer.stop:
        return {"length": "length", "refusal": "content_filter", "stop_sequence": "stop"}[answer.stop]
    return "tool_calls" if any(isinstance(part, CallTool) for part in answer.parts) else "stop"


def whole(answer: Answer, model: str) -> bytes:
    """The answer as one JSON object."""
    texts = [part.text for part in answer.parts if isinstance(part, Say)]
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts else None, "refusal": None}
    thoughts = [part.text for part in answer.parts if isinstance(part, Think)]
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    calls = [part for part in answer.parts if isinstance(part, CallTool)]
    if calls:
        message["tool_calls"] = [_call(part, arguments_text(part)) for part in calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(answer)}
    head = _head(answer, model) | {"object": "chat.completion"}
    return json.dumps(head | {"choices": [choice], "usage": _usage(answer.tokens)}, ensure_ascii=False).encode()


def events(answer: Answer, model: str, *, has_usage: bool) -> Iterator[bytes]:
    """The answer as chunks, each ending in a blank line. `has_usage`: the client asked for `stream_options.include_usage`."""
    head = _head(answer, model) | {"object": "chat.completion.chunk"}
    tail = {"usage": None} if has_usage else {}

    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return _event(head | {"choices": [choice]} | tail)

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for part in answer.parts:
        if isinstance(part, Say):
            yield from (chunk({"content": piece}) for piece in pieces_of(part.text, part.pieces))
        elif isinstance(part, Think):
            yield from (chunk({"reasoning_content": piece}) for piece in pieces_of(part.text, 2))
    yield from (chunk({"tool_calls": [fragment]}) for fragment in _fragments(answer))
    yield chunk({}, finish_reason(answer))
    if has_usage:
        yield _event(head | {"choices": [], "usage": _usage(answer.tokens)})
    if answer.delivery.has_done:
        yield b"data: [DONE]\n\n"


def models_list() -> bytes:
    """GET /v1/models."""
    return json.dumps(
        {"object": "list", "data": [{"id": "gpt-listed", "object": "model", "created": 1, "owned_by": "openai"}]}
    ).encode()


def _fragments(answer: Answer) -> list[dict[str, Any]]:
    calls = [part for part in answer.parts if isinstance(part, CallTool)]
    rows = []
    for index, part in enumerate(calls):
        opening = {"index": index, **_call(part, "")}
        rest = [{"index": index, "function": {"arguments": piece}} for piece in pieces_of(arguments_text(part), part.pieces)]
        rows.append([opening, *rest])
    if answer.is_interleaved:
        turns = itertools.zip_longest(*rows)
        return [fragment for turn in turns for fragment in turn if fragment is not None]
    return [fragment for row in rows for fragment in row]


def _call(part: CallTool, arguments: str) -> dict[str, Any]:
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": arguments}}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def _head(answer: Answer, model: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-Fake01",
        "object": "",
        "created": 1795000000,
        "model": answer.model or model,
        "service_tier": "default",
        "system_fingerprint": "fp_fake",
    }


def _usage(tokens: Tokens) -> dict[str, Any]:
    prompt = tokens.input + tokens.cache_read + tokens.cache_write
    return {
        "prompt_tokens": prompt,
        "completion_tokens": tokens.output,
        "total_tokens": prompt + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning, "audio_tokens": 0},
    }
