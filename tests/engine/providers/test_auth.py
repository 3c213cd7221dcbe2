"""Keys travel in the right header, only where they may, and addresses survive the ways in which people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.engine.providers.auth import (
    chat_url,
    count_url,
    headers_for,
    is_private,
    models_url,
    origin_of,
    require_safe,
)
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.errors import ConfigError

ANTHROPIC, OPENAI, OLLAMA = PROVIDERS["anthropic"], PROVIDERS["openai"], PROVIDERS["ollama"]
OTHER = PROVIDERS["openai-compatible"]


def test_each_auth_has_its_header() -> None:
    assert headers_for(ANTHROPIC, Secret("sk-a")) == {"anthropic-version": "2023-06-01", "x-api-key": "sk-a"}
    assert headers_for(OPENAI, " sk-b\n") == {"authorization": "Bearer sk-b"}
    assert headers_for(OLLAMA, None) == {}
    assert headers_for(OLLAMA, "k") == {"authorization": "Bearer k"}


@pytest.mark.parametrize("key", [None, "", "  ", Secret("")])
def test_a_missing_key_is_said_before_anything_is_sent(key: Secret | str | None) -> None:
    with pytest.raises(ConfigError, match="Anthropic needs a key"):
        headers_for(ANTHROPIC, key)


@pytest.mark.parametrize("key", ["sk-1\r\nx-evil: 1", "sk 1", "sk-ключ", "sk-\x00"])
def test_a_key_cannot_smuggle_a_header_and_is_not_shown(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        headers_for(OPENAI, key)
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "base",
    [
        "http://localhost:8000",
        "http://localhost:8000/",
        "http://localhost:8000/v1",
        "http://localhost:8000/v1/",
        "http://127.0.0.1:8000/v1/v1",
        "http://127.0.0.1:8000//v1//chat/completions",
        "http://127.0.0.1:8000/v1/chat/completions/",
        "http://127.0.0.1:8000/v1/models",
        "  localhost:8000/v1 ",
    ],
)
def test_every_way_to_write_a_base_gives_the_same_addresses(base: str) -> None:
    assert chat_url(OTHER, base) == "http://127.0.0.1:8000/v1/chat/completions"
    assert models_url(OTHER, base) == "http://127.0.0.1:8000/v1/models"
    assert count_url(OTHER, base) == ""


def test_own_addresses_and_paths_before_the_version_stay() -> None:
    assert chat_url(ANTHROPIC) == "https://api.anthropic.com/v1/messages"
    assert count_url(ANTHROPIC, "https://gate.example/anthropic/v1/messages") == (
        "https://gate.example/anthropic/v1/messages/count_tokens"
    )
    assert chat_url(PROVIDERS["openrouter"], "https://openrouter.ai/api/v1") == "https://openrouter.ai/api/v1/chat/completions"
    assert chat_url(OTHER, "http://[::1]:9/v1") == "http://[::1]:9/v1/chat/completions"
    assert chat_url(OTHER, "https://gate.example/v1?version=3") == "https://gate.example/v1/chat/completions?version=3"


def test_a_base_with_another_version_stands_for_itself() -> None:
    assert chat_url(OTHER, "https://a.example/api/paas/v4") == "https://a.example/api/paas/v4/chat/completions"
    assert models_url(OTHER, "https://a.example/v1beta/openai/") == "https://a.example/v1beta/openai/models"
    assert chat_url(OTHER, "https://a.example/v4/chat/completions") == "https://a.example/v4/chat/completions"


@given(base=st.sampled_from(["https://a.example", "https://a.example/x", "http://127.0.0.1:1"]), times=st.integers(1, 3))
def test_an_address_is_its_own_base(base: str, times: int) -> None:
    url = base
    for _ in range(times):
        url = chat_url(OTHER, url)
    assert url == f"{base}/v1/chat/completions"


@pytest.mark.parametrize(
    "base",
    [
        "ftp://a.example",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
        "http://a.example:99999",
        "https://a b.example",
        "http:///v1",
    ],
)
def test_what_is_no_web_address_is_refused(base: str) -> None:
    with pytest.raises(ConfigError) as caught:
        chat_url(OTHER, base)
    assert caught.value.field == "base_url"


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        chat_url(OTHER, "https://me:hunter2@a.example")
    assert "hunter2" not in str(caught.value)


def test_a_server_without_an_address_is_told_so() -> None:
    with pytest.raises(ConfigError, match="has no address"):
        chat_url(OTHER)


def test_origins_have_one_spelling() -> None:
    assert origin_of("HTTPS://API.Example.com:443/v1") == origin_of("https://api.example.com") == "https://api.example.com"
    assert origin_of("http://localhost:80") == "http://127.0.0.1"
    assert origin_of("https://a.example:8443/x") == "https://a.example:8443"
    assert origin_of("https://a.example") != origin_of("https://a.example.evil.example")


@pytest.mark.parametrize(
    "url", ["http://8.8.8.8/v1", "http://api.openai.com", "http://169.254.evil.example", "http://0.0.0.0:8000"]
)
def test_a_key_never_travels_in_the_clear(url: str) -> None:
    with pytest.raises(ConfigError, match="not encrypted"):
        require_safe(url, has_key=True)
    require_safe(url, has_key=False)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://localhost", "http://[::1]:5", "http://192.168.1.9", "http://nas.lan", "http://nas"]
)
def test_home_networks_may_do_without_encryption(url: str) -> None:
    require_safe(url, has_key=True)
    require_safe("https://api.openai.com", has_key=True)


def test_what_is_private() -> None:
    assert is_private("10.1.2.3")
    assert is_private("fd00::1")
    assert not is_private("2606:4700::1111")
    assert not is_private("evil.localhost.example")
