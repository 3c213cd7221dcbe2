"""Converse: requests that Bedrock's own rules accept, and answers understood however they are cut."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.engine.chat.events import StopReason, StreamEvent, Usage
from lynkr_desktop.engine.chat.grammar import GrammarChecker
from lynkr_desktop.engine.chat.request import TextPart, ThinkingPart, ToolCallPart
from lynkr_desktop.engine.chat.response import fold
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.engine.providers.models import quirks_for
from lynkr_desktop.engine.wire import anthropic, bedrock_converse, openai_chat
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks, Rendered
from lynkr_desktop.engine.wire.eventstream import EventStreamSplitter
from lynkr_desktop.errors import FailureKind, UpstreamError
from tests.fakes import bedrock
from tests.fakes.script import REDACTED, Answer, CallTool, Delivery, Say, Think, Tokens, signature_of

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-pro-v1:0"
LLAMA = "meta.llama3-1-70b-instruct-v1:0"
MODELS = pytest.mark.parametrize("model", [CLAUDE, NOVA, LLAMA])
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
TOOL = {
    "name": "read_file",
    "description": "Reads.",
    "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}},
}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "read_file", "input": {"path": "a", "big": 123456789012345678901234567890}}


def rendered(body: Mapping[str, Any], model: str = CLAUDE, quirks: Quirks | None = None, *, wire: Any = anthropic) -> Rendered:
    """The request for Bedrock, which its rules must accept."""
    request = wire.parse_request(json.dumps({"model": "m", "max_tokens": 99, **body}).encode())
    made = bedrock_converse.render_request(request, model, quirks or Quirks(), is_streamed=True)
    sent = json.loads(made.body)
    bedrock.check({"authorization": "Bearer k"}, {**sent, "model": model, "stream": True}, "k")
    return made


def sent(body: Mapping[str, Any], model: str = CLAUDE, quirks: Quirks | None = None, *, wire: Any = anthropic) -> Any:
    return json.loads(rendered(body, model, quirks, wire=wire).body)


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def result(*content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "toolu_1", "content": list(content), **more}


LOOP = [user(text("Read.")), assistant(text("Yes."), CALL)]


# --- requests ---


@MODELS
def test_a_tool_loop_with_exact_numbers(model: str) -> None:
    made = rendered({"messages": [*LOOP, user(result(text("x")))], "tools": [TOOL], "system": "Be brief."}, model)
    assert b'"big":123456789012345678901234567890' in made.body.replace(b" ", b"")
    body = json.loads(made.body)
    assert body["system"] == [{"text": "Be brief."}]
    assert body["inferenceConfig"] == {"maxTokens": 99}
    assert body["messages"][1]["content"][1]["toolUse"]["name"] == "read_file"
    assert body["messages"][2]["content"] == [{"toolResult": {"toolUseId": "toolu_1", "content": [{"text": "x"}]}}]
    assert body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"] == TOOL["input_schema"]
    assert made.losses == ()


@MODELS
def test_row_038_an_empty_result_has_words_and_keeps_its_mark(model: str) -> None:
    made = rendered({"messages": [*LOOP, user(result(is_error=True))], "tools": [TOOL]}, model)
    block = json.loads(made.body)["messages"][2]["content"][0]["toolResult"]
    assert block["content"] == [{"text": "(no output)"}]
    assert (block.get("status") == "error") == (model != LLAMA)
    assert ("the mark of a failed tool" in made.losses) == (model == LLAMA)


def test_row_046_messages_of_tools_become_one_turn() -> None:
    calls = [{"id": f"c{n}", "type": "function", "function": {"name": "f", "arguments": "{}"}} for n in (1, 2)]
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
    ]
    body = sent({"messages": messages}, wire=openai_chat)
    assert [block["toolResult"]["toolUseId"] for block in body["messages"][2]["content"]] == ["c1", "c2"]


def test_row_047_words_beside_a_result_move_into_it_where_they_are_refused() -> None:
    messages = [*LOOP, user(result(text("x")), text("And now?"))]
    made = rendered({"messages": messages, "tools": [TOOL]}, NOVA)
    (block,) = json.loads(made.body)["messages"][2]["content"]
    assert block["toolResult"]["content"] == [{"text": "x"}, {"text": "And now?"}]
    assert "the place of words beside a tool result" in made.losses
    assert len(sent({"messages": messages, "tools": [TOOL]})["messages"][2]["content"]) == 2


def test_row_053_row_057_claude_gets_back_only_what_it_signed() -> None:
    thoughts = [
        {"type": "thinking", "thinking": "Hm.", "signature": signature_of("Hm.")},
        {"type": "thinking", "thinking": "", "signature": signature_of("")},
        {"type": "redacted_thinking", "data": REDACTED},
        {"type": "thinking", "thinking": "unsigned", "signature": ""},
        {"type": "thinking", "thinking": "another vendor's", "signature": "gemini#abc"},
    ]
    messages = [user(text("hi")), assistant(*thoughts, text("Yes.")), user(text("more"))]
    made = rendered({"messages": messages})
    assert json.loads(made.body)["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": signature_of("Hm.")}}},
        {"reasoningContent": {"reasoningText": {"text": "", "signature": signature_of("")}}},
        {"reasoningContent": {"redactedContent": REDACTED}},
        {"text": "Yes."},
    ]
    assert made.losses == ("unsigned thinking",)
    kept = sent({"messages": messages}, NOVA)["messages"][1]["content"]
    assert {"reasoningContent": {"reasoningText": {"text": "unsigned"}}} in kept
    assert sent({"messages": messages}, LLAMA)["messages"][1]["content"] == [{"text": "Yes."}]


def test_row_119_a_later_system_turn_is_added_and_a_billing_line_is_not() -> None:
    system = [text("x-anthropic-billing-header: cc=1"), text("Top.", cache_control={"type": "ephemeral"})]
    made = rendered({"system": system, "messages": [user(text("hi")), {"role": "system", "content": "Late."}]})
    assert json.loads(made.body)["system"] == [{"text": "Top."}, {"cachePoint": {"type": "default"}}, {"text": "Late."}]
    assert "the place of later system turns" in made.losses


def test_row_123_cache_points_stand_alone_in_system_tools_and_turns() -> None:
    mark, hour = {"cache_control": {"type": "ephemeral"}}, {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    messages = [
        user(text("hi", **hour), text(" ", **mark)),
        assistant(CALL),
        user({**result(text("x")), **mark}, text("on", **mark)),
    ]
    made = rendered({"system": [text("S", **mark)], "tools": [{**TOOL, **mark}], "messages": messages})
    body, point = json.loads(made.body), {"cachePoint": {"type": "default"}}
    assert body["system"][1] == body["toolConfig"]["tools"][1] == point
    assert body["messages"][0]["content"] == [{"text": "hi"}, {"cachePoint": {"type": "default", "ttl": "1h"}}]
    assert [next(iter(block)) for block in body["messages"][2]["content"]] == ["toolResult", "cachePoint", "text", "cachePoint"]
    assert made.losses == ()
    lost = rendered({"system": [text("S", **mark)], "messages": [user(text("hi"))]}, LLAMA)
    assert "cachePoint" not in lost.body.decode()
    assert lost.losses == ("cache markers",)


def test_row_138_temperature_goes_without_top_p_to_claude_only() -> None:
    body = {"messages": [user(text("hi"))], "temperature": 0.5, "top_p": 0.9, "top_k": 5, "stop_sequences": ["X"]}
    made = rendered(body)
    assert json.loads(made.body)["inferenceConfig"] == {"maxTokens": 99, "temperature": 0.5, "stopSequences": ["X"]}
    assert json.loads(made.body)["additionalModelRequestFields"] == {"top_k": 5}
    assert made.losses == ("top_p beside temperature",)
    assert sent(body, NOVA)["inferenceConfig"]["topP"] == 0.9
    assert set(rendered(body, CLAUDE, Quirks(takes_sampling=False)).losses) == {"temperature", "top_p", "top_k"}


def test_row_184_names_and_descriptions_that_bedrock_takes() -> None:
    long = "mcp__server.with.dots__" + "x" * 80
    tool = {"name": long, "description": " ", "input_schema": {}}
    made = rendered({"messages": [user(text("hi"))], "tools": [tool], "tool_choice": {"type": "tool", "name": long}})
    config = json.loads(made.body)["toolConfig"]
    name = config["tools"][0]["toolSpec"]["name"]
    assert len(name) <= 64
    assert config["tools"][0]["toolSpec"]["description"] == name
    assert config["toolChoice"] == {"tool": {"name": name}}
    assert made.tool_names == {name: long}


def test_row_189_calls_in_the_history_name_their_tools_again() -> None:
    made = rendered({"messages": [*LOOP, user(result(text("x")))]})
    assert json.loads(made.body)["toolConfig"]["tools"][0]["toolSpec"]["name"] == "read_file"
    assert "tools of earlier turns were named again" in made.losses


def test_no_tools_where_none_may_be_called_and_no_duty_where_none_is_taken() -> None:
    base = {"messages": [user(text("hi"))], "tools": [TOOL]}
    assert "toolConfig" not in sent({**base, "tool_choice": {"type": "none"}})
    assert sent({**base, "tool_choice": {"type": "any"}})["toolConfig"]["toolChoice"] == {"any": {}}
    made = rendered({**base, "tool_choice": {"type": "any"}}, LLAMA)
    assert "toolChoice" not in json.loads(made.body)["toolConfig"]
    assert made.losses == ("the duty to call a tool",)


def test_a_schema_goes_where_it_is_kept_and_is_declared_elsewhere() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
    tool = {**TOOL, "input_schema": schema, "strict": True}
    body = {
        "messages": [user(text("hi"))],
        "tools": [tool],
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
    }
    new = json.loads(rendered(body, CLAUDE, quirks_for(PROVIDERS["bedrock"], CLAUDE)).body)
    bedrock.check({"authorization": "Bearer k"}, new | {"model": CLAUDE, "stream": False}, "k")
    assert json.loads(new["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]) == schema
    assert new["toolConfig"]["tools"][0]["toolSpec"]["strict"] is True
    model = "anthropic.claude-3-5-sonnet-20241022-v2:0"
    old = rendered(body, model, quirks_for(PROVIDERS["bedrock"], model))
    assert "outputConfig" not in json.loads(old.body)
    assert {"the schema of the answer", "strict tool schemas"} <= set(old.losses)


def test_row_187_thinking_goes_to_claude_with_what_it_needs() -> None:
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
    fields = sent({"messages": [user(text("hi"))], **thinking})["additionalModelRequestFields"]
    assert fields == thinking
    foreign = rendered({"messages": [*LOOP, user(result(text("x")))], "tools": [TOOL], **thinking})
    assert "additionalModelRequestFields" not in json.loads(foreign.body)
    assert "thinking, for the turn began with another model" in foreign.losses
    assert rendered({"messages": [user(text("hi"))], **thinking}, LLAMA).losses == ("thinking settings",)


def test_thinking_has_the_form_that_the_model_takes() -> None:
    body = {"messages": [user(text("hi"))], "max_tokens": 9000, "thinking": {"type": "adaptive"}}
    quirks = quirks_for(PROVIDERS["bedrock"], CLAUDE)
    assert sent(body, CLAUDE, quirks)["additionalModelRequestFields"]["thinking"] == {"type": "enabled", "budget_tokens": 4500}
    newer = "global.anthropic.claude-opus-4-7"
    budget = {**body, "thinking": {"type": "enabled", "budget_tokens": 2048}}
    fields = sent(budget, newer, quirks_for(PROVIDERS["bedrock"], newer))["additionalModelRequestFields"]
    assert fields == {"thinking": {"type": "adaptive"}}


def test_pictures_and_documents_travel_as_bytes() -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": DOT}}
    paper = {
        "type": "document",
        "title": "Q3: draft/final.pdf",
        "source": {"type": "base64", "media_type": "application/pdf", "data": DOT},
    }
    note = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "äh"}}
    made = rendered({"messages": [user(picture, paper, paper, note)]})
    blocks = json.loads(made.body)["messages"][0]["content"]
    assert blocks[0] == {"image": {"format": "jpeg", "source": {"bytes": DOT}}}
    names = [block["document"]["name"] for block in blocks if "document" in block]
    assert names == ["Q3 draft final pdf", "Q3 draft final pdf 2", "document"]
    assert blocks[3]["document"] == {"format": "txt", "name": "document", "source": {"bytes": "w6Ro"}}
    assert blocks[4] == {"text": "(See the document.)"}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/tiff", "data": DOT}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/zip", "data": DOT}},
    ],
)
def test_what_cannot_be_carried_moves_the_route_on(block: Any) -> None:
    with pytest.raises(CannotCarryError):
        rendered({"messages": [user(block)]})


@MODELS
def test_broken_histories_are_repaired_in_the_same_way_each_time(model: str) -> None:
    messages = [
        assistant(text("Hi  ")),
        assistant(CALL),
        user(text(" ")),
        assistant(CALL),
        user(result(text("2"))),
        assistant(text("So ")),
    ]
    made = rendered({"messages": messages}, model)
    roles = [message["role"] for message in json.loads(made.body)["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "user", "assistant"][: len(roles)]
    assert rendered({"messages": messages}, model) == made
    assert "a missing tool result was added" in made.losses


# --- answers ---


def events_of(stream: bytes, size: int = 0, names: Mapping[str, str] | None = None) -> list[StreamEvent]:
    parser, splitter = bedrock_converse.stream_parser(names or {}), EventStreamSplitter()
    events: list[StreamEvent] = []
    step = size or len(stream)
    for start in range(0, len(stream), step):
        for frame in splitter.feed(stream[start : start + step]):
            events += parser.feed(frame)
    return [*events, *parser.close()]


def stream_of(answer: Answer) -> bytes:
    return b"".join(bedrock.events(answer, CLAUDE, has_usage=True))


FULL = Answer(
    (Think("Hm."), Think(is_redacted=True), Say("Grüße ☁ 𝄞.", 5), CallTool("read_file", {"path": "ä"}), CallTool("now", id="t2")),
    tokens=Tokens(12, 7, cache_read=5, cache_write=3),
)


def checked(events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
    grammar = GrammarChecker()
    for event in events:
        grammar.check(event)
    return events


@given(size=st.integers(1, 400))
def test_row_087_any_cutting_of_the_bytes_gives_the_same(size: int) -> None:
    assert events_of(stream_of(FULL), size) == events_of(stream_of(FULL))


@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_an_answer_with_everything(is_streamed: bool) -> None:
    events = events_of(stream_of(FULL)) if is_streamed else bedrock_converse.parse_response(bedrock.whole(FULL, CLAUDE))
    response = fold(checked(events))
    assert response.parts == (
        ThinkingPart("Hm.", signature_of("Hm.")),
        ThinkingPart("", None, REDACTED),
        TextPart("Grüße ☁ 𝄞."),
        ToolCallPart(
            "toolu_01A", "read_file", response.parts[3].arguments if isinstance(response.parts[3], ToolCallPart) else ""
        ),
        ToolCallPart("t2", "now", "{}"),
    )
    assert isinstance(response.parts[3], ToolCallPart)
    assert json.loads(response.parts[3].arguments) == {"path": "ä"}
    assert response.reason is StopReason.TOOL_CALLS
    assert response.usage == Usage(12, 7, 5, 3)
    assert response.id


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("max_tokens", StopReason.LENGTH),
        ("guardrail_intervened", StopReason.REFUSAL),
        ("content_filtered", StopReason.REFUSAL),
        ("model_context_window_exceeded", StopReason.CONTEXT),
        ("something_new", StopReason.END),
    ],
)
def test_stop_reasons(told: str, reason: StopReason) -> None:
    stream = stream_of(Answer(delivery=Delivery(has_done=False)))
    head = stream[: stream.rindex(bedrock.event("messageStop", {"stopReason": "end_turn", "p": "a"}))]
    events = events_of(head + bedrock.event("messageStop", {"stopReason": told}))
    assert fold(checked(events)).reason is reason


def test_names_of_tools_are_given_back() -> None:
    response = fold(events_of(stream_of(Answer((CallTool("short", {}),))), names={"short": "the.long.name"}))
    assert [part.name for part in response.parts if isinstance(part, ToolCallPart)] == ["the.long.name"]


@pytest.mark.parametrize(
    ("name", "words", "kind"),
    [
        ("throttlingException", "Too many tokens, please wait before trying again.", FailureKind.RATE),
        ("modelStreamErrorException", "The model broke.", FailureKind.OVERLOADED),
        ("internalServerException", "", FailureKind.OVERLOADED),
        ("serviceUnavailableException", "busy", FailureKind.OVERLOADED),
        ("modelTimeoutException", "slow", FailureKind.TIMEOUT),
        ("validationException", "Input is too long for requested model.", FailureKind.CONTEXT),
        ("validationException", "Malformed input request", FailureKind.BAD_REQUEST),
    ],
)
def test_row_182_an_exception_in_the_stream_is_a_failure(name: str, words: str, kind: FailureKind) -> None:
    head = stream_of(Answer((Say("half"),)))[:400]
    head = head[: len(bedrock.event("messageStart", {"role": "assistant", "p": "abcdefghij"}))]
    with pytest.raises(UpstreamError) as caught:
        events_of(head + bedrock.event(name, {"message": words}, message_type="exception"))
    assert caught.value.kind is kind
    assert caught.value.code == name
    assert words in caught.value.detail


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (400, "ValidationException:http://internal.amazon.com/x", FailureKind.BAD_REQUEST),
        (400, "ServiceQuotaExceededException", FailureKind.QUOTA),
        (403, "UnrecognizedClientException", FailureKind.AUTH),
        (403, "ExpiredTokenException", FailureKind.AUTH),
        (404, "ResourceNotFoundException", FailureKind.NOT_FOUND),
        (408, "ModelTimeoutException", FailureKind.TIMEOUT),
        (424, "ModelErrorException", FailureKind.OVERLOADED),
        (429, "ThrottlingException", FailureKind.RATE),
        (503, "ServiceUnavailableException", FailureKind.OVERLOADED),
        (502, "", FailureKind.OVERLOADED),
    ],
)
def test_refusals(status: int, name: str, kind: FailureKind) -> None:
    headers = {"x-amzn-errortype": name, "x-amzn-requestid": "r-1"}
    error = bedrock_converse.parse_error(status, headers, b'{"Message": "because"}')
    assert (error.kind, error.detail, error.request_id, error.status) == (kind, "because", "r-1", status)


@pytest.mark.parametrize("keep", [-1, -30])
def test_a_stream_that_breaks_off_is_no_answer(keep: int) -> None:
    stream = stream_of(Answer(delivery=Delivery(has_done=False)))
    stop = len(bedrock.event("messageStop", {"stopReason": "end_turn", "p": "a"}))
    with pytest.raises(UpstreamError) as caught:
        events_of(stream[: len(stream) - stop + keep])
    assert caught.value.kind is FailureKind.PROTOCOL


def test_damaged_bytes_and_nonsense_are_failures_of_the_provider() -> None:
    stream = bytearray(stream_of(FULL))
    stream[40] ^= 1
    for damaged in (bytes(stream), b"\xff" * 64, b"<html>" * 20, bedrock.event("contentBlockDelta", [1])):
        with pytest.raises(UpstreamError) as caught:
            events_of(damaged)
        assert caught.value.kind is FailureKind.PROTOCOL
    with pytest.raises(UpstreamError):
        bedrock_converse.parse_response(b"{}")
