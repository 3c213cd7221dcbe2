"""Requests of the Responses API, in and out. A test that guards a known trap of gateways carries its number."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lynkr_desktop.engine.chat.request import (
    ChatRequest,
    Message,
    OpaquePart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from lynkr_desktop.engine.routing.facts import facts_of
from lynkr_desktop.engine.tokens import rough_tokens
from lynkr_desktop.engine.wire import openai_responses
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks, Wire
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import ClientError
from tests.engine.wire.speech import PLAIN, A, C, ask, sent
from tests.engine.wire.speech import recorded as others_recorded

R: Wire = WIRES[openai_responses.NAME]
RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings"
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: patch"}
PATCH_TOOL = {"type": "custom", "name": "apply_patch", "description": "Edits files.", "format": GRAMMAR}
READ_TOOL = {"type": "function", "name": "read", "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}}
AGENTS = {
    "type": "namespace",
    "name": "agents_v1",
    "tools": [{"type": "function", "name": "spawn"}, {"type": "function", "name": "wait"}],
}
SEARCH = {"type": "tool_search", "execution": "client", "description": "Finds tools.", "parameters": {"type": "object"}}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read", "arguments": '{"path":"a"}'}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "content of a"}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,aGVsbG8="}


def recorded() -> list[Any]:
    """Requests of real programs in this wire; none where there are no recordings."""
    found = []
    for file in sorted(RECORDINGS.glob("*.json")) if RECORDINGS.is_dir() else ():
        for index, request in enumerate(json.loads(file.read_text("utf-8"))):
            if request["path"].endswith("/responses"):
                found.append(pytest.param(request, id=f"{file.stem}-{index}"))
    return found


def asked(*items: Any, **body: Any) -> ChatRequest:
    """A parsed request with these input items."""
    return R.parse_request(json.dumps({"model": "asked-model", "input": list(items) or "hello", **body}).encode())


def user(*parts: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": list(parts)}


MADE_UP: list[dict[str, Any]] = [
    {"input": "hello", "store": False, "instructions": None},
    {"input": "hello", "instructions": "Be kind.", "reasoning": {"effort": "low", "summary": "auto"}, "unknown": {"a": None}},
    {
        "input": [{"role": "user", "content": "hi"}],
        "tool_choice": {"type": "custom", "name": "apply_patch"},
        "tools": [PATCH_TOOL],
    },
    {"input": [user({"type": "input_text", "text": "hi"}, IMAGE), CALL, RESULT], "tools": [READ_TOOL, AGENTS, SEARCH]},
    {
        "store": False,
        "input": [
            {"role": "developer", "content": "first"},
            user({"type": "input_file", "file_id": "file_1"}),
            {"type": "reasoning", "id": "rs_1", "summary": [], "content": None, "encrypted_content": "secret"},
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"}],
            },
            {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "***", "status": "completed"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "ok"}, IMAGE]},
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}},
            {"role": "developer", "content": [{"type": "input_text", "text": "later"}]},
            {"type": "agent_message", "from": "/root"},
        ],
        "text": {
            "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True},
            "verbosity": "low",
        },
        "tools": [{"type": "web_search"}],
        "max_output_tokens": 5,
        "temperature": 0.0,
    },
]
BODIES = [
    *recorded(),
    *(pytest.param({"body": {"model": "m", **body}}, id=f"made-up-{index}") for index, body in enumerate(MADE_UP)),
]


@pytest.mark.parametrize("request_", BODIES)
def test_what_came_in_this_wire_goes_out_as_it_came(request_: Any) -> None:
    body = request_["body"]
    request = R.parse_request(json.dumps(body).encode())
    assert sent(R, request, is_streamed=bool(body.get("stream")))[0] == {**body, "model": "served-model"}
    assert json.loads(R.renamed(request, "served-model", asks_usage=True)) == {**body, "model": "served-model"}
    assert R.suits(request, PLAIN)


@pytest.mark.parametrize("request_", BODIES)
def test_every_part_re_emits_its_own_original(request_: Any) -> None:
    """Also where some room rebuilt the conversation: unknown fields, ids and signatures survive."""
    body = request_["body"]
    request = R.parse_request(json.dumps(body).encode())
    added = msgspec.structs.replace(request, messages=(*request.messages, Message("user", (TextPart("one more"),))))
    items = body["input"] if isinstance(body["input"], list) else [{"role": "user", "content": body["input"]}]
    assert sent(R, added)[0]["input"] == [*items, user({"type": "input_text", "text": "one more"})]


@pytest.mark.parametrize("request_", recorded())
def test_the_human_ask_is_found_in_what_programs_send(request_: Any) -> None:
    facts = facts_of(R.parse_request(json.dumps(request_["body"]).encode()), request_["headers"])
    assert facts.text.startswith("[case-")
    assert "<" not in facts.text
    if "codex" in request_["headers"]["user-agent"]:
        assert (facts.client, facts.session, facts.tool_names) == ("codex", request_["headers"]["session-id"], ())


@pytest.mark.parametrize("wire", [A, C], ids=["to-messages", "to-chat"])
@pytest.mark.parametrize("request_", recorded())
def test_other_wires_keep_the_words_and_the_calls(request_: Any, wire: Wire) -> None:
    """Read back from the other vendor's form: the same turns, texts, calls and results."""
    request = R.parse_request(json.dumps(request_["body"]).encode())
    there = wire.parse_request(wire.render_request(request, "m", PLAIN, is_streamed=True).body)
    kept = [part for message in request.messages for part in message.parts]
    back = [part for message in there.messages for part in message.parts]
    for kind in (TextPart, ToolCallPart):
        ours = [msgspec.structs.replace(part, native=None) for part in kept if isinstance(part, kind)]
        theirs = [msgspec.structs.replace(part, native=None) for part in back if isinstance(part, kind)]
        assert [json.dumps(json.loads(one.arguments)) if isinstance(one, ToolCallPart) else one for one in ours] == [
            json.dumps(json.loads(one.arguments)) if isinstance(one, ToolCallPart) else one for one in theirs
        ]
    assert [tool.name for tool in there.tools] == [tool.name for tool in request.tools if tool.kind == "function"]


