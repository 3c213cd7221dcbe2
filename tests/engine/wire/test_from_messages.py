"""Messages requests: read, sent on as they are, and translated for Chat Completions. Names carry the rows of known pitfalls."""

import json
from typing import Any

import msgspec
import pytest

from lynkr_desktop.engine.chat.request import ChatRequest, ImagePart, Message, TextPart, ToolResultPart
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks
from lynkr_desktop.errors import ClientError
from tests.engine.wire.speech import KEY, PLAIN, A, C, ask, sent
from tests.fakes import openai_rules

PIXEL = "iVBORw0KGgo="
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
TOOL = {"name": "read", "description": "Reads.", "input_schema": {"type": "object", "properties": {"p": {"type": "string"}}}}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def use(call_id: str, name: str = "read", **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


def result(call_id: str, content: Any = "done", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def chat(request: ChatRequest, quirks: Quirks = PLAIN, *, is_streamed: bool = False) -> tuple[Any, tuple[str, ...]]:
    """The Chat Completions request, which OpenAI's rules must take, and what was lost."""
    body, rendered = sent(C, request, quirks, is_streamed=is_streamed)
    if not (quirks.takes_cache_markers or quirks.takes_reasoning_content or quirks.takes_reasoning_effort):
        openai_rules.check({"authorization": f"Bearer {KEY}", "content-type": "application/json"}, body, KEY)
    return body, rendered.losses


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[]", r"\$: expected object"),
        (b"{", "not valid JSON"),
        (b'{"messages":[]}', r"\$\.model: is missing"),
        (b'{"model":"m"}', r"\$\.messages: is missing"),
        (b'{"model":"m","messages":[{"role":"wizard","content":""}]}', r"\$\.messages\[0\]\.role"),
        (
            b'{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":7}]}]}',
            r"\$\.messages\[0\]\.content\[0\]\.text",
        ),
        (
            b'{"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text"}]}]}]}',
            r"\$\.messages\[0\]\.content\[0\]\.content\[0\]\.text: is missing",
        ),
        (b'{"model":"m","messages":[{"role":"user","content":[{"text":"a"}]}]}', r"content\[0\]\.type: is missing"),
        (b'{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"\xff"}]}]}', "not valid UTF-8"),
        (b'{"model":"m","messages":[],"tools":[{"name":"a"},{"name":7}]}', r"\$\.tools\[1\]\.name: expected string"),
        (b'{"model":"m","messages":[],"tools":[{"input_schema":{}}]}', r"\$\.tools\[0\]\.name: is missing"),
        (b'{"model":"m","messages":[{"role":"user"}]}', r"\$\.messages\[0\]\.content: is missing"),
        (b'{"model":"m","messages":[],"tool_choice":{"type":"maybe"}}', r"\$\.tool_choice\.type"),
        (b'{"model":"m","messages":[],"max_tokens":"9"}', r"\$\.max_tokens: expected whole number"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(body: bytes, words: str) -> None:
    with pytest.raises(ClientError, match=words) as caught:
        A.parse_request(body)
    assert caught.value.status == 400


def test_only_the_model_is_replaced() -> None:
    body = (
        '{"zeta":1.50,"model":"a","big":123456789012345678901234567890,'
        '"messages":[{"role":"user","content":"é\\u00e9"}],"x":{"model":"a"}}'
    )
    request = A.parse_request(body.encode())
    assert A.renamed(request, "b", asks_usage=True) == body.replace('"model":"a"', '"model":"b"', 1).encode()


def test_row_018_arguments_keep_numbers_of_any_size() -> None:
    number = 12345678901234567890123456789012345678901
    request = ask(A, messages=[user(text("x")), assistant(use("toolu_1", n=number)), user(result("toolu_1"))], tools=[TOOL])
    body, _ = chat(request)
    assert json.loads(body["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {"n": number}


def test_row_121_the_billing_line_is_left_out() -> None:
    system = [
        text("x-anthropic-billing-header: cc_version=2; cch=1a2b3;"),
        text("Be brief."),
        text("x-anthropic-billing-header: no"),
    ]
    body, losses = chat(ask(A, system=system))
    assert body["messages"][0] == {"role": "system", "content": "Be brief.\n\nx-anthropic-billing-header: no"}
    assert losses == ()
    assert sent(A, ask(A, system=system))[0]["system"] == system


def test_row_119_a_system_turn_inside_the_conversation() -> None:
    request = ask(A, system="First.", messages=[user(text("x")), {"role": "system", "content": "Later."}])
    body, _ = chat(request)
    assert [(message["role"], message["content"]) for message in body["messages"]] == [
        ("system", "First."),
        ("user", "x"),
        ("system", "Later."),
    ]


def test_row_036_pictures_of_tool_results_follow_the_batch() -> None:
    request = ask(
        A,
        tools=[TOOL],
        messages=[
            user(text("look")),
            assistant(use("toolu_1"), use("toolu_2")),
            user(result("toolu_1", [text("a picture"), IMAGE]), result("toolu_2", "plain"), text("and now?")),
        ],
    )
    body, _ = chat(request)
    first, second, follow = body["messages"][-3:]
    assert (first["role"], first["tool_call_id"], second["content"]) == ("tool", "toolu_1", "plain")
    assert PIXEL not in json.dumps(first)
    assert "next user message" in first["content"]
    kinds = [part["type"] for part in follow["content"]]
    assert (follow["role"], kinds) == ("user", ["text", "image_url", "text"])
    assert follow["content"][1]["image_url"]["url"] == f"data:image/png;base64,{PIXEL}"


def test_row_043_parallel_calls_are_one_message_with_all_results_after_it() -> None:
    messages = [
        user(text("x")),
        assistant(text("Both."), use("toolu_1"), use("toolu_2")),
        user(result("toolu_1"), result("toolu_2")),
    ]
    body, losses = chat(ask(A, tools=[TOOL], messages=messages))
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool", "tool"]
    assert [call["id"] for call in body["messages"][1]["tool_calls"]] == ["toolu_1", "toolu_2"]
    assert losses == ()


def test_row_044_orphans_are_repaired_the_same_way_each_time() -> None:
    messages = [user(result("toolu_0"), text("x")), assistant(use("toolu_1")), user(text("never mind"))]
    body, losses = chat(ask(A, tools=[TOOL], messages=messages))
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool", "user"]
    assert losses == ("a tool result without its call", "a missing tool result was added")


def test_results_in_two_user_turns_stay_behind_their_calls() -> None:
    messages = [
        user(text("x")),
        assistant(use("toolu_1"), use("toolu_2")),
        user(result("toolu_1"), text("and")),
        user(result("toolu_2")),
    ]
    body, losses = chat(ask(A, tools=[TOOL], messages=messages))
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool", "tool", "user"]
    assert losses == ()


def test_row_049_empty_parts_and_messages_are_skipped() -> None:
    messages = [user(text(""), text("x")), assistant(text("")), user(text(" "), text("y"))]
    body, _ = chat(ask(A, messages=messages))
    assert body["messages"] == [{"role": "user", "content": "x"}, {"role": "user", "content": "y"}]


def test_row_059_row_061_reasoning_only_where_it_is_wanted() -> None:
    thought = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    request = ask(A, messages=[user(text("x")), assistant(thought, use("toolu_1")), user(result("toolu_1"))], tools=[TOOL])
    body, losses = chat(request)
    assert "reasoning_content" not in body["messages"][1]
    assert losses == ("thinking",)
    body, losses = chat(request, Quirks(takes_reasoning_content=True))
    assert body["messages"][1]["reasoning_content"] == "Hm"
    assert losses == ("thinking signature",)


def test_row_122_cache_markers_only_where_they_are_taken() -> None:
    marker = {"cache_control": {"type": "ephemeral"}}
    request = ask(A, system=[text("s", **marker)], messages=[user(text("x", **marker))], tools=[{**TOOL, **marker}])
    body, losses = chat(request)
    assert "cache_control" not in json.dumps(body)
    assert losses == ("cache markers",)
    body, losses = chat(request, Quirks(takes_cache_markers=True))
    assert json.dumps(body).count("cache_control") == 3
    assert losses == ()


def test_row_127_unknown_fields_go_to_anthropic_and_are_told_elsewhere() -> None:
    fields = {"speed": "fast", "container": "c", "tools": [{**TOOL, "defer_loading": True, "input_examples": []}]}
    assert sent(A, ask(A, **fields))[0]["tools"] == fields["tools"]
    body, losses = chat(ask(A, **fields))
    assert set(losses) == {"speed", "container", "tool field defer_loading", "tool field input_examples"}
    assert body["tools"][0]["function"]["name"] == "read"


def test_references_to_tools_become_words() -> None:
    content = [{"type": "tool_reference", "tool_name": "read"}]
    request = ask(A, tools=[TOOL], messages=[user(text("x")), assistant(use("toolu_1")), user(result("toolu_1", content))])
    body, losses = chat(request)
    assert body["messages"][-1]["content"] == "The tool read is available."
    assert losses == ("tool_reference content",)


def test_row_128_a_tool_without_a_type_is_the_clients_own() -> None:
    assert ask(A, tools=[TOOL]).tools[0].kind == "function"


def test_row_129_tools_that_only_anthropic_runs() -> None:
    body, losses = chat(ask(A, tools=[TOOL, SEARCH]))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["read"]
    assert losses == ("tool web_search_20250305",)
    for fields in ({"tools": [TOOL, SEARCH], "tool_choice": {"type": "tool", "name": "web_search"}}, {"tools": [SEARCH]}):
        with pytest.raises(CannotCarryError, match="web_search"):
            chat(ask(A, **fields))


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, {"tool_choice": "auto"}),
        ({"type": "any"}, {"tool_choice": "required"}),
        ({"type": "none"}, {"tool_choice": "none"}),
        ({"type": "tool", "name": "read"}, {"tool_choice": {"type": "function", "function": {"name": "read"}}}),
        ({"type": "auto", "disable_parallel_tool_use": True}, {"tool_choice": "auto", "parallel_tool_calls": False}),
    ],
)
def test_row_131_tool_choice(choice: dict[str, Any], expected: dict[str, Any]) -> None:
    body, _ = chat(ask(A, tools=[TOOL], tool_choice=choice))
    assert {key: body[key] for key in ("tool_choice", "parallel_tool_calls") if key in body} == expected


def test_row_132_no_choice_without_tools() -> None:
    body, _ = chat(ask(A, tools=[], tool_choice={"type": "any", "disable_parallel_tool_use": True}))
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(body)


def test_row_133_long_or_odd_user_ids_are_hashed() -> None:
    odd = json.dumps({"device_id": "a" * 64, "session": "b"})
    body, _ = chat(ask(A, metadata={"user_id": odd}))
    assert len(body["user"]) == 64
    assert body["user"].isalnum()
    assert chat(ask(A, metadata={"user_id": odd}))[0]["user"] == body["user"]
    assert chat(ask(A, metadata={"user_id": "user_1"}))[0]["user"] == "user_1"
    assert chat(ask(A, metadata={"user_id": odd}), Quirks(takes_user=False)) == (chat(ask(A))[0], ("user id",))


def test_row_134_long_tool_names_are_shortened_and_known() -> None:
    names = [f"mcp__{'server' * 14}__{suffix}" for suffix in ("read", "write")]
    messages = [user(text("x")), assistant(use("toolu_1", names[1])), user(result("toolu_1"))]
    request = ask(
        A, tools=[{**TOOL, "name": name} for name in names], tool_choice={"type": "tool", "name": names[0]}, messages=messages
    )
    body, rendered = sent(C, request)
    short = [tool["function"]["name"] for tool in body["tools"]]
    assert all(len(name) <= 64 for name in short)
    assert rendered.tool_names == dict(zip(short, names, strict=True))
    assert body["tool_choice"]["function"]["name"] == short[0]
    assert body["messages"][1]["tool_calls"][0]["function"]["name"] == short[1]


@pytest.mark.parametrize("key", ["max_tokens", "max_completion_tokens"])
def test_row_136_the_name_of_the_limit(key: str) -> None:
    quirks = Quirks(has_max_completion_tokens=key == "max_completion_tokens")
    for request in (ask(A, max_tokens=7), ask(C, max_tokens=7), ask(C, max_completion_tokens=7)):
        body, _ = chat(request, quirks)
        assert {name: body[name] for name in body if name.startswith("max_")} == {key: 7}


def test_row_137_knobs_that_are_refused_are_told() -> None:
    request = ask(A, temperature=0.5, top_p=0.9, top_k=3)
    assert chat(request)[1] == ("top_k",)
    body, losses = chat(request, Quirks(takes_sampling=False))
    assert not {"temperature", "top_p", "top_k"} & set(body)
    assert losses == ("top_k", "temperature", "top_p")
    own, rendered = sent(A, request, Quirks(takes_sampling=False))
    assert not {"temperature", "top_p", "top_k"} & set(own)
    assert rendered.losses == ("temperature", "top_p", "top_k")
    assert not A.suits(request, Quirks(takes_sampling=False))


def test_row_139_stop_sequences() -> None:
    assert chat(ask(A, stop_sequences=["a"]))[0]["stop"] == ["a"]
    body, losses = chat(ask(A, stop_sequences=list("abcde")))
    assert body["stop"] == list("abcd")
    assert losses == ("stop sequences beyond 4",)


def test_row_146_documents() -> None:
    pdf = {
        "type": "document",
        "title": "Plan.pdf",
        "context": "c",
        "source": {"type": "base64", "media_type": "application/pdf", "data": PIXEL},
    }
    words = {"type": "document", "title": "Notes", "source": {"type": "text", "media_type": "text/plain", "data": "Buy milk."}}
    body, losses = chat(ask(A, messages=[user(pdf, words)]))
    assert losses == ("document context",)
    file, note = body["messages"][0]["content"]
    assert file == {"type": "file", "file": {"filename": "Plan.pdf", "file_data": f"data:application/pdf;base64,{PIXEL}"}}
    assert note["text"] == "Notes\n\nBuy milk."
    with pytest.raises(CannotCarryError):
        chat(ask(A, messages=[user(pdf)]), Quirks(takes_images=False))


def test_row_147_pictures_by_address_and_as_base64() -> None:
    linked = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
    body, _ = chat(ask(A, messages=[user(IMAGE, linked)]))
    assert [part["image_url"]["url"] for part in body["messages"][0]["content"]] == [
        f"data:image/png;base64,{PIXEL}",
        "https://example.org/a.png",
    ]
    for wire in (A, C):
        with pytest.raises(CannotCarryError, match="images"):
            sent(wire, ask(A, messages=[user(IMAGE)]), Quirks(takes_images=False))


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 31999}}, "high"),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, "high"),
        ({"thinking": {"type": "adaptive"}}, None),
        ({"thinking": {"type": "disabled"}}, None),
    ],
)
def test_row_068_thinking(fields: dict[str, Any], effort: str | None) -> None:
    body, losses = chat(ask(A, **fields), Quirks(takes_reasoning_effort=True))
    assert body.get("reasoning_effort") == effort
    assert losses == ()
    body, _ = sent(A, ask(A, **fields))
    assert {key: body[key] for key in fields} == fields


