"""Each way through the program, from outside: the client hears what the vendor said, and the vendor gets what it demands."""

import json
from typing import Any

import pytest

from tests.fakes.dialects import CHAT, MESSAGES, Heard
from tests.fakes.lab import MODELS, PROMPT_CANARY, Lab, Pair
from tests.fakes.script import Answer, CallTool, Delivery, Ending, Say, Step, Think, Tokens, call, say, signature_of
from tests.fakes.upstream import Received

RED_DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
STREAMED = pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])


@STREAMED
def test_text_arrives_whole(pair: Pair, is_streamed: bool) -> None:
    """Words, the reason for the end, tokens; and where it went, in the headers."""
    pair.upstream.play(say("Grüße aus der Wolke ☁ und 𝄞.", pieces=7))
    reply = pair.send(pair.dialect.ask(PROMPT_CANARY, is_streamed=is_streamed))
    heard = pair.dialect.heard(reply)
    assert heard.text == "Grüße aus der Wolke ☁ und 𝄞."
    assert heard.stop == "end"
    assert reply.headers["x-lynkr-provider"] == pair.upstream.vendor.name
    assert reply.headers["x-lynkr-model"] == MODELS[pair.upstream.vendor.name]
    assert reply.headers["x-lynkr-routing-reason"]
    sent = pair.upstream.chats[0].json
    assert sent["model"] == MODELS[pair.upstream.vendor.name]
    assert PROMPT_CANARY in json.dumps(sent["messages"])


def test_the_first_words_come_before_the_last_are_said(pair: Pair) -> None:
    """A stream is passed on as it comes, not collected."""
    pair.upstream.play(say("first second", delivery=Delivery(ending=Ending.HOLD, cut_before=b"second")))
    with pair.caller.stream(pair.dialect.path, pair.dialect.ask("hi", is_streamed=True)) as stream:
        stream.read_until(b"first")
        assert b"second" not in stream.seen
        pair.upstream.chats[0].release()
        stream.read_until(b"second")
        stream.rest()


def _secret_keeper(received: Received) -> Step:
    """Asks for a file first, then answers with what the file held."""
    body = json.dumps(received.json["messages"], ensure_ascii=False)
    if "THE-CONTENT" in body:
        return say("The file says THE-CONTENT-42.")
    return Answer((Say("Let me look. "), CallTool("read_file", {"path": "ä/b.txt"}, "toolu_01Look")))


@STREAMED
def test_a_tool_loop(pair: Pair, is_streamed: bool) -> None:
    """A call goes out, its result comes back, and decides the answer."""
    pair.upstream.always = _secret_keeper
    request = pair.dialect.ask("What does the file say?", is_streamed=is_streamed, tools=["read_file", "write_file"])
    heard = pair.hear(request)
    assert heard.stop == "tools"
    assert heard.text == "Let me look. "
    assert [(one.name, one.path) for one in heard.calls] == [("read_file", "ä/b.txt")]
    answer = pair.hear(pair.dialect.next_turn(request, heard, {heard.calls[0].id: "THE-CONTENT is 42"}))
    assert answer.text == "The file says THE-CONTENT-42."
    assert answer.stop == "end"


def test_a_short_answer_with_everything(pair: Pair) -> None:
    """A vendor may be asked for one JSON where the answer must be short; nothing of it is lost either."""
    pair.upstream.play(Answer((Think("Hm."), Say("Look."), CallTool("read_file", {"path": "ä"})), tokens=Tokens(5, 6, 7)))
    heard = pair.hear(pair.dialect.ask("hi", tools=["read_file"], max_tokens=100))
    assert (heard.thinking, heard.text, heard.calls[0].path, heard.stop) == ("Hm.", "Look.", "ä", "tools")
    assert 6 in heard.usage.values()


