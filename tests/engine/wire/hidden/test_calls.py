"""Tool calls printed as text are found, whatever the model's form; everything else stays as it is."""

import json
from typing import Any

import msgspec
import pytest

from lynkr_desktop.engine.chat.events import (
    Closed,
    Delta,
    Finished,
    Opened,
    OpenText,
    OpenThinking,
    OpenToolCall,
    Started,
    StopReason,
    StreamEvent,
)
from lynkr_desktop.engine.chat.request import Tool, ToolChoice
from lynkr_desktop.engine.wire.contract import Quirks
from lynkr_desktop.engine.wire.hidden import hidden_in
from tests.engine.wire.hidden.answers import TOOLS, heard, hidden, joined, told, tool
from tests.engine.wire.hidden.samples import CALLS, PLAIN, WORDS
from tests.engine.wire.speech import C, ask


@pytest.mark.parametrize(("text", "meant"), CALLS.values(), ids=CALLS)
def test_a_printed_call_is_a_call(text: str, meant: list[tuple[str, Any]]) -> None:
    assert told(text) == meant
    finished = heard(text)[-1]
    assert isinstance(finished, Finished)
    assert finished.reason is StopReason.TOOL_CALLS


@pytest.mark.parametrize(("text", "meant"), CALLS.values(), ids=CALLS)
def test_what_was_said_before_it_is_kept(text: str, meant: list[tuple[str, Any]]) -> None:
    assert told(f"Let me look.\n\n{text}") == [("text", "Let me look.\n\n"), *meant]


@pytest.mark.parametrize("name", [name for name in CALLS if not name.startswith("bare") and "missing" not in name])
def test_what_is_said_after_it_is_kept(name: str) -> None:
    text, meant = CALLS[name]
    assert told(f"{text}\nThen I shall see.") == [*meant, ("text", "Then I shall see.")]


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
def test_what_is_no_call_stays_as_it_is(text: str) -> None:
    assert told(text) == [("text", text)]
    assert heard(text)[-1] == Finished(StopReason.END)


def test_a_call_after_a_fence_is_a_call() -> None:
    fence = "Such as:\n```\n<tool_call>{}</tool_call>\n```\n"
    assert told(fence + CALLS["hermes"][0])[0] == ("text", fence)
    assert told(fence + CALLS["hermes"][0])[1][0] == "get_weather"


def test_a_stray_backtick_hides_no_later_line() -> None:
    assert told("It`s here:\n" + CALLS["minimax"][0])[1][0] == "get_weather"


def test_the_whole_call_is_kept_where_the_next_one_breaks_off() -> None:
    half = '<tool_call>{"name": "get_weather", "argu'
    assert told(CALLS["hermes"][0] + half) == [*CALLS["hermes"][1], ("text", half)]


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("get_weather", "get_weather"),
        ("Get_Weather", "get_weather"),
        ("functions.get_weather", "get_weather"),
        ("functions.get_weather:3", "get_weather"),
        ("default_api.write", "Write"),
        ("read_file", "mcp__disk__read_file"),
        ("short_name", "a_client's own, long name"),
        ("weather", None),
        ("file", None),
        ("", None),
    ],
)
def test_a_name_is_mended_only_where_it_is_clear(printed: str, meant: str | None) -> None:
    look = hidden((*TOOLS, tool("a_client's own, long name")), names={"short_name": "a_client's own, long name"})
    text = json.dumps({"name": printed, "arguments": {}})
    assert told(f"<tool_call>{text}</tool_call>", look)[0][0] == (meant or "text")


def test_a_name_that_could_be_two_is_none() -> None:
    look = hidden((tool("mcp__a__read"), tool("mcp__b__read"), tool("GREP"), tool("Grep")))
    for name in ("read", "grep"):
        assert told(f'<tool_call>{{"name": "{name}", "arguments": {{}}}}</tool_call>', look)[0][0] == "text"
    assert told('<tool_call>{"name": "Grep", "arguments": {}}</tool_call>', look) == [("Grep", {})]


@pytest.mark.parametrize(
    ("kind", "printed", "meant"),
    [
        ("string", "3", "3"),
        ("string", '{"a": 1}', '{"a": 1}'),
        ("integer", "3", 3),
        ("number", "2.50", 2.5),
        ("integer", "three", "three"),
        ("boolean", "True", True),
        ("boolean", "false", False),
        ("array", '["a", 1]', ["a", 1]),
        ("object", '{"a": {"b": null}}', {"a": {"b": None}}),
        ({"type": ["integer", "null"]}, "null", None),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "7", 7),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "7", "7"),
        ({"$ref": "#/$defs/x"}, '{"a": 1}', {"a": 1}),
        ({}, "7", "7"),
    ],
)
def test_words_take_the_declared_type(kind: Any, printed: str, meant: Any) -> None:
    """Forms without types say everything as words; the tool's schema says what they are."""
    look = hidden((tool("f", x=kind),))
    for text in (
        f"<function=f>\n<parameter=x>\n{printed}\n</parameter>\n</function>",
        f"<tool_call>f\n<arg_key>x</arg_key>\n<arg_value>{printed}</arg_value>\n</tool_call>",
        f'<invoke name="f"><parameter name="x">{printed}</parameter></invoke>',
    ):
        assert told(text, look) == [("f", {"x": meant})]


