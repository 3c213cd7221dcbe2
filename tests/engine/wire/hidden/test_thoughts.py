"""Reasoning that a server left in the text becomes reasoning; words about such tags stay words."""

import pytest

from lynkr_desktop.engine.chat.events import (
    Closed,
    Delta,
    Finished,
    Opened,
    OpenText,
    OpenThinking,
    Started,
    StopReason,
    StreamEvent,
)
from tests.engine.wire.hidden.answers import heard, hidden, told
from tests.engine.wire.hidden.samples import CALLS

LEAKS = hidden((), leaks=True)
STARTS = hidden((), leaks=True, starts=True)


@pytest.mark.parametrize(
    ("text", "thought", "words"),
    [
        ("<think>\nHm, a < b.\n</think>\n\nHello.", "Hm, a < b.\n", "Hello."),
        ("\n<think>Hm.</think>Hello.", "Hm.", "Hello."),
        ("<thinking>Hm.</thinking>\nHello.", "Hm.", "Hello."),
        ("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hello.", "Hm.", "Hello."),
        ("<think>Hm. <b>x</b> </thin </think>Hello, <think>.", "Hm. <b>x</b> </thin ", "Hello, <think>."),
    ],
)
def test_what_stands_between_the_tags_is_reasoning(text: str, thought: str, words: str) -> None:
    assert told(text, LEAKS) == [("thinking", thought), ("text", words)]
    assert told(text, STARTS) == [("thinking", thought), ("text", words)]


@pytest.mark.parametrize(
    "text",
    [
        "Write <think> first, then </think>.",
        "`<think>`x`</think>`",
        "```\n<think>x</think>\n```",
        "Hm.</think>Hello.",
        "<thinker>x</thinker>",
        "<thin",
        "<|channel|>analysis to=functions.x<|message|>{}",
        "",
        " ",
    ],
)
def test_everything_else_stays_words(text: str) -> None:
    assert told(text, LEAKS) == ([("text", text)] if text else [])


def test_an_empty_thought_is_none() -> None:
    assert told("<think>\n\n</think>\n\nHello.", LEAKS) == [("text", "Hello.")]


def test_a_thought_that_breaks_off_is_a_thought() -> None:
    assert told("<think>Hm, let me", LEAKS, reason=StopReason.LENGTH) == [("thinking", "Hm, let me")]


def test_the_opening_tag_may_be_missing_where_the_template_gives_it() -> None:
    """DeepSeek-R1's template ends with the opening tag, so that the model prints only the closing one."""
    assert told("Hm.\n</think>\n\nHello.", STARTS) == [("thinking", "Hm.\n"), ("text", "Hello.")]
    assert told("Hm. Let me", STARTS, reason=StopReason.LENGTH) == [("thinking", "Hm. Let me")]


def test_an_answer_that_never_closed_its_thought_is_not_lost() -> None:
    """It may be the whole answer: given as reasoning already, it is said again as text."""
    assert told("Hello there.", STARTS) == [("thinking", "Hello there."), ("text", "Hello there.")]


def test_reasoning_that_the_server_told_apart_means_that_the_text_is_text() -> None:
    rewritten = STARTS.rewriter()
    events: list[StreamEvent] = [
        Started("a", "m"),
        *(Opened(OpenThinking()), Delta("Hm."), Closed()),
        *(Opened(OpenText()), Delta("<think> is a tag."), Closed()),
        Finished(StopReason.END),
    ]
    assert rewritten(events) == events


def test_reasoning_comes_as_it_is_thought() -> None:
    rewritten = LEAKS.rewriter()
    rewritten((Started("a", "m"), Opened(OpenText())))
    assert rewritten((Delta("<think>Hm"),)) == [Opened(OpenThinking()), Delta("Hm")]
    assert rewritten((Delta(", well</"),)) == [Delta(", well")]
    assert rewritten((Delta("thi"),)) == []
    assert rewritten((Delta("nk>Hello"),)) == [Closed(), Opened(OpenText()), Delta("Hello")]


def test_a_call_after_the_thought_is_found() -> None:
    look = hidden(leaks=True)
    assert told("<think>I need it: <tool_call></think>\n" + CALLS["qwen3-coder"][0], look) == [
        ("thinking", "I need it: <tool_call>"),
        *CALLS["qwen3-coder"][1],
    ]
    oss = "<|channel|>analysis<|message|>Need it.<|end|><|start|>assistant" + CALLS["gpt-oss"][0]
    assert told(oss, look) == [("thinking", "Need it."), *CALLS["gpt-oss"][1]]
    assert isinstance(heard(oss, look)[-1], Finished)
    assert heard(oss, look)[-1] == Finished(StopReason.TOOL_CALLS)
