"""The Gemini wire: requests, both ways. Rows are those of the list of known pitfalls."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkr_desktop.engine.chat.events import (
    Closed,
    Delta,
    Finished,
    Opened,
    OpenText,
    OpenThinking,
    OpenToolCall,
    Signed,
    Started,
    StopReason,
    StreamEvent,
    Usage,
)
from lynkr_desktop.engine.chat.request import (
    ChatRequest,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from lynkr_desktop.engine.chat.response import fold
from lynkr_desktop.engine.wire import gemini
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks, Rendered, Wire
from lynkr_desktop.engine.wire.gemini.signatures import MARK, STAND_IN
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import ClientError
from tests.engine.wire.speech import PLAIN, A, C, ask, heard, recorded, told
from tests.engine.wire.test_laws import bare, meaning
from tests.fakes import gemini_rules

G: Wire = WIRES[gemini.NAME]
THINKS = Quirks(takes_reasoning_effort=True)
HELLO = {"role": "user", "parts": [{"text": "hello"}]}
FULL: list[dict[str, Any]] = [
    {"contents": [HELLO]},
    {"contents": [], "systemInstruction": {"parts": []}, "tools": [], "generationConfig": {}},
    {
        "system_instruction": {"role": "system", "parts": [{"text": "Be brief."}]},
        "generation_config": {"max_output_tokens": 5, "top_k": 40.0, "thinking_config": {"thinking_budget": -1}},
        "contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": "AAAA"}}, {"text": ""}]}],
    },
    {
        "contents": [
            HELLO,
            {"role": "model", "parts": [{"text": "Hm", "thought": True}, {"text": "Lo"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "ok"},
                    {"functionCall": {"name": "f", "args": {"n": 12345678901234567890123}}, "thoughtSignature": "c2ln"},
                ],
            },
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "x"}, "parts": []}}]},
            {"role": "model", "parts": [{"text": "", "thoughtSignature": "c2ln"}, {"executableCode": {"code": "1"}}]},
            {"role": "user", "parts": [{"fileData": {"fileUri": "https://x/y.pdf"}}, {"text": "z", "videoMetadata": {"fps": 1}}]},
        ],
        "tools": [
            {"googleSearch": {}},
            {"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "nullable": True}}]},
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "generationConfig": {"responseSchema": {"type": "STRING"}, "responseMimeType": "application/json", "seed": 4},
        "safetySettings": [{"category": "HARM", "threshold": "OFF"}],
        "cachedContent": "cachedContents/x",
    },
]


def parsed(**body: Any) -> ChatRequest:
    return G.parse_request(json.dumps({"contents": [HELLO], **body}).encode())


def sent(request: ChatRequest, model: str = "gemini-2.5-flash", quirks: Quirks = THINKS) -> tuple[Any, Rendered]:
    """What Google gets; it must obey Google's rules."""
    rendered = G.render_request(request, model, quirks, is_streamed=True)
    body = json.loads(rendered.body)
    gemini_rules.check({"x-goog-api-key": "k", "x-fake-model": model}, body, "k")
    return body, rendered


def chunk(*parts: dict[str, Any], finish: str = "", **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": list(parts)}}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": "gemini-x", "responseId": "r1", **more}


def stream(*chunks: Any) -> bytes:
    return b"".join(b"data: %s\r\n\r\n" % json.dumps(each, ensure_ascii=False).encode() for each in chunks)


def calls_of(events: Iterable[StreamEvent]) -> list[tuple[str, str, str]]:
    return [(part.id, part.name, part.arguments) for part in fold(events).parts if isinstance(part, ToolCallPart)]


# --- laws ---


@pytest.mark.parametrize("body", FULL)
def test_law_1_what_came_in_goes_out_the_same(body: dict[str, Any]) -> None:
    text = json.dumps(body).encode()
    request = G.parse_request(text)
    rendered = G.render_request(request, "m", PLAIN, is_streamed=False)
    assert (json.loads(rendered.body), rendered.losses) == (body, ())
    assert G.renamed(request, "other", asks_usage=True) == text
    assert G.suits(request, PLAIN)