def test_one_changed_text_of_an_item_takes_the_item_apart() -> None:
    texts = [{"type": "output_text", "text": "old"}, {"type": "output_text", "text": "kept"}]
    request = asked({"type": "message", "id": "msg_1", "role": "assistant", "content": texts}, CALL, RESULT)
    turn = request.messages[0]
    changed = msgspec.structs.replace(turn, parts=(TextPart("new"), *turn.parts[1:]))
    body, _ = sent(R, msgspec.structs.replace(request, messages=(changed, *request.messages[1:])))
    assert [item.get("content") for item in body["input"][:2]] == [
        [{"type": "output_text", "text": "new"}],
        [{"type": "output_text", "text": "kept"}],
    ]
    assert body["input"][2:] == [CALL, RESULT]


# --- in ---


def test_row_043_calls_and_results_in_a_row_are_one_turn_each() -> None:
    second = {**CALL, "call_id": "call_2"}
    request = asked(CALL, second, RESULT, {**RESULT, "call_id": "call_2"})
    assert [(message.role, len(message.parts)) for message in request.messages] == [("assistant", 2), ("user", 2)]
    messages = sent(C, request)[0]["messages"]
    assert [message["role"] for message in messages] == ["assistant", "tool", "tool"]
    assert [call["id"] for call in messages[0]["tool_calls"]] == ["call_1", "call_2"]


