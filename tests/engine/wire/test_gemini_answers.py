"""The Gemini wire: answers, both ways. Rows are those of the list of known pitfalls."""

import json
from typing import Any

import pytest

from lynkr_desktop.engine.chat.events import (
    Closed,
    Delta,
    Finished,
    Opened,
    OpenToolCall,
    Started,
    StopReason,
    StreamEvent,
)
from lynkr_desktop.engine.chat.grammar import checked
from lynkr_desktop.engine.chat.request import (
    ImagePart,
    TextPart,
    ThinkingPart,
)
from lynkr_desktop.engine.chat.response import fold
from lynkr_desktop.engine.wire import gemini
from lynkr_desktop.engine.wire.contract import Wire
from lynkr_desktop.engine.wire.gemini.signatures import MARK
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import FailureKind, UpstreamError
from tests.engine.wire.speech import C, ask, frames, heard, told
from tests.engine.wire.test_gemini import calls_of, chunk, parsed, stream

G: Wire = WIRES[gemini.NAME]


def test_row_004_calls_in_separate_chunks_stay_apart_and_have_steady_ids() -> None:
    call = {"functionCall": {"name": "f", "args": {"n": 1}}}
    answer = stream(chunk(call), chunk({"functionCall": {"name": "f"}}), chunk({"text": ""}, finish="STOP"))
    found = calls_of(heard(G, answer))
    assert [arguments for _, _, arguments in found] == ['{"n": 1}', "{}"]
    assert len({call_id for call_id, _, _ in found}) == 2
    assert found == calls_of(heard(G, answer))


def test_row_017_a_signature_in_many_pieces_is_one() -> None:
    answer = stream(chunk({"functionCall": {"name": "f"}, "thoughtSignature": "A" * 5000}, finish="STOP"))
    parts = fold(heard(G, answer, cuts=range(0, len(answer), 97))).parts
    assert [part.signature for part in parts if isinstance(part, ThinkingPart)] == [MARK + "A" * 5000]


def test_row_018_numbers_keep_every_digit() -> None:
    call = b'{"functionCall":{"name":"f","args":{"n":123456789012345678901234567890.10}}}'
    answer = b'data: {"candidates":[{"content":{"parts":[%b]},"finishReason":"STOP"}]}\n\n' % call
    assert "123456789012345678901234567890.10" in calls_of(heard(G, answer))[0][2]


def test_row_023_stop_after_a_call_in_an_earlier_chunk_means_the_call() -> None:
    events = heard(G, stream(chunk({"functionCall": {"name": "f"}}), chunk(finish="STOP", usageMetadata={"promptTokenCount": 1})))
    assert fold(events).reason is StopReason.TOOL_CALLS


def test_a_reason_in_every_chunk_ends_nothing() -> None:
    answer = stream(*(chunk({"text": text}, finish="STOP", usageMetadata={"promptTokenCount": 1}) for text in ("a", "b")))
    assert fold(heard(G, answer)).parts == (TextPart("ab"),)


def test_row_024_a_stream_without_a_reason_is_broken() -> None:
    with pytest.raises(UpstreamError) as caught:
        heard(G, stream(chunk({"text": "half"})))
    assert caught.value.kind is FailureKind.PROTOCOL


@pytest.mark.parametrize(
    ("reason", "kind"),
    [("MALFORMED_FUNCTION_CALL", FailureKind.PROTOCOL), ("RECITATION", FailureKind.REFUSED), ("LANGUAGE", FailureKind.REFUSED)],
)
def test_row_029_ends_that_are_no_answers_say_why(reason: str, kind: FailureKind) -> None:
    with pytest.raises(UpstreamError) as caught:
        heard(G, stream(chunk(finish=reason)))
    assert (caught.value.kind, caught.value.code) == (kind, reason)
    assert "safety" not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("reason", "stop"),
    [("STOP", StopReason.END), ("MAX_TOKENS", StopReason.LENGTH), ("SAFETY", StopReason.REFUSAL), ("NEW_ONE", StopReason.END)],
)
def test_row_029_reasons(reason: str, stop: StopReason) -> None:
    assert fold(heard(G, stream(chunk({"text": "x"}, finish=reason)))).reason is stop