def test_law_1_without_original_fragments_the_meaning_stays() -> None:
    body = {**FULL[3], "contents": FULL[3]["contents"][:4], "tools": FULL[3]["tools"][1:]}
    stripped = bare(G.parse_request(json.dumps(body).encode()))
    again = bare(G.parse_request(G.render_request(stripped, "gemini-3-x", PLAIN, is_streamed=False).body))
    assert again.messages == stripped.messages
    assert again.tools[0].name == "f"


def test_law_6_only_what_somebody_changed_is_made_anew() -> None:
    body = json.loads(json.dumps(FULL[3]))
    body["generationConfig"] |= {"temperature": 0.5, "stopSequences": ["a"] * 6}
    request = G.parse_request(json.dumps(body).encode())
    first = msgspec.structs.replace(request.messages[0], parts=(TextPart("shorter"),))
    changed = msgspec.structs.replace(request, messages=(first, *request.messages[1:]), max_tokens=7)
    rendered = G.render_request(changed, "gemini-3-pro", Quirks(takes_sampling=False), is_streamed=True)
    body["contents"][0]["parts"] = [{"text": "shorter"}]
    body["contents"][1:3] = [
        {"role": "model", "parts": [*body["contents"][1]["parts"][:1], {"text": "Look"}, body["contents"][2]["parts"][1]]}
    ]
    del body["generationConfig"]["temperature"]
    body["generationConfig"]["maxOutputTokens"] = 7
    assert json.loads(rendered.body) == body
    assert rendered.losses == ("temperature",)


@pytest.mark.parametrize(("wire", "body"), recorded())
@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gemini-3-pro"])
def test_law_5_requests_of_real_programs_obey_googles_rules_and_mean_the_same(wire: Wire, body: bytes, model: str) -> None:
    request = wire.parse_request(body)
    rendered = G.render_request(request, model, THINKS, is_streamed=True)
    gemini_rules.check({"x-goog-api-key": "k", "x-fake-model": model}, json.loads(rendered.body), "k")
    again = G.parse_request(rendered.body)
    assert [said for said in meaning(again) if said[1] != "other"] == [said for said in meaning(request) if said[1] != "other"]
    assert [tool.name for tool in again.tools] == [tool.name for tool in request.tools if tool.kind == "function"]
    assert G.render_request(request, model, THINKS, is_streamed=True).body == rendered.body


_PIECES = st.lists(st.text(st.characters(exclude_categories=["Cs", "Zs", "Cc"]), min_size=1, max_size=6), min_size=1, max_size=4)
_PARTS = st.lists(st.tuples(st.sampled_from(["text", "thinking", "call"]), _PIECES), max_size=4)


def events_of(parts: list[tuple[str, list[str]]]) -> list[StreamEvent]:
    events: list[StreamEvent] = [Started("id_1", "m")]
    last = ""
    for number, (kind, pieces) in enumerate(parts):
        if kind == last != "call":
            continue  # two parts of a kind in a row are one part here
        last = kind
        if kind == "call":
            text = json.dumps({"x": "".join(pieces)}, separators=(",", ":"))
            events += [Opened(OpenToolCall(f"call_{number}", "f")), Delta(text), Closed()]
            continue
        events.append(Opened(OpenText() if kind == "text" else OpenThinking()))
        events += [Delta(piece) for piece in pieces]
        if kind == "thinking":
            events.append(Signed(f"{MARK}c2ln{number}"))
        events.append(Closed())
    has_call = any(isinstance(event, Opened) and isinstance(event.part, OpenToolCall) for event in events)
    return [*events, Finished(StopReason.TOOL_CALLS if has_call else StopReason.END, Usage(3, 5))]


@settings(max_examples=60, deadline=None)
@given(_PARTS, st.integers(1, 60))
def test_law_2_and_3_what_we_render_we_read_however_cut(parts: list[tuple[str, list[str]]], step: int) -> None:
    events = events_of(parts)
    rendered = told(G, parsed(), events)
    again = fold(heard(G, rendered, cuts=range(0, len(rendered), step)))
    wanted = fold(events)
    assert [bare(part) for part in again.parts] == list(wanted.parts)
    assert (again.reason, again.usage.input_tokens, again.usage.output_tokens) == (wanted.reason, 3, 5)
    whole = fold(G.parse_response(G.render_response(wanted, parsed())))
    assert list(whole.parts) == list(wanted.parts)


