"""Anthropic's streams: read, and rendered from another vendor's. Names carry the rows of the list of known pitfalls."""

import json
from typing import Any

import pytest

from lynkr_desktop.engine.chat.events import StopReason, Usage
from lynkr_desktop.engine.chat.request import OpaquePart, TextPart, ThinkingPart, ToolCallPart
from lynkr_desktop.engine.chat.response import ChatResponse, fold
from lynkr_desktop.errors import FailureKind, UpstreamError
from tests.engine.wire.speech import A, C, answer, ask, call_delta, chunks, delta, frames, heard, named, told

START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 3},
    },
}
STOP = {"type": "message_stop"}


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": one} for one in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def ending(reason: str, **usage: int) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage}


TOOL = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}


def test_words_thoughts_and_calls() -> None:
    stream = named(
        START,
        {"type": "ping"},
        *block(0, THINKING, {"type": "thinking_delta", "thinking": "Hm"}, {"type": "signature_delta", "signature": "sig"}),
        *block(1, {"type": "text", "text": ""}, {"type": "text_delta", "text": "I "}, {"type": "text_delta", "text": "look"}),
        *block(
            2, TOOL, {"type": "input_json_delta", "partial_json": '{"p":'}, {"type": "input_json_delta", "partial_json": "1}"}
        ),
        ending("tool_use", output_tokens=20),
        STOP,
    )
    assert answer(A, stream) == ChatResponse(
        id="msg_1",
        model="claude",
        parts=(ThinkingPart("Hm", "sig"), TextPart("I look"), ToolCallPart("toolu_1", "read", '{"p":1}')),
        reason=StopReason.TOOL_CALLS,
        usage=Usage(input_tokens=10, output_tokens=20, cache_read_tokens=3),
    )
    whole = heard(A, stream)
    for place in range(len(stream)):
        assert heard(A, stream, cuts=[place]) == whole


def test_row_012_a_call_without_arguments() -> None:
    result = answer(A, named(START, *block(0, TOOL), ending("tool_use"), STOP))
    assert result.parts == (ToolCallPart("toolu_1", "read", "{}"),)


def test_arguments_that_come_with_the_start_are_not_lost() -> None:
    result = answer(A, named(START, *block(0, {**TOOL, "input": {"p": 1}}), ending("tool_use"), STOP))
    assert [json.loads(part.arguments) for part in result.parts if isinstance(part, ToolCallPart)] == [{"p": 1}]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        pytest.param({"input_tokens": 9}, {"input_tokens": 9, "output_tokens": 5}, (9, 5, None), id="row-072-never-added"),
        pytest.param({"input_tokens": 0}, {"input_tokens": 7, "output_tokens": 5}, (7, 5, None), id="row-073-only-at-the-end"),
        pytest.param(
            {"input_tokens": 7}, {"input_tokens": 0, "output_tokens": 5}, (7, 5, None), id="row-073-zero-overwrites-nothing"
        ),
        pytest.param(
            {"input_tokens": 900},
            {"input_tokens": 100, "cache_read_input_tokens": 800, "output_tokens": 5},
            (100, 5, 800),
            id="row-076-smaller-at-the-end",
        ),
    ],
)
def test_usage(start: dict[str, int], end: dict[str, int], expected: tuple[int, int, int | None]) -> None:
    message = {**START, "message": {"id": "m", "model": "c", "usage": start}}
    usage = answer(A, named(message, *block(0, {"type": "text", "text": "x"}), ending("end_turn", **end), STOP)).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == expected


def test_row_081_both_kinds_of_cache_writes_are_kept() -> None:
    usage = {"input_tokens": 1, "cache_creation_input_tokens": 30, "cache_creation": {"ephemeral_1h_input_tokens": 20}}
    message = {**START, "message": {"id": "m", "model": "c", "usage": usage}}
    told_usage = answer(A, named(message, *block(0, {"type": "text", "text": "x"}), ending("end_turn"), STOP)).usage
    assert (told_usage.cache_write_tokens, told_usage.cache_write_1h_tokens) == (30, 20)


def test_row_053_thinking_with_a_signature_only() -> None:
    stream = named(START, *block(0, THINKING, {"type": "signature_delta", "signature": "sig"}), ending("end_turn"), STOP)
    result = answer(A, stream)
    assert result.parts == (ThinkingPart("", "sig"),)
    assert not result.is_empty


def test_row_054_redacted_thinking_goes_through() -> None:
    stream = named(START, *block(0, {"type": "redacted_thinking", "data": "secret"}), ending("end_turn"), STOP)
    again = answer(A, told(A, ask(A), heard(A, stream)))
    assert again.parts == (ThinkingPart(redacted="secret"),)


def test_blocks_of_server_tools_are_kept_whole() -> None:
    start = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    stream = named(
        START, *block(0, start, {"type": "input_json_delta", "partial_json": '{"query":"x"}'}), ending("end_turn"), STOP
    )
    (part,) = answer(A, stream).parts
    assert isinstance(part, OpaquePart)
    assert json.loads(bytes(part.native.fragment["input"])) == {"query": "x"}
    assert frames(told(A, ask(A), heard(A, stream)))[1]["content_block"]["name"] == "web_search"
    assert "web_search" not in told(C, ask(C), heard(A, stream)).decode()