@STREAMED
@pytest.mark.parametrize("is_interleaved", [False, True], ids=["in-turn", "interleaved"])
def test_parallel_tool_calls(pair: Pair, is_streamed: bool, is_interleaved: bool) -> None:
    """Two calls at once stay two, each with its own arguments, also where their fragments take turns; so do their results."""
    calls = (CallTool("read_file", {"path": "a" * 40}, "toolu_01A", 6), CallTool("read_file", {"path": "b" * 40}, "toolu_02B", 4))
    pair.upstream.play(call(*calls, is_interleaved=is_interleaved), say("done"))
    request = pair.dialect.ask("Read both.", is_streamed=is_streamed, tools=["read_file"])
    heard = pair.hear(request)
    assert [one.path for one in heard.calls] == ["a" * 40, "b" * 40]
    assert len({one.id for one in heard.calls}) == 2
    results = {one.id: f"content {one.path[0]}" for one in heard.calls}
    assert pair.hear(pair.dialect.next_turn(request, heard, results)).text == "done"
    sent = json.dumps(pair.upstream.chats[1].json["messages"])
    assert sent.index("content a") < sent.index("content b")


@STREAMED
def test_a_tool_call_without_arguments(pair: Pair, is_streamed: bool) -> None:
    """An empty object, in whatever way the vendor says nothing."""
    pair.upstream.play(call(CallTool("list_files", {}, "toolu_01E")), say("three"))
    request = pair.dialect.ask("How many?", is_streamed=is_streamed, tools=["list_files"])
    heard = pair.hear(request)
    assert json.loads(heard.calls[0].arguments or "{}") == {}
    assert pair.hear(pair.dialect.next_turn(request, heard, {heard.calls[0].id: ""})).text == "three"


@STREAMED
def test_numbers_keep_every_digit(pair: Pair, is_streamed: bool) -> None:
    """Arguments are text to us: a number beyond 64 bits is not rounded."""
    digits = "123456789012345678901234567890.10"
    pair.upstream.play(call(CallTool("read_file", raw_arguments=f'{{"path": "x", "size": {digits}}}')))
    reply = pair.send(pair.dialect.ask("x", is_streamed=is_streamed, tools=["read_file"]))
    text = reply.body.decode()
    joined = "".join(one.arguments for one in pair.dialect.heard(reply).calls) if is_streamed else text
    assert digits in joined


def test_pictures_travel(pair: Pair) -> None:
    """The vendor gets the very same bytes of the image."""
    pair.upstream.play(say("A red dot."))
    assert pair.hear(pair.dialect.ask(pair.dialect.picture("What is it?", RED_DOT))).text == "A red dot."
    assert RED_DOT in pair.upstream.chats[0].body.decode()


@STREAMED
def test_tokens_are_counted_once(pair: Pair, is_streamed: bool) -> None:
    """Cached tokens are told in each dialect's own way, and never twice."""
    pair.upstream.play(say("x", tokens=Tokens(input=100, output=20, cache_read=1000)))
    usage = pair.hear(pair.dialect.ask("hi", is_streamed=is_streamed)).usage
    if pair.dialect is MESSAGES:
        assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (100, 1000, 20)
    else:
        assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (1100, 20, 1120)
        assert usage["prompt_tokens_details"]["cached_tokens"] == 1000


@STREAMED
@pytest.mark.parametrize("stop", ["length", "refusal"])
def test_why_an_answer_ended(pair: Pair, is_streamed: bool, stop: str) -> None:
    """The reason survives the way."""
    pair.upstream.play(Answer((Say("cut off he"),), stop=stop))
    assert pair.hear(pair.dialect.ask("hi", is_streamed=is_streamed)).stop == stop


@STREAMED
def test_instructions_and_limits_travel(pair: Pair, is_streamed: bool) -> None:
    """System text, output limit, temperature and stop sequences reach the vendor under its own names."""
    more: dict[str, Any] = {"temperature": 0.25, "max_tokens": 77}
    if pair.dialect is MESSAGES:
        request = pair.dialect.ask("hi", is_streamed=is_streamed, system="Be brief.", stop_sequences=["###"], **more)
    else:
        request = pair.dialect.ask("hi", is_streamed=is_streamed, stop="###", **more)
        request["messages"].insert(0, {"role": "system", "content": "Be brief."})
    pair.hear(request)
    sent = pair.upstream.chats[0].json
    assert sent["temperature"] == 0.25
    assert sent.get("max_tokens", sent.get("max_completion_tokens")) == 77
    system = sent.get("system") or sent["messages"][0]["content"]
    assert "Be brief." in json.dumps(system)
    assert "###" in (sent.get("stop_sequences") or sent.get("stop"))


