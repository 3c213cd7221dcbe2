"""Answers of the Responses API, in and out. A test that guards a known trap of gateways carries its number."""

import itertools
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    Usage,
)
from lynkr_desktop.engine.chat.request import Native, TextPart, ThinkingPart, ToolCallPart
from lynkr_desktop.engine.chat.response import fold
from lynkr_desktop.engine.wire.openai_responses.freeform import FreeformReader
from lynkr_desktop.engine.wire.openai_responses.tools import freeform_arguments
from lynkr_desktop.errors import ClientError, FailureKind, UpstreamError
from tests.engine.wire.speech import answer, frames, heard, named, told
from tests.engine.wire.test_openai_responses_request import AGENTS, PATCH_TOOL, SEARCH, R, asked

USAGE = Usage(input_tokens=100, output_tokens=20, cache_read_tokens=1000, reasoning_tokens=7)
CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "served-model", "status": "in_progress"}}


def event(kind: str, index: int | None = None, **values: Any) -> dict[str, Any]:
    place = {} if index is None else {"output_index": index}
    return {"type": f"response.{kind}", **place, **values}


def done(*output: Any, status: str = "completed", **values: Any) -> dict[str, Any]:
    return event(status, response={"id": "resp_1", "status": status, "output": list(output), **values})


def added(index: int, kind: str, **values: Any) -> dict[str, Any]:
    return event("output_item.added", index, item={"type": kind, "id": f"item_{index}", **values})


def ended(index: int, kind: str, **values: Any) -> dict[str, Any]:
    return event("output_item.done", index, item={"type": kind, "id": f"item_{index}", **values})


def message(text: str) -> dict[str, Any]:
    return {"type": "message", "content": [{"type": "output_text", "text": text}]}


def calls(*fragments: str, call_id: str = "call_1", name: str = "read") -> list[StreamEvent]:
    return [Opened(OpenToolCall(call_id, name)), *map(Delta, fragments), Closed()]


def whole(*parts: StreamEvent, reason: StopReason = StopReason.END) -> list[StreamEvent]:
    return [Started("resp_1", "served-model", Usage(input_tokens=100)), *parts, Finished(reason, USAGE)]


# --- out ---


def test_row_148_the_order_of_events_that_codex_needs() -> None:
    events = whole(
        Opened(OpenText()), Delta("Hello "), Delta("you"), Closed(), *calls('{"path":', '"a"}'), reason=StopReason.TOOL_CALLS
    )
    seen = frames(told(R, asked(), events))
    assert [frame["type"].removeprefix("response.") for frame in seen] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert [frame["sequence_number"] for frame in seen] == list(range(len(seen)))
    assert [frame["output_index"] for frame in seen if "output_index" in frame] == [0] * 7 + [1] * 5
    assert len({frame["item_id"] for frame in seen if frame.get("output_index") == 0 and "item_id" in frame}) == 1


def test_row_151_the_last_event_holds_the_whole_answer() -> None:
    events = whole(Opened(OpenText()), Delta("Hello"), Closed(), *calls('{"path":"a"}'), reason=StopReason.TOOL_CALLS)
    seen = frames(told(R, asked(), events))
    response = seen[-1]["response"]
    assert response["output"] == [frame["item"] for frame in seen if frame["type"] == "response.output_item.done"]
    assert [item["type"] for item in response["output"]] == ["message", "function_call"]
    assert (response["id"], response["model"], response["status"]) == ("resp_1", "asked-model", "completed")
    assert json.loads(R.render_response(fold(events), asked())) == response


@pytest.mark.parametrize("usage", [USAGE, Usage()], ids=["told", "not-told"])
def test_row_079_every_figure_of_the_usage_is_there(usage: Usage) -> None:
    seen = frames(told(R, asked(), [Started("r", "m"), Finished(StopReason.END, usage)]))
    told_usage = seen[-1]["response"]["usage"]
    assert told_usage["input_tokens_details"] == {"cached_tokens": usage.cache_read_tokens or 0}
    assert told_usage["output_tokens_details"] == {"reasoning_tokens": usage.reasoning_tokens or 0}
    total = 1120 if usage is USAGE else 0
    assert (told_usage["input_tokens"] + told_usage["output_tokens"], told_usage["total_tokens"]) == (total, total)