def test_row_019_half_a_surrogate_pair() -> None:
    stream = named(
        START, *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "a\ud83d"}), ending("end_turn"), STOP
    )
    assert answer(A, stream).parts == (TextPart("a�"),)


def test_a_delta_without_its_start_and_a_start_without_its_stop() -> None:
    stream = named(
        START,
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "one"}},
        {"type": "content_block_start", "index": 1, "content_block": TOOL},
        ending("tool_use"),
        STOP,
    )
    assert answer(A, stream).parts == (TextPart("one"), ToolCallPart("toolu_1", "read", "{}"))


def test_a_delta_that_does_not_say_what_it_is_of_is_left_out() -> None:
    nameless = {"type": "content_block_delta", "index": 0, "delta": {"type": "", "partial_json": "{}"}}
    assert answer(A, named(nameless, START, *block(0, {"type": "text", "text": "one"}), ending("end_turn"), STOP)).parts == (
        TextPart("one"),
    )


@pytest.mark.parametrize("before", [[], [START]])
def test_row_107_an_error_inside_a_stream(before: list[dict[str, Any]]) -> None:
    stream = named(*before, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    with pytest.raises(UpstreamError) as caught:
        heard(A, stream)
    assert (caught.value.kind, caught.value.detail) == (FailureKind.OVERLOADED, "Overloaded")


@pytest.mark.parametrize(
    "stream", [named(START), named(START, *block(0, {"type": "text", "text": "half"})), b"data: {oops\n\n", b""]
)
def test_a_stream_that_breaks_off_is_never_whole(stream: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        heard(A, stream)
    assert caught.value.kind is FailureKind.PROTOCOL


def test_nothing_after_the_end_counts() -> None:
    stream = named(START, *block(0, {"type": "text", "text": "x"}), ending("end_turn"), STOP)
    assert heard(A, stream + named(*block(1, {"type": "text", "text": "y"}))) == heard(A, stream)


def test_tool_names_come_back() -> None:
    stream = named(START, *block(0, TOOL), ending("tool_use"), STOP)
    (part,) = fold(heard(A, stream, tool_names={"read": "a very long name"})).parts
    assert isinstance(part, ToolCallPart)
    assert part.name == "a very long name"


def test_whole_answers_are_read_like_streams() -> None:
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": "one"}, {**TOOL, "input": {"n": 10**30}}, {"type": "text", "text": "two"}],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 4, "output_tokens": 6},
    }
    response = fold(A.parse_response(json.dumps(body).encode()))
    assert response.parts == (TextPart("one"), ToolCallPart("toolu_1", "read", '{"n": 1' + "0" * 30 + "}"), TextPart("two"))
    assert (response.usage.input_tokens, response.usage.output_tokens, response.reason) == (4, 6, StopReason.TOOL_CALLS)
    rendered = json.loads(A.render_response(response, ask(A)))
    assert rendered["content"] == body["content"]
    assert rendered["model"] == "asked-model"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"type":"error","error":{"type":"api_error","message":"x"}}'])
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        A.parse_response(body)


def test_row_071_the_client_sees_usage_at_the_end() -> None:
    stream = chunks(
        delta(content="hi"),
        delta("stop"),
        {
            "id": "x",
            "choices": [],
            "usage": {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 60}},
        },
    )
    closing = frames(told(A, ask(A), heard(C, stream)))[-2]
    assert closing["usage"] == {
        "input_tokens": 40,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 60,
        "output_tokens": 5,
    }


def test_row_144_the_client_sees_the_model_that_it_asked_for() -> None:
    events = heard(C, chunks(delta(content="hi"), delta("stop")))
    assert frames(told(A, ask(A, model="claude-opus-4-5[1m]"), events))[0]["message"]["model"] == "claude-opus-4-5[1m]"


def test_row_009_ids_that_anthropic_would_refuse_are_changed_for_the_client() -> None:
    events = heard(C, chunks(call_delta(0, "{}", id="functions.Read:0", name="Read"), delta("tool_calls")))
    started = frames(told(A, ask(A), events))[1]["content_block"]
    assert started["id"].replace("_", "").isalnum()
    assert json.loads(A.render_response(fold(events), ask(A)))["content"][0]["id"] == started["id"]


def test_legal_order_of_events() -> None:
    stream = chunks(
        delta(reasoning_content="Hm"), delta(content="text"), call_delta(0, "{}", id="call_1", name="f"), delta("tool_calls")
    )
    kinds = [(frame["type"], frame.get("index")) for frame in frames(told(A, ask(A), heard(C, stream)))]
    assert kinds == [
        ("message_start", None),
        *((f"content_block_{step}", index) for index in range(3) for step in ("start", "delta", "stop")),
        ("message_delta", None),
        ("message_stop", None),
    ]
