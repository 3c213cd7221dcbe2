"""Chat Completions requests: read, sent on as they are, and translated for Messages. Names carry the rows of known pitfalls."""

import json
from typing import Any

import msgspec
import pytest

from lynkr_desktop.engine.chat.request import ChatRequest, TextPart
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks
from lynkr_desktop.errors import ClientError
from tests.engine.wire.speech import KEY, PLAIN, A, C, ask, sent
from tests.fakes import anthropic_rules

PIXEL = "iVBORw0KGgo="
HEADERS = {"x-api-key": KEY, "anthropic-version": "2023-06-01", "content-type": "application/json"}
TOOL = {"type": "function", "function": {"name": "read", "description": "Reads.", "parameters": {"type": "object"}}}
NO_LIMIT = "max_tokens was missing, 8192 sent"


def call(call_id: str, name: str = "read", arguments: str = "{}") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calls(*made: dict[str, Any], content: str | None = None) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "tool_calls": list(made)}


def result(call_id: str, content: Any = "done") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def said(words: Any) -> dict[str, Any]:
    return {"role": "user", "content": words}


def messages(request: ChatRequest) -> tuple[Any, tuple[str, ...]]:
    """The Messages request, which Anthropic's rules must take, and what was lost besides the missing limit."""
    body, rendered = sent(A, request)
    anthropic_rules.check(HEADERS, body, KEY)
    return body, tuple(loss for loss in rendered.losses if loss != NO_LIMIT)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"model":"m","messages":[{"role":"wizard"}]}', r"\$\.messages\[0\]\.role"),
        (b'{"model":"m","messages":[{"role":"tool","content":"x"}]}', r"\$\.messages\[0\]\.tool_call_id: is missing"),
        (
            b'{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{}}]}]}',
            r"\$\.messages\[0\]\.tool_calls\[0\]\.function\.name",
        ),
        (
            b'{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}',
            r"\$\.messages\[0\]\.content\[0\]\.text: is missing",
        ),
        (
            b'{"model":"m","messages":[{"role":"user","content":""},{"role":"assistant","tool_calls":[{"id":"a"}]}]}',
            r"\$\.messages\[1\]\.tool_calls\[0\]\.function: is missing",
        ),
        (
            b'{"model":"m","messages":[{"role":"user","content":7}]}',
            r"\$\.messages\[0\]\.content: expected string or array, got whole number",
        ),
        (b'{"model":"m","messages":[],"tools":[{}]}', r"\$\.tools\[0\]\.function: is missing"),
        (b'{"model":"m","messages":[],"n":2}', r"\$\.n"),
        (b'{"model":"m","messages":[],"tool_choice":"maybe"}', r"\$\.tool_choice"),
        (b'{"messages":[]}', r"\$\.model: is missing"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(body: bytes, words: str) -> None:
    with pytest.raises(ClientError, match=words) as caught:
        C.parse_request(body)
    assert caught.value.status == 400


def test_row_077_usage_is_asked_for_among_the_clients_own_options() -> None:
    body = {"model": "a", "messages": [], "stream": True, "stream_options": {"include_obfuscation": False}, "z": 1}
    request = C.parse_request(json.dumps(body).encode())
    renamed = json.loads(C.renamed(request, "b", asks_usage=True))
    assert renamed == {**body, "model": "b", "stream_options": {"include_obfuscation": False, "include_usage": True}}
    assert json.loads(C.renamed(request, "b", asks_usage=False)) == {**body, "model": "b"}
    whole = C.parse_request(b'{"model":"a","messages":[]}')
    assert C.renamed(whole, "b", asks_usage=True) == b'{"model":"b","messages":[]}'


def test_row_062_reasoning_is_kept_on_the_way_through() -> None:
    turns = [said("x"), {**calls(call("a")), "reasoning_content": "Hm"}, result("a")]
    request = ask(C, messages=turns, tools=[TOOL])
    assert sent(C, request)[0]["messages"] == turns
    body, losses = messages(request)
    assert [block["type"] for block in body["messages"][1]["content"]] == ["tool_use"]
    assert losses == ("unsigned thinking",)


def test_the_limit_that_the_api_demands_is_told() -> None:
    body, rendered = sent(A, ask(C))
    assert (body["max_tokens"], rendered.losses) == (8192, (NO_LIMIT,))
    assert sent(A, ask(C, max_completion_tokens=5))[0]["max_tokens"] == 5


def test_system_and_developer_messages() -> None:
    turns = [
        {"role": "developer", "content": "First."},
        {"role": "system", "content": [{"type": "text", "text": "Second."}]},
        said("x"),
    ]
    request = ask(C, messages=[*turns, {"role": "system", "content": "Later."}])
    body, losses = messages(request)
    assert [block["text"] for block in body["system"]] == ["First.", "Second.", "Later."]
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "x"}]}]
    assert losses == ("the place of later system turns",)
    assert sent(C, request)[0]["messages"] == [*turns, {"role": "system", "content": "Later."}]