def test_row_152_a_custom_tool_gets_its_bare_text() -> None:
    patch = '*** Begin\n+"é" \\ 🎉\n'
    arguments = freeform_arguments(patch)
    events = whole(*calls(*(arguments[at : at + 3] for at in range(0, len(arguments), 3)), name="apply_patch"))
    seen = frames(told(R, asked(tools=[PATCH_TOOL]), events))
    assert "".join(frame["delta"] for frame in seen if frame["type"] == "response.custom_tool_call_input.delta") == patch
    assert Counter(frame["type"] for frame in seen)["response.custom_tool_call_input.delta"] > 1, "it is not collected"
    assert next(frame for frame in seen if frame["type"] == "response.custom_tool_call_input.done")["input"] == patch
    item = seen[-1]["response"]["output"][0]
    assert (item["type"], item["name"], item["call_id"], item["input"]) == ("custom_tool_call", "apply_patch", "call_1", patch)
    assert "arguments" not in item


def test_tools_come_back_in_the_form_in_which_they_were_offered() -> None:
    request = asked(tools=[AGENTS, SEARCH])
    events = whole(*calls("{}", name="agents_v1__spawn"), *calls('{"query":"x"}', name="tool_search", call_id="call_2"))
    spawn, search = json.loads(R.render_response(fold(events), request))["output"]
    assert (spawn["type"], spawn["namespace"], spawn["name"]) == ("function_call", "agents_v1", "spawn")
    assert (search["type"], search["execution"], search["arguments"]) == ("tool_search_call", "client", {"query": "x"})
    assert frames(told(R, request, events))[-1]["response"]["output"] == [spawn, search]


def test_row_012_a_call_without_arguments_has_an_empty_object() -> None:
    seen = frames(told(R, asked(), whole(*calls())))
    assert [frame["delta"] for frame in seen if "delta" in frame] == ["{}"]
    assert seen[-1]["response"]["output"][0]["arguments"] == "{}"


