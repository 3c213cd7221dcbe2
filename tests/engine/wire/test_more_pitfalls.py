"""Known pitfalls that cross several wires, or belong to a vendor that has no wire of its own. Names carry their rows."""

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest

from lynkr_desktop.engine.chat.events import Finished, Started, StopReason, StreamEvent, Usage
from lynkr_desktop.engine.chat.request import ThinkingPart
from lynkr_desktop.engine.chat.response import ChatResponse, fold
from lynkr_desktop.engine.providers.catalogue import PROVIDERS, way
from lynkr_desktop.engine.providers.models import quirks_for
from lynkr_desktop.engine.providers.places import address_of
from lynkr_desktop.engine.resilience.failures import refuses_reasoning
from lynkr_desktop.engine.wire import bedrock_converse, gemini
from lynkr_desktop.engine.wire.contract import Quirks, Wire
from lynkr_desktop.engine.wire.eventstream import ChunkSplitter, EventStreamSplitter
from lynkr_desktop.engine.wire.sse import Frame, SseSplitter
from lynkr_desktop.engine.wire.table import WIRES
from tests.engine.wire.speech import KEY, PLAIN, A, C, ask, frames, heard, named, sent, told
from tests.engine.wire.test_openai_responses_request import R, asked
from tests.fakes import anthropic_rules, bedrock, responses_rules
from tests.fakes.responses_wire import ResponsesSpeech, encrypted_of
from tests.fakes.script import Answer, CallTool, Say, Think, signature_of

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
THINKS = Quirks(takes_reasoning_effort=True)
MARKER = {"cache_control": {"type": "ephemeral"}}
TOOL = {"name": "read", "description": "Reads.", "input_schema": {"type": "object", "properties": {}}}
HEADERS = {"x-api-key": KEY, "anthropic-version": "2023-06-01", "content-type": "application/json"}
OPENAI_HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


@pytest.mark.parametrize("reason", [StopReason.REFUSAL, StopReason.CONTEXT, StopReason.END])
def test_row_033_there_is_always_a_choice_and_what_may_be_null_is_there(reason: StopReason) -> None:
    body = json.loads(C.render_response(ChatResponse("x", "m", (), reason, Usage()), ask(C)))
    (choice,) = body["choices"]
    assert {"index", "message", "finish_reason", "logprobs"} <= set(choice)
    assert {"role", "content", "refusal"} <= set(choice["message"])
    events: list[StreamEvent] = [Started("x", "m"), Finished(reason)]
    for chunk in frames(told(C, ask(C, stream=True), events))[:-1]:
        assert all(isinstance(one["delta"], dict) and "finish_reason" in one for one in chunk["choices"])


def test_row_052_a_signature_follows_its_thought_and_stands_before_the_end() -> None:
    splitter, parser = EventStreamSplitter(), bedrock_converse.stream_parser()
    stream = b"".join(bedrock.events(Answer((Think("Let me see."), CallTool("read"))), CLAUDE, has_usage=True))
    events = [event for frame in splitter.feed(stream) for event in parser.feed(frame)]
    told_block = [frame for frame in frames(told(A, ask(A), events)) if frame.get("index") == 0]
    kinds = [frame.get("delta", frame)["type"] for frame in told_block]
    assert kinds == ["content_block_start", "thinking_delta", "thinking_delta", "signature_delta", "content_block_stop"]


