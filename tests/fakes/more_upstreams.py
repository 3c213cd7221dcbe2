"""Scripted servers of more vendors: OpenAI's Responses API, at Azure too; Google, whose address holds model and verb; Ollama.

The last two also make vectors: of each text one of three numbers, its length, 0.5 and -1.
"""

import asyncio
import json
import re
from typing import Any

from tests.fakes import gemini_rules, gemini_wire, ollama_rules, ollama_wire, openai_rules, responses_rules
from tests.fakes.responses_wire import ResponsesSpeech
from tests.fakes.upstream import Received, Upstream, Vendor, WireSpeech

_ADDRESS = re.compile(r"/v1(?:beta)?/models/(?P<model>[^/:?]+):(?P<verb>generateContent|streamGenerateContent\?alt=sse)")
GEMINI = Vendor(
    "google",
    "/v1beta/models/{model}:generateContent",
    gemini_rules.check,
    gemini_rules.check_headers,
    gemini_wire,
    ("x-fake", "google"),
)
RESPONSES = Vendor(
    "azure-openai",
    "/v1/responses",
    responses_rules.check,
    openai_rules.check_headers,
    ResponsesSpeech(),
    ("x-request-id", "req_fakeresponses"),
)
OLLAMA = Vendor("ollama", "/api/chat", ollama_rules.check, ollama_rules.check_headers, ollama_wire, ("x-fake", "ollama"))


def vector_of(text: str) -> list[float]:
    """The fakes' vector of a text."""
    return [float(len(text)), 0.5, -1.0]


class ResponsesUpstream(Upstream):
    """OpenAI's Responses API, and under Azure's address and key. It encrypts reasoning for those who ask for that."""

    def __init__(self, key: str) -> None:
        super().__init__(RESPONSES, key)

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        received = await super()._read(reader)
        if received is not None and received.path == f"/openai{self.vendor.chat_path}":
            received.path = self.vendor.chat_path
            if "api-key" in received.headers and "authorization" not in received.headers:
                received.headers["authorization"] = f"Bearer {received.headers.pop('api-key')}"
        return received

    def _speech(self, received: Received) -> WireSpeech:
        return ResponsesSpeech("reasoning.encrypted_content" in (received.json.get("include") or ()))


class GeminiUpstream(Upstream):
    """Google's API. What the address says is put into the body as `model` and `stream`, where the scripts look for it."""

    def __init__(self, key: str) -> None:
        super().__init__(GEMINI, key)

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        received = await super()._read(reader)
        found = _ADDRESS.fullmatch(received.path) if received else None
        if received is not None and found is not None:
            received.path = self.vendor.chat_path
            body = json.loads(received.body)
            if not {"model", "stream"} & set(body):
                received.headers["x-fake-model"] = found["model"]
                is_streamed = found["verb"].startswith("stream")
                received.body = json.dumps(body | {"model": found["model"], "stream": is_streamed}).encode()
        return received

    async def _answer_aside(self, path: str, received: Received, writer: asyncio.StreamWriter) -> bool:
        if received.method == "GET" and path in {"/v1/models", "/v1beta/models"}:
            return await self._reply(200, gemini_wire.models_list(), received, writer)
        if path.endswith("/models/gemini-embedding-001:batchEmbedContents"):
            texts = [each["content"]["parts"][0]["text"] for each in received.json["requests"]]
            body = {"embeddings": [{"values": vector_of(text)} for text in texts]}
            return await self._reply(200, json.dumps(body).encode(), received, writer)
        return await super()._answer_aside(path, received, writer)


class OllamaUpstream(Upstream):
    """A fake of Ollama. `shows` is what it tells of its models; `loaded` are the requests that only took one into memory."""

    def __init__(self, key: str) -> None:
        super().__init__(OLLAMA, key)
        self.shows: dict[str, dict[str, Any]] = {}
        self.loaded: list[dict[str, Any]] = []

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        received = await super()._read(reader)
        if received is not None and received.path == self.vendor.chat_path:
            received.body = json.dumps({"stream": True} | received.json).encode()  # what Ollama does where nothing is said
        return received

    def _head(self, status: int, content_type: str, headers: dict[str, str]) -> bytes:
        kind = "application/x-ndjson" if content_type.startswith("text/event-stream") else content_type
        return super()._head(status, kind, headers)

    async def _answer_aside(self, path: str, received: Received, writer: asyncio.StreamWriter) -> bool:
        if (received.method, path) == ("GET", "/api/tags"):
            return await self._reply(200, ollama_wire.models_list(), received, writer)
        if path == "/api/show":
            found = self.shows.get(received.json["model"]) if set(received.json) == {"model"} else None
            body = {"error": "model not found"} if found is None else found
            return await self._reply(404 if found is None else 200, json.dumps(body).encode(), received, writer)
        if path == "/api/generate" and not received.json.get("prompt"):
            self.loaded.append(received.json)
            answer = {"model": received.json["model"], "response": "", "done": True, "done_reason": "load"}
            return await self._reply(200, json.dumps(answer).encode(), received, writer)
        if path == "/api/embed":
            asked: dict[str, Any] = received.json
            body = {"model": asked["model"], "embeddings": [vector_of(text) for text in asked["input"]], "prompt_eval_count": 4}
            return await self._reply(200, json.dumps(body).encode(), received, writer)
        return await super()._answer_aside(path, received, writer)