def test_row_016_a_call_that_was_cut_off_is_not_told_to_be_whole() -> None:
    events = whole(Opened(OpenToolCall("c", "read")), Delta('{"pa'), Closed(is_complete=False), reason=StopReason.LENGTH)
    seen = frames(told(R, asked(), events))
    assert not any(frame["type"].endswith("arguments.done") for frame in seen)
    assert seen[-1]["type"] == "response.incomplete"
    assert seen[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert seen[-1]["response"]["output"][0]["status"] == "incomplete"
    assert json.loads(R.render_response(fold(events), asked())) == seen[-1]["response"]


def test_reasoning_is_told_as_a_summary_with_its_index() -> None:
    events = whole(Opened(OpenThinking()), Delta("Hm "), Delta("yes"), Signed("of another vendor"), Closed())
    seen = frames(told(R, asked(), events))
    assert [frame["summary_index"] for frame in seen if "summary" in frame["type"]] == [0] * 5
    (item,) = seen[-1]["response"]["output"]
    assert item["summary"] == [{"type": "summary_text", "text": "Hm yes"}]
    assert "of another vendor" not in json.dumps(seen)


def test_reasoning_without_words_is_not_shown() -> None:
    hidden: list[StreamEvent] = [Opened(OpenThinking(redacted="blob")), Closed(), Opened(OpenThinking()), Signed("s"), Closed()]
    opaque: list[StreamEvent] = [Opened(OpenOpaque("server_tool_use", Native("anthropic", {}))), Closed()]
    seen = frames(told(R, asked(), whole(*hidden, *opaque, Opened(OpenText()), Delta("x"), Closed())))
    assert [frame["output_index"] for frame in seen if frame["type"] == "response.output_item.added"] == [0]


def test_row_109_a_failure_in_the_middle_is_an_event_of_this_wire() -> None:
    renderer = R.stream_renderer(asked())
    renderer.feed([Started("resp_1", "m"), Opened(OpenText()), Delta("x")])
    (failed,) = frames(renderer.error(UpstreamError(FailureKind.RATE, "Slow down.", provider="p")))
    assert failed["type"] == "response.failed"
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"] == {"code": "rate_limit_exceeded", "message": "p: Slow down."}
    assert failed["sequence_number"] == 5


def test_ids_are_the_same_for_the_same_answer_and_differ_for_others() -> None:
    events = whole(Opened(OpenText()), Delta("x"), Closed())
    assert told(R, asked(), events) == told(R, asked(), events)
    unnamed: list[StreamEvent] = [Started("", "m"), Finished(StopReason.END)]
    ids = {frames(told(R, asked({"role": "user", "content": text}), unnamed))[0]["response"]["id"] for text in ("a", "b")}
    assert len(ids) == 2
    assert all(each.startswith("resp_") for each in ids)


def test_what_the_client_set_is_told_back() -> None:
    response = frames(told(R, asked(temperature=0.5, metadata={"a": "b"}, store=False), whole()))[0]["response"]
    assert (response["temperature"], response["metadata"], response["store"]) == (0.5, {"a": "b"}, False)


def test_tokens_cannot_be_counted_in_this_wire() -> None:
    with pytest.raises(ClientError) as error:
        R.render_token_count(5)
    assert error.value.status == 404


# --- in ---


def test_row_066_row_167_text_one_thought_of_several_parts_and_a_call() -> None:
    stream = named(
        CREATED,
        event("in_progress", response={"id": "resp_1"}),
        added(0, "reasoning", summary=[]),
        event("reasoning_summary_text.delta", 0, summary_index=0, delta="First."),
        event("reasoning_summary_text.delta", 0, summary_index=1, delta="Then."),
        ended(0, "reasoning", summary=[], encrypted_content="blob"),
        added(1, "message", content=[]),
        event("output_text.delta", 1, content_index=0, delta="Hello"),
        event("output_text.done", 1, content_index=0, text="Hello"),
        ended(1, "message", content=[{"type": "output_text", "text": "Hello"}]),
        added(2, "function_call", call_id="call_1", name="read", arguments=""),
        event("function_call_arguments.delta", 2, delta='{"path":'),
        event("function_call_arguments.delta", 2, delta='"a"}'),
        event("function_call_arguments.done", 2, arguments='{"path":"a"}'),
        ended(2, "function_call", call_id="call_1", name="read", arguments='{"path":"a"}'),
        done(usage={"input_tokens": 100, "input_tokens_details": {"cached_tokens": 60}, "output_tokens": 5}),
    )
    found = answer(R, stream)
    assert found.parts == (
        ThinkingPart("First.\n\nThen.", "openai#blob"),
        TextPart("Hello"),
        ToolCallPart("call_1", "read", '{"path":"a"}'),
    )
    assert found.reason is StopReason.TOOL_CALLS
    assert (found.usage.input_tokens, found.usage.cache_read_tokens, found.usage.output_tokens) == (40, 60, 5)


def test_row_013_what_is_told_again_is_not_news() -> None:
    """Deltas, then the whole three times."""
    item = {"call_id": "c", "name": "f", "arguments": '{"a":1}'}
    stream = named(
        CREATED,
        added(0, "function_call", call_id="c", name="f"),
        event("function_call_arguments.delta", 0, delta='{"a":1}'),
        event("function_call_arguments.done", 0, arguments='{"a":1}'),
        ended(0, "function_call", **item),
        done({"type": "function_call", **item}),
    )
    assert answer(R, stream).parts == (ToolCallPart("c", "f", '{"a":1}'),)


@pytest.mark.parametrize(
    "events",
    [
        [ended(0, "message", content=message("all at once")["content"])],
        [added(0, "message"), event("output_text.done", 0, content_index=0, text="all at once"), ended(0, "message")],
        [],
    ],
    ids=["only-items", "only-texts", "only-the-end"],
)
def test_row_149_what_came_without_deltas_is_taken_from_the_end(events: list[Any]) -> None:
    assert answer(R, named(CREATED, *events, done(message("all at once")))).parts == (TextPart("all at once"),)


def test_row_001_items_that_interleave_are_put_in_order() -> None:
    stream = named(
        CREATED,
        added(0, "function_call", call_id="a", name="f"),
        added(1, "function_call", call_id="b", name="g"),
        event("function_call_arguments.delta", 1, delta='{"b"'),
        event("function_call_arguments.delta", 0, delta='{"a"'),
        event("function_call_arguments.delta", 1, delta=":2}"),
        event("function_call_arguments.delta", 0, delta=":1}"),
        ended(1, "function_call", call_id="b", name="g"),
        ended(0, "function_call", call_id="a", name="f"),
        done(),
    )
    assert answer(R, stream).parts == (ToolCallPart("a", "f", '{"a":1}'), ToolCallPart("b", "g", '{"b":2}'))


def test_row_007_row_008_names_and_ids_that_come_late_or_never() -> None:
    stream = named(
        CREATED,
        added(0, "function_call", name=""),
        event("function_call_arguments.delta", 0, delta="{}"),
        ended(0, "function_call", name="f", id=""),
        done(),
    )
    (call,) = answer(R, stream).parts
    assert isinstance(call, ToolCallPart)
    assert (call.name, call.arguments) == ("f", "{}")
    assert call.id
    assert answer(R, stream).parts == (call,), "the same stream gives the same id"


def test_row_002_two_calls_with_one_id_stay_two() -> None:
    stream = named(
        CREATED, ended(0, "function_call", call_id="c", name="f"), ended(1, "function_call", call_id="c", name="f"), done()
    )
    first, second = answer(R, stream).parts
    assert isinstance(first, ToolCallPart) and isinstance(second, ToolCallPart)
    assert first.id == "c" != second.id


def test_row_031_an_answer_cut_by_a_limit_is_an_answer() -> None:
    stream = named(
        CREATED,
        added(0, "function_call", call_id="c", name="f"),
        event("function_call_arguments.delta", 0, delta='{"a'),
        done(status="incomplete", incomplete_details={"reason": "max_output_tokens"}, usage={"output_tokens": 9}),
    )
    events = heard(R, stream)
    assert Closed(is_complete=False) in events
    assert events[-1] == Finished(StopReason.LENGTH, Usage(output_tokens=9))


def test_row_028_a_refusal_is_text_and_says_so() -> None:
    stream = named(CREATED, event("refusal.delta", 0, content_index=0, delta="I will not."), ended(0, "message"), done())
    found = answer(R, stream)
    assert found.parts == (TextPart("I will not."),)
    assert found.reason is StopReason.REFUSAL
    filtered = named(CREATED, done(status="incomplete", incomplete_details={"reason": "content_filter"}))
    assert answer(R, filtered).reason is StopReason.REFUSAL


def test_what_openai_ran_itself_is_kept_whole() -> None:
    stream = named(
        CREATED, added(0, "web_search_call"), event("web_search_call.searching", 0), ended(0, "web_search_call"), done()
    )
    opened = next(each for each in heard(R, stream) if isinstance(each, Opened))
    assert isinstance(opened.part, OpenOpaque)
    assert opened.part.kind == "web_search_call"


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (done(status="failed", error={"code": "rate_limit_exceeded", "message": "slow"}), FailureKind.RATE),
        (done(status="failed", error={"code": "context_length_exceeded", "message": "long"}), FailureKind.CONTEXT),
        (done(status="failed", error=None), FailureKind.OVERLOADED),
        ({"type": "error", "code": "server_error", "message": "oh"}, FailureKind.OVERLOADED),
        ({"type": "error", "error": {"type": "insufficient_quota", "message": "money"}}, FailureKind.QUOTA),
        ({"type": "error", "code": None, "message": "Invalid API key"}, FailureKind.AUTH),
    ],
)
def test_row_108_failures_inside_a_stream_keep_their_kind(failure: dict[str, Any], kind: FailureKind) -> None:
    with pytest.raises(UpstreamError) as error:
        heard(R, named(CREATED, failure))
    assert error.value.kind is kind


