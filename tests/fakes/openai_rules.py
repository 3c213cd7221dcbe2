"""What the OpenAI Chat Completions API refuses, in the vendor's words. Pure: a request in, a complaint out.

Written from the vendor's API reference and error messages (November 2026). Stricter than the vendor in one way: exactly one
credential may come, so that a client's own token cannot leak through.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.anthropic_rules import RefusalError

_KNOWN = frozenset(
    {
        "model",
        "messages",
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    }
)
_MESSAGE_FIELDS = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "refusal", "audio", "tool_calls", "function_call", "annotations"},
    "tool": {"role", "content", "tool_call_id"},
}
_NAMES = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DATA_URL = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,(.*)", re.DOTALL)


class OpenAiRefusalError(RefusalError):
    """A refusal with the vendor's `param` and `code`."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None, status: int = 400) -> None:
        super().__init__(message, status)
        self.param = param
        self.code = code


def check(headers: Mapping[str, str], body: Any, key: str) -> None:
    """Raise `OpenAiRefusalError` for what the vendor would refuse. Header names are lower case."""
    check_headers(headers, key)
    if not isinstance(body, dict) or headers.get("content-type", "").split(";")[0] != "application/json":
        raise OpenAiRefusalError("We could not parse the JSON body of your request.")
    for name in body:
        if name not in _KNOWN:
            raise OpenAiRefusalError(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    _need(isinstance(body.get("model"), str) and body["model"], "you must provide a model parameter")
    _need(
        isinstance(body.get("messages"), list),
        "Missing required parameter: 'messages'.",
        "messages",
        "missing_required_parameter",
    )
    _need(body["messages"], "Invalid 'messages': empty array.", "messages", "empty_array")
    _check_tuning(body)
    _check_tools(body)
    for index, message in enumerate(body["messages"]):
        _check_message(message, f"messages[{index}]")
    _check_pairing(body["messages"])


def check_headers(headers: Mapping[str, str], key: str) -> None:
    """One right key."""
    if headers.get("authorization") != f"Bearer {key}":
        raise OpenAiRefusalError("Incorrect API key provided.", None, "invalid_api_key", 401)
    if "x-api-key" in headers:
        raise OpenAiRefusalError("two credentials came: x-api-key beside authorization", None, "invalid_api_key", 401)


def _check_tuning(body: dict[str, Any]) -> None:
    model = body["model"]
    if re.match(r"gpt-5|o\d", model):
        _need(
            "max_tokens" not in body,
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        )
        for name in ("temperature", "top_p"):
            _need(
                body.get(name) in {None, 1},
                f"Unsupported value: '{name}' does not support {body.get(name)} with this model. Only the default is supported.",
                name,
                "unsupported_value",
            )
    elif body.get("reasoning_effort") is not None:
        raise OpenAiRefusalError("Unrecognized request argument supplied: reasoning_effort")
    temperature = body.get("temperature")
    _need(temperature is None or 0 <= temperature <= 2, "Invalid 'temperature': decimal above maximum value.", "temperature")
    user = body.get("user")
    _need(user is None or len(user) <= 64, "Invalid 'user': string too long. Expected a string with maximum length 64.", "user")
    stop = body.get("stop")
    _need(not isinstance(stop, list) or 1 <= len(stop) <= 4, "Invalid 'stop': array too long. Expected maximum length 4.", "stop")
    if body.get("stream_options") is not None:
        _need(body.get("stream"), "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
        _need(set(body["stream_options"]) <= {"include_usage", "include_obfuscation"}, "Unknown parameter: 'stream_options'.")
    _need("max_tokens" not in body or "max_completion_tokens" not in body, "Setting both limits is not supported.", "max_tokens")


def _check_tools(body: dict[str, Any]) -> None:
    tools = body.get("tools")
    if tools is None:
        for name in ("tool_choice", "parallel_tool_calls"):
            allowed = f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified."
            _need(body.get(name) in {None, "none"} if name == "tool_choice" else body.get(name) is None, allowed, name)
        return
    _need(tools, "Invalid 'tools': empty array. Expected an array with minimum length 1.", "tools", "empty_array")
    for index, tool in enumerate(tools):
        where = f"tools[{index}]"
        _need(tool.get("type") == "function" and set(tool) == {"type", "function"}, f"Invalid value: '{where}'.", where)
        function = tool["function"]
        for name in set(function) - {"name", "description", "parameters", "strict"}:
            raise OpenAiRefusalError(f"Unknown parameter: '{where}.function.{name}'.", where, "unknown_parameter")
        _check_name(function.get("name"), f"{where}.function.name")
        parameters = function.get("parameters")
        got = parameters.get("type") if parameters is not None else "object"
        schema = (
            f"Invalid schema for function '{function['name']}': schema must be a JSON Schema of 'type: \"object\"', got '{got}'."
        )
        _need(got == "object", schema, where, "invalid_function_parameters")
    _check_choice(body.get("tool_choice"), [tool["function"]["name"] for tool in tools])


def _check_choice(choice: Any, names: list[str]) -> None:
    if isinstance(choice, dict):
        function = choice.get("function") or {}
        _need(choice.get("type") == "function", "Invalid value for 'tool_choice'.", "tool_choice")
        _need(function.get("name") in names, "Invalid value: 'tool_choice' names a tool that is not in 'tools'.", "tool_choice")
    else:
        _need(choice in {None, "none", "auto", "required"}, f"Invalid value: '{choice}'.", "tool_choice", "invalid_value")


def _check_message(message: Any, where: str) -> None:
    role = str(message.get("role")) if isinstance(message, dict) else ""
    _need(
        role in _MESSAGE_FIELDS,
        f"Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user' …",
        f"{where}.role",
    )
    for name in set(message) - _MESSAGE_FIELDS[role]:
        raise OpenAiRefusalError(f"Unknown parameter: '{where}.{name}'.", f"{where}.{name}", "unknown_parameter")
    content = message.get("content")
    if role == "assistant":
        calls = message.get("tool_calls")
        _need(calls is None or calls != [], f"Invalid '{where}.tool_calls': empty array.", f"{where}.tool_calls", "empty_array")
        _need(content is not None or calls, "Invalid value for 'content': expected a string, got null.", f"{where}.content")
        for index, call in enumerate(calls or []):
            _check_call(call, f"{where}.tool_calls[{index}]")
    else:
        _need(content is not None, "Invalid value for 'content': expected a string, got null.", f"{where}.content")
    if isinstance(content, list):
        _need(content, f"Invalid '{where}.content': empty array.", f"{where}.content", "empty_array")
        for index, part in enumerate(content):
            _check_part(part, role, f"{where}.content[{index}]")
    else:
        _need(content is None or isinstance(content, str), f"Invalid type for '{where}.content'.", f"{where}.content")


def _check_part(part: Any, role: str, where: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        _need(
            set(part) == {"type", "text"},
            f"Unknown parameter: '{where}.{next(iter(set(part) - {'type', 'text'}), 'text')}'.",
            where,
        )
        _need(isinstance(part["text"], str), f"Invalid type for '{where}.text': expected a string.", where)
        return
    _need(
        kind in {"image_url", "file", "input_audio", "refusal"}, f"Invalid value: '{kind}'. Supported values are: 'text' …", where
    )
    if kind == "image_url":
        _need(
            role == "user", f"Image URLs are only allowed for messages with role 'user', but '{where}' has role '{role}'.", where
        )
        url = part.get("image_url")
        _need(isinstance(url, dict) and set(url) <= {"url", "detail"}, f"Invalid type for '{where}.image_url'.", where)
        check_image(url.get("url", ""), where)


def check_image(url: str, where: str) -> None:
    """An image by an address or in one."""
    if url.startswith("https://"):
        return
    match = _DATA_URL.fullmatch(url)
    if match is None:
        raise OpenAiRefusalError(f"Invalid '{where}.image_url.url'. Expected a valid URL.", where, "invalid_value")
    try:
        base64.b64decode(match[1], validate=True)
    except binascii.Error:
        raise OpenAiRefusalError("Invalid base64 image_url.", where, "invalid_base64") from None


def _check_call(call: dict[str, Any], where: str) -> None:
    _need(call.get("type") == "function" and set(call) == {"id", "type", "function"}, f"Invalid value: '{where}'.", where)
    _need(0 < len(call["id"]) <= 40, f"Invalid '{where}.id': string too long. Expected a string with maximum length 40.", where)
    function = call["function"]
    _check_name(function.get("name"), f"{where}.function.name")
    arguments = function.get("arguments")
    _need(isinstance(arguments, str), f"Invalid type for '{where}.function.arguments': expected a string.", where, "invalid_type")


def _check_name(name: Any, where: str) -> None:
    fits = isinstance(name, str) and _NAMES.fullmatch(name)
    _need(fits, f"Invalid '{where}': string does not match pattern. Expected a string that matches '^[a-zA-Z0-9_-]+$'.", where)


def _check_pairing(messages: list[dict[str, Any]]) -> None:
    waiting: list[str] = []
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            _need(
                message.get("tool_call_id") in waiting,
                "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
                f"messages.[{index}].role",
            )
            waiting.remove(message["tool_call_id"])
            continue
        _need_answers(waiting, index)
        waiting = [call["id"] for call in message.get("tool_calls") or []]
    _need_answers(waiting, len(messages))


def _need_answers(waiting: list[str], index: int) -> None:
    text = "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
    missing = f"The following tool_call_ids did not have response messages: {', '.join(waiting)}"
    _need(not waiting, f"{text} {missing}", f"messages.[{index}].role")


def _need(claim: object, message: str, param: str | None = None, code: str | None = None) -> None:
    if not claim:
        raise OpenAiRefusalError(message, param, code)