def test_row_009_ids_that_anthropic_refuses_fit_and_still_pair() -> None:
    turns = [said("x"), calls(call("functions.Read:0"), call("fs.readFile")), result("functions.Read:0"), result("fs.readFile")]
    body, losses = messages(ask(C, messages=turns, tools=[TOOL]))
    made = [block["id"] for block in body["messages"][1]["content"]]
    assert [block["tool_use_id"] for block in body["messages"][2]["content"]] == made
    assert losses == ()


def test_ids_used_again_in_a_later_turn() -> None:
    turn = [calls(call("call_0")), result("call_0")]
    body, losses = messages(ask(C, messages=[said("x"), *turn, *turn], tools=[TOOL]))
    made = [block["id"] for message in body["messages"][1::2] for block in message["content"]]
    assert len(set(made)) == 2
    assert losses == ()


def test_row_034_results_come_first_in_a_user_turn() -> None:
    turns = [said("x"), calls(call("a"), call("b")), result("b"), said("by the way"), result("a")]
    body, _ = messages(ask(C, messages=turns, tools=[TOOL]))
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result", "tool_result", "text"]


def test_row_041_a_result_that_comes_twice_counts_once() -> None:
    turns = [said("x"), calls(call("a"), call("b")), result("a", "old"), result("b"), result("a", "new")]
    body, _ = messages(ask(C, messages=turns, tools=[TOOL]))
    assert [(block["tool_use_id"], block["content"]) for block in body["messages"][2]["content"]] == [("a", "new"), ("b", "done")]


def test_row_044_orphans_are_repaired_the_same_way_each_time() -> None:
    turns = [said("x"), result("lost"), calls(call("a")), said("go on"), calls(call("b"))]
    body, losses = messages(ask(C, messages=turns, tools=[TOOL]))
    assert losses == ("a tool result without its call", "a missing tool result was added")
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    assert body["messages"][2]["content"][0]["is_error"] is True


def test_row_048_consecutive_turns_are_merged() -> None:
    body, _ = messages(ask(C, messages=[said("a"), said("b"), {"role": "assistant", "content": "c"}, said("d")]))
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert [block["text"] for block in body["messages"][0]["content"]] == ["a", "b"]


def test_row_049_empty_parts_and_messages_are_skipped() -> None:
    turns = [said("x"), {"role": "assistant", "content": ""}, said([{"type": "text", "text": ""}, {"type": "text", "text": "y"}])]
    body, _ = messages(ask(C, messages=turns))
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]}]


@pytest.mark.parametrize(
    "turns",
    [
        [{"role": "assistant", "content": "Hello."}, said("x")],
        [{"role": "system", "content": "s"}],
        [{"role": "assistant", "content": ""}],
        [said("")],
        [],
    ],
)
def test_a_conversation_opens_with_a_user(turns: list[Any]) -> None:
    body, losses = messages(ask(C, messages=turns))
    assert body["messages"][0]["role"] == "user"
    assert losses == ("an opening user turn was added",)


def test_nothing_but_a_lost_result() -> None:
    body, losses = messages(ask(C, messages=[result("lost")]))
    assert body["messages"][0]["role"] == "user"
    assert losses == ("a tool result without its call", "an opening user turn was added")


