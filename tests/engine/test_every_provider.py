"""What every entry of the catalogue must do, with nothing said here of any of them: adding a provider touches one place.

Each is called over a real socket at a server that takes the entry's address, its kind of key and its wire, and nothing else.
"""

import json
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from lynkr_desktop.config.environment import apply_environment
from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Account, Limits, Settings, Target
from lynkr_desktop.engine.answer import fetch
from lynkr_desktop.engine.chat.events import StopReason
from lynkr_desktop.engine.chat.request import TextPart, ToolCallPart
from lynkr_desktop.engine.chat.response import ChatResponse
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.prepare import prepare
from lynkr_desktop.engine.providers import auth
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.catalogue import ALIASES, PROVIDERS
from lynkr_desktop.engine.providers.provider import Provider
from lynkr_desktop.engine.upstream import Upstream as Door
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import FailureKind, UpstreamError
from lynkr_desktop.startup import known_names
from tests.fakes.dialects import CHAT, MESSAGES, Dialect
from tests.fakes.entry_upstream import MODEL, QUOTED_MODEL, upstream_for
from tests.fakes.program import canary
from tests.fakes.script import Answer, CallTool, Refuse, Say
from tests.fakes.upstream import Upstream

ENTRIES = [entry for entry in PROVIDERS.values() if not entry.is_embedded]
ENTRY = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
NAMED = pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.env.key], ids=lambda entry: entry.id)
STREAMED = pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
DIALECT = pytest.mark.parametrize("dialect", [MESSAGES, CHAT], ids=["messages", "chat"])


@pytest.fixture
def server(entry: Provider) -> Iterator[Upstream]:
    upstream = upstream_for(entry, canary(entry.id)).start()
    yield upstream
    upstream.stop()
    if not upstream.expects_complaints:
        assert upstream.complaints == [], "the vendor would have refused what was sent"


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    upstream = Door()
    upstream.open()
    yield upstream
    await upstream.close()


async def ask(door: Door, entry: Provider, server: Upstream, body: object, dialect: Dialect, *, key: str = "") -> ChatResponse:
    """One request of a client through the rooms that know of providers."""
    base_url = server.url + urlsplit(entry.base_url).path
    access = Access(Account("a", entry.id), entry, base_url, Secret(key or server.key))
    wire = {"messages": "anthropic", "chat": "openai_chat"}[dialect.name]
    text = json.dumps(body).encode()
    request = WIRES[wire].parse_request(text)
    inbound = Inbound(wire, dialect.path, {}, text, "", "")
    prepared = prepare(request, (Target("a", MODEL), None), access, inbound, Limits())
    answer = await fetch(door, prepared)
    try:
        return await answer.response(lambda _: None)
    finally:
        answer.close()


@ENTRY
@DIALECT
@STREAMED
async def test_words_and_tool_calls_arrive(
    door: Door, entry: Provider, server: Upstream, dialect: Dialect, is_streamed: bool
) -> None:
    server.play(Answer((Say("Grüße ☁."), CallTool("read_file", {"path": "ä"}))))
    response = await ask(door, entry, server, dialect.ask("hi", is_streamed=is_streamed, tools=["read_file"]), dialect)
    text, call = response.parts
    assert isinstance(text, TextPart)
    assert isinstance(call, ToolCallPart)
    assert (text.text, call.name, json.loads(call.arguments)) == ("Grüße ☁.", "read_file", {"path": "ä"})
    assert response.reason is StopReason.TOOL_CALLS
    assert response.usage.output_tokens == 7
    if "{model}" not in entry.chat_path:
        assert server.chats[0].json["model"] == MODEL


@ENTRY
async def test_a_wrong_key_is_known_and_never_told(door: Door, entry: Provider, server: Upstream) -> None:
    server.expects_complaints = True
    with pytest.raises(UpstreamError) as caught:
        await ask(door, entry, server, CHAT.ask("hi"), CHAT, key="sk-another-key")
    assert caught.value.kind is FailureKind.AUTH
    assert "sk-another-key" not in str(caught.value)


@ENTRY
async def test_a_full_server_says_how_long_to_wait(door: Door, entry: Provider, server: Upstream) -> None:
    server.play(Refuse(429, "slow down", headers=(("retry-after", "7"),)))
    with pytest.raises(UpstreamError) as caught:
        await ask(door, entry, server, MESSAGES.ask("hi"), MESSAGES)
    assert (caught.value.kind, caught.value.retry_after) == (FailureKind.RATE, 7.0)


@ENTRY
def test_every_way_to_write_the_address_gives_the_same(entry: Provider) -> None:
    base = entry.base_url or "https://gate.example"
    whole = auth.chat_url(entry, base, MODEL)
    assert whole.startswith("http")
    assert ("{model}" in entry.chat_path) == (QUOTED_MODEL in whole)
    first = entry.chat_path.split("/")[1]
    for text in (base, base + "/", f"{base}/{first}", whole, whole.partition("?")[0] + "/"):
        assert auth.chat_url(entry, text, MODEL) == whole, text
    lists = auth.models_url(entry, base)
    assert lists == (auth.models_url(entry, whole) if entry.models_path else "")


@NAMED
def test_its_variables_make_the_account(entry: Provider) -> None:
    base = entry.base_url or "https://gate.example"
    variable = entry.env.endpoint or entry.env.base
    given = auth.chat_url(entry, base, "m") if entry.env.endpoint else base
    env = {entry.env.key: "key-1", entry.env.model: "m", variable: given, "MODEL_PROVIDER": entry.id}
    settings, secrets, notices = apply_environment(Settings(), env, known_names())
    account = settings.account(entry.id)
    assert account is not None
    assert (account.provider, account.model, notices) == (entry.id, "m", [])
    assert auth.chat_url(entry, account.base_url, "m") == auth.chat_url(entry, base, "m")
    assert account.keys[0].origin == auth.origin_of(base)
    assert secrets[entry.id] == Secret("key-1")
    assert settings.routing.direct == Target(entry.id, "m")


def test_names_are_one_providers_only() -> None:
    assert not set(ALIASES) & set(PROVIDERS)
    assert set(ALIASES.values()) <= set(PROVIDERS)
    names = [name for entry in ENTRIES for name in (entry.env.key, entry.env.endpoint, entry.env.base, entry.env.path) if name]
    assert len(names) == len(set(names))
    for entry in ENTRIES:
        assert entry.twin == "" or (entry.twin in PROVIDERS and PROVIDERS[entry.twin].env.key == "")
        assert entry.title
        assert entry.default_model
