"""Whole answers for clients of the Messages API, and the usage object that streams share. Pure rendering."""

from typing import Any, Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.events import StopReason, Usage
from lynkr_desktop.engine.chat.request import ChatRequest, OpaquePart, Part, TextPart, ThinkingPart, ToolCallPart
from lynkr_desktop.engine.chat.response import ChatResponse
from lynkr_desktop.engine.wire.anthropic.request_in import NAME
from lynkr_desktop.engine.wire.anthropic.request_out import ID_LIMIT, arguments_object
from lynkr_desktop.engine.wire.naming import fitting

REASONS: Final = {
    StopReason.END: "end_turn",
    StopReason.TOOL_CALLS: "tool_use",
    StopReason.LENGTH: "max_tokens",
    StopReason.STOP_SEQUENCE: "stop_sequence",
    StopReason.REFUSAL: "refusal",
    StopReason.PAUSE: "pause_turn",
    StopReason.CONTEXT: "model_context_window_exceeded",
}


def usage_object(usage: Usage) -> dict[str, Any]:
    """Tokens in Anthropic's words. The SDKs demand the two counts, so what was not told is 0 there."""
    rendered: dict[str, Any] = {
        "input_tokens": usage.input_tokens or 0,
        "cache_creation_input_tokens": usage.cache_write_tokens or 0,
        "cache_read_input_tokens": usage.cache_read_tokens or 0,
        "output_tokens": usage.output_tokens or 0,
    }
    if usage.cache_write_1h_tokens is not None:
        five_minutes = max(0, (usage.cache_write_tokens or 0) - usage.cache_write_1h_tokens)
        rendered["cache_creation"] = {
            "ephemeral_5m_input_tokens": five_minutes,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
        }
    return rendered


def call_id(given: str) -> str:
    """An id that Anthropic takes when the client sends it back: only letters, digits, `_` and `-`."""
    return fitting(given, ID_LIMIT)


def render_response(response: ChatResponse, request: ChatRequest) -> bytes:
    """A whole answer in the client's JSON, under the model name that the client asked for."""
    return json_reader.encode(
        {
            "id": response.id or "msg_lynkr",
            "type": "message",
            "role": "assistant",
            "model": request.model,
            "content": [block for part in response.parts if (block := _block(part)) is not None],
            "stop_reason": REASONS[response.reason],
            "stop_sequence": response.stop_sequence,
            "usage": usage_object(response.usage),
        }
    )


def _block(part: Part) -> Any:
    match part:
        case TextPart(text=text):
            return {"type": "text", "text": text} if text else None
        case ThinkingPart(redacted=redacted) if redacted:
            return {"type": "redacted_thinking", "data": redacted}
        case ThinkingPart(text=text, signature=signature):
            return {"type": "thinking", "thinking": text, "signature": signature or ""}
        case ToolCallPart(id=given, name=name, arguments=arguments):
            return {"type": "tool_use", "id": call_id(given), "name": name, "input": arguments_object(arguments)}
        case OpaquePart(native=native) if native.wire == NAME:
            return native.fragment
        case _:
            return None


def render_token_count(tokens: int) -> bytes:
    """The answer of `/v1/messages/count_tokens`."""
    return json_reader.encode({"input_tokens": tokens})
