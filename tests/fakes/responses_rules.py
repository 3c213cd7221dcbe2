"""What the OpenAI Responses API refuses, in the vendor's words. Pure: a request in, a complaint out.

Written from the vendor's API reference, the types of its SDK and its error messages (November 2026). Stricter than the vendor in
one way: exactly one credential may come.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.openai_rules import OpenAiRefusalError, check_headers, check_image
from tests.fakes.responses_wire import REASONED_ID, encrypted_of

_KNOWN = frozenset(
    {
        *("background", "conversation", "include", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata"),
        *("model", "parallel_tool_calls", "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_retention"),
        *("reasoning", "safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature", "text"),
        *("tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user", "client_metadata"),
    }
)
_ITEM_FIELDS = {
    "message": {"type", "id", "role", "content", "status", "phase"},
    "function_call": {"type", "id", "call_id", "name", "namespace", "arguments", "status"},
    "function_call_output": {"type", "id", "call_id", "output", "status"},
    "custom_tool_call": {"type", "id", "call_id", "name", "namespace", "input", "status"},
    "custom_tool_call_output": {"type", "id", "call_id", "output", "status"},
    "reasoning": {"type", "id", "summary", "content", "encrypted_content", "status"},
    "item_reference": {"type", "id"},
    "local_shell_call": {"type", "id", "call_id", "action", "status"},
    "tool_search_call": {"type", "id", "call_id", "execution", "arguments", "status"},
    "tool_search_output": {"type", "id", "call_id", "execution", "tools", "status"},
    "additional_tools": {"type", "id", "tools", "role"},
}
_ID_HEADS = {"message": "msg", "function_call": "fc", "custom_tool_call": "ctc", "reasoning": "rs"}
_CALLS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
_PARTS = {
    "input_text": {"type", "text"},
    "input_image": {"type", "image_url", "file_id", "detail"},
    "input_file": {"type", "file_data", "file_id", "file_url", "filename", "detail"},
    "output_text": {"type", "text", "annotations", "logprobs"},
    "refusal": {"type", "refusal"},
}
_TOOLS = {
    "function": {"type", "name", "description", "parameters", "strict", "defer_loading"},
    "custom": {"type", "name", "description", "format", "defer_loading"},
    "namespace": {"type", "name", "description", "tools"},
    "tool_search": {"type", "description", "execution", "parameters"},
}
_HOSTED = {
    "web_search",
    "web_search_preview",
    "file_search",
    "code_interpreter",
    "image_generation",
    "mcp",
    "local_shell",
    "shell",
}
_NAMES = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_REASONING_MODEL = re.compile(r"gpt-[5-9]|o\d")


def check(headers: Mapping[str, str], body: Any, key: str) -> None:
    """Raise `OpenAiRefusalError` for what the vendor would refuse. Header names are lower case."""
    check_headers(headers, key)
    if not isinstance(body, dict) or headers.get("content-type", "").split(";")[0] != "application/json":
        raise OpenAiRefusalError("We could not parse the JSON body of your request.")
    _known(body, _KNOWN, "")
    _need(isinstance(body.get("model"), str) and body["model"], "Missing required parameter: 'model'.", "model")
    given = body.get("input")
    _need(isinstance(given, str) or (isinstance(given, list) and given), "Missing required parameter: 'input'.", "input")
    if body.get("previous_response_id"):
        raise OpenAiRefusalError(f"Previous response with id '{body['previous_response_id']}' not found.", "previous_response_id")
    _check_tuning(body)
    _check_tools(body)
    if isinstance(given, list):
        for index, item in enumerate(given):
            _check_item(item, f"input[{index}]")
        _check_pairing(given)
        _check_reasoning(given, is_stored=body.get("store") is not False)


def _check_tuning(body: dict[str, Any]) -> None:
    limit = body.get("max_output_tokens")
    below = "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16."
    _need(limit is None or limit >= 16, below, "max_output_tokens", "integer_below_min_value")
    if _REASONING_MODEL.match(body["model"]):
        for name in ("temperature", "top_p"):
            _need(
                body.get(name) in {None, 1}, f"Unsupported parameter: '{name}' is not supported with this model.", name,
                "unsupported_parameter",
            )  # fmt: skip
    else:
        effort = (body.get("reasoning") or {}).get("effort")
        _need(effort is None, "Unsupported parameter: 'reasoning.effort' is not supported with this model.", "reasoning.effort")
    _known(body.get("reasoning") or {}, {"effort", "summary", "generate_summary", "context"}, "reasoning.")
    text = body.get("text") or {}
    _known(text, {"format", "verbosity"}, "text.")
    form = text.get("format") or {"type": "text"}
    _need(form.get("type") in {"text", "json_object", "json_schema"}, "Invalid value for 'text.format.type'.", "text.format")
    if form["type"] == "json_schema":
        _known(form, {"type", "name", "description", "schema", "strict"}, "text.format.")
        _need(_NAMES.fullmatch(form.get("name", "")), "Missing required parameter: 'text.format.name'.", "text.format.name")
        _need(isinstance(form.get("schema"), dict), "Missing required parameter: 'text.format.schema'.", "text.format.schema")
        _check_strict(form["schema"], "text.format", is_strict=form.get("strict") is True)
    user = body.get("user")
    _need(user is None or len(user) <= 64, "Invalid 'user': string too long. Expected a string with maximum length 64.", "user")
    options = body.get("stream_options")
    _need(options is None or body.get("stream"), "'stream_options' is only allowed when 'stream' is enabled.", "stream_options")
    _known(options or {}, {"include_obfuscation"}, "stream_options.")
    _need(not body.get("background"), "The fake does not work in the background.", "background")


def _check_tools(body: dict[str, Any]) -> None:
    names = list(_check_offered(body.get("tools") or [], "tools"))
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        if choice.get("type") in {"function", "custom"}:
            _need(
                choice.get("name") in names, f"Tool choice '{choice.get('name')}' not found in 'tools' parameter.", "tool_choice"
            )
    else:
        _need(choice in {None, "none", "auto", "required"}, f"Invalid value: '{choice}'.", "tool_choice", "invalid_value")
        _need(choice != "required" or names, "Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")


def _check_offered(tools: list[Any], where: str) -> Iterator[str]:
    for index, tool in enumerate(tools):
        place, kind = f"{where}[{index}]", tool.get("type")
        _need(kind in _TOOLS or kind in _HOSTED, f"Invalid value: '{kind}'.", f"{place}.type", "invalid_value")
        if kind in _HOSTED:
            continue
        _known(tool, _TOOLS[kind], f"{place}.")
        if kind == "tool_search":
            continue
        _check_name(tool.get("name"), f"{place}.name")
        yield tool["name"]
        if kind == "namespace":
            yield from _check_offered(tool["tools"], f"{place}.tools")
        if kind == "function":
            parameters = tool.get("parameters")
            got = parameters.get("type") if isinstance(parameters, dict) else "object"
            wrong = f"Invalid schema for function '{tool['name']}': schema must be a JSON Schema of 'type: \"object\"'."
            _need(got == "object", wrong, f"{place}.parameters", "invalid_function_parameters")
            is_strict = tool.get("strict", True) is True  # on in this API unless it is said
            _check_strict(parameters or {"properties": {}}, f"{place}.parameters", is_strict=is_strict)


def _check_strict(schema: Any, where: str, *, is_strict: bool) -> None:
    """What OpenAI demands of objects in strict schemas."""
    if not is_strict or not isinstance(schema, dict):
        return
    if schema.get("type") == "object":
        closed = "In context=(), 'additionalProperties' is required to be supplied and to be false."
        _need(schema.get("additionalProperties") is False, closed, where, "invalid_json_schema")
        named, required = set(schema.get("properties", {})), set(schema.get("required", ()))
        missing = "In context=(), 'required' is required to be supplied and to be an array including every key in properties."
        _need(named == required, missing, where, "invalid_json_schema")
    for inner in (*schema.get("properties", {}).values(), schema.get("items"), *schema.get("anyOf", ())):
        _check_strict(inner, where, is_strict=True)


def _check_item(item: Any, where: str) -> None:
    kind = item.get("type", "message")
    if kind not in _ITEM_FIELDS:
        _need(kind.endswith(("_call", "_output")) or kind == "compaction", f"Invalid value: '{kind}'.", f"{where}.type")
        return
    _known(item, _ITEM_FIELDS[kind], f"{where}.")
    head, given = _ID_HEADS.get(kind, ""), item.get("id")
    wrong = f"Invalid '{where}.id': '{given}'. Expected an ID that begins with '{head}'."
    _need(given is None or (given.startswith(head) and len(given) <= 64), wrong, f"{where}.id", "invalid_value")
    if "call_id" in item:
        _need(0 < len(item["call_id"]) <= 64, f"Invalid '{where}.call_id': string too long.", f"{where}.call_id")
    match kind:
        case "message":
            _check_message(item, where)
        case "function_call" | "custom_tool_call":
            _check_name(item.get("name"), f"{where}.name")
            text = item.get("arguments" if kind == "function_call" else "input")
            _need(isinstance(text, str), f"Invalid type for '{where}.arguments': expected a string.", where, "invalid_type")
        case "function_call_output" | "custom_tool_call_output":
            _check_content(item.get("output"), {"input_text", "input_image", "input_file"}, f"{where}.output")
        case "reasoning":
            _need(isinstance(item.get("summary"), list), f"Missing required parameter: '{where}.summary'.", f"{where}.summary")


def _check_message(item: Any, where: str) -> None:
    role = item.get("role")
    _need(role in {"user", "assistant", "system", "developer"}, f"Invalid value: '{role}'.", f"{where}.role", "invalid_value")
    kinds = {"output_text", "refusal"} if role == "assistant" else {"input_text", "input_image", "input_file"}
    _check_content(item.get("content"), kinds, f"{where}.content")


def _check_content(content: Any, kinds: set[str], where: str) -> None:
    if isinstance(content, str):
        return
    _need(isinstance(content, list), f"Missing required parameter: '{where}'.", where)
    for index, part in enumerate(content):
        place, kind = f"{where}[{index}]", part.get("type")
        supported = " and ".join(f"'{each}'" for each in sorted(kinds))
        _need(kind in kinds, f"Invalid value: '{kind}'. Supported values are: {supported}.", place, "invalid_value")
        _known(part, _PARTS[kind], f"{place}.")
        if kind in {"input_text", "output_text"}:
            _need(isinstance(part.get("text"), str), f"Missing required parameter: '{place}.text'.", place)
        if kind == "input_image" and part.get("image_url") is not None:
            _need(isinstance(part["image_url"], str), f"Invalid type for '{place}.image_url': expected an image URL.", place)
            check_image(part["image_url"], place)


def _check_pairing(items: list[Any]) -> None:
    """Each call is answered, each answer has its call before it."""
    waiting: dict[str, str] = {}
    answered: set[str] = set()
    for index, item in enumerate(items):
        kind, call_id = item.get("type", "message"), item.get("call_id")
        if kind in _CALLS:
            _need(call_id not in waiting and call_id not in answered, f"Duplicate item found with call_id {call_id}.", "input")
            waiting[call_id] = kind
        elif kind in _CALLS.values():
            text = f"No tool call found for function call output with call_id {call_id}."
            _need(call_id in waiting and _CALLS[waiting[call_id]] == kind, text, f"input[{index}]")
            del waiting[call_id]
            answered.add(call_id)
        elif kind == "message" and item.get("role") != "developer":
            _need(not waiting, f"No tool output found for function call {', '.join(waiting)}.", "input")
    _need(not waiting, f"No tool output found for function call {', '.join(waiting)}.", "input")


def _check_reasoning(items: list[Any], *, is_stored: bool) -> None:
    """Reasoning comes with what followed it, and what followed it comes with its reasoning."""
    thoughts: set[str] = set()
    for index, item in enumerate(items):
        given = item.get("id") or ""
        if item.get("type") == "reasoning":
            _check_thought(item, is_stored=is_stored)
            thoughts.add(given)
            follower = items[index + 1] if index + 1 < len(items) else {}
            follows = follower.get("type") in {"function_call", "custom_tool_call", "reasoning"} or (
                follower.get("type", "message") == "message" and follower.get("role") == "assistant"
            )
            lonely = f"Item '{given}' of type 'reasoning' was provided without its required following item."
            _need(follows, lonely, "input")
        elif is_stored and (found := REASONED_ID.fullmatch(given)):
            needed = f"rs_{found[1]}"
            text = f"Item '{given}' was provided without its required 'reasoning' item: '{needed}'."
            _need(needed in thoughts, text, "input")


def _check_thought(item: Any, *, is_stored: bool) -> None:
    encrypted, given = item.get("encrypted_content"), item.get("id")
    if encrypted is None and given is not None:
        gone = f"Item with id '{given}' not found. Items are not persisted when `store` is set to false."
        _need(is_stored, gone, "input", status=404)
    if encrypted is not None:
        told = "".join(part["text"] for part in item["summary"])
        bad = f"The encrypted content for item {given} could not be verified. Reason: Encrypted content could not be decrypted."
        _need(encrypted == encrypted_of(told), bad, None, "invalid_encrypted_content")


def _check_name(name: Any, where: str) -> None:
    fits = isinstance(name, str) and _NAMES.fullmatch(name)
    _need(fits, f"Invalid '{where}': string does not match pattern. Expected a string that matches '^[a-zA-Z0-9_-]+$'.", where)


def _known(fields: Any, known: set[str] | frozenset[str], where: str) -> None:
    for name in fields:
        if name not in known:
            raise OpenAiRefusalError(f"Unknown parameter: '{where}{name}'.", f"{where}{name}", "unknown_parameter")


def _need(claim: object, message: str, param: str | None = None, code: str | None = None, *, status: int = 400) -> None:
    if not claim:
        raise OpenAiRefusalError(message, param, code, status)
