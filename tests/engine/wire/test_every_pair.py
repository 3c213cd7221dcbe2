"""Every provider's wire to every client's: what a vendor says is what the client's own wire says, however the bytes were cut.

Vendors speak through the scripted servers' own words, so that no wire of ours judges itself on the way in. On the way out each
client's stream is read again by the wire's parser, which checks the order of its events, and has its terminal event once.
"""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkr_desktop.engine.chat.events import Finished, StopReason, StreamEvent
from lynkr_desktop.engine.chat.grammar import checked
from lynkr_desktop.engine.chat.request import ChatRequest, TextPart, ThinkingPart, ToolCallPart
from lynkr_desktop.engine.chat.response import ChatResponse, fold
from lynkr_desktop.engine.wire.table import PROVIDER_WIRES, WIRES, framing_of, splitter_of
from lynkr_desktop.errors import FailureKind, UpstreamError
from tests.fakes import anthropic_wire, bedrock, gemini_wire, ollama_wire, openai_wire
from tests.fakes.responses_wire import ResponsesSpeech
from tests.fakes.script import Answer, CallTool, Part, Say, Think, Tokens

SPEECHES: dict[str, Any] = {
    "anthropic": anthropic_wire,
    "openai_chat": openai_wire,
    "openai_responses": ResponsesSpeech(is_sealed=True),
    "gemini": gemini_wire,
    "ollama": ollama_wire,
    "bedrock_converse": bedrock.SPEECH,
}
CLIENTS = ("anthropic", "openai_chat", "openai_responses", "gemini", "ollama")
PAIRS = pytest.mark.parametrize(("vendor", "client"), list(itertools.product(SPEECHES, CLIENTS)))
VENDORS = pytest.mark.parametrize("vendor", SPEECHES)
FULL = Answer(
    (
        Think("Let me see ☁."),
        Say('Söme "words"\nhere. 🎉', 5),
        CallTool("read_file", {"path": "ä/b", "n": [1, None]}, "toolu_01"),
        CallTool("list", {}, "toolu_02"),
    ),
    tokens=Tokens(12, 7, cache_read=5),
)


def stream_of(vendor: str, answer: Answer) -> bytes:
    """The vendor's stream."""
    return b"".join(SPEECHES[vendor].events(answer, "m", has_usage=True))


def heard(wire: str, stream: bytes, cuts: Sequence[int] = ()) -> list[StreamEvent]:
    """Its events, cut at those places, in the grammar's order."""
    splitter, parser = splitter_of(wire), PROVIDER_WIRES[wire].stream_parser()
    events: list[StreamEvent] = []
    for start, end in itertools.pairwise([0, *cuts, len(stream)]):
        events += [event for frame in splitter.feed(stream[start:end]) for event in parser.feed(frame)]
    events += [event for frame in splitter.close() for event in parser.feed(frame)]
    return checked([*events, *parser.close()])


def asked(client: str) -> ChatRequest:
    """A streamed request of that client, who wants to hear of usage."""
    said = {"role": "user", "content": "hi"}
    bodies: dict[str, dict[str, Any]] = {
        "anthropic": {"max_tokens": 99, "messages": [said], "stream": True},
        "openai_chat": {"messages": [said], "stream": True, "stream_options": {"include_usage": True}},
        "openai_responses": {"input": "hi", "stream": True},
        "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
        "ollama": {"messages": [said], "stream": True},
    }
    return WIRES[client].parse_request(json.dumps({"model": "m", **bodies[client]}).encode())


def meaning(response: ChatResponse) -> tuple[str, str, list[tuple[str, Any]]]:
    """Thoughts, words and calls. Where the pieces of a text were parted carries none."""
    texts = "".join(part.text for part in response.parts if isinstance(part, TextPart))
    thoughts = "".join(part.text for part in response.parts if isinstance(part, ThinkingPart))
    calls = [(part.name, json.loads(part.arguments)) for part in response.parts if isinstance(part, ToolCallPart)]
    return texts, thoughts, calls


def said(answer: Answer) -> tuple[str, str, list[tuple[str, Any]]]:
    """The same of what the vendor was told to say."""
    texts = "".join(part.text for part in answer.parts if isinstance(part, Say))
    thoughts = "".join(part.text for part in answer.parts if isinstance(part, Think))
    return texts, thoughts, [(part.name, part.arguments) for part in answer.parts if isinstance(part, CallTool)]


_WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda text: text.strip() == text
)
_ARGUMENTS = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(-9, 9) | _WORDS, max_size=3)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """A thought or none, words or none, up to three calls; something at least."""
    parts: list[Part] = [Think(draw(_WORDS))] if draw(st.booleans()) else []
    calls = draw(st.lists(_ARGUMENTS, max_size=3))
    if draw(st.booleans()) or not calls:
        parts.append(Say(draw(_WORDS), draw(st.integers(1, 5))))
    parts += [CallTool(f"f{index}", given, f"toolu_{index}") for index, given in enumerate(calls)]
    return Answer(tuple(parts), tokens=Tokens(draw(st.integers(1, 99)), draw(st.integers(1, 99))))


@VENDORS
def test_law_2_a_stream_cut_anywhere_says_the_same(vendor: str) -> None:
    """At every single offset, and into single bytes."""
    stream = stream_of(vendor, FULL)
    whole = heard(vendor, stream)
    assert meaning(fold(whole)) == said(FULL)
    for offset in range(1, len(stream)):
        assert heard(vendor, stream, (offset,)) == whole, offset
    assert heard(vendor, stream, range(1, len(stream))) == whole


@VENDORS
@settings(max_examples=25, deadline=None)
@given(answers())
def test_a_stream_and_one_json_say_the_same(vendor: str, answer: Answer) -> None:
    streamed = fold(heard(vendor, stream_of(vendor, answer)))
    whole = fold(checked(PROVIDER_WIRES[vendor].parse_response(SPEECHES[vendor].whole(answer, "m"))))
    assert meaning(streamed) == meaning(whole) == said(answer)
    assert streamed.reason is whole.reason
    assert (streamed.usage.input_tokens, streamed.usage.output_tokens) == (answer.tokens.input, answer.tokens.output)


@PAIRS
@settings(max_examples=12, deadline=None)
@given(answers(), st.integers(1, 40))
def test_law_3_what_a_client_hears_is_what_the_vendor_said(vendor: str, client: str, answer: Answer, step: int) -> None:
    stream = stream_of(vendor, answer)
    events = heard(vendor, stream, range(step, len(stream), step))
    request = asked(client)
    renderer = WIRES[client].stream_renderer(request)
    rendered = b"".join(renderer.feed((event,)) for event in events)
    again = heard(client, rendered)
    assert meaning(fold(again)) == said(answer)
    assert fold(again).reason is fold(events).reason
    assert fold(again).usage.output_tokens == answer.tokens.output
    at_once = WIRES[client].stream_renderer(request).feed(events)
    assert at_once == rendered, "one write for many events or many writes are the same bytes"
    whole = WIRES[client].render_response(fold(events), request)
    assert meaning(fold(WIRES[client].parse_response(whole))) == said(answer)


@PAIRS
def test_no_stream_ends_without_its_end_and_none_ends_well_that_broke_off(vendor: str, client: str) -> None:
    """A stream that was cut is a failure; the client is told so in its own wire, and nothing there looks like an end."""
    stream = stream_of(vendor, FULL)
    splitter, parser = splitter_of(vendor), PROVIDER_WIRES[vendor].stream_parser()
    events: list[StreamEvent] = []
    for frame in splitter.feed(stream[: len(stream) // 3]):
        events += parser.feed(frame)
    with pytest.raises(UpstreamError):
        parser.close()
    assert not any(isinstance(event, Finished) for event in events)
    renderer = WIRES[client].stream_renderer(asked(client))
    rendered = renderer.feed(events) + renderer.error(UpstreamError(FailureKind.OVERLOADED, "It broke."))
    assert b"It broke." in rendered
    assert rendered.endswith(framing_of(client).ends)
    with pytest.raises(UpstreamError):
        heard(client, rendered)


@PAIRS
def test_an_answer_cut_by_its_limit_is_told_as_one(vendor: str, client: str) -> None:
    answer = Answer((Say("only half"),), stop="length", tokens=Tokens(3, 9))
    events = heard(vendor, stream_of(vendor, answer))
    renderer = WIRES[client].stream_renderer(asked(client))
    assert fold(heard(client, renderer.feed(events))).reason is fold(events).reason is StopReason.LENGTH
