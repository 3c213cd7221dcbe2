"""What the Anthropic Messages API refuses, in the vendor's words. Pure: a request in, a complaint out.

Written from the vendor's API reference (Messages, Tool use, Extended thinking; November 2026). Stricter than the vendor in one
way: exactly one credential may come, so that a client's own token cannot leak through.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.script import REDACTED, signature_of

_ROLES = ("user", "assistant")
_OLD = re.compile(r"claude-(3-|haiku-4|sonnet-4|opus-4-[0-7])")  # these know no system turn inside the conversation
_KNOWN = frozenset(
    {
        "model",
        "messages",
        "max_tokens",
        "system",
        "tools",
        "tool_choice",
        "stream",
        "stop_sequences",
        "temperature",
        "top_p",
        "top_k",
        "metadata",
        "thinking",
        "service_tier",
        "container",
        "output_config",
        "inference_geo",
        "speed",
        "diagnostics",
        "cache_control",
    }
)
_BETA_FIELDS = {
    "context_management": "context-management-",
    "mcp_servers": "mcp-client-",
    "output_format": "structured-outputs-",
}
VERSIONS = ("2023-06-01", "2026-10-21")  # the second is what the SDK sends since its version 2
_BLOCK_FIELDS = {
    "text": {"text", "cache_control", "citations"},
    "image": {"source", "cache_control"},
    "document": {"source", "title", "context", "citations", "cache_control"},
    "tool_use": {"id", "name", "input", "cache_control", "caller"},
    "tool_result": {"tool_use_id", "content", "is_error", "cache_control"},
    "thinking": {"thinking", "signature"},
    "redacted_thinking": {"data"},
    "tool_reference": {"tool_name"},
}
_TOOL_FIELDS = frozenset(
    {
        "name",
        "description",
        "input_schema",
        "type",
        "cache_control",
        "strict",
        "defer_loading",
        "input_examples",
        "eager_input_streaming",
        "allowed_callers",
    }
)
_IDS = re.compile(r"[a-zA-Z0-9_-]+")
_NAMES = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_MEDIA = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


class RefusalError(Exception):
    """The request is refused with this status and message."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def check(headers: Mapping[str, str], body: Any, key: str) -> None:
    """Raise `RefusalError` for what the vendor would refuse. Header names are lower case; `body` is the decoded JSON."""
    check_headers(headers, key)
    if not isinstance(body, dict):
        raise RefusalError("The request body is not a JSON object.")
    _check_top(headers, body)
    _check_tools(body)
    _check_thinking(body)
    messages = body["messages"]
    for index, message in enumerate(messages):
        _check_message(message, f"messages.{index}", _ROLES if _OLD.match(str(body["model"])) else (*_ROLES, "system"))
    _check_pairing(messages)
    _check_replayed_thinking(body)
    _check_cache_markers(body)


def check_headers(headers: Mapping[str, str], key: str) -> None:
    """One right key, as `x-api-key` or as a bearer, and a version."""
    if "x-api-key" in headers and "authorization" in headers:
        raise RefusalError("two credentials came: authorization beside x-api-key", 401)
    if "x-api-key" not in headers and "authorization" not in headers:
        raise RefusalError("x-api-key header is required", 401)
    if key not in {headers.get("x-api-key"), headers.get("authorization", "").removeprefix("Bearer ")}:
        raise RefusalError("invalid x-api-key", 401)
    if headers.get("anthropic-version") not in VERSIONS:
        raise RefusalError("anthropic-version: header is required")