def test_thinking_is_told_as_lost_where_there_is_no_knob() -> None:
    assert chat(ask(A, thinking={"type": "enabled", "budget_tokens": 2000}))[1] == ("thinking settings",)
    assert chat(ask(A, thinking={"type": "disabled"}))[1] == ()


def test_a_wanted_schema_is_carried() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    body, losses = chat(ask(A, output_config={"format": {"type": "json_schema", "schema": schema}}))
    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    assert losses == ()


def test_reasoning_of_another_model_is_not_replayed_to_anthropic() -> None:
    thought = {"type": "thinking", "thinking": "Hm", "signature": ""}
    request = ask(A, messages=[user(text("x")), assistant(thought, text("y")), user(text("z"))])
    assert not A.suits(request, PLAIN)
    body, rendered = sent(A, request)
    assert body["messages"][1]["content"] == [text("y")]
    assert rendered.losses == ("unsigned thinking",)


def test_row_056_thinking_is_switched_off_where_the_turn_began_without_it() -> None:
    fields = {
        "tools": [TOOL],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "max_tokens": 4000,
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    }
    request = ask(A, messages=[user(text("x")), assistant(use("toolu_1")), user(result("toolu_1"))], **fields)
    assert not A.suits(request, PLAIN)
    body, rendered = sent(A, request)
    assert not {"thinking", "context_management"} & set(body)
    assert rendered.losses == ("thinking, for the turn began with another model",)
    thought = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    assert A.suits(
        ask(A, messages=[user(text("x")), assistant(thought, use("toolu_1")), user(result("toolu_1"))], **fields), PLAIN
    )


