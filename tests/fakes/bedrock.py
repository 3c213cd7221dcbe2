"""A scripted Amazon Bedrock: Converse and ConverseStream, judged by Amazon's own description of them, which botocore brings.

It checks the signature of each request as Amazon does, or a Bedrock API key, and answers in real event-stream messages.
"""

import asyncio
import base64
import binascii
import itertools
import json
import re
import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final
from unittest import mock
from urllib.parse import unquote
from zlib import crc32

import botocore.auth
import botocore.loaders
import botocore.model
import botocore.validate
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.fakes import anthropic_rules, anthropic_wire
from tests.fakes.anthropic_rules import RefusalError
from tests.fakes.anthropic_wire import arguments_text, pieces_of
from tests.fakes.script import REDACTED, Answer, CallTool, Part, Say, Think, Tokens, signature_of
from tests.fakes.upstream import Received, Upstream, Vendor, WireSpeech

ACCESS_KEY: Final = "AKIDEXAMPLE"
SECRET_KEY: Final = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"
_ADDRESS: Final = re.compile(r"/model/(?P<model>[^/]+)/(?P<verb>converse|converse-stream|invoke|invoke-with-response-stream)")
# What InvokeModel takes of Claude's fields and beta flags.
_INVOKED: Final = frozenset(
    {
        *("anthropic_version", "anthropic_beta", "max_tokens", "messages", "system", "stop_sequences", "temperature", "top_p"),
        *("top_k", "tools", "tool_choice", "thinking", "metadata", "output_config", "context_management"),
    }
)
_BETAS: Final = re.compile(
    r"context-1m-|context-management-|compact-|effort-|fine-grained-tool-streaming-|computer-use-|tool-search-"
)
_SIGNED: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>\w+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/bedrock/aws4_request, "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
_KEEPS_SCHEMAS: Final = re.compile(r"claude-(?:(?:haiku|sonnet|opus)-4-[5-9]|[a-z]+-[5-9](?:-\d|$))")
_SERVICE: Final = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("bedrock-runtime", "service-2"))
_REQUEST: Final = _SERVICE.operation_model("Converse").input_shape


def event(kind: str, value: Any, *, message_type: str = "event") -> bytes:
    """One event-stream message, with both of its sums."""
    name = ":event-type" if message_type == "event" else ":exception-type"
    texts = {name: kind, ":content-type": "application/json", ":message-type": message_type}
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(text)) + text.encode()
        for key, text in texts.items()
    )
    payload = json.dumps(value, ensure_ascii=False).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack("!I", crc32(prelude)) + headers + payload
    return message + struct.pack("!I", crc32(message))


# --- rules ---


def check(headers: Mapping[str, str], body: Any, key: str) -> None:
    """Raise `RefusalError` for what Bedrock would refuse. The address was already read into the headers."""
    check_headers(headers, key)
    if headers.get("x-fake-verb", "").startswith("invoke"):
        _check_invoked(headers, body)
        return
    plain = {name: value for name, value in body.items() if name not in {"model", "stream"}}
    report = botocore.validate.ParamValidator().validate({"modelId": body["model"], **plain}, _REQUEST)
    if report.has_errors():
        raise RefusalError(report.generate_report())
    _check_system(body.get("system", []))
    _check_messages(body["messages"], is_claude="claude" in body["model"])
    _check_tools(body)


def check_headers(headers: Mapping[str, str], key: str) -> None:
    """The API key as a bearer, or a right signature; one of them."""
    authorization = headers.get("authorization", "")
    if authorization.startswith("Bearer "):
        if authorization != f"Bearer {key}":
            raise RefusalError("The security token included in the request is invalid.", 403)
    elif headers.get("x-fake-signature") != "right":
        raise RefusalError("The request signature we calculated does not match the signature you provided.", 403)


def is_signed(received: Received) -> bool:
    """Is the signature the one that Amazon would calculate of the request as it came?"""
    told = _SIGNED.fullmatch(received.headers.get("authorization", ""))
    if told is None or told["id"] != ACCESS_KEY:
        return False
    names = told["names"].split(";")
    if not {"content-type", "host", "x-amz-date"} <= set(names):
        return False
    moment = datetime.strptime(received.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    request = AWSRequest(
        "POST",
        f"http://{received.headers['host']}{received.path}",
        headers={name: received.headers[name] for name in names if name not in {"host", "x-amz-date"}},
        data=received.body,
    )
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda: moment.replace(tzinfo=None)):
        botocore.auth.SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "bedrock", told["region"]).add_auth(request)
    return bool(request.headers["Authorization"] == received.headers["authorization"])


