"""Whatever comes in the Responses API's wire, only the errors of the taxonomy come out."""

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkr_desktop.engine.chat.events import Finished, Opened, OpenToolCall, Started, StopReason
from lynkr_desktop.engine.chat.grammar import GrammarChecker
from lynkr_desktop.engine.chat.request import Message, TextPart
from lynkr_desktop.engine.store.responses import ResponsesStore
from lynkr_desktop.engine.wire.contract import CannotCarryError
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.errors import ClientError, UpstreamError
from tests.engine.wire.speech import PLAIN, A, C
from tests.engine.wire.test_nonsense import places, replaced
from tests.engine.wire.test_openai_responses_request import AGENTS, CALL, IMAGE, PATCH_TOOL, READ_TOOL, RESULT, SEARCH, R, user
from tests.engine.wire.test_openai_responses_stream import CREATED, added, done, ended, event

WRONG: list[Any] = [None, 7, 1.5, True, "", "words", [], {}, [7], ["x"], [{}], {"type": 7}, {"type": "message"}, [[]]]
REQUEST: dict[str, Any] = {
    "model": "m",
    "instructions": "i",
    "input": [
        user({"type": "input_text", "text": "x"}, IMAGE, {"type": "input_file", "file_data": "eA==", "filename": "f"}),
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": None},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "y"}, {"type": "refusal", "refusal": "n"}],
        },
        CALL,
        RESULT,
        {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "p"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "ok"}]},
        {"type": "tool_search_call", "call_id": "s", "execution": "client", "arguments": {"query": "q"}},
        {"type": "tool_search_output", "call_id": "s", "execution": "client", "tools": [AGENTS]},
        {"type": "local_shell_call", "call_id": "l", "action": {"type": "exec", "command": ["ls"]}},
        {"type": "item_reference", "id": "x"},
    ],
    "tools": [READ_TOOL, PATCH_TOOL, AGENTS, SEARCH, {"type": "web_search"}],
    "tool_choice": {"type": "custom", "name": "apply_patch"},
    "reasoning": {"effort": "low"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}, "verbosity": "low"},
    "store": False,
    "previous_response_id": "resp_x",
    "max_output_tokens": 1,
    "temperature": 1.0,
}
EVENTS: list[dict[str, Any]] = [
    CREATED,
    added(0, "message", content=[]),
    event("output_text.delta", 0, content_index=0, delta="x"),
    event("reasoning_summary_text.delta", 1, summary_index=0, delta="x"),
    ended(1, "reasoning", summary=[{"text": "x"}], encrypted_content="e"),
    added(2, "function_call", call_id="c", name="f", namespace="n"),
    event("function_call_arguments.delta", 2, delta="{}"),
    event("function_call_arguments.done", 2, arguments="{}"),
    ended(3, "custom_tool_call", call_id="d", name="g", input="x"),
    ended(4, "local_shell_call", call_id="e", action={"command": []}),
    ended(0, "message", content=[{"type": "output_text", "text": "x"}]),
    done(
        {"type": "message", "content": [{"type": "output_text", "text": "x"}]},
        usage={"input_tokens": 1, "input_tokens_details": {}},
    ),
    done(status="incomplete", incomplete_details={"reason": "x"}),
    done(status="failed", error={"code": "x", "message": "y"}),
    {"type": "error", "code": "x", "message": "y"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=json.dumps)
def test_requests(wrong: Any) -> None:
    R.parse_request(json.dumps(REQUEST).encode())
    for path in places(REQUEST):
        with suppress(ClientError, CannotCarryError):
            request = R.parse_request(json.dumps(replaced(REQUEST, path, wrong)).encode())
            R.suits(request, PLAIN)
            messages = (*request.messages, Message("user", (TextPart("x"),)))
            changed = msgspec.structs.replace(request, messages=messages, tools=request.tools[1:])
            for other in (A, C, R):
                json.loads(other.render_request(changed, "m", PLAIN, is_streamed=True).body)
            R.renamed(request, "m", asks_usage=True)
            name = request.tools[0].name if request.tools else "f"
            R.stream_renderer(request).feed([Started("", "m"), Opened(OpenToolCall("c", name)), Finished(StopReason.END)])
            ResponsesStore(lambda: 0.0).written_out(request)


PLACES = [(index, path) for index, one in enumerate(EVENTS) for path in places(one)]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PLACES), max_size=8), st.sampled_from(WRONG))
def test_answers(broken: list[tuple[int, tuple[Any, ...]]], wrong: Any) -> None:
    parser, checker = R.stream_parser(), GrammarChecker()
    with suppress(UpstreamError):
        for index, path in broken:
            for value in (EVENTS[index], replaced(EVENTS[index], path, wrong)):
                for heard in parser.feed(Frame(json.dumps(value).encode())):
                    checker.check(heard)
        for heard in parser.close():
            checker.check(heard)
    for index, path in broken:
        with suppress(UpstreamError):
            R.parse_response(json.dumps(replaced(EVENTS[index], path, wrong)).encode())
        if path[:1] == ("response",):
            with suppress(UpstreamError):
                R.parse_response(json.dumps(replaced(EVENTS[index], path, wrong)["response"]).encode())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_bytes(body: bytes) -> None:
    with suppress(ClientError):
        R.parse_request(body)
    with suppress(UpstreamError):
        R.stream_parser().feed(Frame(body))
    with suppress(UpstreamError):
        R.parse_response(body)
