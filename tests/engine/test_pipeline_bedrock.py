"""Ways through the program that end at Amazon Bedrock, from outside: real sockets, real signatures, a strict vendor."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.bedrock import ACCESS_KEY, SECRET_KEY, BedrockUpstream
from tests.fakes.caller import Caller, events_of
from tests.fakes.dialects import CHAT, MESSAGES, Dialect
from tests.fakes.program import Program, canary
from tests.fakes.script import Answer, CallTool, Delivery, Ending, Refuse, Say, Think, Tokens, dies, say, signature_of

STREAMED = pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
DIALECT = pytest.mark.parametrize("dialect", [MESSAGES, CHAT], ids=["messages", "chat"])
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILE = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3"
# No credentials but those that a test gives: neither of the machine that runs it nor of a cloud that it may run in.
NOTHING_FOUND = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none"}
CREDENTIALS = NOTHING_FOUND | {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_SESSION_TOKEN": "a-session",
}


class Way:
    """A scripted Bedrock and the program that leads to it with the credentials of its machine."""

    def __init__(self, upstream: BedrockUpstream, program: Program) -> None:
        self.upstream = upstream
        self.caller = Caller(program.url, program.token)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    upstream = BedrockUpstream(canary("bedrock"))
    upstream.start()
    env = CREDENTIALS | {"MODEL_PROVIDER": f"bedrock:{MODEL}", "AWS_BEDROCK_API_BASE": upstream.url, "AWS_REGION": "eu-west-1"}
    program = Program(tmp_path_factory.mktemp("bedrock"), env).wait_until_ready()
    yield Way(upstream, program)
    try:
        program.check_end((SECRET_KEY, upstream.key))
    finally:
        upstream.stop()


@pytest.fixture
def way(running: Way) -> Iterator[Way]:
    running.upstream.reset()
    yield running
    if not running.upstream.expects_complaints:
        assert running.upstream.complaints == [], "Bedrock would have refused what was sent"


@DIALECT
@STREAMED
def test_a_signed_request_brings_text_reasoning_and_tokens(way: Way, dialect: Dialect, is_streamed: bool) -> None:
    way.upstream.play(Answer((Think("Hm, yes."), Say("Grüße ☁ 𝄞.", 5)), tokens=Tokens(12, 9, cache_read=4)))
    reply = way.caller.post(dialect.path, dialect.ask("hello", is_streamed=is_streamed))
    heard = dialect.heard(reply)
    assert (reply.status, heard.text, heard.thinking, heard.stop) == (200, "Grüße ☁ 𝄞.", "Hm, yes.", "end")
    received = way.upstream.chats[0]
    assert received.json["model"] == MODEL
    assert "/eu-west-1/bedrock/aws4_request" in received.headers["authorization"]
    assert received.headers["x-amz-security-token"] == "a-session"


@DIALECT
@STREAMED
def test_a_loop_of_parallel_tool_calls(way: Way, dialect: Dialect, is_streamed: bool) -> None:
    calls = (
        CallTool("read_file", {"path": "ä"}),
        CallTool("read_file", {"path": "b"}, id="t2"),
        CallTool("list_files", {}, id="t3"),
    )
    way.upstream.play(Answer((Say("Looking. "), *calls)), say("done"))
    request = dialect.ask("Read.", is_streamed=is_streamed, tools=["read_file", "list_files"])
    heard = dialect.heard(way.caller.post(dialect.path, request))
    assert [(one.name, json.loads(one.arguments or "{}")) for one in heard.calls] == [(one.name, one.arguments) for one in calls]
    results = {one.id: f"content of {number}" for number, one in enumerate(heard.calls)}
    assert dialect.heard(way.caller.post(dialect.path, dialect.next_turn(request, heard, results))).text == "done"
    sent = json.dumps(way.upstream.chats[1].json)
    assert sent.index("content of 0") < sent.index("content of 1") < sent.index("content of 2")


@STREAMED
def test_a_thought_comes_back_signed_with_its_call(way: Way, is_streamed: bool) -> None:
    way.upstream.play(Answer((Think("I need it."), CallTool("read_file", {"path": "a"}))), say("done"))
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4000}
    request = MESSAGES.ask("Read.", is_streamed=is_streamed, tools=["read_file"], **thinking)
    heard = MESSAGES.heard(way.caller.post(MESSAGES.path, request))
    MESSAGES.heard(way.caller.post(MESSAGES.path, MESSAGES.next_turn(request, heard, {heard.calls[0].id: "x"})))
    for received in way.upstream.chats:
        assert received.headers["x-fake-verb"].startswith("invoke")
        assert received.json["thinking"] == thinking["thinking"]
    thought = way.upstream.chats[1].json["messages"][1]["content"][0]
    assert thought == {"type": "thinking", "thinking": "I need it.", "signature": signature_of("I need it.")}


def test_claudes_own_clients_go_through_its_own_wire_and_say_there_what_bedrock_takes(way: Way) -> None:
    """Their beta flags are in the body, without those over which Bedrock would refuse the request."""
    betas = "claude-code-20250219,context-1m-2025-08-07,context-management-2025-06-27,interleaved-thinking-2025-05-14"
    marker = {"cache_control": {"type": "ephemeral", "ttl": "1h", "scope": "global"}}
    edits = [{"type": "clear_thinking_20251015"}, {"type": "clear_tool_uses_20250919"}]
    request = MESSAGES.ask("hi", is_streamed=True, speed="fast", context_management={"edits": edits})
    request["system"] = [{"type": "text", "text": "Be kind.", **marker}]
    reply = way.caller.post(MESSAGES.path + "?beta=true", request, {"anthropic-beta": betas})
    assert MESSAGES.heard(reply).text == "pong"
    received = way.upstream.chats[0]
    assert "anthropic-beta" not in received.headers
    assert received.json["anthropic_beta"] == ["context-1m-2025-08-07", "context-management-2025-06-27"]
    assert received.json["system"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert received.json["context_management"] == {"edits": edits[1:]}
    assert "the field speed" in reply.headers["x-lynkr-losses"]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_row_087_any_cutting_of_the_bytes_gives_the_same(way: Way, size: int) -> None:
    way.upstream.play(say("Grüße ☁ 𝄞, alle.", pieces=4, delivery=Delivery(write_bytes=size)))
    assert MESSAGES.heard(way.caller.post(MESSAGES.path, MESSAGES.ask("hi", is_streamed=True))).text == "Grüße ☁ 𝄞, alle."


@pytest.mark.parametrize("ending", [Ending.ERROR_EVENT, Ending.RESET, Ending.CLOSE])
def test_row_182_a_stream_that_fails_is_no_success(way: Way, ending: Ending) -> None:
    way.upstream.play(dies(ending, after=4))
    reply = way.caller.post(MESSAGES.path, MESSAGES.ask("hi", is_streamed=True))
    events = events_of(reply.body)
    assert MESSAGES.error_of(events[-1])
    assert not any(event["type"] == "message_stop" for event in events)


def test_a_refusal_before_the_first_byte_is_one_of_the_clients_wire(way: Way) -> None:
    way.upstream.expects_complaints = True
    way.upstream.play(Refuse(400, "Input is too long for requested model."))
    reply = way.caller.post(MESSAGES.path, MESSAGES.ask("hi", is_streamed=True))
    assert reply.status == 400
    assert "prompt is too long" in MESSAGES.error_of(reply.json)


def started(home: Any, upstream: BedrockUpstream, **env: str) -> Program:
    base = {"AWS_BEDROCK_API_BASE": upstream.url, "MODEL_PROVIDER": "bedrock"}
    return Program(home, NOTHING_FOUND | base | env).wait_until_ready()


@pytest.fixture
def upstream() -> Iterator[BedrockUpstream]:
    server = BedrockUpstream(canary("bedrock"))
    server.start()
    yield server
    server.stop()
    assert server.complaints == []


def test_row_183_a_profile_is_named_by_its_arn_and_signed_as_it_is_sent(tmp_path: Any, upstream: BedrockUpstream) -> None:
    program = started(tmp_path, upstream, AWS_BEDROCK_MODEL_ID=PROFILE, **CREDENTIALS)
    reply = Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi"))
    assert CHAT.heard(reply).text == "pong"
    assert upstream.chats[0].json["model"] == PROFILE
    program.check_end((SECRET_KEY,))


def test_an_api_key_needs_no_credentials(tmp_path: Any, upstream: BedrockUpstream) -> None:
    program = started(tmp_path, upstream, AWS_BEDROCK_API_KEY=upstream.key)
    reply = Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi", is_streamed=True))
    assert CHAT.heard(reply).text == "pong"
    assert "x-amz-date" not in upstream.chats[0].headers
    program.check_end((upstream.key,))


def test_without_credentials_the_remedy_is_told_and_nothing_sent(tmp_path: Any, upstream: BedrockUpstream) -> None:
    program = started(tmp_path, upstream)
    reply = Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi"))
    assert reply.status == 502
    assert "no AWS credentials" in CHAT.error_of(reply.json)
    assert upstream.received == []
    program.check_end(())
