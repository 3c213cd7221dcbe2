"""Whole answers for clients of Chat Completions, and the usage object that streams share. Pure rendering."""

from typing import Any, Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.events import StopReason, Usage
from lynkr_desktop.engine.chat.request import ChatRequest, TextPart, ThinkingPart, ToolCallPart
from lynkr_desktop.engine.chat.response import ChatResponse
from lynkr_desktop.engine.wire.openai_chat.request_in import NAME
from lynkr_desktop.errors import ClientError

REASONS: Final = {
    StopReason.END: "stop",
    StopReason.TOOL_CALLS: "tool_calls",
    StopReason.LENGTH: "length",
    StopReason.STOP_SEQUENCE: "stop",
    StopReason.REFUSAL: "content_filter",
    StopReason.PAUSE: "stop",
    StopReason.CONTEXT: "length",
}


def usage_object(usage: Usage) -> dict[str, Any] | None:
    """Tokens in OpenAI's words, where the prompt includes what the cache held. None if nothing was told."""
    if usage == Usage():
        return None
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    prompt = (usage.input_tokens or 0) + read + written
    completion = usage.output_tokens or 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": read},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
    }


def is_legacy(request: ChatRequest) -> bool:
    """Does the client speak of `functions`, the form before `tools`?"""
    return request.wire == NAME and "functions" in request.fields and "tools" not in request.fields


def whole_arguments(arguments: str) -> str:
    """Arguments that a client can parse: a call without any has an empty object."""
    return arguments if arguments.strip() else "{}"


def render_response(response: ChatResponse, request: ChatRequest) -> bytes:
    """A whole answer in the client's JSON, under the model name that the client asked for."""
    text = "".join(part.text for part in response.parts if isinstance(part, TextPart))
    reasoning = "\n".join(part.text for part in response.parts if isinstance(part, ThinkingPart) and part.text)
    calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
    message: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None, "refusal": None}
    if reasoning:
        message["reasoning_content"] = reasoning
    reason = REASONS[response.reason]
    if calls and is_legacy(request):
        message["function_call"] = {"name": calls[0].name, "arguments": whole_arguments(calls[0].arguments)}
        reason = "function_call" if reason == "tool_calls" else reason
    elif calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": whole_arguments(call.arguments)}}
            for call in calls
        ]
    body = {
        "id": response.id or "chatcmpl-lynkr",
        "object": "chat.completion",
        "created": 0,  # a wire has no clock
        "model": request.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
    }
    usage = usage_object(response.usage)
    return json_reader.encode(body if usage is None else {**body, "usage": usage})


def render_token_count(tokens: int) -> bytes:
    """Chat Completions has no counting endpoint: `ClientError(404)`."""
    raise ClientError("Chat Completions cannot count tokens.", status=404)
