"""Texts to vectors, in each vendor's words."""

import base64
import json
import struct
from typing import Any

import pytest

from lynkr_desktop.engine.wire.embeddings import Form, parse_answer, parse_request, render_answer, render_request
from lynkr_desktop.errors import ClientError, FailureKind, UpstreamError

ASKED: list[tuple[Form, dict[str, Any]]] = [
    (Form.OPENAI, {"model": "m", "input": ["a", "b"], "dimensions": 2}),
    (Form.OLLAMA, {"model": "m", "input": ["a", "b"], "dimensions": 2}),
    (
        Form.GEMINI,
        {"requests": [{"model": "models/m", "content": {"parts": [{"text": text}]}, "outputDimensionality": 2} for text in "ab"]},
    ),
]
ANSWERS = {
    Form.OPENAI: {
        "data": [{"index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": [[1.5, -2]]}],
        "usage": {"prompt_tokens": 9},
    },
    Form.OLLAMA: {"embeddings": [[1.5, -2], [3, 4]], "prompt_eval_count": 9},
    Form.GEMINI: {"embeddings": [{"values": [1.5, -2]}, {"values": [3, 4]}]},
}


@pytest.mark.parametrize(("form", "body"), ASKED)
@pytest.mark.parametrize("other", ANSWERS)
def test_each_form_of_request_in_each_other(form: Form, body: dict[str, Any], other: Form) -> None:
    request = parse_request(json.dumps(body).encode(), form, None)
    assert (request.model, request.inputs, request.dimensions) == ("m", ("a", "b"), 2)
    assert json.loads(render_request(request, other, "m")) == dict(ASKED)[other]


@pytest.mark.parametrize("form", ANSWERS)
def test_each_form_of_answer_in_the_order_of_the_inputs(form: Form) -> None:
    """llama.cpp nests a vector once too often."""
    answer = parse_answer(json.dumps(ANSWERS[form]).encode(), form, 2)
    assert [json.loads(bytes(vector)) for vector in answer.vectors] == [[1.5, -2], [3, 4]]
    assert answer.tokens == (None if form is Form.GEMINI else 9)
    request = parse_request(b'{"model":"m","input":["a","b"]}', Form.OPENAI, None)
    rendered = json.loads(render_answer(answer, request))
    assert [(row["index"], row["embedding"]) for row in rendered["data"]] == [(0, [1.5, -2]), (1, [3, 4])]


def test_base64_is_little_endian_floats() -> None:
    """OpenAI's TypeScript program asks so, and decodes whatever comes: plain numbers become zeros there."""
    request = parse_request(b'{"model":"m","input":"a","encoding_format":"base64"}', Form.OPENAI, None)
    answer = parse_answer(b'{"embeddings":[[1.5,-2,1e-3]]}', Form.OLLAMA, 1)
    packed = base64.b64decode(json.loads(render_answer(answer, request))["data"][0]["embedding"])
    assert struct.unpack("<3f", packed) == pytest.approx((1.5, -2.0, 0.001))


@pytest.mark.parametrize(
    ("form", "body", "inputs"),
    [
        (Form.OPENAI, {"model": "m", "input": "a"}, ("a",)),
        (Form.OPENAI, {"model": "m", "input": [1, 2]}, ((1, 2),)),
        (Form.OPENAI, {"model": "m", "input": [[1], [2, 3]]}, ((1,), (2, 3))),
        (Form.OLLAMA_SINGLE, {"model": "m", "prompt": "a"}, ("a",)),
        (Form.GEMINI_SINGLE, {"content": {"parts": [{"text": "a"}]}}, ("a",)),
    ],
)
def test_forms_of_input(form: Form, body: dict[str, Any], inputs: Any) -> None:
    assert parse_request(json.dumps(body).encode(), form, "m").inputs == inputs


def test_token_numbers_go_only_where_they_are_understood() -> None:
    request = parse_request(b'{"model":"m","input":[[1,2]]}', Form.OPENAI, None)
    assert json.loads(render_request(request, Form.OPENAI, "m"))["input"] == [[1, 2]]
    with pytest.raises(ClientError, match="token numbers"):
        render_request(request, Form.OLLAMA, "m")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"model": "m"}, "$.input"),
        ({"model": "m", "input": [{}]}, "$.input[0]"),
        ({"model": "m", "input": "x", "encoding_format": "hex"}, "$.encoding_format"),
        ({"model": "m", "input": []}, "0"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], place: str) -> None:
    with pytest.raises(ClientError) as caught:
        parse_request(json.dumps(body).encode(), Form.OPENAI, None)
    assert place in caught.value.detail


@pytest.mark.parametrize("body", ['{"embeddings":[]}', '{"embeddings":[["x"]]}', "[]", "<html>"])
def test_an_answer_that_is_none(body: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        parse_answer(body.encode(), Form.OLLAMA, 1)
    assert caught.value.kind is FailureKind.PROTOCOL
