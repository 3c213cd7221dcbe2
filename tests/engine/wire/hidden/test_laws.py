"""Laws that hold for any text: cutting changes nothing, ordinary words are never touched, the grammar is obeyed."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lynkr_desktop.engine.chat.events import Delta
from lynkr_desktop.engine.wire.hidden import Hidden
from tests.engine.wire.hidden.answers import heard, hidden, joined, told
from tests.engine.wire.hidden.samples import CALLS, WORDS

THOUGHTS = {
    "think": "<think>\nHm <b> </thin.\n</think>\n\nHello.",
    "channel": "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hello.",
    "unopened": "Hm.</think>Hello.",
    "never closed": "Hello there.",
}
TEXTS = {**{name: text for name, (text, _) in CALLS.items()}, **WORDS, **THOUGHTS}
LOOKS = {"calls": hidden(), "thoughts": hidden((), leaks=True), "all": hidden(leaks=True, starts=True)}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_cut_anywhere_it_is_the_same(text: str, look: Hidden) -> None:
    """At every single place, and at all of them at once."""
    text = f"So:\n{text} And so on."
    whole = joined(heard(text, look))
    for place in range(1, len(text)):
        assert joined(heard(text, look, cuts=[place])) == whole, place
    assert joined(heard(text, look, cuts=range(1, len(text)))) == whole


SHARDS = [
    "<",
    "{",
    "[",
    "`",
    "```",
    "~~~",
    "\n",
    " ",
    '"',
    "}",
    "]",
    ">",
    "\\",
    "<tool_call>",
    "</tool_call>",
    "<function=",
    "<think>",
]
SHARDS += ["</think>", "[TOOL_CALLS]", "get_weather", '{"name": "get_weather"', ', "arguments": {}}', "<arg_key>", "</arg_value>"]
SHARDS += [
    "<parameter=city>",
    "</parameter>",
    "</function>",
    "<|channel|>",
    "commentary to=get_weather<|message|>",
    "{}",
    "word",
    "ä😀",
]
MUDDLE = st.lists(st.sampled_from(SHARDS), max_size=25).map("".join)


@settings(max_examples=300, deadline=None)
@given(text=MUDDLE, cuts=st.lists(st.integers(0, 200), max_size=8), name=st.sampled_from(sorted(LOOKS)))
@example(text='{"name": "get_weather", "arguments": {}}{', cuts=[41], name="calls")
def test_any_muddle_obeys_the_grammar_however_it_is_cut(text: str, cuts: list[int], name: str) -> None:
    whole = joined(heard(text, LOOKS[name]))
    assert joined(heard(text, LOOKS[name], cuts=[cut for cut in cuts if cut < len(text)])) == whole


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=300), size=st.integers(1, 20))
def test_ordinary_words_come_out_as_they_went_in(text: str, size: int) -> None:
    """And none waits for more than the letters that follow it."""
    rewritten = hidden()
    assert told(text, rewritten) == ([("text", text)] if text else [])
    events = heard(text, rewritten, cuts=range(size, len(text), size))
    assert "".join(event.text for event in events if isinstance(event, Delta)) == text


@settings(max_examples=100, deadline=None)
@given(
    arguments=st.dictionaries(
        st.text(max_size=8),
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=30), st.lists, max_leaves=6),
        max_size=4,
    )
)
def test_any_arguments_arrive(arguments: dict[str, object]) -> None:

    for is_ascii in (True, False):
        text = json.dumps({"name": "Write", "arguments": arguments}, ensure_ascii=is_ascii)
        assert told(f"<tool_call>{text}</tool_call>") == [("Write", arguments)]
