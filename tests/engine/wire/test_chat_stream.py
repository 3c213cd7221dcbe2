"""Chat Completions streams: read from the many servers that speak it, and rendered. Names carry the rows of known pitfalls."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkr_desktop.engine.chat.events import Closed, Delta, Finished, Opened, OpenToolCall, Started, StopReason, Usage
from lynkr_desktop.engine.chat.grammar import checked
from lynkr_desktop.engine.chat.request import TextPart, ThinkingPart, ToolCallPart
from lynkr_desktop.engine.chat.response import fold
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.errors import FailureKind, UpstreamError
from tests.engine.wire.speech import A, C, answer, ask, call_delta, chunks, delta, frames, heard, told

END = delta("stop")


def calls(stream: bytes) -> list[tuple[str, str, str]]:
    return [(part.id, part.name, part.arguments) for part in answer(C, stream).parts if isinstance(part, ToolCallPart)]


def test_row_001_interleaved_parallel_calls() -> None:
    stream = chunks(
        delta(
            tool_calls=[
                {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}},
                {"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
            ]
        ),
        *(call_delta(index, piece) for piece in ('{"x"', ":1", "}") for index in (1, 0)),
        delta("tool_calls"),
    )
    assert calls(stream) == [("a", "f", '{"x":1}'), ("b", "g", '{"x":1}')]
    whole = heard(C, stream)
    for place in range(len(stream)):
        assert heard(C, stream, cuts=[place]) == whole


def test_the_first_call_is_streamed_while_others_wait() -> None:
    parser = C.stream_parser()
    pieces = [call_delta(0, '{"x":', id="a", name="f"), call_delta(1, "{", id="b", name="g"), call_delta(0, "1")]
    events = [event for piece in pieces for frame in _frames(piece) for event in parser.feed(frame)]
    assert events[-1] == Delta("1")


def _frames(value: Any) -> list[Frame]:
    return [Frame(json.dumps(value).encode())]


@pytest.mark.parametrize("index", [0, None])
def test_row_002_row_004_two_calls_under_one_index(index: int | None) -> None:
    stream = chunks(
        call_delta(index, '{"x":1}', id="a", name="f"), call_delta(index, "{}", id="b", name="f"), delta("tool_calls")
    )
    assert calls(stream) == [("a", "f", '{"x":1}'), ("b", "f", "{}")]


def test_two_whole_calls_without_ids_under_one_index() -> None:
    stream = chunks(call_delta(0, '{"x":1}', name="f"), call_delta(0, '{"x":2}', name="f"), delta("tool_calls"))
    assert [arguments for _, _, arguments in calls(stream)] == ['{"x":1}', '{"x":2}']


def test_id_and_name_in_every_fragment_are_one_call() -> None:
    stream = chunks(*(call_delta(0, piece, id="a", name="f") for piece in ('{"x"', ":", "1}")), delta("tool_calls"))
    assert calls(stream) == [("a", "f", '{"x":1}')]


def test_row_003_tool_indexes_count_calls_not_blocks() -> None:
    stream = chunks(
        delta(content="text"),
        call_delta(0, "{}", id="a", name="f"),
        call_delta(1, "{}", id="b", name="g"),
        delta("tool_calls"),
    )
    rendered = frames(told(C, ask(C), heard(C, stream)))
    fragments = [frame["choices"][0]["delta"] for frame in rendered[:-1] if frame["choices"]]
    assert [one["tool_calls"][0]["index"] for one in fragments if "tool_calls" in one] == [0, 0, 1, 1]


def test_row_006_empty_lists_of_calls_mean_nothing() -> None:
    stream = chunks(*(delta(reasoning_content=piece, tool_calls=[]) for piece in "abc"), delta(content="x", tool_calls=None), END)
    assert answer(C, stream).parts == (ThinkingPart("abc"), TextPart("x"))


def test_row_007_the_name_comes_late() -> None:
    stream = chunks(
        call_delta(0, "", id="a", name=""), call_delta(0, '{"x":'), call_delta(0, "1}", name="f"), delta("tool_calls")
    )
    assert calls(stream) == [("a", "f", '{"x":1}')]


def test_row_007_the_name_never_comes() -> None:
    assert calls(chunks(call_delta(0, "{}", id="a"), delta("tool_calls"))) == [("a", "tool_0", "{}")]
    empty = chunks(delta(tool_calls=[{"index": 0, "function": {"name": "", "arguments": ""}}]), delta(content="x"), END)
    assert answer(C, empty).parts == (TextPart("x"),)


def test_row_008_ids_are_made_up_the_same_way_each_time() -> None:
    stream = chunks(call_delta(0, "{}", name="f"), call_delta(1, "{}", name="f"), delta("tool_calls"))
    first, second = (call_id for call_id, _, _ in calls(stream))
    assert first != second
    assert [call_id for call_id, _, _ in calls(stream)] == [first, second]
    other = stream.replace(b"chatcmpl-1", b"chatcmpl-2")
    assert first not in [call_id for call_id, _, _ in calls(other)]


def test_row_011_a_client_can_parse_the_arguments_of_a_call_without_any() -> None:
    events = heard(C, chunks(call_delta(0, "", id="a", name="f"), delta("tool_calls")))
    pieces = [
        call["function"].get("arguments", "")
        for frame in frames(told(C, ask(C), events))[:-1]
        for call in frame["choices"][0]["delta"].get("tool_calls", [])
    ]
    assert json.loads("".join(pieces)) == {}
    assert (
        json.loads(C.render_response(fold(events), ask(C)))["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
        == "{}"
    )


def test_row_016_a_call_cut_by_the_limit_is_not_complete() -> None:
    events = heard(C, chunks(call_delta(0, '{"x":', id="a", name="f"), delta("length")))
    assert events[-2:] == [Closed(is_complete=False), Finished(StopReason.LENGTH)]


def test_row_018_numbers_of_any_size_in_arguments() -> None:
    number = "1" * 40
    assert calls(chunks(call_delta(0, f'{{"n":{number}}}', id="a", name="f"), END))[0][2] == f'{{"n":{number}}}'


def test_row_019_half_a_surrogate_pair() -> None:
    assert answer(C, chunks(delta(content="a\ud83db"), END)).parts == (TextPart("a�b"),)


def test_row_021_usage_after_the_finish_reason() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    events = heard(C, chunks(delta(content="x"), END, {"id": "c", "choices": [], "usage": usage}))
    assert events[-1] == Finished(StopReason.END, Usage(input_tokens=7, output_tokens=3))
    assert sum(isinstance(event, Finished) for event in events) == 1


def test_row_022_an_empty_finish_reason_is_none() -> None:
    assert answer(C, chunks(delta("", content="a"), delta("", content="b"), END)).parts == (TextPart("ab"),)


def test_row_023_stop_after_a_call_means_the_call() -> None:
    assert answer(C, chunks(call_delta(0, "{}", id="a", name="f"), END)).reason is StopReason.TOOL_CALLS


@pytest.mark.parametrize("stream", [chunks(delta(content="half"), done=False), b"", b": only a comment\n\n"])
def test_row_024_neither_reason_nor_done_is_broken(stream: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        heard(C, stream)
    assert caught.value.kind is FailureKind.PROTOCOL


def test_row_026_nothing_after_done_counts() -> None:
    assert answer(C, chunks(delta(content="x"), END) + chunks(delta(content="y"))).parts == (TextPart("x"),)


def test_row_027_a_finish_reason_is_enough_when_the_bytes_end() -> None:
    assert answer(C, chunks(delta(content="x"), END, done=False)).reason is StopReason.END


def test_row_027_the_usage_chunk_ends_the_answer_though_the_connection_stays() -> None:
    parser = C.stream_parser()
    values = [delta(content="x"), END, {"id": "x", "choices": [], "usage": {"prompt_tokens": 1}}]
    events = [event for value in values for frame in _frames(value) for event in parser.feed(frame)]
    assert events[-1] == Finished(StopReason.END, Usage(input_tokens=1))


@pytest.mark.parametrize("reason", ["content_filter", "sensitive"])
def test_row_028_row_204_refusals(reason: str) -> None:
    events = heard(C, chunks(delta(content="no"), delta(reason)))
    assert frames(told(A, ask(A), events))[-2]["delta"]["stop_reason"] == "refusal"
    assert frames(told(C, ask(C), events))[-2]["choices"][0]["finish_reason"] == "content_filter"


def test_row_032_delta_is_always_an_object() -> None:
    stream = chunks(delta(content="x"), delta("length"))
    assert all(isinstance(frame["choices"][0]["delta"], dict) for frame in frames(told(C, ask(C), heard(C, stream)))[:-1])


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_row_051_reasoning_is_a_part_of_its_own(key: str) -> None:
    stream = chunks(delta(**{key: "a", "content": None}), delta(**{key: "b", "content": ""}), delta(content="c"), END)
    assert answer(C, stream).parts == (ThinkingPart("ab"), TextPart("c"))


def test_both_names_of_reasoning_at_once_count_once() -> None:
    assert answer(C, chunks(delta(reasoning="a", reasoning_content="a"), delta(content="x"), END)).parts[0] == ThinkingPart("a")


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param(
            {"prompt_tokens": 100, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 80}},
            Usage(20, 9, 80),
            id="row-074-prompt-includes-the-cache",
        ),
        pytest.param(
            {"prompt_tokens": 10, "cached_tokens": 30, "completion_tokens": 1}, Usage(0, 1, 30), id="row-074-never-below-zero"
        ),
        pytest.param(
            {"prompt_tokens": 100, "completion_tokens": 9, "prompt_cache_hit_tokens": 64}, Usage(36, 9, 64), id="row-082-deepseek"
        ),
        pytest.param(
            {"prompt_tokens": 100, "completion_tokens": 9, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 20},
            Usage(30, 9, 50, 20),
            id="row-083-anthropic-names",
        ),
        pytest.param(
            {"prompt_tokens": 5, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}, "cost": 1.2e-05},
            Usage(5, 9, reasoning_tokens=7, cost_usd="0.000012"),
            id="reasoning-and-cost",
        ),
    ],
)
def test_usage(usage: dict[str, Any], expected: Usage) -> None:
    assert answer(C, chunks(delta(content="x"), END, {"choices": [], "usage": usage})).usage == expected


def test_row_078_usage_null_is_not_zero() -> None:
    stream = chunks({**delta(content="x"), "usage": None}, {**END, "usage": None})
    assert answer(C, stream).usage == Usage()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 429, "message": "slow"}, FailureKind.RATE),
        ({"code": "502", "message": "bad gateway"}, FailureKind.OVERLOADED),
        ({"code": None, "message": "maximum context length is 8192"}, FailureKind.CONTEXT),
        ({"code": 402, "message": "Insufficient credits"}, FailureKind.QUOTA),
        ("something", FailureKind.OVERLOADED),
    ],
)
@pytest.mark.parametrize("choices", [[], None])
def test_row_108_row_114_an_error_inside_a_stream(error: Any, kind: FailureKind, choices: Any) -> None:
    with pytest.raises(UpstreamError) as caught:
        heard(C, chunks({"id": "x", "choices": choices, "error": error}))
    assert caught.value.kind is kind


def test_row_109_the_client_sees_the_failure_and_no_end() -> None:
    error = UpstreamError(FailureKind.OVERLOADED, "The provider is overloaded or broken.", "Overloaded")
    started = (Started("x", "y"),)
    chat, messages = C.stream_renderer(ask(C)), A.stream_renderer(ask(A))
    chat.feed(started)
    messages.feed(started)
    assert "Overloaded" in frames(chat.error(error))[0]["error"]["message"]
    assert b"[DONE]" not in chat.error(error)
    assert frames(messages.error(error))[0]["error"]["type"] == "overloaded_error"


def test_row_191_the_first_chunk_has_no_choices() -> None:
    stream = chunks({"id": "", "model": "", "choices": [], "prompt_filter_results": []}, delta(content="x"), END)
    events = heard(C, stream)
    assert events[0] == Started("chatcmpl-1", "served-model")


def test_text_that_is_only_white_space_makes_no_part() -> None:
    stream = chunks(delta(content="\n\n"), call_delta(0, "{}", id="a", name="f"), delta(content="\n"), delta("tool_calls"))
    assert answer(C, stream).parts == (ToolCallPart("a", "f", "{}"),)
    assert answer(C, chunks(delta(content="\n"), delta(content="x"), END)).parts == (TextPart("\nx"),)
    assert answer(C, chunks(delta(content=" "), END)).is_empty


def test_row_014_words_between_calls_keep_their_place() -> None:
    stream = chunks(
        call_delta(0, "{", id="a", name="f"),
        delta(content="and "),
        call_delta(0, "}"),
        delta(content="then"),
        call_delta(1, "{}", id="b", name="g"),
        delta("tool_calls"),
    )
    assert answer(C, stream).parts == (ToolCallPart("a", "f", "{}"), TextPart("and then"), ToolCallPart("b", "g", "{}"))


def test_content_as_a_list_of_parts() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    stream = chunks(
        delta(content=[thought]), delta(content=[{"type": "text", "text": "x"}, {"type": "odd"}]), delta(content="y"), END
    )
    assert answer(C, stream).parts == (ThinkingPart("Hm"), TextPart("xy"))


def test_arguments_as_an_object() -> None:
    chunk = delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "f", "arguments": {"x": 1}}}])
    assert calls(chunks(chunk, END)) == [("a", "f", '{"x":1}')]


def test_the_last_chunk_has_usage_only_if_it_was_asked_for() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 60}}
    stream = chunks(delta(content="x"), END, {"id": "x", "choices": [], "usage": usage})
    asked = frames(told(C, ask(C, stream=True, stream_options={"include_usage": True}), heard(C, stream)))
    assert asked[-1] == "[DONE]"
    assert asked[-2]["choices"] == []
    assert asked[-2]["usage"]["prompt_tokens"] == 100
    assert asked[-2]["usage"]["prompt_tokens_details"] == {"cached_tokens": 60}
    assert all(frame["choices"] for frame in frames(told(C, ask(C, stream=True), heard(C, stream)))[:-1])


def test_row_077_the_added_usage_chunk_is_known() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    added = _frames({"id": "x", "choices": [], "usage": usage})[0]
    assert C.is_added(added)
    assert not C.is_added(_frames({**delta(content='"usage"'), "usage": None})[0])
    assert not C.is_added(_frames({**END, "usage": usage})[0])
    assert not A.is_added(added)


def test_whole_answers_are_read_like_streams() -> None:
    message = {
        "role": "assistant",
        "content": None,
        "reasoning_content": "Hm",
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": '{"x":1}'}},
        ],
    }
    body = {
        "id": "c",
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 2},
    }
    events = checked(C.parse_response(json.dumps(body).encode()))
    assert fold(events).parts == (ThinkingPart("Hm"), ToolCallPart("a", "f", "{}"), ToolCallPart("b", "g", '{"x":1}'))
    rendered = json.loads(C.render_response(fold(events), ask(C)))["choices"][0]
    assert rendered["finish_reason"] == "tool_calls"
    assert rendered["message"]["reasoning_content"] == "Hm"
    assert [call["id"] for call in rendered["message"]["tool_calls"]] == ["a", "b"]


def test_clients_of_the_form_before_tools() -> None:
    request = ask(C, functions=[{"name": "f", "parameters": {"type": "object"}}])
    events = heard(C, chunks(call_delta(0, '{"x":1}', id="a", name="f"), delta("tool_calls")))
    message = json.loads(C.render_response(fold(events), request))["choices"][0]
    assert message["message"]["function_call"] == {"name": "f", "arguments": '{"x":1}'}
    assert message["finish_reason"] == "function_call"
    deltas = [frame["choices"][0]["delta"].get("function_call") for frame in frames(told(C, request, events))[:-1]]
    assert [one for one in deltas if one] == [{"name": "f", "arguments": ""}, {"arguments": '{"x":1}'}]


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b'{"choices":[]}', b'{"error":{"message":"x"}}', b'{"choices":[{"delta":7}]}']
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        C.parse_response(body)


_FRAGMENTS = st.lists(st.tuples(st.integers(0, 2), st.text(alphabet='{}":1ab ', max_size=3)), max_size=10)


@settings(max_examples=80, deadline=None)
@given(_FRAGMENTS, st.text(max_size=6), st.integers(1, 40))
def test_whatever_comes_obeys_the_grammar(fragments: list[tuple[int, str]], words: str, step: int) -> None:
    seen: set[int] = set()
    values = [delta(reasoning=words)]
    for index, piece in fragments:
        first = {} if index in seen else {"id": f"call_{index}", "name": f"f{index}"}
        seen.add(index)
        values += [call_delta(index, piece, **first), delta(content=words)]
    stream = chunks(*values, delta("stop"))
    events = heard(C, stream)
    assert heard(C, stream, cuts=range(0, len(stream), step)) == events
    arguments = {index: "".join(piece for at, piece in fragments if at == index) for index in seen}
    given_calls = {event.part.id: "" for event in events if isinstance(event, Opened) and isinstance(event.part, OpenToolCall)}
    current = ""
    for event in events:
        if isinstance(event, Opened):
            current = event.part.id if isinstance(event.part, OpenToolCall) else ""
        elif isinstance(event, Delta) and current:
            given_calls[current] += event.text
    whole = {f"call_{index}": text for index, text in arguments.items()}
    assert all(whole[call_id].startswith(text) for call_id, text in given_calls.items())
    assert set(given_calls) == set(whole)
