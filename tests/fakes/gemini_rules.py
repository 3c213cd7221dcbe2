"""What the Gemini API refuses, in the vendor's words. Pure: a request in, a complaint out.

Written from the vendor's API reference, its guide to thought signatures and its error messages (November 2026). Stricter than the
vendor in two ways: exactly one credential may come, and none in the address.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.anthropic_rules import RefusalError

STAND_IN = "skip_thought_signature_validator"
_TOP = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings", "cachedContent", "labels"}
_DATA = {"text", "inlineData", "functionCall", "functionResponse", "fileData", "executableCode", "codeExecutionResult"}
_PART = _DATA | {"thought", "thoughtSignature", "videoMetadata", "mediaResolution"}
_CONFIG = {
    *("stopSequences", "responseMimeType", "responseSchema", "responseJsonSchema", "candidateCount", "maxOutputTokens"),
    *("temperature", "topP", "topK", "seed", "presencePenalty", "frequencyPenalty", "thinkingConfig", "responseModalities"),
}
_FUNCTION = {"name", "description", "behavior", "parameters", "parametersJsonSchema", "response", "responseJsonSchema"}
_SCHEMA = {
    *("$schema", "$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems"),
    *(
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "anyOf",
        "oneOf",
        "properties",
        "additionalProperties",
        "required",
        "propertyOrdering",
    ),
}
_UNDERSCORE = re.compile(r"_([a-z])")
_USERS_OWN = {"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "labels"}
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")


def check(headers: Mapping[str, str], body: Any, key: str) -> None:
    """Raise `RefusalError` for what the vendor would refuse. `x-fake-model` among the headers is the address's model."""
    check_headers(headers, key)
    if not isinstance(body, dict):
        raise RefusalError("Invalid JSON payload received.")
    body = in_camel_case(body)
    _known(body, _TOP | {"model", "stream"}, "")  # the fake itself has put these two in, out of the address
    if "x-fake-model" not in headers:
        raise RefusalError('Invalid JSON payload received. Unknown name "model": Cannot find field.')
    _check_contents(body.get("contents"), headers["x-fake-model"])
    system = body.get("systemInstruction")
    if system is not None and not system.get("parts"):
        raise RefusalError("* GenerateContentRequest.system_instruction.parts: must not be empty.")
    _check_tools(body)
    _check_config(body.get("generationConfig", {}))


def in_camel_case(value: Any) -> Any:
    """The same with each of Google's names in the one of its two spellings that its reference has. Users' own names stay."""
    if isinstance(value, list):
        return [in_camel_case(each) for each in value]
    if not isinstance(value, dict):
        return value
    named = {_UNDERSCORE.sub(lambda match: match[1].upper(), name): inner for name, inner in value.items()}
    return {name: inner if name in _USERS_OWN else in_camel_case(inner) for name, inner in named.items()}


def check_headers(headers: Mapping[str, str], key: str) -> None:
    """The key, once, where it belongs."""
    if "authorization" in headers or "x-api-key" in headers:
        raise RefusalError("Request had invalid authentication credentials: more than one was sent.", 401)
    if headers.get("x-goog-api-key") != key:
        raise RefusalError("API key not valid. Please pass a valid API key.")