def _check_invoked(headers: Mapping[str, str], body: dict[str, Any]) -> None:
    """Claude's own wire, with what the address and Amazon's envelope say put back where Anthropic has it."""
    own = {name: value for name, value in body.items() if name not in {"model", "stream"}}
    for name in own:
        if name not in _INVOKED:
            raise RefusalError(f"{name}: Extra inputs are not permitted")
    if own.pop("anthropic_version", "") != "bedrock-2023-05-31" or "anthropic-version" in headers:
        raise RefusalError("anthropic_version: Field required")
    betas = own.pop("anthropic_beta", [])
    for beta in betas:
        if not _BETAS.match(beta):
            raise RefusalError("invalid beta flag")
    if '"scope"' in json.dumps([own.get(name) for name in ("system", "messages")]):
        raise RefusalError("system.0.cache_control.ephemeral.scope: Extra inputs are not permitted")
    for edit in own.get("context_management", {}).get("edits", []):
        if edit["type"] not in {"clear_tool_uses_20250919", "compact_20260112"}:
            raise RefusalError("context_management: Extra inputs are not permitted")
    own |= {"model": body["model"].partition("anthropic.")[2], "stream": body["stream"]}
    rest = {name: value for name, value in headers.items() if name != "authorization"}
    plain = {"x-api-key": "k", "anthropic-version": "2023-06-01", "anthropic-beta": ",".join(betas)}
    anthropic_rules.check({**rest, **plain}, own, "k")


def _check_system(blocks: list[Any]) -> None:
    if blocks and "cachePoint" in blocks[0]:
        raise RefusalError("A cache point must follow content.")
    for block in blocks:
        if "text" in block and not block["text"].strip():
            raise RefusalError("The text field in the system block is blank.")


def _check_messages(messages: list[Any], *, is_claude: bool) -> None:
    roles = [message["role"] for message in messages]
    if not roles or roles[0] != "user":
        raise RefusalError("A conversation must start with a user message.")
    if any(first == second for first, second in itertools.pairwise(roles)):
        raise RefusalError("Roles must alternate between user and assistant.")
    expected: set[str] = set()
    for message in messages:
        results = {block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block}
        if results != expected:
            raise RefusalError("Expected toolResult blocks for the toolUse blocks of the turn before, and no others.")
        expected = {block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block}
        _check_content(message["content"], is_claude=is_claude)
    if expected:
        raise RefusalError("toolUse blocks without toolResult blocks.")


def _check_content(blocks: list[Any], *, is_claude: bool) -> None:
    kinds = [next(iter(block)) for block in blocks]
    if not kinds or kinds[0] == "cachePoint":
        raise RefusalError("The content field is empty, or begins with a cache point.")
    if "document" in kinds and "text" not in kinds:
        raise RefusalError("A message with a document must include a text.")
    if not is_claude and "toolResult" in kinds and {"text", "image", "document"} & set(kinds):
        raise RefusalError("Conversation blocks and tool result blocks cannot be provided in the same turn.")
    for block in blocks:
        inner = block.get("toolResult", {}).get("content", ())
        if block.get("toolResult") and not inner:
            raise RefusalError("The content of a tool result is empty.")
        for each in (block, *inner):
            _check_block(each, is_claude=is_claude)


def _check_block(block: Any, *, is_claude: bool) -> None:
    if not str(block.get("text", "x")).strip():
        raise RefusalError("text content blocks must be non-empty")
    if not isinstance(block.get("toolUse", {}).get("input", {}), dict):
        raise RefusalError("The format of the value at toolUse.input is invalid. Provide a json object.")
    reasoning = block.get("reasoningContent", {}).get("reasoningText")
    if is_claude and reasoning is not None and reasoning.get("signature") != signature_of(reasoning["text"]):
        raise RefusalError("Invalid `signature` in `thinking` block")
    for kind in ("image", "document"):
        try:
            base64.b64decode(block.get(kind, {}).get("source", {}).get("bytes", ""), validate=True)
        except binascii.Error:
            raise RefusalError(f"Could not decode the {kind}.") from None


