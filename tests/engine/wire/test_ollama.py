"""Ollama's wire: requests and answers, both ways. Rows are those of the list of known pitfalls."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkr_desktop.engine.chat.events import Closed, Delta, Finished, Opened, OpenToolCall, Started, StopReason, StreamEvent
from lynkr_desktop.engine.chat.grammar import checked
from lynkr_desktop.engine.chat.request import ChatRequest, TextPart, ThinkingPart, ToolCallPart, ToolResultPart
from lynkr_desktop.engine.chat.response import fold
from lynkr_desktop.engine.wire import ollama
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks, Rendered, Wire
from lynkr_desktop.engine.wire.framing import NDJSON
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import ClientError, FailureKind, UpstreamError
from tests.engine.wire.speech import PLAIN, A, C, ask, recorded
from tests.engine.wire.test_gemini import LOOP, PNG, result, turns, use
from tests.engine.wire.test_laws import bare, meaning
from tests.fakes import ollama_rules

LLAMA: Wire = WIRES[ollama.NAME]
LOCAL = Quirks(context_tokens=32768)
WINDOW = "the window was set to 32768 tokens"
TOOL = {"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object", "properties": {}}}}
CALL = {"function": {"name": "f", "arguments": {"n": 1}}}
FULL: list[dict[str, Any]] = [
    {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
    {
        "model": "m",
        "messages": [{"role": "system", "content": ""}, {"role": "user", "content": "", "images": ["AAAA"]}],
        "stream": False,
    },
    {
        "model": "m",
        "messages": [
            {"role": "user", "content": "x", "images": ["AAAA"]},
            {"role": "assistant", "content": "Hm", "thinking": "why", "tool_calls": [CALL, CALL]},
            {"role": "tool", "content": "1", "tool_name": "f"},
            {"role": "tool", "content": "2"},
        ],
        "tools": [TOOL],
        "think": "high",
        "format": {"type": "object"},
        "options": {"num_ctx": 8192, "seed": 4, "stop": "x", "num_predict": -1, "top_k": 5},
        "keep_alive": "5m",
    },
]


def sent(request: ChatRequest, quirks: Quirks = LOCAL) -> tuple[Any, Rendered]:
    """What Ollama gets; it must obey its rules."""
    rendered = LLAMA.render_request(request, "served", quirks, is_streamed=True)
    body = json.loads(rendered.body)
    ollama_rules.check({"authorization": "Bearer k"}, body, "k")
    return body, rendered


def parsed(**body: Any) -> ChatRequest:
    return LLAMA.parse_request(json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], **body}).encode())


def line(done: bool = False, **message: Any) -> bytes:
    value: dict[str, Any] = {
        "model": "m",
        "created_at": "t",
        "message": {"role": "assistant", "content": "", **message},
        "done": done,
    }
    return json.dumps(value | ({"done_reason": "stop", "prompt_eval_count": 3, "eval_count": 5} if done else {})).encode() + b"\n"


def heard(stream: bytes, step: int = 0) -> list[StreamEvent]:
    splitter, parser = NDJSON.splitter(), LLAMA.stream_parser()
    pieces = [stream[at : at + step] for at in range(0, len(stream), step)] if step else [stream]
    events = [event for piece in pieces for frame in splitter.feed(piece) for event in parser.feed(frame)]
    events += [event for frame in splitter.close() for event in parser.feed(frame)]
    return checked([*events, *parser.close()])


# --- laws ---


@pytest.mark.parametrize("body", FULL)
def test_law_1_what_came_in_goes_out_the_same(body: dict[str, Any]) -> None:
    request = LLAMA.parse_request(json.dumps(body).encode())
    rendered = LLAMA.render_request(request, "m", PLAIN, is_streamed=request.is_streamed)
    assert (json.loads(rendered.body), rendered.losses) == (body, ())
    assert json.loads(LLAMA.renamed(request, "other", asks_usage=True)) == body | {"model": "other"}


def test_law_1_without_original_fragments_the_meaning_stays() -> None:
    stripped = bare(LLAMA.parse_request(json.dumps(FULL[2]).encode()))
    rendered = LLAMA.render_request(stripped, "m", PLAIN, is_streamed=True)
    assert bare(LLAMA.parse_request(rendered.body)).messages == stripped.messages


@pytest.mark.parametrize(("wire", "body"), recorded())
def test_law_5_requests_of_real_programs_mean_the_same(wire: Wire, body: bytes) -> None:
    request = wire.parse_request(body)
    rendered = LLAMA.render_request(request, "m", LOCAL, is_streamed=True)
    ollama_rules.check({"authorization": "Bearer k"}, json.loads(rendered.body), "k")
    again = LLAMA.parse_request(rendered.body)
    assert [said for said in meaning(again) if said[1] != "other"] == [said for said in meaning(request) if said[1] != "other"]
    assert LLAMA.render_request(request, "m", LOCAL, is_streamed=True).body == rendered.body


_WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs", "Zs", "Cc"]), min_size=1, max_size=6), min_size=1, max_size=3)


@settings(max_examples=40, deadline=None)
@given(_WORDS, _WORDS, st.integers(1, 50))
def test_law_2_and_3_what_we_render_we_read_however_cut(thoughts: list[str], words: list[str], step: int) -> None:
    stream = b"".join(
        [*(line(thinking=one) for one in thoughts), *(line(content=one) for one in words), line(tool_calls=[CALL]), line(True)]
    )
    events = heard(stream, step)
    assert events == heard(stream)
    again = fold(heard(LLAMA.stream_renderer(parsed()).feed(events), step))
    whole = fold(LLAMA.parse_response(LLAMA.render_response(fold(events), parsed())))
    for answer in (again, whole):
        assert [part for part in answer.parts if not isinstance(part, ToolCallPart)] == [
            ThinkingPart("".join(thoughts)),
            TextPart("".join(words)),
        ]
        assert [json.loads(part.arguments) for part in answer.parts if isinstance(part, ToolCallPart)] == [{"n": 1}]
        assert (answer.reason, answer.usage.input_tokens, answer.usage.output_tokens) == (StopReason.TOOL_CALLS, 3, 5)


# --- requests ---


def test_row_196_the_window_is_always_said_and_never_changed() -> None:
    body, rendered = sent(ask(A))
    assert (body["options"]["num_ctx"], rendered.losses) == (32768, (WINDOW,))
    own = parsed(options={"num_ctx": 4096})
    assert LLAMA.suits(own, LOCAL)
    assert not LLAMA.suits(parsed(), LOCAL)
    assert sent(own)[0]["options"] == {"num_ctx": 4096}
    assert sent(parsed())[1].losses == (WINDOW,)


def test_row_136_knobs_have_ollamas_names() -> None:
    body, rendered = sent(
        ask(C, max_completion_tokens=7, temperature=0.1, stop="x", response_format={"type": "json_object"}, seed=1)
    )
    assert body["options"] == {"num_predict": 7, "temperature": 0.1, "stop": ["x"], "num_ctx": 32768}
    assert (body["format"], body["stream"], set(rendered.losses)) == ("json", True, {"seed", WINDOW})


def test_results_name_their_tool_and_arguments_are_objects() -> None:
    messages = sent(ask(A, messages=LOOP))[0]["messages"]
    assert [call["function"] for call in messages[1]["tool_calls"]] == [
        {"name": "read", "arguments": {"path": "a"}},
        {"name": "list", "arguments": {}},
    ]
    assert {(one["tool_name"], one["tool_call_id"]) for one in messages if one["role"] == "tool"} == {
        ("read", "t1"),
        ("list", "t2"),
    }
    assert messages[-1] == {"role": "user", "content": "so?"}


def test_row_018_numbers_keep_every_digit() -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"n": 123456789012345678901234567890.10}'}}]
    request = ask(C, messages=[{"role": "user", "content": "x"}, {"role": "assistant", "content": None, "tool_calls": calls}])
    assert b"123456789012345678901234567890.10" in LLAMA.render_request(request, "m", LOCAL, is_streamed=True).body


def test_row_036_pictures_go_with_their_message_and_addresses_cannot() -> None:
    messages = turns(
        ("user", [PNG, {"type": "text", "text": "x"}]), ("assistant", [use("t", "f")]), ("user", [result("t", [PNG])])
    )
    sent_messages = sent(ask(A, messages=messages))[0]["messages"]
    assert [one.get("images") for one in sent_messages] == [["AAAA"], None, ["AAAA"]]
    picture = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    with pytest.raises(CannotCarryError, match="address"):
        sent(ask(C, messages=[{"role": "user", "content": [picture]}]))


def test_what_ollama_has_no_word_for_is_told() -> None:
    tools = [{"name": "f", "input_schema": {}}]
    _, rendered = sent(
        ask(
            A,
            tools=tools,
            tool_choice={"type": "any", "disable_parallel_tool_use": True},
            thinking={"type": "enabled", "budget_tokens": 1024},
        )
    )
    assert set(rendered.losses) == {"the duty to call a tool", "the ban on parallel tool calls", "thinking settings", WINDOW}
    assert "tools" not in sent(ask(A, tools=tools, tool_choice={"type": "none"}))[0]


def test_results_are_paired_by_name_or_else_in_order() -> None:
    messages = LLAMA.parse_request(json.dumps(FULL[2]).encode()).messages
    calls = [part.id for part in messages[1].parts if isinstance(part, ToolCallPart)]
    assert len(set(calls)) == 2
    assert [part.call_id for message in messages[2:] for part in message.parts if isinstance(part, ToolResultPart)] == calls


def test_a_changed_message_is_rendered_anew() -> None:
    request = LLAMA.parse_request(json.dumps(FULL[2]).encode())
    changed = bare(request.messages[0])
    messages = (changed, *request.messages[1:])
    rendered = LLAMA.render_request(
        ChatRequest(**{name: getattr(request, name) for name in request.__struct_fields__} | {"messages": messages}),
        "m",
        PLAIN,
        is_streamed=True,
    )
    assert json.loads(rendered.body) == FULL[2]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"model": "m", "messages": [{"role": "robot", "content": "x"}]}, "$.messages[0].role"),
        ({"model": "m", "messages": [{"role": "user", "content": ["x"]}]}, "$.messages[0].content"),
        ({"messages": [{"role": "user", "content": "x"}]}, "$.model"),
        ({"model": "m", "prompt": "x", "suffix": "y"}, "$.suffix"),
        ({"model": "m"}, "$.prompt"),
    ],
)
def test_what_is_wrong_is_named(body: Any, place: str) -> None:
    with pytest.raises(ClientError) as caught:
        LLAMA.parse_request(json.dumps(body).encode())
    assert place in caught.value.detail


# --- answers ---


def test_a_stream_without_its_last_line_is_broken() -> None:
    with pytest.raises(UpstreamError) as caught:
        heard(line(content="half"))
    assert caught.value.kind is FailureKind.PROTOCOL


def test_an_error_line_is_the_providers_failure() -> None:
    with pytest.raises(UpstreamError, match="killed"):
        heard(line(content="x") + b'{"error":"llama runner was killed"}\n')


@pytest.mark.parametrize("arguments", ['{"n":1}', {"n": 1}], ids=["text", "object"])
def test_arguments_in_either_form(arguments: Any) -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    parts = fold(heard(line(tool_calls=[call]) + line(True))).parts
    assert [json.loads(part.arguments) for part in parts if isinstance(part, ToolCallPart)] == [{"n": 1}]


def test_a_call_that_was_cut_off_is_not_given_as_a_whole_one() -> None:
    """Row 16."""
    events: list[StreamEvent] = [
        Started("x", "m"),
        Opened(OpenToolCall("c", "f")),
        Delta('{"a":'),
        Closed(is_complete=False),
        Finished(StopReason.LENGTH),
    ]
    lines = [json.loads(each) for each in LLAMA.stream_renderer(parsed()).feed(events).splitlines()]
    assert [one["done_reason"] for one in lines] == ["length"]


def test_a_prompt_gets_its_answer_as_response() -> None:
    request = LLAMA.parse_request(b'{"model":"m","prompt":"x","system":"s"}')
    assert (request.wire, request.system[0].text) == (ollama.GENERATE, "s")
    events = heard(line(thinking="Hm") + line(content="yes") + line(True))
    lines = [json.loads(each) for each in LLAMA.stream_renderer(request).feed(events).splitlines()]
    assert ["".join(one.get(key, "") for one in lines) for key in ("response", "thinking")] == ["yes", "Hm"]
    assert json.loads(LLAMA.render_response(fold(events), request))["response"] == "yes"
