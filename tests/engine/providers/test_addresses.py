"""Addresses of providers that want more than a path, and the lists that they give."""

import pytest

from lynkr_desktop.engine.providers.auth import chat_url, embeddings_url, headers_for, models_url
from lynkr_desktop.engine.providers.catalogue import PROVIDERS, provider
from lynkr_desktop.engine.providers.listing import listed
from lynkr_desktop.errors import ConfigError

GOOGLE, OLLAMA = PROVIDERS["google"], PROVIDERS["ollama"]


@pytest.mark.parametrize(
    "base",
    [
        "",
        "https://generativelanguage.googleapis.com/",
        "https://generativelanguage.googleapis.com/v1beta",
        "https://generativelanguage.googleapis.com/v1beta/models",
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-pro:generateContent",
    ],
)
def test_google_wants_model_and_verb_in_the_address(base: str) -> None:
    root = "https://generativelanguage.googleapis.com/v1beta/models"
    assert chat_url(GOOGLE, base, "gemini-2.5-pro") == f"{root}/gemini-2.5-pro:generateContent"
    assert chat_url(GOOGLE, base, "models/x", is_streamed=True) == f"{root}/x:streamGenerateContent?alt=sse"
    assert models_url(GOOGLE, base) == f"{root}?pageSize=1000"
    assert embeddings_url(GOOGLE, base, "e") == f"{root}/e:batchEmbedContents"


def test_another_version_stands_for_itself_and_a_model_cannot_leave_its_place() -> None:
    assert chat_url(GOOGLE, "https://gate.example/google/v1", "m") == "https://gate.example/google/v1/models/m:generateContent"
    assert "/models/a%2F..%2Fb%3Fx%23:generateContent" in chat_url(GOOGLE, "", "a/../b?x#")


@pytest.mark.parametrize("base", ["", "http://localhost:11434/", "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/api/chat"])
def test_ollamas_own_door_whatever_door_was_entered(base: str) -> None:
    assert chat_url(OLLAMA, base) == "http://127.0.0.1:11434/api/chat"
    assert models_url(OLLAMA, base) == "http://127.0.0.1:11434/api/tags"


def test_googles_key_has_its_own_header() -> None:
    assert headers_for(GOOGLE, "k") == {"x-goog-api-key": "k"}
    assert provider("Gemini") is GOOGLE
    with pytest.raises(ConfigError, match="needs a key"):
        headers_for(GOOGLE, None)


def test_lists_of_either_form_and_only_models_that_talk() -> None:
    google = b"""{"models": [{"name": "models/gemini-x", "supportedGenerationMethods": ["generateContent"]},
                             {"name": "models/embedder", "supportedGenerationMethods": ["embedContent"]}]}"""
    assert tuple(listed(google, "Google")) == ("gemini-x",)
    assert tuple(listed(b'{"models": [{"name": "qwen:7b", "model": "qwen:7b"}]}', "Ollama")) == ("qwen:7b",)
    assert tuple(listed(b'{"data": [{"id": "a"}]}', "x")) == ("a",)


@pytest.mark.parametrize(
    ("name", "base", "address", "header"),
    [
        ("deepseek", "", "https://api.deepseek.com/chat/completions", "authorization"),
        ("deepseek", "https://api.deepseek.com/v1", "https://api.deepseek.com/chat/completions", "authorization"),
        ("moonshot", "", "https://api.moonshot.ai/v1/chat/completions", "authorization"),
        ("moonshot", "https://api.moonshot.cn/v1", "https://api.moonshot.cn/v1/chat/completions", "authorization"),
        ("zai", "", "https://api.z.ai/api/anthropic/v1/messages", "x-api-key"),
        ("zai-openai", "", "https://api.z.ai/api/paas/v4/chat/completions", "authorization"),
        (
            "zai-openai",
            "https://api.z.ai/api/coding/paas/v4",
            "https://api.z.ai/api/coding/paas/v4/chat/completions",
            "authorization",
        ),
        ("edenai", "", "https://api.edenai.run/v3/chat/completions", "authorization"),
        ("atlas", "", "https://api.atlascloud.ai/v1/chat/completions", "authorization"),
        ("baidu", "", "https://qianfan.baidubce.com/v2/chat/completions", "authorization"),
        (
            "databricks",
            "https://adb-1.2.azuredatabricks.net",
            "https://adb-1.2.azuredatabricks.net/serving-endpoints/m/invocations",
            "authorization",
        ),
        ("azure-openai", "https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1/chat/completions", "api-key"),
        ("azure-openai", "https://r.openai.azure.com/openai", "https://r.openai.azure.com/openai/v1/chat/completions", "api-key"),
        (
            "azure-openai-classic",
            "https://r.openai.azure.com",
            "https://r.openai.azure.com/openai/deployments/m/chat/completions?api-version=2024-10-21",
            "api-key",
        ),
        (
            "azure-openai-classic",
            "https://r.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2025-04-01-preview",
            "https://r.openai.azure.com/openai/deployments/m/chat/completions?api-version=2025-04-01-preview",
            "api-key",
        ),
        (
            "azure-anthropic",
            "https://r.services.ai.azure.com/anthropic/v1/messages",
            "https://r.services.ai.azure.com/anthropic/v1/messages",
            "x-api-key",
        ),
        ("anthropic-compatible", "http://127.0.0.1:9", "http://127.0.0.1:9/v1/messages", "x-api-key"),
    ],
)
def test_row_192_addresses_and_keys_as_the_vendors_document_them(name: str, base: str, address: str, header: str) -> None:
    assert chat_url(PROVIDERS[name], base, "m") == address
    credentials = {key for key in headers_for(PROVIDERS[name], "k") if key != "anthropic-version"}
    assert credentials == {header}