def test_row_066_encrypted_reasoning_travels_through_a_client_of_messages_and_back() -> None:
    """As one thought with a signature that no other vendor gets, and that OpenAI gets back before the call that it led to."""
    first = ask(A, messages=[user(text("x"))], tools=[TOOL], thinking={"type": "enabled", "budget_tokens": 2000}, max_tokens=5000)
    body, _ = sent(R, first, THINKS)
    assert body["include"] == ["reasoning.encrypted_content"]
    stream = b"".join(ResponsesSpeech(is_sealed=True).events(Answer((Think("Hm."), CallTool("read"))), "m", has_usage=True))
    answer = json.loads(A.render_response(fold(heard(R, stream)), first))
    result = {"type": "tool_result", "tool_use_id": answer["content"][1]["id"], "content": "done"}
    turns = [user(text("x")), assistant(*answer["content"]), user(result)]
    again = ask(A, messages=turns, tools=[TOOL], thinking={"type": "enabled", "budget_tokens": 2000}, max_tokens=5000)
    body, rendered = sent(R, again, THINKS)
    responses_rules.check(OPENAI_HEADERS, {**body, "model": "gpt-5.4"}, KEY)
    assert [item["type"] for item in body["input"]] == ["message", "reasoning", "function_call", "function_call_output"]
    assert body["input"][1]["encrypted_content"] == encrypted_of("Hm.")
    assert rendered.losses == ()
    assert not A.suits(again, PLAIN)
    elsewhere, _ = sent(A, again)
    anthropic_rules.check(HEADERS, elsewhere, KEY)
    assert "openai#" not in json.dumps(elsewhere)


def test_row_066_encrypted_reasoning_is_told_again_to_a_client_of_its_own_wire() -> None:
    stream = b"".join(ResponsesSpeech(is_sealed=True).events(Answer((Think("Hm."), Say("x"))), "m", has_usage=True))
    events = heard(R, stream)
    whole = json.loads(R.render_response(fold(events), asked()))["output"][0]
    streamed = frames(told(R, asked(), events))[-1]["response"]["output"][0]
    assert whole["encrypted_content"] == streamed["encrypted_content"] == encrypted_of("Hm.")


def test_row_067_encrypted_reasoning_of_openai_is_no_signature_to_others() -> None:
    thought = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Hm."}],
        "encrypted_content": "gAAA",
    }
    call = {"type": "function_call", "call_id": "c1", "name": "read", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c1", "output": "x"}
    request = asked({"role": "user", "content": "hi"}, thought, call, output, max_output_tokens=100)
    assert any(isinstance(part, ThinkingPart) for message in request.messages for part in message.parts)
    body, rendered = sent(A, request)
    anthropic_rules.check(HEADERS, body, KEY)
    assert "gAAA" not in json.dumps(body)
    assert any("thinking" in loss or "reasoning" in loss for loss in rendered.losses)


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (R, b'{"error":{"message":"x","type":"invalid_request_error","code":"invalid_encrypted_content"}}'),
        (R, b'{"error":{"message":"The encrypted content for item rs_1 could not be verified."}}'),
        (
            A,
            b'{"type":"error","error":{"message":"messages.1: Invalid `signature` in `thinking` block"}}',
        ),
    ],
    ids=["row-067-code", "row-067-words", "row-067-anthropic"],
)
def test_reasoning_of_another_account_is_known_by_its_refusal(wire: Wire, body: bytes) -> None:
    assert refuses_reasoning(wire.parse_error(400, {}, body))
    assert not refuses_reasoning(wire.parse_error(500, {}, body))


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "read"}])
@pytest.mark.parametrize("thinking", [{"type": "adaptive"}, {"type": "enabled", "budget_tokens": 2000}])
def test_row_069_who_must_call_a_tool_does_not_think(choice: Any, thinking: Any) -> None:
    edits: dict[str, list[Any]] = {"edits": [{"type": "clear_thinking_20251015"}, {"type": "clear_tool_uses_20250919"}]}
    fields = {"max_tokens": 5000, "tools": [TOOL], "tool_choice": choice, "thinking": thinking, "context_management": edits}
    request = ask(A, **fields)
    assert not A.suits(request, PLAIN)
    body, rendered = sent(A, request)
    assert "thinking" not in body
    assert body["tool_choice"] == choice
    assert body["context_management"] == {"edits": [edits["edits"][1]]}
    assert "thinking, for a tool must be called" in rendered.losses
    hosted = bedrock_converse.render_request(request, CLAUDE, PLAIN, is_streamed=True)
    bedrock.check(OPENAI_HEADERS, {**json.loads(hosted.body), "model": CLAUDE, "stream": True}, KEY)
    assert "thinking, for a tool must be called" in hosted.losses
    assert A.suits(ask(A, **{**fields, "tool_choice": {"type": "auto"}}), PLAIN)


