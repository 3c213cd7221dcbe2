"""Bytes that are no text inside a request: refused as the client's fault wherever they are, never as a bug of ours."""

import json

import pytest

from tests.fakes.dialects import MESSAGES
from tests.fakes.lab import Pair

BROKEN = b'"x\xffy"'
DEEP = b"[" * 5000 + b"]" * 5000


@pytest.mark.parametrize("wrong", [BROKEN, DEEP], ids=["no text", "too deep"])
@pytest.mark.parametrize("place", ["tool", "call", "system", "unknown", "metadata", "format"])
def test_what_cannot_be_read_is_the_clients_fault(pair: Pair, place: str, wrong: bytes) -> None:
    pair.upstream.expects_complaints = True
    is_messages = pair.dialect is MESSAGES
    schema = {"type": "object", "properties": {"a": {"description": "HERE"}}}
    tool = (
        {"name": "f", "input_schema": schema}
        if is_messages
        else {"type": "function", "function": {"name": "f", "parameters": schema}}
    )
    call = (
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {"x": "HERE"}}]}
        if is_messages
        else {
            "role": "assistant",
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "HERE"}}],
        }
    )
    body = pair.dialect.ask("hi")
    match place:
        case "tool":
            body["tools"] = [tool]
        case "call":
            body["messages"] = [body["messages"][0], call, body["messages"][0]]
        case "system":
            body |= (
                {"system": "HERE"} if is_messages else {"messages": [{"role": "system", "content": "HERE"}, *body["messages"]]}
            )
        case "unknown":
            body["context_management"] = {"edits": [{"type": "HERE"}]}
        case "metadata":
            body["metadata"] = {"user_id": "HERE"}
        case _:
            body |= (
                {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
                if is_messages
                else {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}}
            )
    raw = json.dumps(body).encode().replace(b'"HERE"', wrong)
    for is_streamed in (False, True):
        sent = raw.replace(b'"stream": true', b'"stream": %s' % json.dumps(is_streamed).encode())
        status = pair.caller.post(pair.dialect.path, sent, {"content-type": "application/json"}).status
        assert status in {200, 400}, "200 where the provider takes it as it came"
    assert pair.caller.get("/health").status == 200


@pytest.mark.parametrize("wrong", [BROKEN, DEEP], ids=["no text", "too deep"])
def test_in_what_is_read_only_on_the_way_out(to_anthropic: Pair, wrong: bytes) -> None:
    """Thinking without the turn's own thoughts makes us write the request anew, and read what else belongs to it."""
    to_anthropic.upstream.expects_complaints = True
    body = MESSAGES.ask("hi") | {
        "max_tokens": 4000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "context_management": {"edits": "HERE"},
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "x"}]},
        ],
    }
    raw = json.dumps(body).encode().replace(b'"HERE"', wrong)
    reply = to_anthropic.caller.post(MESSAGES.path, raw, {"content-type": "application/json"})
    assert reply.status == 400, reply.body
    assert (b"context_management" if wrong is BROKEN else b"too deeply") in reply.body
