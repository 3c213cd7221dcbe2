"""Same wire in and out: the client's own bytes go through, and so do the vendor's."""

import gzip
import json

import msgspec
import pytest

from tests.fakes import openai_wire
from tests.fakes.dialects import CHAT, MESSAGES
from tests.fakes.lab import MODELS, Pair
from tests.fakes.script import Answer, CallTool, Delivery, Refuse, Say, Think, say

ODD_MESSAGES = (
    b'{ "max_tokens":9,\t"messages" : [{"content":"caf\\u00e9 \\/ ok","role":"user"}],\r\n "model":"claude-odd" , '
    b'"metadata":{"user_id":"x"},"temperature":0.10, "tools":[{"name":"f","input_schema":{"type":"object",'
    b'"properties":{"n":{"const":123456789012345678901234567890}}}}], "stream":%b }'
)
ODD_CHAT = (
    b'{ "messages" : [{"content":"caf\\u00e9 \\/ ok","role":"user"}],\r\n "model":"gpt-odd" , "seed":1, '
    b'"temperature":0.10, "stream_options":{"include_usage":true},"logit_bias":{ "50256" : -100 }, "stream":%b }'
)


def _fragments(body: bytes) -> list[tuple[str, bytes]]:
    """The top level's keys in order, each with the bytes of its value."""
    return [(key, bytes(value)) for key, value in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()]


def test_a_request_goes_out_as_it_came_but_for_the_model(to_anthropic: Pair) -> None:
    """Order, escapes, numbers and the space inside of values included."""
    body = ODD_MESSAGES % b"true"
    to_anthropic.send(body)
    sent = to_anthropic.upstream.chats[0]
    assert _fragments(sent.body) == _fragments(body.replace(b"claude-odd", MODELS["anthropic"].encode()))
    assert sent.headers["x-api-key"] == to_anthropic.upstream.key
    assert "authorization" not in sent.headers


def test_a_chat_request_goes_out_as_it_came_but_for_the_model(to_openai: Pair) -> None:
    """Also where the client authorises as a bearer."""
    body = ODD_CHAT % b"true"
    to_openai.send(body)
    sent = to_openai.upstream.chats[0]
    assert _fragments(sent.body) == _fragments(body.replace(b"gpt-odd", MODELS["openai"].encode()))
    assert sent.headers["authorization"] == f"Bearer {to_openai.upstream.key}"


RICH = (Think("Hm."), Say("Söme text", 5), CallTool("f", {"path": "x"}))


@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_an_answer_comes_back_as_it_was_sent(to_anthropic: Pair, is_streamed: bool) -> None:
    """Byte for byte."""
    to_anthropic.upstream.play(Answer(RICH, model="claude-haiku-4-5-20251001"))
    reply = to_anthropic.send(MESSAGES.ask("hi", is_streamed=is_streamed))
    assert reply.body == bytes(to_anthropic.upstream.chats[0].sent)
    assert reply.headers["request-id"]


@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_a_chat_answer_comes_back_as_it_was_sent(to_openai: Pair, is_streamed: bool) -> None:
    """Byte for byte, the usage chunk included where the client asked for it."""
    to_openai.upstream.play(Answer(RICH, model="gpt-4o-mini-2024-07-18"))
    reply = to_openai.send(CHAT.ask("hi", is_streamed=is_streamed))
    assert reply.body == bytes(to_openai.upstream.chats[0].sent)


def test_usage_that_the_client_did_not_ask_for_stays_here(to_openai: Pair) -> None:
    """We ask the vendor for tokens to count them; a client that did not must not meet a chunk without choices."""
    request = CHAT.ask("hi", is_streamed=True)
    del request["stream_options"]
    reply = to_openai.send(request)
    assert CHAT.heard(reply).text == "pong"
    chunks = [event for event in reply.events if event != "[DONE]"]
    assert all(chunk["choices"] for chunk in chunks)
    assert all(not chunk.get("usage") for chunk in chunks)