def test_row_024_a_stream_that_just_ends_is_no_answer() -> None:
    with pytest.raises(UpstreamError) as error:
        heard(R, named(CREATED, event("output_text.delta", 0, content_index=0, delta="half")))
    assert error.value.kind is FailureKind.PROTOCOL


@pytest.mark.parametrize("body", [b"[]", b"{}", b"<html>", b'{"object":"response","output":5}', b'{"object":"list","output":[]}'])
def test_nonsense_is_not_an_answer(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        R.parse_response(body)


@pytest.mark.parametrize("item", [b"5", b'"x"', b"null", b"{}", b'{"type":5}', b'{"type":"message","content":[5]}'])
def test_nonsense_in_a_stream_is_a_broken_wire(item: bytes) -> None:
    stream = named(CREATED) + b'data: {"type":"response.output_item.done","output_index":0,"item":%b}\n\n' % item + named(done())
    try:
        heard(R, stream)
    except UpstreamError as error:
        assert error.kind is FailureKind.PROTOCOL


def test_a_failed_whole_answer_is_a_failure() -> None:
    with pytest.raises(UpstreamError) as error:
        R.parse_response(b'{"object":"response","status":"failed","output":[],"error":{"code":"server_error","message":"oh"}}')
    assert error.value.kind is FailureKind.OVERLOADED


# --- both ---

_TEXTS = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4)
_PARTS = st.lists(
    st.one_of(
        st.tuples(st.just("text"), _TEXTS),
        st.tuples(st.just("thinking"), _TEXTS),
        st.tuples(st.just("read"), st.just(['{"path":', '"☁"}'])),
        st.tuples(st.just("apply_patch"), _TEXTS),
    ),
    max_size=5,
)