# --- requests from other wires ---


def use(call_id: str, name: str, arguments: Any = None) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments or {}}


def result(call_id: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def turns(*pairs: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"role": role, "content": content} for role, content in pairs]


LOOP = turns(
    ("user", "read both"),
    ("assistant", [use("t1", "read", {"path": "a"}), use("t2", "list")]),
    (
        "user",
        [
            result("t2", "{not json"),
            result("t1", [{"type": "text", "text": '{"a": 1}'}], is_error=True),
            {"type": "text", "text": "so?"},
        ],
    ),
)
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}


def test_results_bear_their_functions_name_and_come_in_the_order_of_the_calls() -> None:
    body, rendered = sent(ask(A, messages=LOOP))
    responses = [part["functionResponse"] for part in body["contents"][2]["parts"] if "functionResponse" in part]
    assert [(one["name"], one["id"]) for one in responses] == [("read", "t1"), ("list", "t2")]
    assert body["contents"][2]["parts"][-1] == {"text": "so?"}
    assert rendered.losses == ()


def test_row_039_results_that_look_like_json_stay_text() -> None:
    responses = [part["functionResponse"] for part in sent(ask(A, messages=LOOP))[0]["contents"][2]["parts"][:2]]
    assert [one["response"] for one in responses] == [{"error": '{"a": 1}'}, {"output": "{not json"}]


@pytest.mark.parametrize(("model", "is_inside"), [("gemini-3-pro", True), ("gemini-2.5-pro", False)])
def test_row_037_a_picture_stays_with_the_result_that_it_belongs_to(model: str, is_inside: bool) -> None:
    messages = [*LOOP[:2], {"role": "user", "content": [result("t1", [PNG]), result("t2", "b")]}]
    parts = sent(ask(A, messages=messages), model)[0]["contents"][2]["parts"]
    blob = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    if is_inside:
        assert [part["functionResponse"].get("parts") for part in parts] == [[blob], None]
    else:
        label = parts[0]["functionResponse"]["response"]["output"]
        assert parts[2:] == [{"text": label}, blob]


def test_row_049_what_is_empty_is_left_out() -> None:
    messages = turns(("user", [{"type": "text", "text": ""}, {"type": "text", "text": "x"}]), ("assistant", " "), ("user", "y"))
    assert sent(ask(A, messages=messages))[0]["contents"] == [{"role": "user", "parts": [{"text": "x"}, {"text": "y"}]}]