def test_row_152_a_custom_tool_is_a_function_with_one_field_elsewhere() -> None:
    call = {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": '*** "x"\n'}
    output = {"type": "custom_tool_call_output", "call_id": "c1", "output": "done"}
    body, _ = sent(C, asked(user({"type": "input_text", "text": "go"}), call, output, tools=[PATCH_TOOL]))
    function = body["tools"][0]["function"]
    assert function["name"] == "apply_patch"
    assert function["parameters"]["required"] == ["input"]
    assert "Edits files." in function["description"] and "start: patch" in function["description"]
    assert json.loads(body["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {"input": '*** "x"\n'}
    assert body["messages"][2] == {"role": "tool", "tool_call_id": "c1", "content": "done"}


def test_row_153_row_154_row_197_tools_that_only_openai_runs_are_left_out_and_said() -> None:
    request = asked(tools=[READ_TOOL, {"type": "web_search"}], tool_choice="auto")
    body, rendered = sent(C, request)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["read"]
    assert "tool web_search" in rendered.losses
    with pytest.raises(CannotCarryError, match="web_search"):
        sent(C, asked(tools=[READ_TOOL, {"type": "web_search"}], tool_choice={"type": "web_search"}))


def test_a_namespace_is_functions_under_joined_names_elsewhere() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "spawn", "namespace": "agents_v1", "arguments": ""}
    body, _ = sent(C, asked(user({"type": "input_text", "text": "go"}), call, {**RESULT, "call_id": "c1"}, tools=[AGENTS]))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["agents_v1__spawn", "agents_v1__wait"]
    assert body["messages"][1]["tool_calls"][0]["function"] == {"name": "agents_v1__spawn", "arguments": "{}"}


def test_what_a_search_found_is_offered_from_then_on() -> None:
    call = {"type": "tool_search_call", "call_id": "s1", "execution": "client", "arguments": {"query": "agents"}}
    output = {"type": "tool_search_output", "call_id": "s1", "execution": "client", "status": "completed", "tools": [AGENTS]}
    body, _ = sent(C, asked(user({"type": "input_text", "text": "go"}), call, output, tools=[SEARCH]))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["tool_search", "agents_v1__spawn", "agents_v1__wait"]
    assert body["messages"][1]["tool_calls"][0]["function"] == {"name": "tool_search", "arguments": '{"query": "agents"}'}
    assert "agents_v1__spawn" in body["messages"][2]["content"]


def test_row_163_results_with_pictures_keep_them() -> None:
    output = {**RESULT, "output": [{"type": "input_text", "text": "see"}, IMAGE]}
    body, _ = sent(A, asked(user({"type": "input_text", "text": "go"}), CALL, output))
    result = body["messages"][2]["content"][0]
    assert [block["type"] for block in result["content"]] == ["text", "image"]
    assert result["content"][1]["source"] == {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}


def test_row_162_the_schema_of_the_answer_is_carried() -> None:
    form = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}
    body, _ = sent(C, asked(text={"format": form}))
    assert body["response_format"]["json_schema"] == {"name": "n", "schema": {"type": "object"}, "strict": True}


def test_row_161_fields_that_others_refuse_stay_here_and_are_said() -> None:
    body, rendered = sent(
        C, asked(prompt_cache_key="k", service_tier="flex", client_metadata={"a": "b"}, store=False, include=[])
    )
    assert set(body) == {"model", "messages"}
    assert set(rendered.losses) == {"prompt_cache_key", "service_tier", "client_metadata"}


def test_system_and_developer_words_come_first_and_in_order() -> None:
    opening = [{"role": "developer", "content": "one"}, {"role": "system", "content": [{"type": "input_text", "text": "two"}]}]
    request = asked(*opening, user({"type": "input_text", "text": "hi"}), instructions="zero")
    assert [part.text for part in request.system] == ["zero", "one", "two"]
    assert len(request.messages) == 1


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"input": 5}, "$.input"),
        ({"input": [{"role": "nobody", "content": "x"}]}, "$.input[0].role"),
        ({"input": [{"type": "function_call", "call_id": "c", "arguments": "{}"}]}, "$.input[0].name"),
        ({"input": "x", "tools": [{"type": "function"}]}, "$.tools[0].name"),
        ({"input": "x", "tool_choice": "perhaps"}, "$.tool_choice"),
        ({"input": "x", "background": True}, "$.background"),
        ({"input": "x", "temperature": "hot"}, "$.temperature"),
    ],
)
def test_what_cannot_be_read_is_named(body: dict[str, Any], place: str) -> None:
    with pytest.raises(ClientError) as error:
        R.parse_request(json.dumps({"model": "m", **body}).encode())
    assert error.value.status == 400
    assert place in error.value.detail