@pytest.mark.parametrize("name", ["openai_responses", "openai_chat", "gemini", "ollama"])
def test_row_091_a_sign_of_life_is_no_event_for_clients_of_other_wires(name: str) -> None:
    start = {"type": "message_start", "message": {"id": "m", "model": "m", "usage": {"input_tokens": 1}}}
    parser = A.stream_parser()
    events = [event for frame in _frames(named(start, {"type": "ping"})) for event in parser.feed(frame)]
    wire = WIRES[name]
    request = (
        asked() if wire is R else wire.parse_request(b'{"model":"m","messages":[{"role":"user","content":"x"}],"contents":[]}')
    )
    renderer = wire.stream_renderer(request)
    before = renderer.feed(events[:1])
    assert renderer.feed(events[1:]) == b""
    assert b"ping" not in before


def _frames(stream: bytes) -> Sequence[Frame]:
    return SseSplitter().feed(stream)


def test_row_124_no_cache_marker_is_ever_added() -> None:
    """A caller's four stay four, however the request is rendered, and a tool that waits to be found gets none."""
    tools = [{**TOOL, **MARKER}, {**TOOL, "name": "late", "defer_loading": True}]
    turns = [user(text("a", **MARKER)), assistant(text("b", **MARKER)), user(text("c"))]
    request = ask(A, system=[text("s", **MARKER)], messages=turns, tools=tools)
    body, _ = sent(A, request)
    assert json.dumps(body).count("cache_control") == 4
    assert "cache_control" not in body["tools"][1]
    plain, _ = sent(A, ask(C, messages=[{"role": "system", "content": "s"}, {"role": "user", "content": "x"}]))
    assert "cache_control" not in json.dumps(plain)


def test_row_174_googles_calls_have_the_same_ids_each_time() -> None:
    """Two calls of one name among them, and another answer has others."""

    def ids(answer_id: str) -> list[str]:
        call = {"functionCall": {"name": "f", "args": {}}}
        chunk = {"responseId": answer_id, "candidates": [{"content": {"parts": [call, call]}, "finishReason": "STOP"}]}
        parts = fold(gemini.parse_response(json.dumps(chunk).encode())).parts
        return [part.id for part in parts if hasattr(part, "id")]

    assert ids("a") == ids("a")
    assert len({*ids("a"), *ids("b")}) == 4


def test_row_193_an_effort_is_no_reason_to_lose_a_request_where_none_is_taken() -> None:
    """A client of Responses at a model that only speaks Chat Completions and knows no effort."""
    body, rendered = sent(C, asked(reasoning={"effort": "high"}))
    assert "reasoning" not in body
    assert "reasoning_effort" not in body
    assert any("thinking" in loss or "effort" in loss for loss in rendered.losses)


def test_row_194_marked_content_is_a_list_of_parts() -> None:
    """Databricks' Claude takes no marker at a content that is a string."""
    quirks = quirks_for(PROVIDERS["databricks"], "databricks-claude-sonnet-4-5")
    request = ask(A, system=[text("s", **MARKER)], messages=[user(text("x", **MARKER))])
    body, _ = sent(C, request, quirks)
    for message in body["messages"]:
        assert isinstance(message["content"], list)
        assert message["content"][-1]["cache_control"] == {"type": "ephemeral"}


