"""Streams that are odd, break off or are left: from outside, both dialects, both vendors."""

import gzip

import pytest

from tests.fakes.anthropic_wire import events, whole
from tests.fakes.caller import PATIENCE, events_of
from tests.fakes.dialects import MESSAGES
from tests.fakes.lab import Pair
from tests.fakes.script import Answer, Delivery, Ending, Hang, RawReply, Refuse, Step, dies, say
from tests.fakes.upstream import Received

TEXT = "Grüße, 𝄞 and more words than one packet."
DELIVERIES = {
    "one-byte-writes": Delivery(write_bytes=1),
    "eleven-byte-writes": Delivery(write_bytes=11),
    "crlf": Delivery(line_end=b"\r\n"),
    "crlf-cut": Delivery(line_end=b"\r\n", write_bytes=5),
    "comments": Delivery(has_comments=True),
    "no-space": Delivery(has_space=False),
    "no-final-blank": Delivery(has_final_blank=False),
    "no-charset": Delivery(content_type="text/event-stream"),
    "wrong-type": Delivery(content_type="text/plain"),
}


@pytest.mark.parametrize("name", DELIVERIES)
def test_any_framing_gives_the_same_answer(pair: Pair, name: str) -> None:
    """However the bytes travel, a client that wants one JSON and one that wants a stream hear the same."""
    pair.upstream.always = say(TEXT, pieces=9, delivery=DELIVERIES[name])
    heard = pair.hear(pair.dialect.ask("hi"))
    assert (heard.text, heard.stop) == (TEXT, "end")
    with pair.caller.stream(pair.dialect.path, pair.dialect.ask("hi", is_streamed=True)) as stream:
        raw = stream.rest().decode().replace("\r\n", "\n")
    assert stream.status == 200
    if pair.is_same_wire:  # relayed as it is; only what a client understands of it is ours to check
        raw = raw.replace(": keep-alive\n\n", "")
    assert [event for event in events_of(raw.encode()) if event != "[DONE]"]
    assert "𝄞" in raw


@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_a_missing_last_word_is_forgiven(anthropic_to_openai: Pair, is_streamed: bool) -> None:
    """Some servers forget `[DONE]`; the reason for the end had been told."""
    anthropic_to_openai.upstream.play(say(TEXT, delivery=Delivery(has_done=False)))
    assert anthropic_to_openai.hear(MESSAGES.ask("hi", is_streamed=is_streamed)).text == TEXT


@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_row_102_a_compressed_answer_is_understood(to_anthropic: Pair, is_streamed: bool) -> None:
    """We ask for plain bytes; a server in between that compresses all the same does no harm."""

    def compressed(received: Received) -> Step:
        answer = say(TEXT).parts
        body = b"".join(events(Answer(answer), "m", has_usage=True)) if is_streamed else whole(Answer(answer), "m")
        kind = "text/event-stream" if is_streamed else "application/json"
        assert "gzip" not in received.headers.get("accept-encoding", "")
        return Refuse(200, body=gzip.compress(body), content_type=kind, headers=(("content-encoding", "gzip"),))

    to_anthropic.upstream.play(compressed)
    assert to_anthropic.hear(MESSAGES.ask("hi", is_streamed=is_streamed)).text == TEXT


@pytest.mark.parametrize("ending", [Ending.RESET, Ending.CLOSE, Ending.ERROR_EVENT])
def test_row_111_a_stream_that_dies_is_never_silent(pair: Pair, ending: Ending) -> None:
    """The words that came are there, then an error in the client's own dialect, and nothing that looks like a proper end."""
    pair.upstream.play(dies(ending, after=6))
    with pair.caller.stream(pair.dialect.path, pair.dialect.ask("hi", is_streamed=True)) as stream:
        events = events_of(stream.rest())
    assert b"one t" in stream.seen
    assert b"eight" not in stream.seen
    said = [event for event in events if event != "[DONE]"]
    assert pair.dialect.error_of(said[-1])
    assert not any(event.get("type") == "message_stop" for event in said)
    assert not any(choice["finish_reason"] for event in said for choice in event.get("choices", []))
    assert len(pair.upstream.chats) == 1, "words that were heard are not said again"


@pytest.mark.parametrize("ending", [Ending.RESET, Ending.CLOSE, Ending.ERROR_EVENT])
def test_half_an_answer_is_no_answer(pair: Pair, ending: Ending) -> None:
    """A client that wants one JSON gets an error, not the first half."""
    pair.upstream.always = dies(ending, after=6)
    reply = pair.caller.post(pair.dialect.path, pair.dialect.ask("hi"))
    assert reply.status >= 500
    assert pair.dialect.error_of(reply.json)


def test_a_cut_json_is_no_answer(pair: Pair) -> None:
    """Half a JSON with status 200 is told as the vendor's fault."""
    pair.upstream.always = RawReply(b'{"id": "x", "content": [{"type": "te', content_type="application/json")
    reply = pair.caller.post(pair.dialect.path, pair.dialect.ask("hi"))
    assert reply.status == 502
    assert pair.dialect.error_of(reply.json)


def test_row_094_a_client_that_leaves_stops_the_vendor(pair: Pair) -> None:
    """Nobody pays for words that nobody hears."""
    pair.upstream.play(say("first second", delivery=Delivery(ending=Ending.HOLD, cut_before=b"second")))
    with pair.caller.stream(pair.dialect.path, pair.dialect.ask("hi", is_streamed=True)) as stream:
        stream.read_until(b"first")
        stream.leave()
    assert pair.upstream.chats[0].hung_up.wait(PATIENCE)


@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_row_096_a_client_that_leaves_before_the_first_word_stops_the_vendor(pair: Pair, is_streamed: bool) -> None:
    """The time before the first word is watched too."""
    pair.upstream.play(Hang())
    connection = pair.caller.open(pair.dialect.path, pair.dialect.ask("hi", is_streamed=is_streamed))
    received = pair.upstream.wait_for_chat()
    assert not received.hung_up.is_set()
    connection.close()
    assert received.hung_up.wait(PATIENCE)


def test_a_client_that_leaves_while_its_answer_is_collected_stops_the_vendor(pair: Pair) -> None:
    """Also where the stream is folded into one JSON."""
    pair.upstream.play(say("first second", delivery=Delivery(ending=Ending.HOLD, cut_before=b"second")))
    connection = pair.caller.open(pair.dialect.path, pair.dialect.ask("hi"))
    received = pair.upstream.wait_for_chat()
    connection.close()
    assert received.hung_up.wait(PATIENCE)


def test_no_moment_to_leave_is_overlooked(pair: Pair) -> None:
    """Clients that leave at once, once the vendor was asked, or with the first words: no vendor goes on for any of them."""
    pair.upstream.always = say("first second", delivery=Delivery(ending=Ending.HOLD, cut_before=b"second"))
    request = pair.dialect.ask("hi", is_streamed=True)
    for _ in range(10):
        before = len(pair.upstream.chats)
        pair.caller.open(pair.dialect.path, request).close()
        asked = pair.caller.open(pair.dialect.path, request)
        pair.upstream.wait_for_chat(before + 1)
        asked.close()
        with pair.caller.stream(pair.dialect.path, request) as stream:
            stream.read_until(b"first")
            stream.leave()
    pair.upstream.always = say("whole")
    assert pair.hear(request).text == "whole"
    *left, _ = pair.upstream.chats
    assert all(received.hung_up.wait(PATIENCE) for received in left)
