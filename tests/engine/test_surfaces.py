"""Which door a path leads to, and what an address says of a request."""

import pytest

from lynkr_desktop.engine.surfaces import Address, address_at, folded, surface_at, wire_at


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/v1beta/models/gemini-2.5-pro:generateContent", "/v1beta/models/gemini-2.5-pro:generateContent"),
        ("/v1/models/x:streamGenerateContent", "/v1beta/models/x:streamGenerateContent"),
        ("/v1beta/v1beta/models/x:countTokens/", "/v1beta/models/x:countTokens"),
        ("/models/x:embedContent", "/v1beta/models/x:embedContent"),
        ("/v1/v1/chat/completions", "/v1/chat/completions"),
        ("/messages", "/v1/messages"),
        ("/v1/models/ollama:qwen2.5:7b", "/v1/models/ollama:qwen2.5:7b"),  # a model's page, not a verb
        ("/api/chat", "/api/chat"),
    ],
)
def test_paths_are_put_right(path: str, door: str) -> None:
    assert folded(path) == door


@pytest.mark.parametrize(
    ("path", "query", "address"),
    [
        ("/v1beta/models/a:b/c:7b:generateContent", "", Address("a:b/c:7b", False, "json_array")),
        ("/v1beta/models/x:streamGenerateContent", "alt=sse&x=1", Address("x", True, "sse")),
        ("/v1beta/models/x:streamGenerateContent", "alt=json", Address("x", True, "json_array")),
        ("/v1/messages", "alt=sse", Address()),
    ],
)
def test_what_an_address_says(path: str, query: str, address: Address) -> None:
    assert address_at(path, query) == address


@pytest.mark.parametrize(
    ("path", "headers", "wire"),
    [
        ("/v1beta/nothing", {}, "gemini"),
        ("/api/nothing", {}, "ollama"),
        ("/nothing", {"anthropic-version": "2023-06-01"}, "anthropic"),
        ("/nothing", {"x-goog-api-key": ""}, "gemini"),
        ("/nothing", {}, "openai_chat"),
        ("/v1/messages", {}, "anthropic"),
    ],
)
def test_a_client_is_answered_in_its_own_wire_even_where_there_is_nothing(path: str, headers: dict[str, str], wire: str) -> None:
    assert wire_at(path, headers) == wire
    assert (surface_at(path) is None) is ("nothing" in path)
