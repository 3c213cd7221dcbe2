"""A server that makes vectors in the words of each vendor and refuses, as that vendor does, what it does not know.

The vector of a text is its length, 0.5 and -1. One server is all vendors at once: their paths differ.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import unquote

from tests.fakes.anthropic_rules import RefusalError
from tests.fakes.bedrock import is_signed
from tests.fakes.more_upstreams import vector_of

_OPENAI_KEYS: Final = {"model", "input", "dimensions", "encoding_format", "user"}
_GOOGLE_KEYS: Final = {"model", "content", "taskType", "title", "outputDimensionality"}
_OLLAMA_KEYS: Final = {"model", "input", "truncate", "options", "keep_alive", "dimensions"}
_TITAN_KEYS: Final = {"inputText", "dimensions", "normalize", "embeddingTypes"}
_COHERE_KEYS: Final = {"texts", "input_type", "truncate", "embedding_types", "output_dimension"}
_COHERE_PURPOSES: Final = {"search_document", "search_query", "classification", "clustering"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. Header names are lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    model: str = ""  # of the address

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


def _only(body: Mapping[str, Any], keys: set[str], needed: set[str]) -> None:
    if unknown := set(body) - keys:
        raise RefusalError(f"Unrecognized request argument supplied: {', '.join(sorted(unknown))}")
    if missing := needed - set(body):
        raise RefusalError(f"Missing required parameter: {', '.join(sorted(missing))}")


def _texts(value: Any, most: int) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not 0 < len(texts) <= most or not all(isinstance(text, str) and text for text in texts):
        raise RefusalError(f"Invalid 'input': a string, or an array of 1 to {most} non-empty strings.")
    return texts


def _openai(asked: Asked) -> dict[str, Any]:
    body = asked.json
    _only(body, _OPENAI_KEYS, {"input"} if asked.model else {"input", "model"})
    texts = _texts(body["input"], 2048)
    rows = [{"object": "embedding", "index": index, "embedding": vector_of(text)} for index, text in enumerate(texts)]
    tokens = sum(map(len, texts))
    return {
        "object": "list",
        "data": rows[::-1],  # the index says which is which
        "model": body.get("model", asked.model),
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _llamacpp(asked: Asked) -> dict[str, Any]:
    answer = _openai(asked)
    for row in answer["data"]:
        row["embedding"] = [row["embedding"]]  # as some versions nest them
    return answer


def _google(asked: Asked) -> dict[str, Any]:
    body = asked.json
    _only(body, {"requests"}, {"requests"})
    if not 0 < len(body["requests"]) <= 100:
        raise RefusalError("BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch")
    vectors = []
    for each in body["requests"]:
        _only(each, _GOOGLE_KEYS, {"model", "content"})
        if each["model"] != f"models/{asked.model}":
            raise RefusalError("The model of a request must be that of the batch.")
        _only(each["content"], {"parts", "role"}, {"parts"})
        vectors.append({"values": vector_of("".join(part["text"] for part in each["content"]["parts"]))})
    return {"embeddings": vectors}


def _ollama(asked: Asked) -> dict[str, Any]:
    body = asked.json
    _only(body, _OLLAMA_KEYS, {"model", "input"})
    if body["model"] == "missing":
        raise RefusalError('model "missing" not found, try pulling it first', 404)
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    return {"model": body["model"], "embeddings": [vector_of(text) for text in texts], "prompt_eval_count": sum(map(len, texts))}


def _bedrock(asked: Asked) -> dict[str, Any]:
    body = asked.json
    if "titan-embed-" in asked.model:
        _only(body, _TITAN_KEYS if "v2" in asked.model else {"inputText"}, {"inputText"})
        if body.get("dimensions", 1024) not in {256, 512, 1024}:
            raise RefusalError("Malformed input request: #/dimensions: is not a valid enum value")
        return {"embedding": vector_of(body["inputText"]), "inputTextTokenCount": len(body["inputText"])}
    if "cohere.embed-" not in asked.model:
        raise RefusalError("The provided model identifier is invalid.")
    is_new = "embed-v4" in asked.model
    _only(body, _COHERE_KEYS if is_new else _COHERE_KEYS - {"output_dimension"}, {"texts", "input_type"})
    if body["input_type"] not in _COHERE_PURPOSES or not 0 < len(body["texts"]) <= 96:
        raise RefusalError("Malformed input request: #/texts: expected maximum item count: 96")
    vectors = [vector_of(text) for text in body["texts"]]
    return {"id": "1", "response_type": "embeddings_floats", "embeddings": {"float": vectors} if is_new else vectors}


@dataclass(frozen=True, slots=True)
class Door:
    """Where a vendor makes vectors, the header that its key travels in, and how it answers."""

    path: re.Pattern[str]
    header: str
    answer: Callable[[Asked], dict[str, Any]]


DOORS: Final = {
    "openai": Door(re.compile(r"/openai-home/v1/embeddings"), "authorization", _openai),
    "openrouter": Door(re.compile(r"/openrouter/api/v1/embeddings"), "authorization", _openai),
    "azure-openai": Door(re.compile(r"/openai/v1/embeddings"), "api-key", _openai),
    "azure-openai-classic": Door(
        re.compile(r"/openai/deployments/(?P<model>[^/]+)/embeddings\?api-version=\d{4}-\d\d-\d\d"), "api-key", _openai
    ),
    "google": Door(re.compile(r"/v1beta/models/(?P<model>[^/:]+):batchEmbedContents"), "x-goog-api-key", _google),
    "ollama": Door(re.compile(r"/api/embed"), "authorization", _ollama),
    "llamacpp": Door(re.compile(r"/v1/embeddings"), "authorization", _llamacpp),
    "bedrock": Door(re.compile(r"/model/(?P<model>[^/]+)/invoke"), "authorization", _bedrock),
}


@dataclass(eq=False)
class VectorServer:
    """The server. It takes any of `keys`, and signed requests at Bedrock's door; without keys it asks for none."""

    keys: tuple[str, ...] = ()
    asked: list[Asked] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    url: str = ""

    def start(self) -> "VectorServer":
        """Listen on a free port of loopback."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                if self.path == "/api/show":  # Ollama's, which tells nothing here of its chat models
                    self._send(404, {"error": "model not found"})
                    return
                server.asked.append(asked)
                try:
                    status, answer = 200, server._answer(asked)
                except RefusalError as refusal:
                    status = refusal.status
                    answer = {"error": {"message": str(refusal), "type": "refused"}, "message": str(refusal)}
                    server.refused.append(str(refusal))
                self._send(status, answer)

            def _send(self, status: int, answer: dict[str, Any]) -> None:
                payload = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: object) -> None:
                """Be quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def stop(self) -> None:
        """Close everything."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, asked: Asked) -> dict[str, Any]:
        for name, door in DOORS.items():
            if (found := door.path.fullmatch(asked.path)) is not None:
                self._check(name, door, asked)
                model = unquote(found.groupdict().get("model") or "")
                return door.answer(Asked(asked.path, asked.headers, asked.body, model))
        raise RefusalError(f"Unknown request URL: POST {asked.path}.", 404)

    def _check(self, name: str, door: Door, asked: Asked) -> None:
        if asked.headers.get("content-type") != "application/json":
            raise RefusalError("Unsupported media type", 415)
        shown = asked.headers.get(door.header, "")
        if name == "bedrock" and shown.startswith("AWS4"):
            if not is_signed(SimpleNamespace(headers=asked.headers, path=asked.path, body=asked.body)):  # type: ignore[arg-type]
                raise RefusalError("The request signature we calculated does not match the signature you provided.", 403)
        elif self.keys and shown.removeprefix("Bearer ") not in self.keys:
            raise RefusalError("Incorrect API key provided.", 401)