def test_an_unknown_field_is_left_to_the_vendor(to_anthropic: Pair) -> None:
    """Nobody knows every field of tomorrow. The vendor's own refusal reaches the client, status and words."""
    to_anthropic.upstream.expects_complaints = True
    reply = to_anthropic.caller.post(MESSAGES.path, MESSAGES.ask("hi", field_of_tomorrow={"x": [1]}))
    assert reply.status == 400
    assert "field_of_tomorrow: Extra inputs are not permitted" in MESSAGES.error_of(reply.json)
    assert to_anthropic.upstream.chats[0].json["field_of_tomorrow"] == {"x": [1]}
    assert len(to_anthropic.upstream.chats) == 1, "a request that cannot be read is not tried again"


def test_row_104_row_209_versions_and_betas_travel_and_credentials_do_not(to_anthropic: Pair) -> None:
    """What means something to the vendor goes on; the client's token, cookies and addresses stay."""
    headers = {
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "context-management-2025-06-27",
        "cookie": "session=secret",
        "x-forwarded-for": "10.0.0.1",
        "authorization": f"Bearer {to_anthropic.program.token}",
    }
    to_anthropic.send(MESSAGES.ask("hi", context_management={"edits": []}), headers)
    sent = to_anthropic.upstream.chats[0].headers
    assert sent["anthropic-version"] == "2026-10-21"
    assert sent["anthropic-beta"] == "context-management-2025-06-27"
    assert {"cookie", "x-forwarded-for", "authorization"} & set(sent) == set()
    assert to_anthropic.program.token not in json.dumps(sent)


@pytest.mark.parametrize(
    "delivery",
    [Delivery(write_bytes=7), Delivery(line_end=b"\r\n"), Delivery(has_comments=True), Delivery(has_space=False)],
    ids=["cut", "crlf", "comments", "no-space"],
)
def test_odd_framing_is_relayed_too(to_anthropic: Pair, delivery: Delivery) -> None:
    """The relay does not tidy up."""
    to_anthropic.upstream.play(say("Grüße", pieces=3, delivery=delivery))
    reply = to_anthropic.send(MESSAGES.ask("hi", is_streamed=True))
    assert reply.body == bytes(to_anthropic.upstream.chats[0].sent)


@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_row_067_reasoning_that_the_vendor_cannot_verify_is_left_out_once(to_anthropic: Pair, is_streamed: bool) -> None:
    """Another account's signatures: the vendor refuses the request, and takes it without them. The loss is said."""
    to_anthropic.upstream.expects_complaints = True
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c29tZW9uZSBlbHNl"}
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [thought, {"type": "text", "text": "b"}]},
        {"role": "user", "content": "c"},
    ]
    asked = MESSAGES.ask("x", is_streamed=is_streamed, messages=turns)
    reply = to_anthropic.send(asked)
    assert MESSAGES.heard(reply).text == "pong"
    assert "could not verify" in reply.headers["x-lynkr-losses"]
    first, second = (chat.json["messages"] for chat in to_anthropic.upstream.chats)
    assert first[1]["content"][0] == thought
    assert second == [turns[0], {"role": "assistant", "content": [{"type": "text", "text": "b"}]}, turns[2]]
    assert len(to_anthropic.upstream.complaints) == 1


def test_row_067_a_refusal_of_reasoning_that_is_not_there_is_told(to_anthropic: Pair) -> None:
    to_anthropic.upstream.always = Refuse(400, "messages.1: Invalid `signature` in `thinking` block")
    assert to_anthropic.caller.post(MESSAGES.path, MESSAGES.ask("hi")).status == 400
    assert len(to_anthropic.upstream.chats) == 1


@pytest.mark.parametrize("status", [200, 400])
def test_row_103_lengths_and_encodings_are_those_of_what_is_sent(anthropic_to_openai: Pair, status: int) -> None:
    """A compressed answer of the vendor, rendered anew or refused, says nothing of its old form."""
    upstream = anthropic_to_openai.upstream
    body = openai_wire.whole(say("pong"), "m") if status == 200 else openai_wire.error_body(400, "no")
    upstream.play(Refuse(status, body=gzip.compress(body), headers=(("content-encoding", "gzip"),)))
    reply = anthropic_to_openai.caller.post(MESSAGES.path, MESSAGES.ask("hi"))
    assert reply.status == status
    assert "content-encoding" not in reply.headers
    assert int(reply.headers["content-length"]) == len(reply.body)
    assert reply.json
