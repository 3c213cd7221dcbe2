"""How the Gemini API says a scripted answer. Bytes out of values; no sockets."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.fakes.anthropic_wire import arguments_text, pieces_of
from tests.fakes.script import Answer, CallTool, Say, Think, Tokens

_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
_REASONS = {"length": "MAX_TOKENS", "refusal": "SAFETY", "stop_sequence": "STOP", "": "STOP"}


def signature_of(thinking: str) -> str:
    """The signature that the fake gives to what a thought led to."""
    return base64.b64encode(b"gemini:" + thinking.encode()).decode()


def error_body(status: int, message: str) -> bytes:
    """The vendor's error JSON."""
    return json.dumps({"error": {"code": status, "message": message, "status": _STATUS.get(status, "UNAVAILABLE")}}).encode()


def error_event() -> bytes:
    """The vendor's error inside a stream."""
    return b"data: " + error_body(503, "The model is overloaded. Please try again later.") + b"\n\n"


def whole(answer: Answer, model: str) -> bytes:
    """The answer as one JSON object."""
    candidate = {"content": {"role": "model", "parts": _parts(answer)}, "finishReason": _REASONS[answer.stop], "index": 0}
    if not answer.parts:
        del candidate["content"]
    return json.dumps(_head(answer, model) | {"candidates": [candidate], "usageMetadata": _usage(answer.tokens)}).encode()


def events(answer: Answer, model: str, *, has_usage: bool) -> Iterator[bytes]:
    """The answer as chunks. Usage is always told."""
    for part, said in zip(_parts(answer), answer.parts, strict=True):
        if isinstance(said, CallTool):
            yield _chunk(answer, model, [part], "")
            continue
        pieces = said.pieces if isinstance(said, Say) else 2
        yield from (_chunk(answer, model, [part | {"text": text}], "") for text in pieces_of(said.text, pieces))
    yield _chunk(answer, model, [{"text": ""}] if answer.parts else [], _REASONS[answer.stop])


def models_list() -> bytes:
    """GET /v1beta/models."""
    listed = [("gemini-listed", "generateContent"), ("gemini-embedding-001", "embedContent")]
    return json.dumps(
        {"models": [{"name": f"models/{name}", "supportedGenerationMethods": [method]} for name, method in listed]}
    ).encode()


def _parts(answer: Answer) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    signature = ""
    for part in answer.parts:
        match part:
            case Say(text=text):
                parts.append({"text": text})
            case Think(text=text):
                signature = signature_of(text)
                parts.append({"text": text, "thought": True})
            case CallTool(name=name):
                call: dict[str, Any] = {"functionCall": {"name": name, "args": json.loads(arguments_text(part) or "{}")}}
                parts.append(call | ({"thoughtSignature": signature} if signature else {}))
                signature = ""
    return parts


def _chunk(answer: Answer, model: str, parts: list[dict[str, Any]], reason: str) -> bytes:
    candidate: dict[str, Any] = {"index": 0}
    if parts:
        candidate["content"] = {"role": "model", "parts": parts}
    if reason:
        candidate["finishReason"] = reason
    value = _head(answer, model) | {"candidates": [candidate], "usageMetadata": _usage(answer.tokens)}
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\r\n\r\n"


def _head(answer: Answer, model: str) -> dict[str, Any]:
    return {"modelVersion": answer.model or model, "responseId": "resp-Fake01"}


def _usage(tokens: Tokens) -> dict[str, int]:
    prompt = tokens.input + tokens.cache_read
    return {
        "promptTokenCount": prompt,
        "candidatesTokenCount": tokens.output - tokens.reasoning,
        "thoughtsTokenCount": tokens.reasoning,
        "cachedContentTokenCount": tokens.cache_read,
        "totalTokenCount": prompt + tokens.output,
    }
