"""Answers kept for clients that go on from them by their ids."""

import json
from typing import Any

import pytest

from lynkr_desktop.engine.chat.events import Closed, Delta, Finished, Opened, OpenText, Started, StopReason
from lynkr_desktop.engine.chat.request import ChatRequest, TextPart
from lynkr_desktop.engine.store import responses
from lynkr_desktop.engine.store.responses import KEPT_SECONDS, ResponsesStore
from lynkr_desktop.engine.wire import openai_chat, openai_responses
from lynkr_desktop.engine.wire.sse import SseSplitter
from lynkr_desktop.errors import ClientError
from tests.fakes.responses_wire import ResponsesSpeech
from tests.fakes.script import Answer, Say, Think


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> ResponsesStore:
    return ResponsesStore(clock)


def asked(text: Any, **body: Any) -> ChatRequest:
    return openai_responses.parse_request(json.dumps({"model": "m", "input": text, **body}).encode())


def answered(store: ResponsesStore, request: ChatRequest, text: str, answer_id: str) -> None:
    """The request, written out, has had this answer."""
    hear = store.listener(store.written_out(request))
    if hear is not None:
        hear([Started(answer_id, "m"), Opened(OpenText())], [])
        hear([Delta(text), Closed(), Finished(StopReason.END)], [])


def words(request: ChatRequest) -> list[str]:
    return [part.text for message in request.messages for part in message.parts if isinstance(part, TextPart)]


def test_row_159_a_conversation_goes_on_from_an_id(store: ResponsesStore) -> None:
    answered(store, asked("one", instructions="not carried over"), "two", "resp_a")
    answered(store, asked("three", previous_response_id="resp_a"), "four", "resp_b")
    request = store.written_out(asked("five", previous_response_id="resp_b", instructions="new"))
    assert words(request) == ["one", "two", "three", "four", "five"]
    assert [message.role for message in request.messages] == ["user", "assistant"] * 2 + ["user"]
    assert [part.text for part in request.system] == ["new"]
    assert "previous_response_id" not in json.loads(request.body)


def test_two_conversations_can_go_on_from_one_answer(store: ResponsesStore) -> None:
    answered(store, asked("root"), "answer", "resp_a")
    answered(store, asked("left", previous_response_id="resp_a"), "l", "resp_l")
    assert words(store.written_out(asked("right", previous_response_id="resp_a"))) == ["root", "answer", "right"]


def test_a_request_that_names_nothing_is_left_alone(store: ResponsesStore) -> None:
    request = asked("one")
    assert store.written_out(request) is request
    chat = openai_chat.parse_request(b'{"model":"m","messages":[],"previous_response_id":"x"}')
    assert store.written_out(chat) is chat
    assert store.listener(chat) is None


def test_row_159_an_unknown_id_is_refused_with_a_remedy(store: ResponsesStore) -> None:
    with pytest.raises(ClientError, match=r"resp_lost.*Send the whole conversation") as error:
        store.written_out(asked("x", previous_response_id="resp_lost"))
    assert error.value.status == 400
    with pytest.raises(ClientError, match="msg_lost"):
        store.written_out(asked([{"type": "item_reference", "id": "msg_lost"}]))


@pytest.mark.parametrize("field", [{"conversation": "conv_1"}, {"prompt": {"id": "pmpt_1"}}], ids=["conversation", "prompt"])
def test_what_only_openai_holds_is_refused(store: ResponsesStore, field: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match=next(iter(field))):
        store.written_out(asked("x", **field))


def test_items_that_are_only_named_are_put_in(store: ResponsesStore) -> None:
    answered(store, asked("one"), "two", "resp_a")
    kept = store.answer("resp_a")
    assert kept is not None
    name = {"type": "item_reference", "id": json.loads(kept)["output"][0]["id"]}
    request = store.written_out(asked([{"role": "user", "content": "one"}, name]))
    assert words(request) == ["one", "two"]


@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_of_a_relayed_answer_the_providers_own_items_are_kept(store: ResponsesStore, is_streamed: bool) -> None:
    """The client has seen OpenAI's ids, and OpenAI wants its reasoning back under them."""
    speech, answer = ResponsesSpeech(), Answer((Think("Hm."), Say("two")))
    hear = store.listener(asked("one"), is_relayed=True)
    assert hear is not None
    if is_streamed:
        parser, splitter = openai_responses.stream_parser(), SseSplitter()
        for event in speech.events(answer, "m", has_usage=True):
            frames = splitter.feed(event)
            hear([each for frame in frames for each in parser.feed(frame)], [frame.data for frame in frames])
    else:
        body = speech.whole(answer, "m")
        hear(openai_responses.parse_response(body), [body])
    thought, said = json.loads(speech.whole(answer, "m"))["output"]
    by_id = store.written_out(asked("three", previous_response_id="resp_Fake01"))
    assert json.loads(by_id.body)["input"][1:3] == [thought, said]
    named = [{"role": "user", "content": "one"}, *({"type": "item_reference", "id": each["id"]} for each in (thought, said))]
    assert json.loads(store.written_out(asked(named)).body)["input"][1:] == [thought, said]


def test_what_shall_not_be_stored_is_not(store: ResponsesStore) -> None:
    answered(store, asked("secret", store=False), "x", "resp_a")
    assert store.answer("resp_a") is None


def test_an_answer_that_broke_off_is_not_kept(store: ResponsesStore) -> None:
    hear = store.listener(asked("one"))
    assert hear is not None
    hear([Started("resp_a", "m"), Opened(OpenText()), Delta("half")], [])
    assert store.answer("resp_a") is None


def test_an_answer_can_be_read_and_dropped(store: ResponsesStore) -> None:
    answered(store, asked("one"), "two", "resp_a")
    kept = store.answer("resp_a")
    assert kept is not None
    assert json.loads(kept)["output"][0]["content"][0]["text"] == "two"
    assert store.forget("resp_a")
    assert not store.forget("resp_a")
    assert store.answer("resp_a") is None


def test_old_answers_are_forgotten(store: ResponsesStore, clock: Clock) -> None:
    answered(store, asked("one"), "two", "resp_a")
    clock.now = KEPT_SECONDS - 1
    assert store.answer("resp_a") is not None
    clock.now = KEPT_SECONDS + 1
    assert store.answer("resp_a") is None


def test_the_least_used_goes_first(store: ResponsesStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "MOST_ANSWERS", 2)
    answered(store, asked("a"), "1", "resp_a")
    answered(store, asked("b"), "2", "resp_b")
    store.answer("resp_a")
    answered(store, asked("c"), "3", "resp_c")
    assert [store.answer(f"resp_{name}") is not None for name in "abc"] == [True, False, True]


def test_its_memory_is_bounded(store: ResponsesStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "MOST_BYTES", 20_000)
    for number in range(10):
        answered(store, asked("x" * 3000), "y" * 1000, f"resp_{number}")
    kept = [number for number in range(10) if store.answer(f"resp_{number}") is not None]
    assert kept == [7, 8, 9]
    answered(store, asked("x" * 30_000), "y", "resp_huge")
    assert store.answer("resp_huge") is None
    assert store.answer("resp_9") is not None, "one that is too large drives nobody out"
