"""Whatever comes in at Google's or Ollama's wire, only the errors of the taxonomy come out."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkr_desktop.engine.chat.grammar import GrammarChecker
from lynkr_desktop.engine.wire.contract import CannotCarryError, Wire
from lynkr_desktop.engine.wire.embeddings import Form, parse_answer, render_request
from lynkr_desktop.engine.wire.embeddings import parse_request as parse_embeddings
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.errors import ClientError, UpstreamError
from tests.engine.wire.speech import PLAIN, A, C
from tests.engine.wire.test_embeddings import ANSWERS, ASKED
from tests.engine.wire.test_gemini import FULL as GOOGLES
from tests.engine.wire.test_gemini import G, chunk
from tests.engine.wire.test_nonsense import places, replaced
from tests.engine.wire.test_ollama import CALL, LLAMA
from tests.engine.wire.test_ollama import FULL as OLLAMAS

BOTH = pytest.mark.parametrize("wire", [G, LLAMA], ids=["gemini", "ollama"])
WRONG: list[Any] = [None, 7, 1e300, True, "", "words", [], {}, [7], ["x"], [{}], {"type": 7}, {"text": 7}, [[]]]
ANSWERED: list[dict[str, Any]] = [
    chunk({"text": "x", "thought": True, "thoughtSignature": "c2ln"}, {"functionCall": {"id": "a", "name": "f", "args": {}}}),
    chunk({"inlineData": {"mimeType": "image/png", "data": "AA"}}, finish="STOP", usageMetadata={"promptTokenCount": 1}),
    {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}},
    {"error": {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "3s"}]}},
    {"model": "m", "created_at": "t", "message": {"content": "x", "thinking": "y", "tool_calls": [CALL]}, "done": False},
    {"model": "m", "message": {"content": ""}, "done": True, "done_reason": "stop", "prompt_eval_count": 1, "eval_count": 2},
    {"error": "words"},
]
PLACES = [(index, path) for index, one in enumerate(ANSWERED) for path in places(one)]


@pytest.mark.parametrize("wrong", WRONG, ids=json.dumps)
@pytest.mark.parametrize(("wire", "whole"), [(G, GOOGLES[3]), (LLAMA, OLLAMAS[2])], ids=["gemini", "ollama"])
def test_requests(wire: Wire, whole: dict[str, Any], wrong: Any) -> None:
    for path in places(whole):
        with suppress(ClientError):
            request = wire.parse_request(json.dumps(replaced(whole, path, wrong)).encode())
            for other in (A, C, G, LLAMA):
                with suppress(CannotCarryError):
                    json.loads(other.render_request(request, "gemini-3", PLAIN, is_streamed=True).body)
            wire.renamed(request, "m", asks_usage=True)


@BOTH
@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PLACES), max_size=8), st.sampled_from(WRONG))
def test_answers(wire: Wire, broken: list[tuple[int, tuple[Any, ...]]], wrong: Any) -> None:
    parser, checker = wire.stream_parser(), GrammarChecker()
    with suppress(UpstreamError):
        for index, path in broken:
            for value in (ANSWERED[index], replaced(ANSWERED[index], path, wrong)):
                for event in parser.feed(Frame(json.dumps(value).encode())):
                    checker.check(event)
        for event in parser.close():
            checker.check(event)
    for index, path in broken:
        body = json.dumps(replaced(ANSWERED[index], path, wrong)).encode()
        wire.parse_error(429, {}, body)
        with suppress(UpstreamError):
            wire.parse_response(body)


@BOTH
@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_bytes(wire: Wire, body: bytes) -> None:
    with suppress(ClientError):
        wire.parse_request(body)
    with suppress(UpstreamError):
        wire.stream_parser().feed(Frame(body))
    with suppress(UpstreamError):
        wire.parse_response(body)
    assert wire.parse_error(500, {"retry-after": body.decode("latin-1")}, body).title


@pytest.mark.parametrize("wrong", WRONG, ids=json.dumps)
def test_embeddings(wrong: Any) -> None:
    for form, asked in ASKED:
        for path in places(asked):
            with suppress(ClientError):
                request = parse_embeddings(json.dumps(replaced(asked, path, wrong)).encode(), form, None)
                for other in (Form.OPENAI, Form.OLLAMA, Form.GEMINI):
                    with suppress(ClientError):
                        render_request(request, other, "m")
    for form, answer in ANSWERS.items():
        for path in places(answer):
            with suppress(UpstreamError):
                parse_answer(json.dumps(replaced(answer, path, wrong)).encode(), form, 2)