def test_an_edited_part_goes_out_edited_and_its_neighbours_as_they_came() -> None:
    marked = text("keep", cache_control={"type": "ephemeral"}, unknown=[1])
    request = ask(A, messages=[user(text("long"), marked)])
    message = msgspec.structs.replace(request.messages[0], parts=(TextPart("short"), request.messages[0].parts[1]))
    body, _ = sent(A, msgspec.structs.replace(request, messages=(message,), max_tokens=5))
    assert body["messages"] == [user(text("short"), marked)]
    assert body["max_tokens"] == 5


def test_what_nobody_edited_goes_out_byte_for_byte() -> None:
    turns = b'[{"role":"user", "content":"\\u00e9", "x":1.50}, {"role":"assistant","content":[{"text":"a", "type":"text"}]}]'
    request = A.parse_request(b'{"model":"m","max_tokens":1,"top_p":0.50,"top_k":3,"messages":' + turns + b"}")
    rendered = A.render_request(request, "m", Quirks(takes_sampling=False), is_streamed=False)
    assert rendered.body == b'{"model":"m","max_tokens":1,"messages":' + turns + b"}"
    assert rendered.losses == ("top_p", "top_k")
    longer = msgspec.structs.replace(request, messages=(*request.messages, Message("user", (TextPart("new"),))))
    assert b'"content":"\\u00e9","x":1.50' in A.render_request(longer, "m", PLAIN, is_streamed=False).body


