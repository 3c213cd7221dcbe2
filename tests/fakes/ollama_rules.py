"""What Ollama refuses, written from its API reference and Go types (November 2026). A fake: Ollama itself is not in the tests.

Stricter than Ollama in one way: unknown fields are refused, which Ollama would ignore.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from tests.fakes.anthropic_rules import RefusalError

_TOP = {"model", "messages", "tools", "format", "options", "stream", "keep_alive", "think", "truncate", "shift", "logprobs"}
_MESSAGE = {"role", "content", "thinking", "images", "tool_calls", "tool_name", "tool_call_id"}
_OPTIONS = {"num_ctx", "num_predict", "temperature", "top_p", "top_k", "min_p", "stop", "seed", "repeat_penalty", "num_keep"}


def check(headers: Mapping[str, str], body: Any, key: str) -> None:
    """Raise `RefusalError` for what the server would refuse."""
    check_headers(headers, key)
    _known(body, _TOP)
    if not body.get("model"):
        raise RefusalError("model is required")
    _known(body.get("options", {}), _OPTIONS)
    if "num_ctx" not in body.get("options", {}):
        raise RefusalError("the fake would cut this prompt: num_ctx is not set")
    for message in body["messages"]:
        _check_message(message)
    for tool in body.get("tools", ()):
        if tool.get("type") != "function" or not isinstance(tool["function"].get("parameters"), dict):
            raise RefusalError("json: cannot unmarshal into Go struct field ChatRequest.tools")


def check_headers(headers: Mapping[str, str], key: str) -> None:
    """A key only if the server asks for one."""
    if headers.get("authorization") != f"Bearer {key}":
        raise RefusalError("unauthorized", 401)


def _known(fields: Any, known: set[str]) -> None:
    for name in fields:
        if name not in known:
            raise RefusalError(f"unknown field {name}")


def _check_message(message: Any) -> None:
    _known(message, _MESSAGE)
    if message.get("role") not in {"system", "user", "assistant", "tool"}:
        raise RefusalError("invalid role: must be system, user, assistant or tool")
    if not isinstance(message.get("content", ""), str):
        raise RefusalError("json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string")
    for image in message.get("images", ()):
        try:
            base64.b64decode(image, validate=True)
        except binascii.Error:
            raise RefusalError("illegal base64 data at input byte 0") from None
    for call in message.get("tool_calls", ()):
        if not isinstance(call["function"]["arguments"], dict):
            raise RefusalError("json: cannot unmarshal string into Go struct field .arguments of type map[string]interface {}")
