"""The table of inbound doors: which path speaks which wire, and what is asked there. No bytes are read here.

A path may hold `{model}`: then the model, and whether the answer is streamed, are said by the address instead of by the body.
Every path may stand after `/p/<name>`, which says what project a request belongs to; so may the header `x-lynkr-project`.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec


class Ask(StrEnum):
    """What a door is for."""

    CHAT = "chat"
    COUNT_TOKENS = "count_tokens"
    EMBEDDINGS = "embeddings"


class Surface(msgspec.Struct, frozen=True):
    """A door: the name in the ledger, the path, the wire that is spoken there."""

    name: str
    path: str
    wire: str
    ask: Ask = Ask.CHAT
    is_streamed: bool = False  # of a path that says so; elsewhere the body does


class Address(msgspec.Struct, frozen=True):
    """What a request's address says of it; None is left to the body. `framing` names one of `wire.framing`."""

    model: str | None = None
    is_streamed: bool | None = None
    framing: str | None = None


PLAIN: Final = Address()  # of a path that says nothing of the request

SURFACES: Final = (
    Surface("messages", "/v1/messages", "anthropic"),
    Surface("count_tokens", "/v1/messages/count_tokens", "anthropic", Ask.COUNT_TOKENS),
    Surface("chat_completions", "/v1/chat/completions", "openai_chat"),
    Surface("responses", "/v1/responses", "openai_responses"),
    Surface("generate_content", "/v1beta/models/{model}:generateContent", "gemini"),
    Surface("stream_generate_content", "/v1beta/models/{model}:streamGenerateContent", "gemini", is_streamed=True),
    Surface("count_tokens", "/v1beta/models/{model}:countTokens", "gemini", Ask.COUNT_TOKENS),
    Surface("ollama_chat", "/api/chat", "ollama"),
    Surface("ollama_generate", "/api/generate", "ollama"),
    Surface("embeddings", "/v1/embeddings", "openai_chat", Ask.EMBEDDINGS),
    Surface("embed_content", "/v1beta/models/{model}:embedContent", "gemini", Ask.EMBEDDINGS),
    Surface("batch_embed_contents", "/v1beta/models/{model}:batchEmbedContents", "gemini", Ask.EMBEDDINGS),
    Surface("ollama_embed", "/api/embed", "ollama", Ask.EMBEDDINGS),
    Surface("ollama_embeddings", "/api/embeddings", "ollama", Ask.EMBEDDINGS),
)
_BY_PATH: Final = {surface.path: surface for surface in SURFACES}
_PREFIX: Final = re.compile(r"^(?:/v1)*/")
_BY_VERB: Final = {surface.path.rpartition("}")[2]: surface for surface in SURFACES if "{model}" in surface.path}
_MODEL_PATH: Final = re.compile(rf"(?:/v1\w*)*/models/(?P<model>.+)(?P<verb>{'|'.join(_BY_VERB)})")


PROJECT_HEADER: Final = "x-lynkr-project"
PROJECT_START: Final = "/p/"
_PROJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_project(name: str) -> bool:
    """Can a project be called so? Letters, digits, dots, dashes and underscores of ASCII, 64 at most."""
    return _PROJECT.fullmatch(name) is not None


def parted(path: str) -> tuple[str, str]:
    """The project that a path names, and the path behind it; without a project the path as it is."""
    if path.startswith(PROJECT_START):
        name, slash, rest = path.removeprefix(PROJECT_START).partition("/")
        if slash and is_project(name):
            return name, f"/{rest}"
    return "", path


def folded(path: str) -> str:
    """A path with a doubled or missing `/v1` put right: `/v1/v1/messages` and `/messages` are `/v1/messages`."""
    path = path.rstrip("/") or "/"
    if path in _BY_PATH:
        return path
    if found := _MODEL_PATH.fullmatch(path):
        return _BY_VERB[found["verb"]].path.replace("{model}", found["model"])
    candidate = _PREFIX.sub("/v1/", path, count=1)
    return candidate if candidate in _BY_PATH or candidate == "/v1/models" else path


def surface_at(path: str) -> Surface | None:
    """The door at a folded path."""
    if (surface := _BY_PATH.get(path)) is not None:
        return surface
    found = _MODEL_PATH.fullmatch(path)
    return _BY_VERB[found["verb"]] if found else None


def address_at(path: str, query: str) -> Address:
    """What a folded path and its query say of the request."""
    found = None if path in _BY_PATH else _MODEL_PATH.fullmatch(path)
    if found is None:
        return PLAIN
    surface = _BY_VERB[found["verb"]]
    return Address(found["model"], surface.is_streamed, "sse" if "alt=sse" in query.split("&") else "json_array")


def wire_at(path: str, headers: Mapping[str, str]) -> str:
    """The wire in which a client understands an answer, even at a path where there is no door."""
    surface = surface_at(path)
    if surface is not None:
        return surface.wire
    if path.startswith("/v1beta/") or "x-goog-api-key" in headers:
        return "gemini"
    if path.startswith("/api/"):
        return "ollama"
    return "anthropic" if "anthropic-version" in headers else "openai_chat"
