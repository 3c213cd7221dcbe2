"""The laws of the wires over recorded and made-up conversations: nothing is lost unsaid, in either direction."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from lynkr_desktop.engine.chat.request import ChatRequest, Message, Part, TextPart, ThinkingPart, ToolCallPart, ToolResultPart
from lynkr_desktop.engine.chat.response import fold
from lynkr_desktop.engine.wire.contract import Quirks, Wire
from tests.engine.wire.speech import PLAIN, A, C, ask, heard, recorded, told

RECORDED = recorded()
REQUESTS = [
    pytest.param(A, json.dumps(body).encode(), id=f"messages-{index}")
    for index, body in enumerate(
        [
            {
                "model": "m",
                "max_tokens": 1,
                "messages": [{"role": "user", "content": ""}],
                "system": "",
                "tools": [],
                "stream": False,
            },
            {
                "model": "m",
                "max_tokens": 1,
                "messages": [],
                "system": [],
                "metadata": {},
                "thinking": {"type": "adaptive", "display": "omitted"},
            },
            {
                "model": "m",
                "max_tokens": 9,
                "stop_sequences": [],
                "messages": [
                    {"role": "user", "content": []},
                    {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "x"}, {"type": "odd"}]},
                    {"role": "system", "content": "later", "unknown": {"a": None}},
                ],
                "tools": [{"type": "bash_20250124", "name": "bash"}],
                "output_config": {"effort": "low"},
            },
        ]
    )
] + [
    pytest.param(C, json.dumps(body).encode(), id=f"chat-{index}")
    for index, body in enumerate(
        [
            {"model": "m", "messages": [{"role": "user", "content": ""}], "tools": [], "stop": "x", "stream": False},
            {"model": "m", "messages": [], "stop": None, "reasoning": {"effort": "low"}, "n": 1, "tool_choice": None},
            {
                "model": "m",
                "messages": [
                    {"role": "developer", "content": [{"type": "text", "text": "a"}]},
                    {"role": "user", "content": []},
                    {"role": "assistant", "tool_calls": []},
                    {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}], "audio": {"id": "x"}},
                    {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "b"}]},
                ],
                "stop": ["a"],
                "response_format": {"type": "text"},
                "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
            },
        ]
    )
]


@pytest.mark.parametrize(("wire", "body"), RECORDED + REQUESTS)
def test_law_1_what_came_in_a_wire_goes_out_the_same(wire: Wire, body: bytes) -> None:
    request = wire.parse_request(body)
    quirks = Quirks(
        takes_stream_options=request.wants_stream_usage,
        takes_reasoning_effort=True,
        has_max_completion_tokens="max_completion_tokens" in request.fields,
    )
    rendered = wire.render_request(request, request.model, quirks, is_streamed=request.is_streamed)
    assert json.loads(rendered.body) == json.loads(body)
    assert rendered.losses == ()
    assert json.loads(wire.renamed(request, request.model, asks_usage=False)) == json.loads(body)


def bare(value: Any) -> Any:
    """A value of `chat` without original fragments."""
    if isinstance(value, tuple):
        return tuple(bare(one) for one in value)
    if not isinstance(value, msgspec.Struct):
        return value
    changes = {name: bare(getattr(value, name)) for name in value.__struct_fields__ if name != "native"}
    if "native" in value.__struct_fields__ and value.__class__.__name__ != "OpaquePart":
        changes["native"] = None
    return msgspec.structs.replace(value, **changes)


@pytest.mark.parametrize(("wire", "body"), RECORDED)
def test_law_1_without_the_original_fragments_the_meaning_stays(wire: Wire, body: bytes) -> None:
    request = wire.parse_request(body)
    stripped = bare(request)
    rendered = wire.render_request(stripped, request.model, PLAIN, is_streamed=request.is_streamed)
    again = bare(wire.parse_request(rendered.body))
    assert again.messages == stripped.messages
    assert again.system == stripped.system
    assert [(tool.name, tool.description) for tool in again.tools] == [(tool.name, tool.description) for tool in stripped.tools]


def meaning(request: ChatRequest) -> list[tuple[str, str, str]]:
    """What must survive any translation: who said which words, which tools were called with what, and what they gave."""
    said: list[tuple[str, str, str]] = []
    for message in (Message("system", request.system), *request.messages):
        for part in message.parts:
            said.extend(_said(message.role, part))
    joined: list[tuple[str, str, str]] = []
    for role, kind, words in said:  # boundaries between texts of one turn carry no meaning
        if joined and joined[-1][:2] == (role, kind) and kind == "text":
            joined[-1] = (role, kind, f"{joined[-1][2]}\n\n{words}")
        else:
            joined.append((role, kind, words))
    return joined


def _said(role: str, part: Part) -> list[tuple[str, str, str]]:
    match part:
        case TextPart(text=text):
            is_billing = text.startswith("x-anthropic-billing-header:")
            return [(role, "text", text)] if text.strip() and not is_billing else []
        case ToolCallPart(id=call_id, name=name, arguments=arguments):
            return [(role, f"call {call_id} {name}", json.dumps(json.loads(arguments or "{}"), sort_keys=True))]
        case ToolResultPart(call_id=call_id, content=content):
            return [(role, f"result {call_id}", "\n".join(one.text for one in content if isinstance(one, TextPart)))]
        case ThinkingPart():
            return []
        case _:
            return [(role, "other", type(part).__name__)]


@pytest.mark.parametrize(("wire", "body"), RECORDED)
def test_law_5_translated_and_read_again_it_means_the_same(wire: Wire, body: bytes) -> None:
    other = C if wire is A else A
    request = wire.parse_request(body)
    rendered = other.render_request(request, "m", Quirks(names_limit=128), is_streamed=True)
    assert meaning(other.parse_request(rendered.body)) == meaning(request)
    assert [tool.name for tool in other.parse_request(rendered.body).tools] == [tool.name for tool in request.tools]
    assert other.render_request(request, "m", Quirks(names_limit=128), is_streamed=True).body == rendered.body


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(lambda text: text.strip() != "")
_ARGUMENTS = st.dictionaries(st.text("ab", max_size=3), st.integers() | st.text(max_size=5), max_size=2)
_CONVERSATIONS = st.lists(st.tuples(_WORDS, st.lists(_ARGUMENTS, max_size=3), _WORDS), max_size=4)


def conversation(turns: list[tuple[str, list[Any], str]]) -> list[dict[str, Any]]:
    """Messages of the Messages API: words, calls, their results, and so on."""
    messages: list[dict[str, Any]] = []
    for number, (asked, made, answered) in enumerate(turns):
        ids = [f"toolu_{number}_{index}" for index in range(len(made))]
        messages.append({"role": "user", "content": [{"type": "text", "text": asked}]})
        uses = [{"type": "tool_use", "id": one, "name": "f", "input": given} for one, given in zip(ids, made, strict=True)]
        messages.append({"role": "assistant", "content": [{"type": "text", "text": answered}, *uses]})
        if ids:
            results = [{"type": "tool_result", "tool_use_id": one, "content": answered} for one in ids]
            messages.append({"role": "user", "content": results})
            messages.append({"role": "assistant", "content": [{"type": "text", "text": asked}]})
    return [*messages, {"role": "user", "content": [{"type": "text", "text": "end"}]}]


@settings(max_examples=40, deadline=None)
@given(_CONVERSATIONS)
def test_law_5_messages_to_chat_and_back(turns: list[tuple[str, list[Any], str]]) -> None:
    request = ask(A, messages=conversation(turns), tools=[{"name": "f", "input_schema": {"type": "object"}}])
    there = C.render_request(request, "m", PLAIN, is_streamed=False)
    back = A.render_request(C.parse_request(there.body), "m", PLAIN, is_streamed=False)
    assert (there.losses, back.losses) == ((), ())
    assert meaning(A.parse_request(back.body)) == meaning(request)


_PIECES = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6), min_size=1, max_size=4)
_ANSWERS = st.lists(st.tuples(st.sampled_from(["text", "thinking", "call"]), _PIECES), max_size=4)


def events_of(parts: list[tuple[str, list[str]]]) -> list[StreamEvent]:
    """The events of an answer with such parts."""
    events: list[StreamEvent] = [Started("id_1", "m", Usage(input_tokens=3))]
    for number, (kind, pieces) in enumerate(parts):
        if kind == "call":
            events.append(Opened(OpenToolCall(f"call_{number}", "f")))
            events += [Delta(piece) for piece in ('{"x":', json.dumps("".join(pieces)), "}")]
        else:
            events.append(Opened(OpenText() if kind == "text" else OpenThinking()))
            events += [Delta(piece) for piece in pieces]
            if kind == "thinking":
                events.append(Signed("sig"))
        events.append(Closed())
    has_call = any(kind == "call" for kind, _ in parts)
    return [*events, Finished(StopReason.TOOL_CALLS if has_call else StopReason.END, Usage(output_tokens=5))]


def words_of(parts: Iterable[Part]) -> str:
    """All text without white space: a text of nothing else may be left out, or joined to the next."""
    return "".join("".join(part.text.split()) for part in parts if isinstance(part, TextPart))


@settings(max_examples=40, deadline=None)
@given(_ANSWERS, st.integers(1, 60))
def test_law_2_and_3_what_a_wire_renders_it_reads_however_cut(parts: list[tuple[str, list[str]]], step: int) -> None:
    events = events_of(parts)
    stream = told(A, ask(A, model="m"), events)
    assert heard(A, stream, cuts=range(0, len(stream), step)) == _with_usage(events)
    chat = told(C, ask(C, model="m", stream=True, stream_options={"include_usage": True}), events)
    again = fold(heard(C, chat, cuts=range(0, len(chat), step)))
    said = [part for part in fold(events).parts if not (isinstance(part, TextPart) and not part.text.strip())]
    assert [part for part in again.parts if isinstance(part, ToolCallPart)] == [
        part for part in said if isinstance(part, ToolCallPart)
    ]
    assert words_of(again.parts) == words_of(said)
    assert (again.reason, again.usage.input_tokens, again.usage.output_tokens) == (fold(events).reason, 3, 5)


def _with_usage(events: list[StreamEvent]) -> list[StreamEvent]:
    """The figures as a client reads them: Messages tells zero where nothing was told."""
    first, last = events[0], events[-1]
    assert isinstance(first, Started)
    assert isinstance(last, Finished)
    opening = Usage(input_tokens=3, output_tokens=0, cache_read_tokens=0, cache_write_tokens=0)
    closing = msgspec.structs.replace(opening, output_tokens=5)
    return [msgspec.structs.replace(first, usage=opening), *events[1:-1], msgspec.structs.replace(last, usage=closing)]