def _check_top(headers: Mapping[str, str], body: dict[str, Any]) -> None:
    if headers.get("content-type", "").split(";")[0] != "application/json":
        raise RefusalError("Unsupported content type.", 415)
    betas = headers.get("anthropic-beta", "")
    for name in body:
        beta = _BETA_FIELDS.get(name)
        if name not in _KNOWN and (beta is None or beta not in betas):
            raise RefusalError(f"{name}: Extra inputs are not permitted")
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise RefusalError(f"{name}: Field required")
    _need(
        isinstance(body["max_tokens"], int) and body["max_tokens"] >= 1, "max_tokens: Input should be greater than or equal to 1"
    )
    _need(isinstance(body["model"], str) and body["model"] != "", "model: String should have at least 1 character")
    _need(isinstance(body["messages"], list) and body["messages"] != [], "messages: at least one message is required")
    temperature = body.get("temperature")
    _need(temperature is None or 0 <= temperature <= 1, "temperature: range: 0..1")
    top_p = body.get("top_p")
    _need(top_p is None or 0 <= top_p <= 1, "top_p: range: 0..1")
    for index, sequence in enumerate(body.get("stop_sequences") or []):
        _need(sequence.strip() != "", f"stop_sequences.{index}: each stop sequence must contain non-whitespace")
    _need(set(body.get("metadata") or {}) <= {"user_id"}, "metadata: Extra inputs are not permitted")
    system = body.get("system")
    if isinstance(system, list):
        for index, block in enumerate(system):
            _need(block.get("type") == "text", f"system.{index}: Input should be 'text'")
            _check_block(block, f"system.{index}")