@pytest.mark.parametrize(
    ("model", "signatures"),
    [("gemini-3-pro", [STAND_IN, None]), ("gemini-flash-latest", [STAND_IN, None]), ("gemini-2.5-flash", [None, None])],
)
def test_row_063_a_stand_in_for_lost_signatures_where_they_are_demanded(model: str, signatures: list[str | None]) -> None:
    parts = sent(ask(A, messages=LOOP), model)[0]["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == signatures


def test_row_063_our_own_signature_comes_back_and_a_strange_one_does_not() -> None:
    ours = {"type": "thinking", "thinking": "hm", "signature": f"{MARK}Z2VtaW5pOmht"}
    strange = {"type": "thinking", "thinking": "hm", "signature": "ErUBCkYIBRgC"}
    for thinking, signature, losses in ((ours, "Z2VtaW5pOmht", ()), (strange, STAND_IN, ("thinking",))):
        messages = [LOOP[0], {"role": "assistant", "content": [thinking, *LOOP[1]["content"]]}, LOOP[2]]
        body, rendered = sent(ask(A, messages=messages), "gemini-3-pro")
        calls = [part for part in body["contents"][1]["parts"] if "functionCall" in part]
        assert (calls[0]["thoughtSignature"], rendered.losses) == (signature, losses)
        assert "ErUB" not in json.dumps(body)


def test_row_067_a_signature_of_gemini_never_reaches_claude() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": f"{MARK}Z2VtaW5pOmht"}
    messages = [LOOP[0], {"role": "assistant", "content": [thinking, *LOOP[1]["content"]]}, LOOP[2]]
    request = ask(A, messages=messages)
    assert not A.suits(request, PLAIN)
    rendered = A.render_request(request, "m", PLAIN, is_streamed=True)
    assert MARK.encode() not in rendered.body
    assert b'"tool_use"' in rendered.body


def test_row_044_calls_without_results_and_results_without_calls() -> None:
    messages = turns(("user", "x"), ("assistant", [use("t1", "f")]), ("user", [result("t9", "lost")]))
    body, rendered = sent(ask(A, messages=messages))
    assert [part["functionResponse"]["id"] for part in body["contents"][2]["parts"]] == ["t1"]
    assert rendered.losses == ("a tool result without its call", "a missing tool result was added")


def test_row_048_row_173_turns_alternate_and_the_user_begins() -> None:
    body, rendered = sent(ask(C, messages=turns(("assistant", "a"), ("user", "b"), ("user", "c"))))
    assert [turn["role"] for turn in body["contents"]] == ["user", "model", "user"]
    assert rendered.losses == ("an opening user turn was added",)


def test_row_121_the_billing_line_of_claude_code_is_left_out() -> None:
    system = [{"type": "text", "text": "x-anthropic-billing-header: cch=1"}, {"type": "text", "text": "Be brief."}]
    assert sent(ask(A, system=system))[0]["systemInstruction"] == {"parts": [{"text": "Be brief."}]}


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ({"type": "auto"}, None),
        ({"type": "any"}, {"mode": "ANY"}),
        ({"type": "none"}, {"mode": "NONE"}),
        ({"type": "tool", "name": "7-read/x"}, {"mode": "ANY", "allowedFunctionNames": ["_7-read_x_e2a7ae4b"]}),
    ],
)
def test_row_131_row_172_choices_and_names(choice: dict[str, Any], config: Any) -> None:
    tools = [{"name": "7-read/x", "input_schema": {"type": "object"}}]
    body, rendered = sent(ask(A, tools=tools, tool_choice=choice))
    name = body["tools"][0]["functionDeclarations"][0]["name"]
    assert rendered.tool_names == {name: "7-read/x"}
    if config and "allowedFunctionNames" in config:
        config["allowedFunctionNames"] = [name]
    assert body.get("toolConfig") == (config and {"functionCallingConfig": config})
    events = heard(
        G, stream(chunk({"functionCall": {"name": f"default_api:{name}"}}, finish="STOP")), tool_names=dict(rendered.tool_names)
    )
    assert [call[1] for call in calls_of(events)] == ["7-read/x"]


def test_row_132_a_choice_without_tools_is_left_out() -> None:
    assert "toolConfig" not in sent(ask(A, tools=[], tool_choice={"type": "any"}))[0]


def test_row_129_a_tool_that_runs_elsewhere() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    with pytest.raises(CannotCarryError, match="web_search"):
        sent(ask(A, tools=[search]))
    _, rendered = sent(ask(A, tools=[search, {"name": "f", "input_schema": {}}]))
    assert rendered.losses == ("tool web_search_20250305",)


@pytest.mark.parametrize(
    ("model", "thinking", "config", "losses"),
    [
        (
            "gemini-2.5-flash",
            {"type": "enabled", "budget_tokens": 31999},
            {"includeThoughts": True, "thinkingBudget": 24576},
            ("thinking tokens beyond 24576",),
        ),
        ("gemini-3-pro", {"type": "enabled", "budget_tokens": 31999}, {"includeThoughts": True, "thinkingLevel": "high"}, ()),
        ("gemini-3-pro", {"type": "adaptive"}, {"includeThoughts": True}, ()),
        ("gemini-2.5-flash", {"type": "disabled"}, {"thinkingBudget": 0}, ()),
        ("gemini-3-pro", {"type": "disabled"}, None, ("thinking cannot be switched off",)),
        ("gemini-2.5-pro", {"type": "disabled"}, None, ("thinking cannot be switched off",)),
        ("gemini-2.0-flash", {"type": "disabled"}, None, ()),
        ("gemini-2.0-flash", {"type": "enabled", "budget_tokens": 2000}, None, ("thinking settings",)),
        (
            "gemini-flash-latest",
            {"type": "enabled", "budget_tokens": 2000},
            {"includeThoughts": True, "thinkingLevel": "low"},
            (),
        ),
    ],
)
def test_thinking_in_each_generations_words(model: str, thinking: Any, config: Any, losses: tuple[str, ...]) -> None:
    body, rendered = sent(ask(A, thinking=thinking, max_tokens=64000), model)
    assert body["generationConfig"].get("thinkingConfig") == config
    assert rendered.losses == losses


