"""A scripted server for any entry of the catalogue: at the entry's own path, for its own kind of key, with its wire's rules."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from lynkr_desktop.engine.providers.catalogue import PROVIDERS, way
from lynkr_desktop.engine.providers.provider import Auth, Provider
from lynkr_desktop.engine.providers.provider import Door as Entrance
from tests.fakes.bedrock import BedrockUpstream
from tests.fakes.more_upstreams import RESPONSES, GeminiUpstream, OllamaUpstream
from tests.fakes.responses_wire import ResponsesSpeech
from tests.fakes.upstream import ANTHROPIC, OPENAI, Received, Upstream, WireSpeech
from tests.fakes.vertex import VertexUpstream

MODEL: Final = "maker/some-model:1"
QUOTED_MODEL: Final = "maker%2Fsome-model%3A1"
_VENDORS: Final = {"anthropic": ANTHROPIC, "openai_chat": OPENAI, "openai_responses": RESPONSES}
_KEY_HEADERS: Final = {
    Auth.BEARER: "authorization",
    Auth.OPTIONAL_BEARER: "authorization",
    Auth.X_API_KEY: "x-api-key",
    Auth.OPTIONAL_X_API_KEY: "x-api-key",
    Auth.API_KEY: "api-key",
    Auth.ENTRA: "api-key",
    Auth.ENTRA_X: "x-api-key",
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

    def _speech(self, received: Received) -> WireSpeech:
        if self.vendor is RESPONSES:
            return ResponsesSpeech("reasoning.encrypted_content" in (received.json.get("include") or ()))
        return super()._speech(received)

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


@dataclass(frozen=True, slots=True)
class Lane:
    """One way in at one provider: its usual one, or the door that a model or a client's wire leads to."""

    entry: Provider
    door: Entrance | None = None

    def __str__(self) -> str:
        return f"{self.entry.id}+{self.door.wire}" if self.door else self.entry.id

    @property
    def model(self) -> str:
        """A model that goes this way."""
        pattern = self.door.models[0] if self.door else "*"
        if pattern == "*":
            return MODEL
        name = pattern.strip("*-")
        if name == "claude" and self.entry.wire == "bedrock_converse":
            return "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
        return f"{name}-sonnet-4-5" if "claude" in name else f"a-{name}-model"

    def wire_for(self, client_wire: str) -> str:
        """The wire that the provider must be spoken to in."""
        if self.door is None or (self.door.is_for_its_clients and client_wire != self.door.wire):
            return self.entry.wire
        return self.door.wire


def _lanes() -> Iterator[Lane]:
    for entry in PROVIDERS.values():
        if not (entry.is_embedded or entry.is_program):  # these have tests of their own
            yield Lane(entry)
            doors = {door.wire: door for door in reversed(entry.doors) if not door.is_only_at_home}
            yield from (Lane(entry, door) for door in doors.values())


LANES: Final = tuple(_lanes())


def upstream_for(lane: Lane, key: str) -> Upstream:
    """A server for that way in."""
    entry = lane.entry
    if entry.auth is Auth.GOOGLE:
        return VertexUpstream(key, (lane.model,))
    match entry.wire:
        case "gemini":
            return GeminiUpstream(key)
        case "ollama":
            return OllamaUpstream(key)
        case "bedrock_converse":
            return BedrockUpstream(key)
        case _:
            return EntryUpstream(entry if lane.door is None else entered(lane), key)


def entered(lane: Lane) -> Provider:
    """The entry as its door shows it."""
    return way(lane.entry.id, "", lane.model, lane.door.wire if lane.door else "")