def _check_tools(body: dict[str, Any]) -> None:
    tools = body.get("tools") or []
    names = [tool.get("name") for tool in tools]
    _need(len(set(names)) == len(names), "tools: Tool names must be unique.")
    for index, tool in enumerate(tools):
        if tool.get("type", "custom") != "custom":
            continue
        where = f"tools.{index}.custom"
        _need(_NAMES.fullmatch(tool.get("name", "")), f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        _need(isinstance(tool.get("input_schema"), dict), f"{where}.input_schema: Field required")
        _need(tool["input_schema"].get("type") == "object", f"{where}.input_schema.type: Input should be 'object'")
        for name in set(tool) - _TOOL_FIELDS:
            raise RefusalError(f"{where}.{name}: Extra inputs are not permitted")
    choice = body.get("tool_choice")
    if choice is None:
        return
    _need(tools, "tool_choice: tool_choice may only be specified while providing tools")
    _need(choice.get("type") in {"auto", "any", "tool", "none"}, "tool_choice: Input tag does not match any of the expected tags")
    if choice["type"] == "tool":
        _need(choice.get("name") in names, f"Tool '{choice.get('name')}' not found in provided tools")


def _check_thinking(body: dict[str, Any]) -> None:
    thinking = body.get("thinking")
    if not thinking or thinking.get("type") == "disabled":
        return
    _need(thinking.get("type") in {"enabled", "adaptive"}, "thinking: Input tag does not match any of the expected tags")
    if thinking["type"] == "enabled":
        budget = thinking.get("budget_tokens", 0)
        _need(budget >= 1024, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        _need(budget < body["max_tokens"], "`max_tokens` must be greater than `thinking.budget_tokens`.")
    _need(body.get("temperature", 1) == 1, "`temperature` may only be set to 1 when thinking is enabled.")
    forced = (body.get("tool_choice") or {}).get("type") in {"any", "tool"}
    _need(not forced, "Thinking may not be enabled when tool_choice forces tool use.")


def _check_message(message: Any, where: str, roles: tuple[str, ...]) -> None:
    _need(isinstance(message, dict) and set(message) <= {"role", "content"}, f"{where}: Extra inputs are not permitted")
    _need(message.get("role") in roles, f'messages: Unexpected role "{message.get("role")}".')
    content = message.get("content")
    if isinstance(content, str):
        _need(content != "", f"{where}: text content blocks must be non-empty")
        return
    _need(isinstance(content, list) and content, f"{where}: all messages must have non-empty content")
    for index, block in enumerate(content):
        _check_block(block, f"{where}.content.{index}")


def _check_block(block: Any, where: str) -> None:
    kind = str(block.get("type")) if isinstance(block, dict) else ""
    _need(kind in _BLOCK_FIELDS, f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    for name in set(block) - {"type"} - _BLOCK_FIELDS[kind]:
        raise RefusalError(f"{where}.{kind}.{name}: Extra inputs are not permitted")
    if kind == "text":
        _need(isinstance(block.get("text"), str) and block["text"] != "", f"{where}: text content blocks must be non-empty")
    elif kind == "image":
        _check_source(block.get("source") or {}, where)
    elif kind == "tool_use":
        _need(_IDS.fullmatch(block.get("id", "")), f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        _need(_NAMES.fullmatch(block.get("name", "")), f"{where}.tool_use.name: String should match pattern")
        _need(isinstance(block.get("input"), dict), f"{where}.tool_use.input: Input should be a valid dictionary")
    elif kind == "tool_result":
        _need(_IDS.fullmatch(block.get("tool_use_id", "")), f"{where}.tool_result.tool_use_id: String should match pattern")
        content = block.get("content")
        for index, inner in enumerate(content if isinstance(content, list) else []):
            _check_block(inner, f"{where}.tool_result.content.{index}")
    elif kind == "thinking":
        right = block.get("signature") == signature_of(block.get("thinking", ""))
        _need(right, f"{where}: Invalid `signature` in `thinking` block")
    elif kind == "redacted_thinking":
        _need(block.get("data") == REDACTED, f"{where}: Invalid `data` in `redacted_thinking` block")


def _check_source(source: dict[str, Any], where: str) -> None:
    if source.get("type") == "url":
        _need(str(source.get("url", "")).startswith("https://"), f"{where}.image.source.url: Only HTTPS URLs are supported.")
        return
    _need(source.get("type") == "base64", f"{where}.image.source: Input tag does not match any of the expected tags")
    _need(
        source.get("media_type") in _MEDIA, f"{where}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png' …"
    )
    try:
        base64.b64decode(source.get("data", ""), validate=True)
    except binascii.Error:
        raise RefusalError(f"{where}.image.source.base64: invalid base64 data") from None


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def _check_pairing(messages: list[dict[str, Any]]) -> None:
    _need(messages[0]["role"] == "user", 'messages: first message must use the "user" role')
    waiting: set[str] = set()
    for index, message in enumerate(messages):
        blocks = _blocks(message)
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if waiting:
            leading = {block["tool_use_id"] for block in _leading_results(blocks)} if message["role"] == "user" else set()
            missing = ", ".join(sorted(waiting - leading))
            _need(
                not missing,
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {missing}.",
            )
        for found in results:
            _need(found in waiting, f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {found}.")
        _need(len(set(results)) == len(results), f"messages.{index}: each tool_use must have a single result.")
        ids = [block["id"] for block in blocks if block["type"] == "tool_use"]
        _need(
            not ids or message["role"] == "assistant", f"messages.{index}: `tool_use` blocks can only be in `assistant` messages"
        )
        _need(len(set(ids)) == len(ids), f"messages.{index}: `tool_use` ids must be unique")
        waiting = set(ids)
    _need(not waiting, "messages: `tool_use` ids were found without `tool_result` blocks immediately after.")
    last = messages[-1]
    if last["role"] == "assistant" and _blocks(last)[-1]["type"] == "text":
        ending = _blocks(last)[-1]["text"]
        _need(ending == ending.rstrip(), "messages: final assistant content cannot end with trailing whitespace")


def _leading_results(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    leading = []
    for block in blocks:
        if block["type"] != "tool_result":
            break
        leading.append(block)
    return leading


def _check_replayed_thinking(body: dict[str, Any]) -> None:
    if (body.get("thinking") or {}).get("type") != "enabled":
        return
    messages = body["messages"]
    _need(messages[-1]["role"] != "assistant", "This model does not support assistant message prefill with thinking enabled.")
    if len(messages) < 3 or not _leading_results(_blocks(messages[-1])):
        return
    first = _blocks(messages[-2])[0]["type"]
    _need(
        first in {"thinking", "redacted_thinking"},
        f"messages.{len(messages) - 2}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`.",
    )


def _check_cache_markers(body: dict[str, Any]) -> None:
    count = sum("cache_control" in tool for tool in body.get("tools") or [])
    system = body.get("system")
    count += sum("cache_control" in block for block in system) if isinstance(system, list) else 0
    count += sum("cache_control" in block for message in body["messages"] for block in _blocks(message))
    _need(count <= 4, f"A maximum of 4 blocks with cache_control may be provided. Found {count}.")


def _need(claim: object, message: str) -> None:
    if not claim:
        raise RefusalError(message)
