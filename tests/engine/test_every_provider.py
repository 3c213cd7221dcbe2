"""What every entry of the catalogue must do, with nothing said here of any of them: adding a provider touches one place.

Each is called over a real socket at a server that takes the entry's address, its kind of key and its wire, and nothing else; and
again through each of its other doors.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from lynkr_desktop.config.environment import apply_environment
from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Account, Limits, Settings, Target
from lynkr_desktop.engine.answer import fetch
from lynkr_desktop.engine.chat.events import StopReason
from lynkr_desktop.engine.chat.request import ChatRequest, TextPart, ThinkingPart, ToolCallPart
from lynkr_desktop.engine.chat.response import ChatResponse
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.prepare import prepare
from lynkr_desktop.engine.providers import auth
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.catalogue import ALIASES, PROVIDERS
from lynkr_desktop.engine.providers.models import quirks_for
from lynkr_desktop.engine.providers.places import address_of
from lynkr_desktop.engine.providers.provider import Provider
from lynkr_desktop.engine.upstream import Upstream as Door
from lynkr_desktop.engine.wire.contract import CannotCarryError
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import FailureKind, UpstreamError
from lynkr_desktop.startup import known_names
from tests.fakes.caller import Reply
from tests.fakes.dialects import CHAT, MESSAGES, Dialect
from tests.fakes.entry_upstream import LANES, MODEL, QUOTED_MODEL, Lane, upstream_for
from tests.fakes.program import canary
from tests.fakes.script import Answer, CallTool, Ending, Refuse, Say, Think, Tokens, dies
from tests.fakes.upstream import Upstream
from tests.fakes.vendor_words import REFUSALS

ENTRIES = [entry for entry in PROVIDERS.values() if not (entry.is_embedded or entry.is_program)]
ENTRY = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
LANE = pytest.mark.parametrize("lane", LANES, ids=str)
NAMED = pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.env.key], ids=lambda entry: entry.id)
STREAMED = pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
DIALECT = pytest.mark.parametrize("dialect", [MESSAGES, CHAT], ids=["messages", "chat"])
CLIENT_WIRES = {"messages": "anthropic", "chat": "openai_chat"}
RED_DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


@pytest.fixture
def server(lane: Lane) -> Iterator[Upstream]:
    upstream = upstream_for(lane, canary(lane.entry.id)).start()
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


def parsed(body: object, dialect: Dialect) -> ChatRequest:
    """The request as the client's wire reads it."""
    return WIRES[CLIENT_WIRES[dialect.name]].parse_request(json.dumps(body).encode())


async def ask(door: Door, lane: Lane, server: Upstream, body: object, dialect: Dialect, *, key: str = "") -> ChatResponse:
    """One request of a client through the rooms that know of providers."""
    base_url = server.base_url or server.url + urlsplit(lane.entry.base_url).path
    access = Access(Account("a", lane.entry.id), lane.entry, base_url, Secret(key or server.credential))
    request = parsed(body, dialect)
    inbound = Inbound(request.wire, dialect.path, {}, request.body, "", "")
    prepared = prepare(request, (Target("a", lane.model), None), access, inbound, Limits())
    assert prepared.access.provider.wire == lane.wire_for(request.wire)
    answer = await fetch(door, prepared)
    try:
        return await answer.response(lambda _: None)
    finally:
        answer.close()


def next_turn(body: dict[str, Any], response: ChatResponse, dialect: Dialect, results: dict[str, str]) -> dict[str, Any]:
    """What the client sends after this answer."""
    rendered = WIRES[CLIENT_WIRES[dialect.name]].render_response(response, parsed(body, dialect))
    heard = dialect.heard(Reply(200, {"content-type": "application/json"}, rendered))
    return dialect.next_turn(body, heard, {call.id: results[call.name] for call in heard.calls})


@LANE
@DIALECT
@STREAMED
async def test_words_and_tool_calls_arrive(door: Door, lane: Lane, server: Upstream, dialect: Dialect, is_streamed: bool) -> None:
    server.play(Answer((Say("Grüße ☁."), CallTool("read_file", {"path": "ä"}))))
    response = await ask(door, lane, server, dialect.ask("hi", is_streamed=is_streamed, tools=["read_file"]), dialect)
    text, call = response.parts
    assert isinstance(text, TextPart)
    assert isinstance(call, ToolCallPart)
    assert (text.text, call.name, json.loads(call.arguments)) == ("Grüße ☁.", "read_file", {"path": "ä"})
    assert response.reason is StopReason.TOOL_CALLS
    assert response.usage.output_tokens == 7
    assert server.chats[0].json["model"] == lane.model or "{model}" in lane.entry.chat_path


