"""The grammar of events: what the checker takes and what it refuses."""

from collections.abc import Sequence

import pytest
from msgspec import Raw

from lynkr_desktop.engine.chat.events import (
    Closed,
    Delta,
    Finished,
    Opened,
    OpenOpaque,
    OpenText,
    OpenThinking,
    OpenToolCall,
    Signed,
    Started,
    StopReason,
    StreamEvent,
)
from lynkr_desktop.engine.chat.grammar import GrammarError, checked
from lynkr_desktop.engine.chat.request import Native

START, END = Started("id", "model"), Finished(StopReason.END)
TEXT, THINKING, CALL = Opened(OpenText()), Opened(OpenThinking()), Opened(OpenToolCall("a", "f"))
OPAQUE = Opened(OpenOpaque("k", Native("w", {"a": Raw(b"1")})))
WORD, SIGNED, CLOSED = Delta("x"), Signed("s"), Closed()


@pytest.mark.parametrize(
    "events",
    [
        [START, END],
        [START, TEXT, WORD, WORD, CLOSED, END],
        [START, THINKING, WORD, SIGNED, CLOSED, TEXT, CLOSED, CALL, CLOSED, OPAQUE, CLOSED, END],
        [START, THINKING, SIGNED, SIGNED, CLOSED, END],
    ],
)
def test_legal(events: Sequence[StreamEvent]) -> None:
    assert checked(events) == events


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], "did not finish"),
        ([START], "did not finish"),
        ([TEXT], "before Started"),
        ([START, START], "came twice"),
        ([START, END, TEXT], "after Finished"),
        ([START, WORD], "no part to belong to"),
        ([START, TEXT, Delta("")], "empty Delta"),
        ([START, TEXT, CALL], "is open"),
        ([START, TEXT, END], "is open"),
        ([START, CLOSED], "without an open part"),
        ([START, TEXT, SIGNED], "without reasoning"),
        ([START, SIGNED], "without reasoning"),
        ([START, THINKING, SIGNED, WORD], "after the signature"),
        ([START, OPAQUE, WORD], "no part to belong to"),
        ([START, Opened(OpenToolCall("", "f"))], "lacks an id"),
        ([START, CALL, CLOSED, CALL], "id of an earlier call"),
    ],
)
def test_illegal(events: Sequence[StreamEvent], words: str) -> None:
    with pytest.raises(GrammarError, match=words):
        checked(events)