@STREAMED
@pytest.mark.parametrize("choice", ["must", "this", "none"])
def test_tool_choice_travels(pair: Pair, is_streamed: bool, choice: str) -> None:
    """Each dialect's way to force or forbid tools becomes the vendor's."""
    messages = {"must": {"type": "any"}, "this": {"type": "tool", "name": "read_file"}, "none": {"type": "none"}}
    chat = {"must": "required", "this": {"type": "function", "function": {"name": "read_file"}}, "none": "none"}
    ours = messages if pair.dialect is MESSAGES else chat
    theirs = messages if pair.upstream.vendor.name == "anthropic" else chat
    pair.hear(pair.dialect.ask("hi", is_streamed=is_streamed, tools=["read_file"], tool_choice=ours[choice]))
    assert pair.upstream.chats[0].json["tool_choice"] == theirs[choice]


@STREAMED
def test_thinking_is_heard(pair: Pair, is_streamed: bool) -> None:
    """Reasoning reaches the client apart from the words."""
    pair.upstream.play(Answer((Think("First I think."), Say("Then I talk."))))
    heard = pair.hear(pair.dialect.ask("hi", is_streamed=is_streamed))
    assert heard.text == "Then I talk."
    assert heard.thinking == "First I think."


THINKING: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4000}


def _thinking_turn(pair: Pair, *, is_streamed: bool) -> Heard:
    request = pair.dialect.ask("Read it.", is_streamed=is_streamed, tools=["read_file"], **THINKING)
    heard = pair.hear(request)
    answer = pair.hear(pair.dialect.next_turn(request, heard, {heard.calls[0].id: "the content"}))
    assert answer.text == "done"
    return heard


@STREAMED
@pytest.mark.parametrize("is_redacted", [False, True], ids=["open", "redacted"])
def test_signed_thinking_goes_back_as_it_came(to_anthropic: Pair, is_streamed: bool, is_redacted: bool) -> None:
    """The vendor demands its thought back with its signature when a tool result follows."""
    thought = Think("I must read.", is_redacted=is_redacted)
    to_anthropic.upstream.play(Answer((thought, CallTool("read_file", {"path": "x"}))), say("done"))
    heard = _thinking_turn(to_anthropic, is_streamed=is_streamed)
    if not is_redacted:
        assert heard.signature == signature_of("I must read.")


@STREAMED
def test_thinking_of_another_vendor_does_no_harm(anthropic_to_openai: Pair, is_streamed: bool) -> None:
    """A client that asks for thinking and sends thoughts back is served by a vendor that knows neither."""
    anthropic_to_openai.upstream.play(Answer((Think("Hm."), CallTool("read_file", {"path": "x"}, "call_1"))), say("done"))
    _thinking_turn(anthropic_to_openai, is_streamed=is_streamed)


def test_what_claude_code_sends_fits_another_vendor(anthropic_to_openai: Pair) -> None:
    """Cache markers, a long user id, unknown tool keys, long tool names: nothing of it is refused, and names come back."""
    name = "mcp__a_server_with_a_long_name__" + "x" * 60
    tool = {"name": name, "input_schema": {"$schema": "x", "type": "object", "properties": {}}, "defer_loading": False}
    marked = [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]
    body = MESSAGES.ask(
        marked,
        is_streamed=True,
        system=[
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=1; cch=12345;"},
            {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}},
        ],
        tools=[],
        metadata={"user_id": json.dumps({"device_id": "d" * 64, "session_id": "s" * 36, "account_uuid": ""})},
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        thinking={"type": "enabled", "budget_tokens": 31999, "display": "omitted"},
        max_tokens=32000,
        output_config={"effort": "high"},
        top_k=5,
    )
    body["tools"] = [tool]

    def calls_it(received: Received) -> Step:
        return call(CallTool(received.json["tools"][0]["function"]["name"], {}, "call_1"))

    anthropic_to_openai.upstream.play(calls_it)
    reply = anthropic_to_openai.send(body, {"anthropic-beta": "context-management-2025-06-27", "anthropic-version": "2023-06-01"})
    assert [one.name for one in MESSAGES.heard(reply).calls] == [name]
    assert reply.headers["x-lynkr-losses"], "what could not be carried must be declared"
    assert b"cch=" not in anthropic_to_openai.upstream.chats[0].body, "it changes each time and spoils the prompt cache"


