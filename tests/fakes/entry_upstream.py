"""A scripted server for any entry of the catalogue: at the entry's own path, for its own kind of key, with its wire's rules."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from lynkr_desktop.engine.providers.provider import Auth, Provider
from tests.fakes.bedrock import BedrockUpstream
from tests.fakes.more_upstreams import GeminiUpstream, OllamaUpstream, ResponsesUpstream
from tests.fakes.upstream import ANTHROPIC, OPENAI, Received, Upstream

MODEL: Final = "maker/some-model:1"
QUOTED_MODEL: Final = "maker%2Fsome-model%3A1"
_VENDORS: Final = {"anthropic": ANTHROPIC, "openai_chat": OPENAI}
_KEY_HEADERS: Final = {
    Auth.BEARER: "authorization",
    Auth.OPTIONAL_BEARER: "authorization",
    Auth.X_API_KEY: "x-api-key",
    Auth.OPTIONAL_X_API_KEY: "x-api-key",
    Auth.API_KEY: "api-key",
}


class EntryUpstream(Upstream):
    """Takes requests to exactly one address, with the key in exactly one header, and hands them to the rules of the wire."""

    def __init__(self, provider: Provider, key: str) -> None:
        super().__init__(_VENDORS[provider.wire], key)
        self._path = urlsplit(provider.base_url).path + provider.chat_path.replace("{model}", QUOTED_MODEL)
        self._takes_usage_switch = provider.quirks.asks_usage_cost
        self._tells_usage_unasked = provider.wire == "openai_chat" and not provider.quirks.takes_stream_options
        self._header = _KEY_HEADERS[provider.auth]

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        received = await super()._read(reader)
        if received is not None and received.path == self._path:
            received.path = self.vendor.chat_path
            received.headers = self._in_the_vendors_place(received.headers)
            received.body = self._without_extras(received.json)
        return received

    def _without_extras(self, body: dict[str, Any]) -> bytes:
        """The body as the plain vendor of the wire would get it."""
        if self._takes_usage_switch:
            assert body.pop("usage", {"include": True}) == {"include": True}
        if self._tells_usage_unasked and body.get("stream"):
            assert "stream_options" not in body
            body["stream_options"] = {"include_usage": True}
        return json.dumps(body).encode()

    def _in_the_vendors_place(self, headers: Mapping[str, str]) -> dict[str, str]:
        credentials = {name for name in ("authorization", "x-api-key", "api-key") if name in headers}
        if credentials != {self._header}:
            self.complaints.append(f"credentials came as {credentials}")
            return {}
        rest = {name: value for name, value in headers.items() if name != self._header}
        if self._header == "api-key":
            return rest | {"authorization": f"Bearer {headers['api-key']}"}
        return rest | {self._header: headers[self._header]}


def upstream_for(provider: Provider, key: str) -> Upstream:
    """A server for that entry."""
    match provider.wire:
        case "gemini":
            return GeminiUpstream(key)
        case "ollama":
            return OllamaUpstream(key)
        case "bedrock_converse":
            return BedrockUpstream(key)
        case "openai_responses":
            return ResponsesUpstream(key)
        case _:
            return EntryUpstream(provider, key)