def test_knobs_and_formats() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "minLength": 1}}, "$schema": "x"}
    request = ask(C, temperature=0.3, top_p=0.9, stop=["a"] * 6, max_tokens=7, reasoning_effort="low", user="me", seed=1,
                  response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}})  # fmt: skip
    body, rendered = sent(request)
    config = body["generationConfig"]
    assert (config["temperature"], config["topP"], config["maxOutputTokens"], len(config["stopSequences"])) == (0.3, 0.9, 7, 5)
    assert config["responseJsonSchema"] == {"type": "object", "properties": {"a": {"type": "string"}}}
    assert set(rendered.losses) == {"stop sequences beyond 5", "user id", "seed", "schema keyword minLength"}


def test_content_that_cannot_be_carried_moves_the_route_on() -> None:
    with pytest.raises(CannotCarryError, match="images"):
        sent(ask(A, messages=turns(("user", [PNG]))), quirks=Quirks(takes_images=False))


# --- requests of Google's clients ---


def test_chunks_that_a_client_kept_as_contents_of_their_own_are_one_turn() -> None:
    body = {"contents": [HELLO, *({"role": "model", "parts": [{"text": text}]} for text in ("Lo", "ok", "."))]}
    assert [part.text for part in G.parse_request(json.dumps(body).encode()).messages[1].parts if isinstance(part, TextPart)] == [
        "Look."
    ]


def test_results_without_ids_are_paired_by_name_and_order() -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    answer = {"functionResponse": {"name": "f", "response": {"output": "x"}}}
    body = {"contents": [HELLO, {"role": "model", "parts": [call, call]}, {"role": "user", "parts": [answer, answer]}]}
    messages = G.parse_request(json.dumps(body).encode()).messages
    ids = [part.id for part in messages[1].parts if isinstance(part, ToolCallPart)]
    assert len(set(ids)) == 2
    assert [part.call_id for part in messages[2].parts if isinstance(part, ToolResultPart)] == ids


def test_what_other_wires_make_of_a_google_request() -> None:
    body = FULL[3] | {
        "contents": FULL[3]["contents"][:4],
        "tools": FULL[3]["tools"][1:],
        "systemInstruction": {"parts": [{"text": "s"}]},
    }
    body["contents"][2]["parts"][1]["functionCall"]["args"] = {"n": 1}
    request = G.parse_request(json.dumps(body).encode())
    chat = C.render_request(request, "m", PLAIN, is_streamed=True)
    said = json.loads(chat.body)
    assert [one["role"] for one in said["messages"]] == ["system", "user", "assistant", "tool"]
    assert said["tools"][0]["function"]["parameters"]["type"] == ["object", "null"]
    assert {"safetySettings", "cachedContent", "generationConfig.seed"} <= set(chat.losses)
    assert "contents" not in chat.losses
    assert json.loads(A.render_request(request, "m", PLAIN, is_streamed=True).body)["tool_choice"] == {
        "type": "tool",
        "name": "f",
    }


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "$.contents"),
        ({"contents": [{"role": "robot", "parts": []}]}, "$.contents[0].role"),
        ({"contents": [{"parts": [{"functionCall": {}}]}]}, "$.contents[0].parts[0].functionCall.name"),
        ({"contents": [], "toolConfig": {"functionCallingConfig": {"mode": "X"}}}, "$.toolConfig.functionCallingConfig.mode"),
        ({"contents": [], "generationConfig": {"candidateCount": 2}}, "$.generationConfig.candidateCount"),
    ],
)
def test_what_is_wrong_is_named(body: Any, place: str) -> None:
    with pytest.raises(ClientError) as caught:
        G.parse_request(json.dumps(body).encode())
    assert place in caught.value.detail
