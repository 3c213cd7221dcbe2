"""Texts to vectors in the words of four vendors: requests and answers, both ways. Pure; no conversation passes through here.

Sources: OpenAI's embeddings reference, Ollama's `/api/embed` and the older `/api/embeddings`, Google's `embedContent` and
`batchEmbedContents`, and on Bedrock the models' own forms in InvokeModel: Amazon Titan and Cohere Embed. Which of them a body
is in is said by `Form`.
"""

import base64
import struct
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.errors import ClientError
from lynkr_desktop.json_reader import Fields, ShapeError

_FLOATS: Final = msgspec.json.Decoder(list[float])
MAX_INPUTS: Final = 2048  # OpenAI's own limit for one request
_GOOGLE_INPUTS: Final = 100
_COHERE_INPUTS: Final = 96
_COHERE: Final = "cohere.embed-"
_COHERE_SIZED: Final = "cohere.embed-v4"  # takes a size
_TITAN: Final = "titan-embed-"
_TITAN_SIZED: Final = "titan-embed-text-v2"
_QUERIES: Final = frozenset({"RETRIEVAL_QUERY", "QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY"})


class Form(StrEnum):
    """In whose words a request or an answer is."""

    OPENAI = "openai_chat"  # named like the wires, so that a provider's wire tells its form
    OLLAMA = "ollama"
    OLLAMA_SINGLE = "ollama_single"  # `/api/embeddings`: one prompt
    GEMINI = "gemini"  # batchEmbedContents
    GEMINI_SINGLE = "gemini_single"  # embedContent
    BEDROCK = "bedrock_converse"  # InvokeModel, whose bodies are the model's own


class EmbeddingsRequest(msgspec.Struct, frozen=True):
    """Texts that are to become vectors. An input may be token numbers instead of text, where a client sends such.

    `is_base64`: the client wants the numbers as base64 of 32-bit floats. `task` is Google's word for what the vectors are for.
    """

    form: Form
    model: str
    inputs: tuple[str | tuple[int, ...], ...]
    dimensions: int | None = None
    is_base64: bool = False
    task: str | None = None
    losses: tuple[str, ...] = ()


class EmbeddingsAnswer(msgspec.Struct, frozen=True):
    """One vector for each input, in their order, each as JSON text of numbers. `tokens` None is "not told"."""

    vectors: tuple[Raw, ...]
    tokens: int | None = None


# --- requests ---


def parse_request(body: bytes, form: Form, model: str | None) -> EmbeddingsRequest:
    """Read a client's request; `model` is the address's, if it names one. Raises `ClientError(400)` that names the JSON path."""
    try:
        fields = Fields.parse(body)
        match form:
            case Form.OPENAI:
                request = _openai(fields)
            case Form.OLLAMA:
                request = EmbeddingsRequest(
                    form, fields.text("model"), _inputs(fields, "input"), fields.optional("dimensions", int)
                )
            case Form.OLLAMA_SINGLE:
                request = EmbeddingsRequest(form, fields.text("model"), (fields.text("prompt"),))
            case Form.GEMINI_SINGLE:
                request = _google(form, [fields])
            case Form.GEMINI:
                request = _google(form, list(fields.objects("requests")))
    except ShapeError as error:
        raise ClientError("The request is not in the form of an embeddings API.", f"{error.path}: {error.problem}.") from None
    if not 0 < len(request.inputs) <= MAX_INPUTS:
        raise ClientError("There must be from 1 to 2048 inputs.", f"There are {len(request.inputs)}.")
    return request if model is None else msgspec.structs.replace(request, model=model)


def _openai(fields: Fields) -> EmbeddingsRequest:
    encoding = fields.text_or("encoding_format", "float")
    if encoding not in {"float", "base64"}:
        raise ShapeError(fields.at("encoding_format"), f"expected float or base64, got {encoding[:40]!r}")
    losses = tuple(key for key in fields.raw if key not in {"model", "input", "encoding_format", "dimensions"})
    dimensions = fields.optional("dimensions", int)
    inputs = _inputs(fields, "input")
    return EmbeddingsRequest(Form.OPENAI, fields.text("model"), inputs, dimensions, encoding == "base64", losses=losses)