def test_the_last_words_of_the_assistant_do_not_end_in_white_space() -> None:
    body, _ = messages(ask(C, messages=[said("x"), {"role": "assistant", "content": "So: "}]))
    assert body["messages"][-1]["content"] == [{"type": "text", "text": "So:"}]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [("", {}), (" ", {}), ('{"n":1' + "0" * 40 + "}", {"n": 10**40}), ('{"cut', {"unreadable_arguments": '{"cut'})],
)
def test_row_011_row_018_arguments(arguments: str, expected: Any) -> None:
    turns = [said("x"), calls(call("a", arguments=arguments)), result("a")]
    body, _ = messages(ask(C, messages=turns, tools=[TOOL]))
    assert body["messages"][1]["content"][0]["input"] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tool_choice": "auto"}, {"type": "auto"}),
        ({"tool_choice": "required"}, {"type": "any"}),
        ({"tool_choice": "none"}, {"type": "none"}),
        ({"tool_choice": {"type": "function", "function": {"name": "read"}}}, {"type": "tool", "name": "read"}),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
    ],
)
def test_row_131_tool_choice(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert messages(ask(C, tools=[TOOL], **fields))[0]["tool_choice"] == expected


def test_row_132_no_choice_without_tools() -> None:
    body, _ = messages(ask(C, tools=[], tool_choice="required"))
    assert not {"tools", "tool_choice"} & set(body)


@pytest.mark.parametrize("parameters", [None, {"properties": {}}, {"oneOf": []}])
def test_row_164_schemas_have_a_root_type(parameters: Any) -> None:
    body, _ = messages(ask(C, tools=[{"type": "function", "function": {"name": "f", "parameters": parameters}}]))
    assert body["tools"][0]["input_schema"]["type"] == "object"


def test_names_that_anthropic_refuses_come_back() -> None:
    body, rendered = sent(A, ask(C, tools=[{"type": "function", "function": {"name": "fs.read/file"}}]))
    assert rendered.tool_names == {body["tools"][0]["name"]: "fs.read/file"}


def test_knobs() -> None:
    request = ask(
        C,
        temperature=1.5,
        top_p=0.5,
        stop="end",
        seed=7,
        user="me",
        reasoning_effort="high",
        response_format={"type": "json_object"},
    )
    body, losses = messages(request)
    assert (body["temperature"], body["top_p"], body["stop_sequences"], body["metadata"]) == (1, 0.5, ["end"], {"user_id": "me"})
    assert set(losses) == {"seed", "temperature above 1", "reasoning effort", "JSON mode"}


def test_a_wanted_schema_is_carried() -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}}
    assert messages(ask(C, response_format=wanted))[0]["output_config"] == {"format": {"type": "json_schema", "schema": schema}}


def test_row_147_pictures_and_files() -> None:
    content = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PIXEL}"}},
    ]
    body, _ = sent(A, ask(C, messages=[said(content)]))
    assert [block["type"] for block in body["messages"][0]["content"]] == ["image", "image", "document"]
    assert [block["source"] for block in body["messages"][0]["content"]] == [
        {"type": "base64", "media_type": "image/png", "data": PIXEL},
        {"type": "url", "url": "https://example.org/a.png"},
        {"type": "base64", "media_type": "application/pdf", "data": PIXEL},
    ]
    assert body["messages"][0]["content"][2]["title"] == "a.pdf"


def test_a_picture_that_anthropic_cannot_fetch() -> None:
    with pytest.raises(CannotCarryError, match="https"):
        sent(A, ask(C, messages=[said([{"type": "image_url", "image_url": {"url": "http://example.org/a.png"}}])]))


def test_sound_cannot_be_carried_and_is_told() -> None:
    content = [{"type": "text", "text": "x"}, {"type": "input_audio", "input_audio": {"data": PIXEL, "format": "wav"}}]
    assert messages(ask(C, messages=[said(content)]))[1] == ("input_audio content",)


def test_row_123_cache_markers_are_carried() -> None:
    marker = {"cache_control": {"type": "ephemeral"}}
    body, losses = messages(ask(C, messages=[said([{"type": "text", "text": "x", **marker}])]))
    assert body["messages"][0]["content"] == [{"type": "text", "text": "x", **marker}]
    assert losses == ()


def test_the_form_before_tools() -> None:
    functions = [{"name": "f", "parameters": {"type": "object"}}]
    turns = [
        said("x"),
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "done"},
    ]
    request = ask(C, functions=functions, function_call={"name": "f"}, messages=turns)
    body, losses = messages(request)
    assert (body["tool_choice"], body["tools"][0]["name"], losses) == ({"type": "tool", "name": "f"}, "f", ())
    own, _ = sent(C, request)
    assert own == {"model": "served-model", "functions": functions, "function_call": {"name": "f"}, "messages": turns}