def test_odd_items_are_kept_and_harm_nobody() -> None:
    request = asked(
        {"type": "item_reference", "id": "x"}, {"type": "compaction", "encrypted_content": "y"}, {"type": "new_output"}
    )
    assert all(isinstance(part, OpaquePart) for message in request.messages for part in message.parts)
    body, rendered = sent(C, msgspec.structs.replace(request, messages=(*request.messages, *asked().messages)))
    assert body["messages"] == [{"role": "user", "content": "hello"}]
    assert "compaction content" in rendered.losses


# --- out ---


def test_row_158_reasoning_that_nobody_kept_loses_its_id() -> None:
    thought = {"type": "reasoning", "id": "rs_x", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": None}
    kept = {"type": "reasoning", "id": "rs_y", "summary": [], "encrypted_content": "blob"}
    request = asked(user({"type": "input_text", "text": "go"}), thought, CALL, RESULT, kept, store=False)
    assert not R.suits(request, PLAIN)
    body, rendered = sent(R, request)
    assert "id" not in body["input"][1]
    assert body["input"][4] == kept
    assert rendered.losses
    assert R.suits(asked(thought, CALL, RESULT), PLAIN), "OpenAI keeps the items of this one"


def test_row_156_row_157_each_role_has_its_own_kind_of_text() -> None:
    request = ask(
        C,
        messages=[
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "ho", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": ""}}]},
            {"role": "tool", "tool_call_id": "c", "content": "done"},
        ],
        tools=[{"type": "function", "function": {"name": "f"}}],
    )
    body, _ = sent(R, request)
    assert body["input"] == [
        user({"type": "input_text", "text": "hi"}),
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ho"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
    ]
    tool = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False}
    assert body["tools"] == [tool]
    assert body["store"] is False


def test_row_042_a_call_without_words_brings_no_empty_message() -> None:
    assistant = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}
    body, _ = sent(R, ask(C, messages=[{"role": "user", "content": "x"}, assistant]))
    assert [item["type"] for item in body["input"]] == ["message", "function_call", "function_call_output"]


def test_row_041_row_044_results_are_paired_with_their_calls() -> None:
    """One that comes twice keeps its place and its last words; one without a call goes; a call without one gets one."""

    def result(call_id: str, text: str) -> dict[str, Any]:
        return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call_id, "content": text}]}

    calls: list[Any] = [{"type": "tool_use", "id": name, "name": "f", "input": {}} for name in ("a", "b")]
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": calls}]
    body, rendered = sent(R, ask(A, messages=[*messages, result("a", "old"), result("a", "new"), result("z", "lost")]))
    assert [(item["call_id"], item.get("output")) for item in body["input"][1:]] == [
        ("a", None),
        ("b", None),
        ("b", "There is no result of this call in the conversation."),
        ("a", "new"),
    ]
    assert set(rendered.losses) == {"a tool result without its call", "a missing tool result was added"}


def test_row_131_row_136_settings_have_this_wires_names() -> None:
    choice = {"type": "tool", "name": "f", "disable_parallel_tool_use": True}
    request = ask(A, tools=[{"name": "f"}], tool_choice=choice, max_tokens=7, top_k=5, stop_sequences=["x"], temperature=0.5)
    body, rendered = sent(R, request, Quirks(takes_sampling=False))
    assert body["tool_choice"] == {"type": "function", "name": "f"}
    assert body["parallel_tool_calls"] is False
    assert body["max_output_tokens"] == 16
    assert set(rendered.losses) == {"top_k", "stop sequences", "an output limit below 16", "temperature"}