def _known(fields: Any, known: set[str], where: str) -> None:
    if not isinstance(fields, dict):
        raise RefusalError(f"Invalid value at '{where}' (type is wrong).")
    for name in fields:
        if name not in known:
            raise RefusalError(f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field.")


def _check_contents(contents: Any, model: str) -> None:
    if not isinstance(contents, list) or not contents:
        raise RefusalError("* GenerateContentRequest.contents: contents is not specified")
    if contents[0].get("role", "user") != "user":
        raise RefusalError("Please ensure that the conversation begins with a user turn.")
    waiting: list[str] = []
    last_user = max(index for index, turn in enumerate(contents) if turn.get("role", "user") == "user" and _is_said(turn))
    for index, turn in enumerate(contents):
        where = f"contents[{index}]"
        _known(turn, {"role", "parts"}, where)
        role = turn.get("role", "user")
        if role not in {"user", "model"}:
            raise RefusalError("Please use a valid role: user, model.")
        if not turn.get("parts"):
            raise RefusalError(f"* GenerateContentRequest.{where}.parts: contents.parts must not be empty.")
        for part in turn["parts"]:
            _check_part(part, where)
        answers = [part["functionResponse"]["name"] for part in turn["parts"] if "functionResponse" in part]
        if sorted(answers) != sorted(waiting):
            raise RefusalError(
                "Please ensure that the number of function response parts is equal to the number of function call parts of the "
                "function call turn."
            )
        calls = [part for part in turn["parts"] if "functionCall" in part]
        if calls and role != "model":
            raise RefusalError("Please ensure that function call turn comes immediately after a user turn.")
        waiting = [part["functionCall"]["name"] for part in calls]
        if calls and index > last_user and re.search(r"gemini-[3-9]", model):
            _check_signature(calls[0])


def _is_said(turn: Any) -> bool:
    return any("text" in part and "functionResponse" not in part for part in turn.get("parts", ()))


def _check_signature(part: Any) -> None:
    signature = part.get("thoughtSignature")
    if not signature:
        raise RefusalError("Function call is missing a thought_signature in functionCall parts.")
    if signature != STAND_IN and not signature.startswith("Z2VtaW5p"):
        raise RefusalError("Corrupted thought signature.")


def _check_part(part: Any, where: str) -> None:
    _known(part, _PART, f"{where}.parts")
    given = _DATA & set(part)
    if len(given) != 1 or (part.get("text") == "" and not part.get("thoughtSignature")):
        raise RefusalError(f"* GenerateContentRequest.{where}.parts: required oneof field 'data' must have one initialized field")
    if "functionCall" in part:
        _known(part["functionCall"], {"id", "name", "args"}, "function_call")
        if not isinstance(part["functionCall"].get("args", {}), dict):
            raise RefusalError("Invalid value at 'function_call.args' (type.googleapis.com/google.protobuf.Struct)")
    if "functionResponse" in part:
        _check_response(part["functionResponse"])
    if "inlineData" in part:
        _check_blob(part["inlineData"])


def _check_response(response: Any) -> None:
    _known(response, {"id", "name", "response", "parts", "willContinue", "scheduling"}, "function_response")
    if not response.get("name"):
        raise RefusalError("* function_response.name: Name cannot be empty.")
    if not isinstance(response.get("response"), dict):
        raise RefusalError("Invalid value at 'function_response.response' (type.googleapis.com/google.protobuf.Struct)")
    for part in response.get("parts", ()):
        _known(part, {"inlineData", "fileData"}, "function_response.parts")
        _check_blob(part["inlineData"])


def _check_blob(blob: Any) -> None:
    _known(blob, {"mimeType", "data", "displayName"}, "inline_data")
    if not blob.get("mimeType"):
        raise RefusalError("Unable to process input: mime_type is empty.")
    try:
        base64.b64decode(blob["data"], validate=True)
    except (KeyError, binascii.Error):
        raise RefusalError("Invalid value at 'inline_data.data' (TYPE_BYTES), Base64 decoding failed.") from None


def _check_tools(body: Any) -> None:
    functions = [function for tool in body.get("tools", ()) for function in tool.get("functionDeclarations", ())]
    for tool in body.get("tools", ()):
        _known(tool, {"functionDeclarations", "googleSearch", "codeExecution", "urlContext", "googleMaps", "fileSearch"}, "tools")
    for function in functions:
        _known(function, _FUNCTION, "function_declarations")
        if not _NAME.fullmatch(function.get("name", "")):
            raise RefusalError("Invalid function name. Must start with a letter or an underscore.")
        if "parameters" in function and "parametersJsonSchema" in function:
            raise RefusalError("Only one of parameters and parametersJsonSchema may be set.")
        if "parametersJsonSchema" in function:
            check_schema(function["parametersJsonSchema"], function["name"])
    config = body.get("toolConfig", {}).get("functionCallingConfig", {})
    if config and not functions:
        raise RefusalError("Function calling config is set without function_declarations.")
    if set(config.get("allowedFunctionNames", ())) - {function["name"] for function in functions}:
        raise RefusalError("allowed_function_names must be a subset of the declared functions.")
    if config.get("allowedFunctionNames") and config.get("mode") not in {"ANY", "VALIDATED"}:
        raise RefusalError("allowed_function_names can only be set when mode is ANY or VALIDATED.")


def check_schema(schema: Any, where: str) -> None:
    """Refuse keywords that the vendor does not list, and what it demands beyond JSON Schema."""
    if isinstance(schema, bool):
        return
    _known(schema, _SCHEMA, where)
    if "$ref" in schema and any(not name.startswith("$") for name in schema):
        raise RefusalError(f"{where}: $ref may have no siblings.")
    if schema.get("type") == "array" and "items" not in schema and "prefixItems" not in schema:
        raise RefusalError(f"{where}.items: missing field.")
    if "enum" in schema and not all(isinstance(value, str | int | float) for value in schema["enum"]):
        raise RefusalError(f"{where}.enum: only strings and numbers.")
    for key, inner in _inner_schemas(schema):
        check_schema(inner, f"{where}.{key}")


def _inner_schemas(schema: Any) -> Iterator[tuple[str, Any]]:
    for name in ("properties", "$defs"):
        yield from schema.get(name, {}).items()
    for name in ("anyOf", "oneOf", "prefixItems"):
        yield from ((name, inner) for inner in schema.get(name, ()))
    yield from ((name, schema[name]) for name in ("items", "additionalProperties") if name in schema)


def _check_config(config: Any) -> None:
    _known(config, _CONFIG, "generation_config")
    thinking = config.get("thinkingConfig", {})
    _known(thinking, {"includeThoughts", "thinkingBudget", "thinkingLevel"}, "thinking_config")
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        raise RefusalError("You can only set only one of thinking budget and thinking level.")
    if thinking.get("thinkingBudget", 0) > 24576:
        raise RefusalError("The thinking budget is out of range.")
    if len(config.get("stopSequences", ())) > 5:
        raise RefusalError("Only 5 stop sequences are supported.")
    if ("responseSchema" in config or "responseJsonSchema" in config) and config.get("responseMimeType") != "application/json":
        raise RefusalError("Function response schema needs response_mime_type application/json.")
    if "responseJsonSchema" in config:
        check_schema(config["responseJsonSchema"], "response_json_schema")