def test_row_201_moonshot_gets_no_empty_turn_and_no_temperature_where_it_is_fixed() -> None:
    quirks = quirks_for(PROVIDERS["moonshot"], "kimi-k2.5")
    turns = [user(text("a")), assistant(text("")), user(text("b"))]
    body, rendered = sent(C, ask(A, messages=turns, temperature=0.2, top_p=0.5), quirks)
    assert [message["role"] for message in body["messages"]].count("assistant") == 0
    assert {"temperature", "top_p"} & set(body) == set()
    assert {"temperature", "top_p"} <= set(rendered.losses)
    older, _ = sent(C, ask(A, messages=turns, temperature=0.2), quirks_for(PROVIDERS["moonshot"], "kimi-k2-0905-preview"))
    assert older["temperature"] == 0.2


def test_row_202_openrouter_gets_markers_short_users_and_its_own_reasoning_back() -> None:
    quirks = quirks_for(PROVIDERS["openrouter"], "anthropic/claude-sonnet-4.5")
    long = {"user_id": "user_" + "x" * 200}
    body, _ = sent(C, ask(A, messages=[user(text("x", **MARKER))], metadata=long), quirks)
    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert len(body["user"]) <= 128
    details = [{"type": "reasoning.encrypted", "data": "opaque", "id": "r1", "format": "x"}]
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "reasoning_details": details}]
    again, _ = sent(C, ask(C, messages=[*turns, {"role": "user", "content": "c"}]), quirks)
    assert again["messages"][1]["reasoning_details"] == details


def test_row_014_text_stands_where_the_model_said_it() -> None:
    """From every wire that can say it: words, a call, words again."""
    parts = (Say("one"), CallTool("read", {"path": "a"}), Say("two"))
    speech = ResponsesSpeech()
    stream = b"".join(speech.events(Answer(parts), "m", has_usage=True))
    for events in (heard(R, stream), R.parse_response(speech.whole(Answer(parts), "m"))):
        blocks = json.loads(A.render_response(fold(events), ask(A)))["content"]
        assert [block["type"] for block in blocks] == ["text", "tool_use", "text"]


@pytest.mark.parametrize(
    ("provider", "model", "wire"),
    [
        ("databricks", "databricks-claude-sonnet-4-5", "anthropic"),
        ("databricks", "databricks-meta-llama-3-3-70b-instruct", "openai_chat"),
        ("vertex", "claude-sonnet-4-5@20250929", "anthropic"),
        ("vertex", "gemini-2.5-flash", "gemini"),
        ("bedrock", CLAUDE, "anthropic"),
        ("bedrock", "amazon.nova-pro-v1:0", "bedrock_converse"),
    ],
    ids=["row-117-databricks", "row-117-other", "row-117-vertex", "row-117-gemini", "row-186-tools-of-anthropic", "row-117-nova"],
)
def test_model_and_provider_decide_together_what_goes_through(provider: str, model: str, wire: str) -> None:
    """A client of Messages: its own JSON goes to Claude only, and there with all that Converse could not say."""
    assert way(provider, PROVIDERS[provider].base_url, model, "anthropic").wire == wire


def test_row_176_the_global_place_has_a_host_without_a_region() -> None:
    assert "//aiplatform.googleapis.com/" in address_of(PROVIDERS["vertex"], {"project": "p-1234", "region": "global"})
    assert "//europe-west4-aiplatform.googleapis.com/" in address_of(
        PROVIDERS["vertex"], {"project": "p-1234", "region": "europe-west4"}
    )


@pytest.mark.parametrize("size", [0, 1, 7, 100])
def test_row_181_events_inside_binary_messages_become_anthropics_own(size: int) -> None:
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "m", "model": "m", "usage": {"input_tokens": 1}}},
        {"type": "ping"},
    ]
    stream = b"".join(
        bedrock.event("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode(), "p": "abc"}) for event in events
    )
    splitter = ChunkSplitter()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)] if size else [stream]
    found = [frame for piece in pieces for frame in splitter.feed(piece)]
    assert [(frame.event, json.loads(frame.data)) for frame in found] == [(event["type"], event) for event in events]


def test_signatures_are_the_fakes_own() -> None:
    """What the strict vendors above check is worth something only if another thought has another signature."""
    assert signature_of("a") != signature_of("b")
    assert encrypted_of("a") != encrypted_of("b")