def _events(parts: list[tuple[str, list[str]]]) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    for index, (kind, pieces) in enumerate(parts):
        if kind == "apply_patch":
            arguments = freeform_arguments("".join(pieces))
            cut = len(arguments) // 2
            events += calls(arguments[:cut], arguments[cut:], call_id=f"c{index}", name=kind)
        elif kind == "read":
            events += calls(*pieces, call_id=f"c{index}")
        else:
            opened = OpenText() if kind == "text" else OpenThinking()
            events += [Opened(opened), *map(Delta, pieces), Closed()]
    has_calls = any(kind in {"read", "apply_patch"} for kind, _ in parts)
    return whole(*events, reason=StopReason.TOOL_CALLS if has_calls else StopReason.END)


@settings(max_examples=60, deadline=None)
@given(parts=_PARTS, cuts=st.lists(st.integers(0, 2000), max_size=6))
def test_what_we_tell_is_what_we_would_hear(parts: list[tuple[str, list[str]]], cuts: list[int]) -> None:
    """Rendered and parsed again, whole or however the bytes are cut: the same answer; and the whole form says the same."""
    events, request = _events(parts), asked(tools=[PATCH_TOOL])
    stream = told(R, request, events)
    found = heard(R, stream, cuts=[cut % (len(stream) + 1) for cut in cuts])
    assert fold(found).parts == fold(events).parts
    assert fold(found).usage == USAGE
    assert found == heard(R, stream)
    body = R.render_response(fold(events), request)
    assert fold(R.parse_response(body)).parts == fold(events).parts
    assert json.loads(body) == frames(stream)[-1]["response"]


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=40), cuts=st.lists(st.integers(0, 200), max_size=8), is_ascii=st.booleans())
def test_free_text_is_the_same_however_its_arguments_are_cut(text: str, cuts: list[int], is_ascii: bool) -> None:
    arguments = json.dumps({"input": text}, ensure_ascii=is_ascii)
    reader, given_text = FreeformReader(), ""
    places = sorted({cut % (len(arguments) + 1) for cut in cuts} | {0, len(arguments)})
    for start, end in itertools.pairwise(places):
        given_text += reader.feed(arguments[start:end])
    rest, everything = reader.close()
    assert given_text + rest == text
    assert everything == text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("*** Begin Patch", "*** Begin Patch"),
        ("*** Begin Patch\n" * 20, "*** Begin Patch\n" * 20),
        ('{"patch":"x"}', "x"),
        ('"x"', "x"),
        ('{ "input" : "a\nb" }', "a\nb"),
        ('{"input":"cut of', "cut of"),
        ("", ""),
        ('{"input":"a\\ud83d b"}', "a\ufffd b"),
    ],
    ids=["bare", "bare-and-long", "another-field", "a-string", "a-bare-line-feed", "cut-off", "nothing", "half-a-pair"],
)
def test_odd_forms_of_free_text_are_understood(arguments: str, text: str) -> None:
    reader = FreeformReader()
    given_text = "".join(reader.feed(character) for character in arguments)
    rest, everything = reader.close()
    assert given_text + rest == everything == text


def test_items_that_share_one_index_do_not_run_into_each_other() -> None:
    """Found by fuzzing: a call whose index a text had was opened inside of that text."""
    stream = named(
        CREATED,
        added(0, "message", content=[]),
        event("output_text.delta", 0, content_index=0, delta="Let me look."),
        added(0, "function_call", call_id="call_1", name="read"),
        event("function_call_arguments.delta", 0, delta='{"path":"a"}'),
        done(),
    )
    parts = fold(heard(R, stream)).parts
    assert [type(part) for part in parts] == [TextPart, ToolCallPart]
    assert parts[0] == TextPart("Let me look.")