def test_row_134_long_names_are_shortened_and_found_again() -> None:
    name = "mcp__" + "x" * 90
    body, rendered = sent(R, ask(A, tools=[{"name": name}]))
    assert len(body["tools"][0]["name"]) == 64
    assert rendered.tool_names == {body["tools"][0]["name"]: name}


def test_thinking_of_other_vendors_is_not_sent_but_effort_is() -> None:
    thought = {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Hm", "signature": "s"}, {"type": "text", "text": "a"}],
    }
    messages = [{"role": "user", "content": "x"}, thought, {"role": "user", "content": "y"}]
    request = ask(A, messages=messages, thinking={"type": "enabled", "budget_tokens": 31999})
    body, rendered = sent(R, request, Quirks(takes_reasoning_effort=True))
    assert body["reasoning"] == {"effort": "high"}
    assert [item["role"] for item in body["input"]] == ["user", "assistant", "user"]
    assert "thinking" in rendered.losses


def test_changed_tools_of_a_namespace_are_listed_anew() -> None:
    request = asked(tools=[READ_TOOL, AGENTS, {"type": "web_search"}])
    fewer = msgspec.structs.replace(request, tools=tuple(tool for tool in request.tools if tool.name != "agents_v1__wait"))
    body, _ = sent(R, fewer)
    assert body["tools"] == [READ_TOOL, {**AGENTS, "tools": AGENTS["tools"][:1]}, {"type": "web_search"}]


def test_models_without_eyes_or_hands_are_passed_by() -> None:
    assert not R.suits(asked(user(IMAGE)), Quirks(takes_images=False))
    with pytest.raises(CannotCarryError, match="images"):
        sent(R, asked(user(IMAGE)), Quirks(takes_images=False))
    with pytest.raises(CannotCarryError, match="tools"):
        sent(R, asked(tools=[READ_TOOL]), Quirks(takes_tools=False))


def test_reasoning_that_is_replayed_is_a_thought() -> None:
    thought = {"type": "reasoning", "id": "rs_x", "summary": [{"type": "summary_text", "text": "Hm"}], "content": None}
    part = asked(thought, CALL).messages[0].parts[0]
    assert isinstance(part, ThinkingPart)
    assert (part.text, part.signature) == ("Hm", None)
    body, _ = sent(C, asked(thought, CALL, RESULT), Quirks(takes_reasoning_content=True))
    assert body["messages"][0]["reasoning_content"] == "Hm"


@pytest.mark.parametrize(("wire", "body"), others_recorded())
def test_requests_of_other_wires_keep_their_words_and_calls(wire: Wire, body: bytes) -> None:
    """There and back: the same turns of the same texts, calls and results, in their order."""
    request = wire.parse_request(body)
    there = R.parse_request(R.render_request(request, "m", PLAIN, is_streamed=True).body)

    def said(one: ChatRequest) -> list[Any]:
        found: list[Any] = []
        for message in one.messages:
            for part in message.parts:
                match part:
                    case TextPart(text=text) if text.strip():
                        found.append((message.role, text))
                    case ToolCallPart(id=call_id, name=name, arguments=arguments):
                        found.append((call_id, name, json.loads(arguments or "{}")))
                    case ToolResultPart(call_id=call_id, content=content):
                        found.append((call_id, "\n".join(each.text for each in content if isinstance(each, TextPart))))
        return found

    assert said(there) == said(request)
    assert [(tool.name, tool.description) for tool in there.tools] == [
        (tool.name, tool.description) for tool in request.tools if tool.kind == "function"
    ]
    assert rough_tokens(there) == pytest.approx(rough_tokens(request), rel=0.05, abs=20)