def test_words_of_a_tool_without_a_schema_stay_words() -> None:
    assert told("<function=f><parameter=x>1</parameter></function>", hidden((Tool("f"),))) == [("f", {"x": "1"})]


def test_numbers_of_any_size_survive() -> None:
    """Pitfall 18: arguments stay text."""
    number = "123456789012345678901234567890.10"
    events = heard(f'<tool_call>{{"name": "get_weather", "arguments": {{"days": {number}}}}}</tool_call>')
    assert Delta(f'{{"days": {number}}}') in events


def test_ids_are_the_same_every_time_and_never_twice() -> None:
    """A provider's prompt cache lives on ids that do not change, a client on ids that differ."""
    text = CALLS["hermes"][0] * 2
    ids = [event.part.id for event in heard(text) if isinstance(event, Opened) and isinstance(event.part, OpenToolCall)]
    assert len(set(ids)) == 2
    assert heard(text) == heard(text)
    others = [
        event.part.id for event in heard(text, answer="2") if isinstance(event, Opened) and isinstance(event.part, OpenToolCall)
    ]
    assert not set(ids) & set(others)


def test_words_go_out_at_once() -> None:
    """Held back is only what may become a call: here, what follows the mark, until its next letter."""
    rewritten = hidden().rewriter()
    rewritten((Started("a", "m"), Opened(OpenText())))
    assert rewritten((Delta("One two"),)) == [Opened(OpenText()), Delta("One two")]
    assert rewritten((Delta(" three <"),)) == [Delta(" three ")]
    assert rewritten((Delta("b> four"),)) == [Delta("<b> four")]
    assert rewritten((Delta(' {"name": "get_w'),)) == [Delta(' {"name": "get_w')]
    assert rewritten((Delta('eather"}\n{"id": 1'),)) == [Delta('eather"}\n{"id": 1')]
    assert rewritten((Delta("}\n<tool_call>"),)) == [Delta("}\n")]


def test_a_giant_that_never_ends_is_let_go() -> None:
    """What is held is bounded."""
    rewritten = hidden().rewriter()
    head = '<tool_call>{"name": "Write", "arguments": {"content": "'
    rewritten((Started("a", "m"), Opened(OpenText()), Delta(head)))
    out = [event for _ in range(60) for event in rewritten((Delta("x" * 10_000),))]
    assert isinstance(out[1], Delta)
    assert out[1].text.startswith(head)
    assert sum(len(event.text) for event in out if isinstance(event, Delta)) >= 500_000


def test_half_calls_without_end_are_given_up() -> None:
    """Each of them could go on to the end of the text; reading that again and again would stop the world."""
    text = '{"name": "get_weather", "arguments": {"city": "x"\n' * 5000
    assert told(text) == [("text", text)]


def test_other_parts_pass() -> None:
    """Reasoning and proper calls are left alone, and a tag in reasoning is not looked at."""
    rewritten = hidden().rewriter()
    events: list[StreamEvent] = [
        Started("a", "m"),
        *(Opened(OpenThinking()), Delta(CALLS["hermes"][0]), Closed()),
        *(Opened(OpenToolCall("id", "Write")), Delta('{"content": "<tool_call>"}'), Closed()),
        Finished(StopReason.TOOL_CALLS),
    ]
    assert rewritten(events) == events


def test_the_output_limit_stays_told() -> None:
    """A call and then half an answer: the client must know of the cut."""
    assert joined(heard(CALLS["hermes"][0] + " and th", reason=StopReason.LENGTH))[-1] == Finished(StopReason.LENGTH)


@pytest.mark.parametrize(
    ("prints", "choice", "tools", "is_looked_for"),
    [
        (True, None, TOOLS, True),
        (True, ToolChoice("required"), TOOLS, True),
        (True, ToolChoice("none"), TOOLS, False),
        (True, None, (), False),
        (True, None, (Tool("search", kind="web_search"),), False),
        (False, None, TOOLS, False),
    ],
)
def test_only_where_it_can_happen(prints: bool, choice: ToolChoice | None, tools: tuple[Tool, ...], is_looked_for: bool) -> None:

    request = msgspec.structs.replace(ask(C), tools=tools, tool_choice=choice)
    found = hidden_in(request, Quirks(prints_tool_calls=prints))
    assert (found is not None) is is_looked_for
    if found is not None:
        assert told(CALLS["hermes, last tag missing"][0], found) == [PLAIN]