def _inputs(fields: Fields, key: str) -> tuple[str | tuple[int, ...], ...]:
    """A text, a list of texts, a list of tokens, or a list of such lists."""
    if fields.kind(key) == "string":
        return (fields.text(key),)
    fields.need(key)
    items = fields.array(key)
    if items and all(json_reader.kind_of(item) == "number" for item in items):
        return (tuple(fields.optional(key, list[int]) or ()),)
    return tuple(_input(item, f"{fields.at(key)}[{index}]") for index, item in enumerate(items))


def _input(item: Raw, path: str) -> str | tuple[int, ...]:
    value = json_reader.decode(item, path)
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, int) for one in value):
        return tuple(value)
    raise ShapeError(path, "expected a text or a list of token numbers")


def _google(form: Form, items: Sequence[Fields]) -> EmbeddingsRequest:
    texts: list[str] = []
    for item in items:
        parts = item.fields("content").objects("parts")
        texts.append("\n".join(part.text("text") for part in parts))
    first = items[0] if items else Fields({})
    dimensions = first.optional("outputDimensionality", int)
    model = first.text_or("model", "").removeprefix("models/")
    return EmbeddingsRequest(form, model, tuple(texts), dimensions, task=first.optional_text("taskType"))


def render_request(request: EmbeddingsRequest, form: Form, model: str) -> bytes:
    """The request for a provider of a form. Numbers are always asked for as numbers. Raises `ClientError` for token numbers
    where only texts are taken."""
    if form is Form.OPENAI:
        body: dict[str, Any] = {"model": model, "input": list(request.inputs)}
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        return json_reader.encode(body)
    texts = texts_of(request)
    if form is Form.OLLAMA:
        body = {"model": model, "input": texts}
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        return json_reader.encode(body)
    if form is Form.BEDROCK:
        return _for_bedrock(request, texts, model)
    extras = {"outputDimensionality": request.dimensions, "taskType": request.task}
    given = {key: value for key, value in extras.items() if value is not None}
    requests = [{"model": f"models/{model}", "content": {"parts": [{"text": text}]}, **given} for text in texts]
    return json_reader.encode({"requests": requests})


def _for_bedrock(request: EmbeddingsRequest, texts: Sequence[str], model: str) -> bytes:
    """Titan takes one text; Cohere wants to know what the vectors are for. Raises `ClientError` for a size that cannot be had."""
    size = request.dimensions
    body: dict[str, Any]
    if _TITAN in model:
        body = {"inputText": texts[0]} | ({} if size is None else {"dimensions": size})
    elif _COHERE in model:
        purpose = "search_query" if request.task in _QUERIES else "search_document"
        body = {"texts": texts, "input_type": purpose} | ({} if size is None else {"output_dimension": size})
    else:
        raise ClientError(
            f"How {model[:80]!r} makes vectors is not known.", "On Bedrock, use a model of Amazon Titan or Cohere Embed."
        )
    if size is not None and _TITAN_SIZED not in model and _COHERE_SIZED not in model:
        raise ClientError(f"{model[:80]} makes vectors of one size only.", "Leave dimensions out.")
    return json_reader.encode(body)


def inputs_per_call(form: Form, model: str) -> int:
    """How many inputs a provider takes in one call."""
    match form:
        case Form.BEDROCK:
            return 1 if _TITAN in model else _COHERE_INPUTS
        case Form.GEMINI:
            return _GOOGLE_INPUTS
        case _:
            return MAX_INPUTS


def joined(answers: Sequence[EmbeddingsAnswer]) -> EmbeddingsAnswer:
    """The answers of several calls as one. Tokens are known only if all told them."""
    tokens = [answer.tokens for answer in answers]
    known = [each for each in tokens if each is not None]
    vectors = tuple(vector for answer in answers for vector in answer.vectors)
    return EmbeddingsAnswer(vectors, sum(known) if len(known) == len(tokens) else None)