def test_streams_are_asked_to_tell_usage() -> None:
    body, _ = chat(ask(A, stream=True), is_streamed=True)
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
    assert "stream_options" not in chat(ask(A, stream=True), Quirks(takes_stream_options=False), is_streamed=True)[0]


def test_blocks_that_nobody_knows_are_kept_for_anthropic() -> None:
    strange = {"type": "hologram", "payload": {"a": [1, 2.50]}}
    request = ask(A, messages=[user(strange, text("x"))])
    assert sent(A, request)[0]["messages"] == [user(strange, text("x"))]
    assert chat(request)[1] == ("hologram content",)
    shaped = {"type": "text_of_tomorrow", "text": {"a": 1}, "id": 7, "content": 8}
    assert sent(A, ask(A, messages=[user(shaped, text("x"))]))[0]["messages"] == [user(shaped, text("x"))]


def test_pictures_inside_results_are_seen() -> None:
    request = ask(A, messages=[user(result("toolu_1", [IMAGE]))])
    (part,) = request.messages[0].parts
    assert isinstance(part, ToolResultPart)
    assert isinstance(part.content[0], ImagePart)


def test_the_same_conversation_gives_the_same_bytes_and_grows_at_its_end() -> None:
    messages = [user(text("x")), assistant(use("toolu_1", a=1)), user(result("toolu_1"))]
    longer = [*messages, assistant(text("done")), user(text("thanks"))]
    first, _ = sent(C, ask(A, tools=[TOOL], messages=messages))
    second, _ = sent(C, ask(A, tools=[TOOL], messages=longer))
    assert second["messages"][: len(first["messages"])] == first["messages"]
    assert sent(C, ask(A, tools=[TOOL], messages=longer))[1].body == sent(C, ask(A, tools=[TOOL], messages=longer))[1].body