def _check_tools(body: Any) -> None:
    uses = [block for message in body["messages"] for block in message["content"] if {"toolUse", "toolResult"} & set(block)]
    if uses and "toolConfig" not in body:
        raise RefusalError("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
    strict = any(tool.get("toolSpec", {}).get("strict") for tool in body.get("toolConfig", {}).get("tools", ()))
    if (strict or "outputConfig" in body) and not _KEEPS_SCHEMAS.search(body["model"]):
        raise RefusalError("This model doesn't support structured outputs.")
    thinks = (body.get("additionalModelRequestFields") or {}).get("thinking", {}).get("type") in {"enabled", "adaptive"}
    if thinks and "auto" not in body.get("toolConfig", {}).get("toolChoice", {"auto": {}}):
        raise RefusalError("Thinking may not be enabled when tool_choice forces tool use.")
    inference = body.get("inferenceConfig", {})
    if "claude" in body["model"] and {"temperature", "topP"} <= set(inference):
        raise RefusalError("`temperature` and `top_p` cannot both be specified for this model.")


# --- speech ---


def error_body(status: int, message: str) -> bytes:
    """The vendor's error JSON."""
    return json.dumps({"message": message}).encode()


def error_event() -> bytes:
    """The vendor's error inside a stream."""
    return event("throttlingException", {"message": "Too many tokens, please wait."}, message_type="exception")


def whole(answer: Answer, model: str) -> bytes:
    """The answer as one JSON object."""
    content = [_block(part) for part in answer.parts]
    body = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": _reason(answer)}
    return json.dumps(body | {"usage": _usage(answer.tokens), "metrics": {"latencyMs": 1}}, ensure_ascii=False).encode()


def events(answer: Answer, model: str, *, has_usage: bool) -> Iterator[bytes]:
    """The answer as messages. Text and reasoning have no start, as with Amazon."""
    yield event("messageStart", {"role": "assistant", "p": "abcdefghij"})
    for index, part in enumerate(answer.parts):
        place = {"contentBlockIndex": index, "p": "abc"}
        if isinstance(part, CallTool):
            yield event("contentBlockStart", {"start": {"toolUse": {"toolUseId": part.id, "name": part.name}}, **place})
        for delta in _deltas(part):
            yield event("contentBlockDelta", {"delta": delta, **place})
        yield event("contentBlockStop", place)
    yield event("messageStop", {"stopReason": _reason(answer), "p": "a"})
    if answer.delivery.has_done:
        yield event("metadata", {"usage": _usage(answer.tokens), "metrics": {"latencyMs": 1}, "p": "ab"})


def models_list() -> bytes:
    """There is none at this address."""
    return error_body(404, "Not found")


def _reason(answer: Answer) -> str:
    if answer.stop:
        return {"length": "max_tokens", "refusal": "content_filtered", "stop_sequence": "stop_sequence"}[answer.stop]
    return "tool_use" if any(isinstance(part, CallTool) for part in answer.parts) else "end_turn"


def _usage(tokens: Tokens) -> dict[str, int]:
    cache = {"cacheReadInputTokens": tokens.cache_read, "cacheWriteInputTokens": tokens.cache_write}
    return {"inputTokens": tokens.input, "outputTokens": tokens.output, "totalTokens": tokens.input + tokens.output, **cache}


def _block(part: Part) -> dict[str, Any]:
    match part:
        case Say(text):
            return {"text": text}
        case Think(_, is_redacted=True):
            return {"reasoningContent": {"redactedContent": REDACTED}}
        case Think(text):
            return {"reasoningContent": {"reasoningText": {"text": text, "signature": signature_of(text)}}}
        case CallTool():
            return {"toolUse": {"toolUseId": part.id, "name": part.name, "input": json.loads(arguments_text(part))}}


def _deltas(part: Part) -> Iterator[dict[str, Any]]:
    match part:
        case Say(text, pieces):
            yield from ({"text": piece} for piece in pieces_of(text, pieces))
        case Think(_, is_redacted=True):
            yield {"reasoningContent": {"redactedContent": REDACTED}}
        case Think(text):
            yield from ({"reasoningContent": {"text": piece}} for piece in pieces_of(text, 2))
            yield {"reasoningContent": {"signature": signature_of(text)}}
        case CallTool():
            if part.arguments or part.raw_arguments:
                yield from ({"toolUse": {"input": piece}} for piece in pieces_of(arguments_text(part), part.pieces))


def _chunks(answer: Answer, model: str, *, has_usage: bool) -> Iterator[bytes]:
    """Anthropic's own events, each in one of Amazon's messages."""
    for said in anthropic_wire.events(answer, model, has_usage=has_usage):
        data = next(line.removeprefix(b"data: ") for line in said.splitlines() if line.startswith(b"data: "))
        yield event("chunk", {"bytes": base64.b64encode(data).decode(), "p": "abcd"})


_INVOKED_SPEECH: Final = SimpleNamespace(
    whole=anthropic_wire.whole, events=_chunks, error_event=error_event, error_body=error_body, models_list=models_list
)
SPEECH: Final = SimpleNamespace(
    whole=whole, events=events, error_event=error_event, error_body=error_body, models_list=models_list
)
BEDROCK: Final = Vendor("bedrock", "/converse", check, check_headers, SPEECH, ("x-amzn-requestid", "fake-bedrock-1"))


class BedrockUpstream(Upstream):
    """Bedrock. What the address says is put into the body as `model` and `stream`, where the scripts look for it."""

    def __init__(self, key: str) -> None:
        super().__init__(BEDROCK, key)

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        received = await super()._read(reader)
        found = _ADDRESS.fullmatch(received.path) if received else None
        if received is not None and found is not None:
            if "x-amz-date" in received.headers:
                received.headers["x-fake-signature"] = "right" if is_signed(received) else "wrong"
            received.path = self.vendor.chat_path
            received.headers["x-fake-verb"] = found["verb"]
            if {"model", "stream"} & set(received.json):
                received.headers["authorization"] = "two places name the model"
            address = {"model": unquote(found["model"]), "stream": found["verb"].endswith("stream")}
            received.body = json.dumps({**json.loads(received.body), **address}).encode()
        return received

    def _speech(self, received: Received) -> WireSpeech:
        return _INVOKED_SPEECH if received.headers["x-fake-verb"].startswith("invoke") else self.vendor.wire

    def _head(self, status: int, content_type: str, headers: dict[str, str]) -> bytes:
        kind = "application/vnd.amazon.eventstream" if content_type.startswith("text/event-stream") else content_type
        return super()._head(status, kind, headers)

    @staticmethod
    def _framed(message: bytes, answer: Answer) -> bytes:
        return message