def test_row_032_a_limit_reached_before_the_first_word() -> None:
    events = heard(
        G,
        stream(
            {"candidates": [{"finishReason": "MAX_TOKENS"}], "usageMetadata": {"promptTokenCount": 3, "thoughtsTokenCount": 9}}
        ),
    )
    whole = fold(events)
    assert (whole.reason, whole.parts, whole.usage.output_tokens) == (StopReason.LENGTH, (), 9)
    for rendered in frames(told(C, ask(C, stream=True), events))[:-1]:
        assert all(isinstance(choice["delta"], dict) for choice in rendered["choices"])


def test_row_064_a_signature_without_words_is_kept() -> None:
    parts = fold(heard(G, stream(chunk({"text": "done"}), chunk({"text": "", "thoughtSignature": "c2ln"}, finish="STOP")))).parts
    assert parts == (TextPart("done"), ThinkingPart("", f"{MARK}c2ln"))


def test_thoughts_come_before_words_and_white_space_opens_nothing() -> None:
    answer = stream(chunk({"text": "Hm", "thought": True}), chunk({"text": "\n"}), chunk({"text": "yes"}), chunk(finish="STOP"))
    assert fold(heard(G, answer)).parts == (ThinkingPart("Hm"), TextPart("\nyes"))


def test_row_177_usage_is_the_last_that_is_told_and_counts_no_token_twice() -> None:
    told_once = {"promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 5, "thoughtsTokenCount": 7}
    events = heard(
        G, stream(chunk({"text": "x"}, usageMetadata=told_once), chunk(finish="STOP", usageMetadata={"promptTokenCount": 0}))
    )
    usage = fold(events).usage
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens, usage.reasoning_tokens) == (40, 60, 12, 7)


def test_row_178_a_blocked_prompt_says_why() -> None:
    with pytest.raises(UpstreamError) as caught:
        heard(G, stream({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 1}}))
    assert (caught.value.kind, caught.value.code) == (FailureKind.REFUSED, "PROHIBITED_CONTENT")


def test_an_error_inside_a_stream() -> None:
    with pytest.raises(UpstreamError) as caught:
        heard(G, stream(chunk({"text": "x"}), {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}))
    assert caught.value.kind is FailureKind.OVERLOADED


def test_a_server_that_answers_with_an_array() -> None:
    body = json.dumps([chunk({"text": "a"}), chunk({"text": "b"}, finish="STOP")]).encode()
    assert fold(checked(G.parse_response(body))).parts == (TextPart("ab"),)


def test_a_picture_that_the_model_made_reaches_a_google_client() -> None:
    blob = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    events = heard(G, stream(chunk(blob, finish="STOP")))
    assert frames(told(G, parsed(), events))[0]["candidates"][0]["content"]["parts"] == [blob]


@pytest.mark.parametrize(
    ("status", "details", "message", "kind", "wait"),
    [
        (429, [{"@type": "x/RetryInfo", "retryDelay": "23s"}], "You exceeded your current quota", FailureKind.RATE, 23.0),
        (
            429,
            [{"violations": [{"quotaId": "RequestsPerDayPerProject"}]}],
            "You exceeded your current quota",
            FailureKind.QUOTA,
            None,
        ),
        (400, [], "API key not valid. Please pass a valid API key.", FailureKind.AUTH, None),
        (
            400,
            [],
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            FailureKind.CONTEXT,
            None,
        ),
        (404, [], "models/x is not found for API version v1beta", FailureKind.NOT_FOUND, None),
        (503, [], "The model is overloaded.", FailureKind.OVERLOADED, None),
    ],
)
def test_what_googles_refusals_mean(status: int, details: Any, message: str, kind: FailureKind, wait: float | None) -> None:
    body = json.dumps({"error": {"code": status, "message": message, "status": "X", "details": details}}).encode()
    error = G.parse_error(status, {}, body)
    assert (error.kind, error.retry_after) == (kind, wait)


def test_a_call_that_was_cut_off_is_not_given_as_a_whole_one() -> None:
    """Row 16."""
    events: list[StreamEvent] = [
        Started("x", "m"),
        Opened(OpenToolCall("c", "f")),
        Delta('{"a":'),
        Closed(is_complete=False),
        Finished(StopReason.LENGTH),
    ]
    last = frames(told(G, parsed(), events))
    assert [one["candidates"][0].get("finishReason") for one in last] == ["MAX_TOKENS"]


def test_images_keep_their_type() -> None:
    request = parsed(contents=[{"parts": [{"inlineData": {"mimeType": "image/webp", "data": "AAAA"}}]}])
    assert [(part.media_type, part.base64) for part in request.messages[0].parts if isinstance(part, ImagePart)] == [
        ("image/webp", "AAAA")
    ]
