"""Whole answers for clients of the Gemini API, and the pieces that streams share. Pure rendering."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.events import StopReason, Usage
from lynkr_desktop.engine.chat.request import ChatRequest, OpaquePart, Part, TextPart, ThinkingPart, ToolCallPart
from lynkr_desktop.engine.chat.response import ChatResponse
from lynkr_desktop.engine.wire.gemini.request_in import NAME
from lynkr_desktop.engine.wire.gemini.signatures import unmarked
from lynkr_desktop.json_reader import Fields, ShapeError

REASONS: Final = {
    StopReason.END: "STOP",
    StopReason.TOOL_CALLS: "STOP",
    StopReason.LENGTH: "MAX_TOKENS",
    StopReason.STOP_SEQUENCE: "STOP",
    StopReason.REFUSAL: "SAFETY",
    StopReason.PAUSE: "STOP",
    StopReason.CONTEXT: "MAX_TOKENS",
}


def usage_object(usage: Usage) -> dict[str, int] | None:
    """Tokens in Google's words, where the prompt includes what the cache held. None if nothing was told."""
    if usage == Usage():
        return None
    read, thoughts = usage.cache_read_tokens or 0, usage.reasoning_tokens or 0
    prompt = (usage.input_tokens or 0) + read + (usage.cache_write_tokens or 0)
    output = usage.output_tokens or 0
    told = {"promptTokenCount": prompt, "candidatesTokenCount": max(0, output - thoughts), "totalTokenCount": prompt + output}
    if thoughts:
        told["thoughtsTokenCount"] = thoughts
    if read:
        told["cachedContentTokenCount"] = read
    return told


def call_part(call_id: str, name: str, arguments: str, signature: str | None) -> dict[str, Any] | None:
    """A tool call; None if its arguments were cut off, for half a call has no form here."""
    text = (arguments.strip() or "{}").encode()
    try:
        Fields.parse(text)
    except ShapeError:
        return None
    part: dict[str, Any] = {"functionCall": {"id": call_id, "name": name, "args": Raw(text)}}
    return {**part, "thoughtSignature": signature} if signature else part


def parts_of(parts: Sequence[Part]) -> list[Any]:
    """The parts of an answer. A signature goes to the call after its reasoning."""
    rendered: list[Any] = []
    signature: str | None = None
    for place, part in enumerate(parts):
        match part:
            case TextPart(text=text):
                rendered.append({"text": text})
            case ThinkingPart(text=text):
                if text:
                    rendered.append({"text": text, "thought": True})
                signature = unmarked(part.signature)
                if signature and not isinstance(next(iter(parts[place + 1 :]), None), ToolCallPart):
                    rendered.append({"text": "", "thoughtSignature": signature})
                    signature = None
            case ToolCallPart(id=call_id, name=name, arguments=arguments):
                rendered.append(call_part(call_id, name, arguments, signature))
                signature = None
            case OpaquePart(native=native):
                rendered.append(native.fragment if native.wire == NAME else None)
            case _:
                pass
    return [one for one in rendered if one is not None]


def render_response(response: ChatResponse, request: ChatRequest) -> bytes:
    """A whole answer in the client's JSON, under the model name that the client asked for."""
    content = {"role": "model", "parts": parts_of(response.parts)}
    body: dict[str, Any] = {
        "candidates": [{"content": content, "finishReason": REASONS[response.reason], "index": 0}],
        "modelVersion": request.model,
        "responseId": response.id or "lynkr",
    }
    usage = usage_object(response.usage)
    return json_reader.encode(body if usage is None else {**body, "usageMetadata": usage})


def render_token_count(tokens: int) -> bytes:
    """The answer of `countTokens`."""
    return json_reader.encode({"totalTokens": tokens})


def render_models(names: Sequence[str]) -> bytes:
    """The list of models; the page of one of them holds one entry of it."""
    return json_reader.encode({"models": [model_object(name) for name in names]})


def model_object(name: str) -> dict[str, Any]:
    """A model as Google describes one."""
    methods = ["generateContent", "streamGenerateContent", "countTokens"]
    return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": methods}