@LANE
@DIALECT
async def test_two_calls_at_once_are_answered_in_the_next_turn(
    door: Door, lane: Lane, server: Upstream, dialect: Dialect
) -> None:
    calls = (CallTool("read_file", {"path": "a"}, "toolu_01A"), CallTool("list_files", {"path": "b"}, "toolu_01B"))
    server.play(Answer(calls), Answer((Say("Both read."),)))
    body = dialect.ask("Read both.", is_streamed=True, tools=["read_file", "list_files"])
    first = await ask(door, lane, server, body, dialect)
    assert [part.name for part in first.parts if isinstance(part, ToolCallPart)] == ["read_file", "list_files"]
    body = next_turn(body, first, dialect, {"read_file": "content-4711", "list_files": "entry-0815"})
    second = await ask(door, lane, server, body, dialect)
    assert second.parts[0] == TextPart("Both read.")
    sent = json.dumps(server.chats[1].json)
    assert "content-4711" in sent
    assert "entry-0815" in sent


@LANE
@DIALECT
async def test_a_picture_arrives_or_is_known_not_to(door: Door, lane: Lane, server: Upstream, dialect: Dialect) -> None:
    body = dialect.ask(dialect.picture("What is this?", RED_DOT), is_streamed=True)
    if not quirks_for(lane.entry, lane.model).takes_images:
        with pytest.raises(CannotCarryError):
            await ask(door, lane, server, body, dialect)
        return
    await ask(door, lane, server, body, dialect)
    assert RED_DOT in json.dumps(server.chats[0].json)


@LANE
@STREAMED
async def test_thoughts_come_apart_from_words(door: Door, lane: Lane, server: Upstream, is_streamed: bool) -> None:
    server.play(Answer((Think("Let me see."), Say("Four."))))
    response = await ask(door, lane, server, MESSAGES.ask("2+2?", is_streamed=is_streamed), MESSAGES)
    texts = [part.text for part in response.parts if isinstance(part, TextPart)]
    thoughts = [part.text for part in response.parts if isinstance(part, ThinkingPart)]
    assert ("".join(texts), "".join(thoughts)) == ("Four.", "Let me see.")


@LANE
@STREAMED
async def test_cached_tokens_are_counted_apart(door: Door, lane: Lane, server: Upstream, is_streamed: bool) -> None:
    server.play(Answer(tokens=Tokens(input=12, output=7, cache_read=5)))
    usage = (await ask(door, lane, server, MESSAGES.ask("hi", is_streamed=is_streamed), MESSAGES)).usage
    cached = usage.cache_read_tokens or 0
    assert cached == (0 if lane.wire_for("anthropic") == "ollama" else 5)
    assert usage.output_tokens == 7
    assert (usage.input_tokens or 0) in {12, 17}


@LANE
async def test_a_wrong_key_is_known_and_never_told(door: Door, lane: Lane, server: Upstream) -> None:
    server.expects_complaints = True
    with pytest.raises(UpstreamError) as caught:
        await ask(door, lane, server, CHAT.ask("hi"), CHAT, key="sk-another-key")
    assert caught.value.kind is FailureKind.AUTH
    assert "sk-another-key" not in str(caught.value)


@LANE
async def test_a_full_server_says_how_long_to_wait(door: Door, lane: Lane, server: Upstream) -> None:
    server.play(Refuse(429, "slow down", headers=(("retry-after", "7"),)))
    with pytest.raises(UpstreamError) as caught:
        await ask(door, lane, server, MESSAGES.ask("hi"), MESSAGES)
    assert (caught.value.kind, caught.value.retry_after) == (FailureKind.RATE, 7.0)


@LANE
@pytest.mark.parametrize("kind", [FailureKind.QUOTA, FailureKind.CONTEXT, FailureKind.REFUSED, FailureKind.NOT_FOUND])
async def test_the_vendors_refusals_are_understood(door: Door, lane: Lane, server: Upstream, kind: FailureKind) -> None:
    words = REFUSALS[lane.wire_for("anthropic")].get(kind)
    if words is None:
        pytest.skip("this vendor has no such refusal")
    server.play(Refuse(words[0], body=words[1]))
    with pytest.raises(UpstreamError) as caught:
        await ask(door, lane, server, MESSAGES.ask("hi"), MESSAGES)
    assert (caught.value.kind, caught.value.status) == (kind, words[0])
    assert caught.value.detail


@LANE
@STREAMED
async def test_an_answer_that_the_filter_cut_says_so(door: Door, lane: Lane, server: Upstream, is_streamed: bool) -> None:
    if lane.wire_for("anthropic") == "ollama":
        pytest.skip("Ollama has no filter")
    server.play(Answer((Say("I cannot"),), stop="refusal"))
    response = await ask(door, lane, server, MESSAGES.ask("hi", is_streamed=is_streamed), MESSAGES)
    assert response.reason is StopReason.REFUSAL


@LANE
@pytest.mark.parametrize("ending", [Ending.ERROR_EVENT, Ending.CLOSE, Ending.RESET], ids=lambda ending: ending.name.lower())
async def test_a_failure_inside_a_stream_is_no_success(door: Door, lane: Lane, server: Upstream, ending: Ending) -> None:
    server.play(dies(ending, after=3))
    with pytest.raises(UpstreamError) as caught:
        await ask(door, lane, server, MESSAGES.ask("hi", is_streamed=True), MESSAGES)
    assert caught.value.kind in {FailureKind.OVERLOADED, FailureKind.PROTOCOL, FailureKind.RATE}


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
    base = entry.base_url or address_of(entry, {"project": "a-project"}) or "https://gate.example"
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
