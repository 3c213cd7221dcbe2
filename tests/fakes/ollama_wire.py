"""How Ollama says a scripted answer, line by line; written from its API reference. Bytes out of values; no sockets."""

import json
from collections.abc import Iterator
from typing import Any

from tests.fakes.anthropic_wire import arguments_text, pieces_of
from tests.fakes.script import Answer, CallTool, Say, Think, Tokens


def error_body(status: int, message: str) -> bytes:
    """An error as JSON."""
    return json.dumps({"error": message}).encode()


def error_event() -> bytes:
    """An error inside a stream."""
    return b'{"error":"llama runner process has terminated: signal: killed"}\n'


def whole(answer: Answer, model: str) -> bytes:
    """The answer as one JSON object."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(part.text for part in answer.parts if isinstance(part, Say)),
    }
    thoughts = "".join(part.text for part in answer.parts if isinstance(part, Think))
    if thoughts:
        message["thinking"] = thoughts
    calls = [_call(part) for part in answer.parts if isinstance(part, CallTool)]
    if calls:
        message["tool_calls"] = calls
    return json.dumps(_head(answer, model) | {"message": message} | _ending(answer)).encode()


def events(answer: Answer, model: str, *, has_usage: bool) -> Iterator[bytes]:
    """The answer as lines."""
    for part in answer.parts:
        match part:
            case Say(text=text, pieces=pieces):
                yield from (_line(answer, model, {"content": piece}) for piece in pieces_of(text, pieces))
            case Think(text=text):
                yield from (_line(answer, model, {"content": "", "thinking": piece}) for piece in pieces_of(text, 2))
            case CallTool():
                yield _line(answer, model, {"content": "", "tool_calls": [_call(part)]})
    yield json.dumps(_head(answer, model) | {"message": {"role": "assistant", "content": ""}} | _ending(answer)).encode() + b"\n"


def models_list() -> bytes:
    """GET /api/tags."""
    return json.dumps({"models": [{"name": "qwen-listed:7b", "model": "qwen-listed:7b"}]}).encode()


def _line(answer: Answer, model: str, said: dict[str, Any]) -> bytes:
    value = _head(answer, model) | {"message": {"role": "assistant"} | said, "done": False}
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _call(part: CallTool) -> dict[str, Any]:
    return {"function": {"index": 0, "name": part.name, "arguments": json.loads(arguments_text(part) or "{}")}}


def _head(answer: Answer, model: str) -> dict[str, Any]:
    return {"model": answer.model or model, "created_at": "2026-11-22T10:00:00.123456789Z"}


def _ending(answer: Answer) -> dict[str, Any]:
    tokens: Tokens = answer.tokens
    reason = "length" if answer.stop == "length" else "stop"
    counts = {"prompt_eval_count": tokens.input + tokens.cache_read, "eval_count": tokens.output}
    return {"done": True, "done_reason": reason, "total_duration": 1, "load_duration": 1, "eval_duration": 1, **counts}