def texts_of(request: EmbeddingsRequest) -> list[str]:
    """The inputs for who takes only texts. Raises `ClientError` if there are token numbers among them."""
    texts = [text for text in request.inputs if isinstance(text, str)]
    if len(texts) != len(request.inputs):
        raise ClientError(
            "This provider takes texts, not token numbers.",
            "Switch token numbers off in the program (in LangChain: check_embedding_ctx_length=False).",
        )
    return texts


# --- answers ---


def parse_answer(body: bytes, form: Form, count: int) -> EmbeddingsAnswer:
    """A provider's answer. Raises `UpstreamError(PROTOCOL)` if it is not one of `count` vectors."""
    try:
        answer = _answer(Fields.parse(body), form)
        for vector in answer.vectors:
            json_reader.decode_with(_FLOATS, vector)
    except ShapeError as error:
        raise refusals.broken(str(error)) from None
    if len(answer.vectors) != count:
        raise refusals.broken(f"{len(answer.vectors)} vectors came for {count} inputs.")
    return answer


def _answer(fields: Fields, form: Form) -> EmbeddingsAnswer:
    if form is Form.OPENAI:
        rows = sorted(enumerate(fields.objects("data")), key=lambda row: _place(row[1], row[0]))
        usage = fields.optional_fields("usage")
        return EmbeddingsAnswer(tuple(_flat(row) for _, row in rows), usage.optional("prompt_tokens", int) if usage else None)
    if form is Form.OLLAMA:
        return EmbeddingsAnswer(tuple(fields.array("embeddings")), fields.optional("prompt_eval_count", int))
    if form is Form.BEDROCK:
        return _of_bedrock(fields)
    return EmbeddingsAnswer(tuple(each.need("values") for each in fields.objects("embeddings")))


def _of_bedrock(fields: Fields) -> EmbeddingsAnswer:
    """Titan's one vector, or Cohere's list of them, which newer models name by the kind of number."""
    if fields.has("embedding"):
        return EmbeddingsAnswer((fields.need("embedding"),), fields.optional("inputTextTokenCount", int))
    if fields.kind("embeddings") == "object":
        return EmbeddingsAnswer(tuple(fields.fields("embeddings").array("float")))
    return EmbeddingsAnswer(tuple(fields.array("embeddings")))


def _place(row: Fields, position: int) -> int:
    index = row.optional("index", int)
    return position if index is None else index


def _flat(row: Fields) -> Raw:
    """A vector; llama.cpp may put it into a list of one."""
    items = row.array("embedding")
    return items[0] if len(items) == 1 and json_reader.kind_of(items[0]) == "array" else row.need("embedding")


def render_answer(answer: EmbeddingsAnswer, request: EmbeddingsRequest) -> bytes:
    """The answer in the client's words, under the model name that the client asked for."""
    match request.form:
        case Form.OPENAI:
            rows = [
                {"object": "embedding", "index": index, "embedding": _packed(vector) if request.is_base64 else vector}
                for index, vector in enumerate(answer.vectors)
            ]
            usage = {"prompt_tokens": answer.tokens or 0, "total_tokens": answer.tokens or 0}
            return json_reader.encode({"object": "list", "data": rows, "model": request.model, "usage": usage})
        case Form.OLLAMA:
            body: dict[str, Any] = {"model": request.model, "embeddings": list(answer.vectors)}
            return json_reader.encode(body if answer.tokens is None else body | {"prompt_eval_count": answer.tokens})
        case Form.OLLAMA_SINGLE:
            return json_reader.encode({"embedding": answer.vectors[0]})
        case Form.GEMINI:
            return json_reader.encode({"embeddings": [{"values": vector} for vector in answer.vectors]})
        case Form.GEMINI_SINGLE:
            return json_reader.encode({"embedding": {"values": answer.vectors[0]}})
        case Form.BEDROCK:
            raise ValueError("no program asks in the words of InvokeModel")


def _packed(vector: Raw) -> str:
    """Little-endian 32-bit floats as base64: what OpenAI's TypeScript program decodes, whatever else comes."""
    numbers = json_reader.decode_with(_FLOATS, vector)
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
