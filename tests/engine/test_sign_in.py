"""Calls that need more than a key: Google's tokens and Microsoft's, fetched once, kept, renewed, and refused in plain words."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import pytest_asyncio

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Account, Limits, Target
from lynkr_desktop.engine import sign_in
from lynkr_desktop.engine.answer import fetch
from lynkr_desktop.engine.chat.request import TextPart
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.prepare import prepare
from lynkr_desktop.engine.probe import probe
from lynkr_desktop.engine.providers import google_tokens
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.engine.upstream import Upstream as Door
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import FailureKind, UpstreamError
from tests.fakes.dialects import CHAT, MESSAGES
from tests.fakes.script import Refuse
from tests.fakes.upstream import OPENAI, Received, Upstream
from tests.fakes.vertex import KEY_TEXT, PROJECT, REGION, VertexUpstream

GEMINI, CLAUDE = "gemini-2.5-pro", "claude-sonnet-4-5@20250929"
BETAS = "claude-code-20250219,context-1m-2025-08-07,prompt-caching-scope-2026-01-05"


@pytest.fixture
def vertex(monkeypatch: pytest.MonkeyPatch) -> Iterator[VertexUpstream]:
    monkeypatch.setattr(google_tokens, "_kept", {})
    upstream = VertexUpstream("key-id-1", (GEMINI, CLAUDE))
    upstream.start()
    yield upstream
    upstream.stop()
    assert upstream.expects_complaints or upstream.complaints == [], "Vertex would have refused what was sent"


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    upstream = Door()
    upstream.open()
    yield upstream
    await upstream.close()


def access_to(vertex: VertexUpstream, *, base_url: str = "", key: str | None = None) -> Access:
    secret = Secret(vertex.credential if key is None else key)
    return Access(Account("v", "vertex"), PROVIDERS["vertex"], base_url or vertex.base_url, secret if secret.reveal() else None)


async def ask(door: Door, access: Access, model: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> str:
    wire = "anthropic" if "max_tokens" in body else "openai_chat"
    request = WIRES[wire].parse_request(json.dumps(body).encode())
    inbound = Inbound(wire, "", headers or {}, request.body, "", "")
    answer = await fetch(door, prepare(request, (Target("v", model), None), access, inbound, Limits()))
    try:
        parts = (await answer.response(lambda _: None)).parts
        return "".join(part.text for part in parts if isinstance(part, TextPart))
    finally:
        answer.close()


async def test_one_token_serves_many_calls_to_both_publishers(door: Door, vertex: VertexUpstream) -> None:
    access = access_to(vertex)
    asked = [ask(door, access, model, MESSAGES.ask("hi", is_streamed=True)) for model in (GEMINI, CLAUDE) * 3]
    assert set(await asyncio.gather(*asked)) == {"pong"}
    assert len(vertex.tokens) == 1


async def test_a_token_is_fetched_anew_before_it_ends(door: Door, vertex: VertexUpstream) -> None:
    vertex.lifetime_seconds = 200
    access = access_to(vertex)
    for _ in range(2):
        await ask(door, access, GEMINI, CHAT.ask("hi"))
    assert len(vertex.tokens) == 2


async def test_claude_on_vertex_gets_what_google_takes_and_nothing_more(door: Door, vertex: VertexUpstream) -> None:
    body = MESSAGES.ask("hi", is_streamed=True, service_tier="auto")
    body["system"] = [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral", "scope": "global"}}]
    request = WIRES["anthropic"].parse_request(json.dumps(body).encode())
    inbound = Inbound(
        "anthropic", "", {"anthropic-beta": BETAS, "anthropic-version": "2023-06-01"}, request.body, "beta=true", ""
    )
    prepared = prepare(request, (Target("v", CLAUDE), None), access_to(vertex), inbound, Limits())
    assert (prepared.fidelity, prepared.losses) == ("native", ("the field service_tier",))
    assert prepared.call.url.endswith("/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict")
    answer = await fetch(door, prepared)
    answer.close()
    received = vertex.chats[0]
    assert received.headers["anthropic-beta"] == "context-1m-2025-08-07"
    assert received.json["system"] == [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]


@pytest.mark.parametrize(
    ("place", "model", "wanted"),
    [
        (f"another-project/locations/{REGION}", GEMINI, (FailureKind.AUTH, "another-project")),
        (f"{PROJECT}/locations/us-east9", CLAUDE, (FailureKind.BAD_REQUEST, "us-east9")),
        (f"{PROJECT}/locations/{REGION}", "gemini-9-ultra", (FailureKind.NOT_FOUND, "gemini-9-ultra")),
    ],
    ids=["project", "region", "model"],
)
async def test_a_wrong_place_or_model_is_told_by_the_probe(
    door: Door, vertex: VertexUpstream, place: str, model: str, wanted: tuple[FailureKind, str]
) -> None:
    vertex.expects_complaints = True
    result = await probe(door, access_to(vertex, base_url=f"{vertex.url}/v1/projects/{place}"), model)
    assert (result.is_ok, result.kind) == (False, wanted[0])
    assert wanted[1] in result.text


async def test_a_service_account_that_google_refuses_is_told_without_its_key(door: Door, vertex: VertexUpstream) -> None:
    told = json.loads(vertex.credential) | {"private_key_id": "deleted"}
    result = await probe(door, access_to(vertex, key=json.dumps(told)), GEMINI)
    assert (result.is_ok, result.kind) == (False, FailureKind.AUTH)
    assert "service account" in result.text
    assert KEY_TEXT.splitlines()[1] not in result.text


@pytest.mark.parametrize("key", ['{"type": "service_account"}', '{"type": "strange"}', "{broken", "{}"])
async def test_a_key_that_is_no_service_account_is_told(door: Door, vertex: VertexUpstream, key: str) -> None:
    result = await probe(door, access_to(vertex, key=key), GEMINI)
    assert (result.is_ok, result.kind) == (False, FailureKind.AUTH)
    assert "whole JSON file" in result.text


async def test_a_token_server_that_is_away_is_no_wrong_key(door: Door, vertex: VertexUpstream) -> None:
    told = json.loads(vertex.credential) | {"token_uri": "http://127.0.0.1:9/token"}
    result = await probe(door, access_to(vertex, key=json.dumps(told)), GEMINI)
    assert (result.is_ok, result.kind) == (False, FailureKind.UNREACHABLE)


async def test_the_credentials_of_this_machine_serve_where_no_key_is(
    door: Door, vertex: VertexUpstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "account.json"
    file.write_text(vertex.credential)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    assert await ask(door, access_to(vertex, key=""), GEMINI, CHAT.ask("hi")) == "pong"


async def test_a_machine_without_credentials_is_told_what_to_do(
    door: Door, vertex: VertexUpstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    for name, value in {"CLOUDSDK_CONFIG": str(tmp_path), "NO_GCE_CHECK": "true", "GCE_METADATA_HOST": "127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    result = await probe(door, access_to(vertex, key=""), GEMINI)
    assert (result.is_ok, result.kind) == (False, FailureKind.AUTH)
    assert "gcloud auth application-default login" in result.text


async def test_a_missing_library_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google_tokens, "_kept", {})
    monkeypatch.setitem(__import__("sys").modules, "google.auth.transport.urllib3", None)
    with pytest.raises(UpstreamError) as caught:
        await google_tokens.authorized("", {})
    assert "lynkr-desktop[vertex]" in caught.value.detail


# --- Microsoft Entra ---


class EntraUpstream(Upstream):
    """Azure OpenAI behind Entra: the token endpoint of one tenant, and deployments that take what it gives out."""

    def __init__(self) -> None:
        super().__init__(OPENAI, "eyJ0.fake-token.x1")
        self.asked = 0
        self.trouble = 0  # a status with which tokens are refused

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        received = await super()._read(reader)
        if received is not None and received.path == "/openai/v1/chat/completions":
            received.path = self.vendor.chat_path
        return received

    async def _answer_aside(self, path: str, received: Received, writer: asyncio.StreamWriter) -> bool:
        if path != "/tenant-1/oauth2/v2.0/token":
            return await super()._answer_aside(path, received, writer)
        form = {name: values[0] for name, values in parse_qs(received.body.decode()).items()}
        self.asked += 1
        if self.trouble:
            return await self._reply(self.trouble, b"<html>Our services are not available.</html>", received, writer)
        wanted = {
            "grant_type": "client_credentials",
            "client_id": "app-1",
            "client_secret": "s3cr&t=",
            "scope": "https://cognitiveservices.azure.com/.default",
        }
        if form != wanted:
            error = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret.\r\nTrace ID: 1"}
            return await self._reply(401, json.dumps(error).encode(), received, writer)
        token = {"token_type": "Bearer", "expires_in": 3599, "access_token": self.key}
        return await self._reply(200, json.dumps(token).encode(), received, writer)


@pytest.fixture
def entra(monkeypatch: pytest.MonkeyPatch) -> Iterator[EntraUpstream]:
    monkeypatch.setattr(sign_in, "_kept", {})
    upstream = EntraUpstream()
    upstream.start()
    yield upstream
    upstream.stop()
    assert upstream.complaints == []


def azure(entra: EntraUpstream, key: str) -> Access:
    return Access(Account("z", "azure-openai"), PROVIDERS["azure-openai"], entra.url, Secret(key))


def principal(entra: EntraUpstream, secret: str = "s3cr&t=") -> str:
    return json.dumps({"tenant": "tenant-1", "appId": "app-1", "password": secret, "authority": entra.url})


async def test_a_service_principal_gets_one_token_for_many_calls(door: Door, entra: EntraUpstream) -> None:
    for _ in range(3):
        assert await ask(door, azure(entra, principal(entra)), "gpt-4o-mini", CHAT.ask("hi")) == "pong"
    assert entra.asked == 1


async def test_a_token_of_the_command_line_goes_as_a_bearer(door: Door, entra: EntraUpstream) -> None:
    assert await ask(door, azure(entra, entra.key), "gpt-4o-mini", CHAT.ask("hi")) == "pong"
    assert entra.asked == 0


async def test_a_refused_principal_is_told_in_microsofts_words(door: Door, entra: EntraUpstream) -> None:
    result = await probe(door, azure(entra, principal(entra, "wrong-secret-1")), "gpt-4o-mini")
    assert (result.is_ok, result.kind) == (False, FailureKind.AUTH)
    assert "AADSTS7000215: Invalid client secret." in result.text
    assert "Trace" not in result.text
    assert "wrong-secret-1" not in result.text


@pytest.mark.parametrize(("status", "kind"), [(503, FailureKind.OVERLOADED), (429, FailureKind.RATE)])
async def test_entras_own_trouble_is_not_the_keys(door: Door, entra: EntraUpstream, status: int, kind: FailureKind) -> None:
    """Else a good key would rest for minutes."""
    entra.trouble = status
    result = await probe(door, azure(entra, principal(entra)), "gpt-4o-mini")
    assert (result.is_ok, result.kind) == (False, kind)


async def test_a_principal_that_lacks_a_part_is_told(door: Door, entra: EntraUpstream) -> None:
    result = await probe(door, azure(entra, '{"appId": "a", "password": "p"}'), "m")
    assert (result.is_ok, result.kind) == (False, FailureKind.AUTH)
    assert "tenant, appId and password" in result.text


async def test_a_token_that_a_provider_repeats_is_masked(door: Door, entra: EntraUpstream) -> None:
    entra.play(Refuse(403, f"no rights for {entra.key}"))
    result = await probe(door, azure(entra, principal(entra)), "gpt-4o-mini")
    assert not result.is_ok
    assert entra.key not in result.text
    assert "***" in result.text