def test_tools_that_no_other_wire_knows() -> None:
    custom = {"type": "custom", "custom": {"name": "patch", "format": {"type": "text"}}}
    assert messages(ask(C, tools=[TOOL, custom]))[1] == ("tool custom",)
    with pytest.raises(CannotCarryError, match="patch"):
        messages(ask(C, tools=[TOOL, custom], tool_choice={"type": "custom", "custom": {"name": "patch"}}))


def test_calls_that_no_other_wire_knows_are_kept_in_place() -> None:
    made = [call("a"), {"id": "b", "type": "custom", "custom": {"name": "patch", "input": "x"}}, call("c")]
    turns = [said("x"), calls(*made), *(result(call_id) for call_id in "abc")]
    assert sent(C, ask(C, messages=turns))[0]["messages"] == turns


@pytest.mark.parametrize(
    ("fields", "quirks"),
    [
        ({"max_tokens": 5}, Quirks(has_max_completion_tokens=True)),
        ({"max_completion_tokens": 5}, Quirks()),
        ({"user": "me"}, Quirks(takes_user=False)),
        ({"parallel_tool_calls": False, "tools": [TOOL]}, Quirks(takes_parallel_switch=False)),
        ({"stream": True, "stream_options": {"include_usage": True}}, Quirks(takes_stream_options=False)),
        ({"temperature": 0.2}, Quirks(takes_sampling=False)),
        ({"reasoning_effort": "low"}, Quirks()),
    ],
)
def test_what_a_provider_refuses_is_taken_out(fields: dict[str, Any], quirks: Quirks) -> None:
    request = ask(C, **fields)
    assert not C.suits(request, quirks)
    body, _ = sent(C, request, quirks, is_streamed=request.is_streamed)
    assert C.suits(ask(C, **{**body, "model": "x"}), quirks)
    assert {key: value for key, value in body.items() if key in fields} != fields


def test_what_suits_every_provider() -> None:
    assert C.suits(ask(C, tools=[TOOL], stream=True), PLAIN)
    with pytest.raises(CannotCarryError, match="tools"):
        sent(C, ask(C, tools=[TOOL]), Quirks(takes_tools=False))


def test_what_nobody_edited_goes_out_byte_for_byte() -> None:
    turns = b'[{"role":"user", "content":"\\u00e9", "x":1.50}, {"role":"tool","tool_call_id":"a", "content":[]}]'
    body = b'{"model":"m","max_tokens":5,"messages":' + turns + b',"tools":[ {"type":"function", "function":{"name":"f"}}]}'
    rendered = C.render_request(C.parse_request(body), "m", Quirks(has_max_completion_tokens=True), is_streamed=False)
    assert rendered.body == body.replace(b'"max_tokens":5,', b"")[:-1] + b',"max_completion_tokens":5}'
    assert rendered.losses == ()


def test_edits_go_out_and_all_else_stays() -> None:
    turns = [
        {"role": "system", "content": "s", "name": "n"},
        {"role": "user", "content": [{"type": "text", "text": "a", "x": 1}, {"type": "text", "text": "b"}], "name": "me"},
        {"role": "assistant", "content": "c", "reasoning_content": "Hm", "refusal": None, "tool_calls": None},
        said("d"),
    ]
    request = ask(C, messages=turns, seed=3)
    first, second, last = request.messages
    edited = msgspec.structs.replace(
        request,
        messages=(
            msgspec.structs.replace(first, parts=(first.parts[0], TextPart("B"))),
            msgspec.structs.replace(second, parts=()),
            last,
        ),
    )
    body, _ = sent(C, edited)
    assert body["messages"] == [
        turns[0],
        {"role": "user", "content": [{"type": "text", "text": "a", "x": 1}, {"type": "text", "text": "B"}], "name": "me"},
        {"role": "assistant", "content": None, "refusal": None, "tool_calls": None},
        said("d"),
    ]
    assert body["seed"] == 3
    changed = sent(C, msgspec.structs.replace(request, system=(TextPart("S"),)))[0]["messages"]
    assert changed[0] == {"role": "system", "content": "S"}