def test_a_picture_in_a_tool_result_reaches_another_vendor(anthropic_to_openai: Pair) -> None:
    """As a picture, not as a wall of base64 text inside the tool's words."""
    upstream = anthropic_to_openai.upstream
    upstream.play(call(CallTool("screenshot", {}, "call_1")), say("I see."))
    request = MESSAGES.ask("Look.", tools=["screenshot"])
    heard = anthropic_to_openai.hear(request)
    turn = MESSAGES.next_turn(request, heard, {heard.calls[0].id: ""})
    turn["messages"][-1]["content"][0]["content"] = MESSAGES.picture("a screenshot", RED_DOT)
    assert anthropic_to_openai.hear(turn).text == "I see."
    messages = upstream.chats[1].json["messages"]
    assert all(RED_DOT not in json.dumps(message["content"]) for message in messages if message["role"] == "tool")
    assert RED_DOT in json.dumps([message["content"] for message in messages if message["role"] == "user"])


NOTHING_TO_ANSWER: dict[str, list[dict[str, Any]]] = {
    "instructions": [{"role": "system", "content": "Say hello."}],
    "orphan": [{"role": "system", "content": "x"}, {"role": "tool", "tool_call_id": "c1", "content": "r"}],
    "empty": [{"role": "user", "content": ""}],
    "empty-assistant": [{"role": "assistant", "content": ""}],
}


@pytest.mark.parametrize("name", NOTHING_TO_ANSWER)
def test_nothing_to_answer(lab: Lab, name: str) -> None:
    """What OpenAI's clients may send and Anthropic cannot take: served in a way that it can, or refused; no bug of ours."""
    pair = lab.pair(CHAT, "anthropic")
    reply = pair.caller.post(CHAT.path, CHAT.ask("") | {"messages": NOTHING_TO_ANSWER[name]})
    assert reply.status in {200, 400}, reply.body
    assert pair.upstream.complaints == []


def test_long_tool_ids_fit(anthropic_to_openai: Pair) -> None:
    """Ids of another vendor's turns may be longer than the 40 characters that OpenAI takes; calls and results stay paired."""
    request = MESSAGES.ask("Read both.", tools=["read_file"])
    calls: list[dict[str, Any]] = [
        {"type": "tool_use", "id": f"{'x' * 60}{end}", "name": "read_file", "input": {"path": end}} for end in "ab"
    ]
    results = [{"type": "tool_result", "tool_use_id": one["id"], "content": f"content {one['id'][-1]}"} for one in calls]
    request["messages"] += [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]
    assert anthropic_to_openai.hear(request).text == "pong"
    sent = anthropic_to_openai.upstream.chats[0].json["messages"]
    given = {one["id"]: one["function"]["arguments"] for one in sent[1]["tool_calls"]}
    assert [(json.loads(given[one["tool_call_id"]])["path"], one["content"]) for one in sent[2:]] == [
        ("a", "content a"),
        ("b", "content b"),
    ]


def test_the_client_sees_the_model_that_it_asked_for(anthropic_to_openai: Pair) -> None:
    """Some clients break on a name that they do not know."""
    anthropic_to_openai.upstream.play(say("x"), say("x"))
    for is_streamed in (True, False):
        assert anthropic_to_openai.hear(MESSAGES.ask("hi", is_streamed=is_streamed)).model == "claude-sonnet-4-5"
