"""Answers as the fold of their events, and usage as figures that override one another."""

import pytest

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
from lynkr_desktop.engine.chat.request import Part, TextPart, ThinkingPart, ToolCallPart
from lynkr_desktop.engine.chat.response import ChatResponse, fold

START = Started("id", "model", Usage(input_tokens=5, cache_read_tokens=2))
END = Finished(StopReason.TOOL_CALLS, Usage(input_tokens=0, output_tokens=7))


def test_a_stream_adds_up() -> None:
    events: list[StreamEvent] = [
        START,
        *(Opened(OpenThinking()), Delta("H"), Delta("m"), Signed("s"), Closed()),
        *(Opened(OpenText()), Delta("hi"), Closed()),
        *(Opened(OpenToolCall("a", "f")), Closed()),
        END,
    ]
    parts = (ThinkingPart("Hm", "s"), TextPart("hi"), ToolCallPart("a", "f", "{}"))
    assert fold(events) == ChatResponse("id", "model", parts, StopReason.TOOL_CALLS, Usage(5, 7, 2))


@pytest.mark.parametrize("events", [[START], [END], [START, Closed(), END]])
def test_half_a_stream_adds_up_to_nothing(events: list[Started | Finished | Closed]) -> None:
    with pytest.raises(ValueError, match=r"the stream did not finish|never opened"):
        fold(events)


@pytest.mark.parametrize(
    ("parts", "is_empty"),
    [
        ((), True),
        ((TextPart(" \n"),), True),
        ((ThinkingPart(""),), True),
        ((ThinkingPart("", "signature"),), False),
        ((TextPart("x"),), False),
        ((ToolCallPart("a", "f", "{}"),), False),
    ],
)
def test_emptiness(parts: tuple[Part, ...], is_empty: bool) -> None:
    assert ChatResponse("id", "m", parts, StopReason.END, Usage()).is_empty is is_empty


def test_a_zero_never_overwrites_a_figure() -> None:
    assert Usage(5, 0).merged(Usage(0, 7)) == Usage(5, 7)
    assert Usage().merged(Usage(0)) == Usage(0)
    assert Usage(5).merged(Usage()) == Usage(5)
