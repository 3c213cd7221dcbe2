"""Whatever comes in, only the errors of the taxonomy come out."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkr_desktop.engine.chat.grammar import GrammarChecker
from lynkr_desktop.engine.wire.contract import CannotCarryError, Wire
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.errors import ClientError, UpstreamError
from tests.engine.wire.speech import PLAIN, A, C, call_delta, delta

WIRES = pytest.mark.parametrize("wire", [A, C], ids=["messages", "chat"])
_WRONG: list[Any] = [None, 7, 1.5, True, "", "words", [], {}, [7], ["x"], [{}], {"type": 7}, {"type": "text"}, [[]]]

_REQUEST: dict[str, Any] = {
    "model": "m",
    "max_tokens": 1,
    "system": [{"type": "text", "text": "s"}],
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": "x"}, {"type": "image", "source": {"type": "base64", "data": "eA=="}}],
        },
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}],
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "y"}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "y"}]}]},
    ],
    "tools": [{"name": "f", "input_schema": {}, "type": "function", "function": {"name": "f", "parameters": {}}}],
    "tool_choice": {"type": "tool", "name": "f", "function": {"name": "f"}},
    "thinking": {"type": "enabled", "budget_tokens": 5},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
    "response_format": {"type": "json_schema", "json_schema": {"schema": {}}},
    "metadata": {"user_id": "u"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015"}]},
    "stream_options": {"include_usage": True},
}
_EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "x", "model": "m", "usage": {"input_tokens": 1, "cache_creation": {}}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "a", "name": "f", "input": {}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "thinking", "thinking": "x", "signature": "s"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
    {"type": "error", "error": {"type": "api_error", "message": "x"}},
    delta("stop", content="x", reasoning="y"),
    call_delta(0, "{}", id="a", name="f"),
    {"id": "x", "choices": [], "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}, "cost": 1}},
    {"error": {"message": "x", "code": 1, "metadata": {"raw": "y"}}},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside a JSON value."""
    inside = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [path, *(place for key, one in inside for place in places(one, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    """The same value with something wrong in one place."""
    if not path:
        return wrong
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], wrong)
    return copy


@WIRES
@pytest.mark.parametrize("wrong", _WRONG, ids=json.dumps)
def test_requests(wire: Wire, wrong: Any) -> None:
    whole = _REQUEST if wire is C else {**_REQUEST, "messages": [one for one in _REQUEST["messages"] if one["role"] != "tool"]}
    wire.parse_request(json.dumps(whole).encode())
    for path in places(whole):
        with suppress(ClientError, CannotCarryError):
            request = wire.parse_request(json.dumps(replaced(whole, path, wrong)).encode())
            for other in (A, C):
                json.loads(other.render_request(request, "m", PLAIN, is_streamed=True).body)
            wire.renamed(request, "m", asks_usage=True)


_PLACES = [(index, path) for index, one in enumerate(_EVENTS) for path in places(one)]


@WIRES
@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_PLACES), max_size=8), st.sampled_from(_WRONG))
def test_answers(wire: Wire, broken: list[tuple[int, tuple[Any, ...]]], wrong: Any) -> None:
    parser, checker = wire.stream_parser(), GrammarChecker()
    with suppress(UpstreamError):
        for index, path in broken:
            for value in (_EVENTS[index], replaced(_EVENTS[index], path, wrong)):
                for event in parser.feed(Frame(json.dumps(value).encode())):
                    checker.check(event)
        for event in parser.close():
            checker.check(event)
    for index, path in broken:
        body = json.dumps(replaced(_EVENTS[index], path, wrong)).encode()
        wire.parse_error(400, {}, body)
        with suppress(UpstreamError):
            wire.parse_response(body)


@WIRES
@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_bytes(wire: Wire, body: bytes) -> None:
    with suppress(ClientError):
        wire.parse_request(body)
    with suppress(UpstreamError):
        wire.stream_parser().feed(Frame(body))
    with suppress(UpstreamError):
        wire.parse_response(body)
    assert wire.parse_error(500, {"retry-after": body.decode("latin-1"), "date": "x"}, body).title
