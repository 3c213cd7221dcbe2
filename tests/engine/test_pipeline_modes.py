"""Modes from outside: observing passes everything on and keeps what Auto would have done; local only never leaves the machine."""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator

import pytest

from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT, DIALECTS, MESSAGES
from tests.fakes.lab import account
from tests.fakes.more_upstreams import OllamaUpstream
from tests.fakes.program import Program
from tests.fakes.script import Refuse, say
from tests.fakes.upstream import Upstream

Start = Callable[..., Program]
HARD = "Find out why the distributed lock deadlocks under concurrent writers and fix it in all modules of the service."


@pytest.fixture
def ollama_upstream() -> Iterator[Upstream]:
    """A model on this machine."""
    server = OllamaUpstream("").start()
    server.always = say("local")
    yield server
    server.stop()
    assert server.complaints == []


def _tiers(**names: str) -> dict[str, str]:
    usual = {"SIMPLE": "openai:gpt-4o-mini", "MEDIUM": "openai:gpt-4o", "COMPLEX": "openai:gpt-4.1", "REASONING": "openai:o3"}
    return {f"TIER_{tier}": name for tier, name in (usual | names).items()}


def _rows(program: Program, columns: str) -> list[tuple[object, ...]]:
    program.stop()
    with contextlib.closing(sqlite3.connect(program.data_dir / "ledger.db")) as connection:
        return connection.execute(f"SELECT {columns} FROM exchanges ORDER BY id").fetchall()


def test_observing(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    """Everything goes to the one model, in each dialect; the ledger knows what Auto would have chosen."""
    anthropic_upstream.always = say("direct")
    accounts = account(openai_upstream) | account(anthropic_upstream)
    program = headless(LYNKR_MODE="observe", MODEL_PROVIDER="anthropic:claude-haiku-4-5", **_tiers(), **accounts)
    caller = Caller(program.url, program.token)
    for dialect in DIALECTS:
        for ask in ("hello", HARD):
            reply = caller.post(dialect.path, dialect.ask(ask))
            assert dialect.heard(reply).text == "direct"
            assert reply.headers["x-lynkr-routing-method"] == "observe"
            assert "x-lynkr-tier" not in reply.headers
    assert openai_upstream.chats == []
    light, heavy = ("observe", "", "SIMPLE", "openai:gpt-4o-mini"), ("observe", "", "COMPLEX", "openai:gpt-4.1")
    assert _rows(program, "mode, tier, shadow_tier, shadow_target") == [light, heavy] * 2


def test_local_only(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream, ollama_upstream: Upstream) -> None:
    """Hard work too, and whatever the client names, even while the local server fails."""
    accounts = account(openai_upstream) | account(anthropic_upstream) | {"OLLAMA_ENDPOINT": ollama_upstream.url}
    program = headless(LYNKR_MODE="local", **_tiers(SIMPLE="ollama:llama3.2"), FALLBACK_PROVIDER="anthropic:x", **accounts)
    caller = Caller(program.url, program.token)
    for model in ("claude-sonnet-4-5", "lynkr-complex", "anthropic:claude-opus-4-5"):
        reply = caller.post(MESSAGES.path, MESSAGES.ask(HARD, model=model))
        assert MESSAGES.heard(reply).text == "local"
        assert reply.headers["x-lynkr-tier"] == "SIMPLE"
    ollama_upstream.always = Refuse(403, "not now")
    assert caller.post(MESSAGES.path, MESSAGES.ask(HARD)).status >= 500
    assert openai_upstream.received == anthropic_upstream.received == []


def test_local_only_without_anything_local(headless: Start, openai_upstream: Upstream) -> None:
    """A refusal that says what to do, in the client's dialect."""
    program = headless(LYNKR_MODE="local", **_tiers(), **account(openai_upstream))
    for dialect in DIALECTS:
        reply = Caller(program.url, program.token).post(dialect.path, dialect.ask("hello"))
        assert reply.status >= 400
        assert "no model on this machine" in dialect.error_of(reply.json)
        assert "Providers" in dialect.error_of(reply.json)
    vectors = Caller(program.url, program.token).post("/v1/embeddings", {"model": "x", "input": "private words"})
    assert vectors.status >= 400 or vectors.headers["x-lynkr-provider"] == "embedded"  # where the built-in model is installed
    assert openai_upstream.received == []


def test_what_else_it_would_have_cost_is_kept(headless: Start, openai_upstream: Upstream) -> None:
    """One row for each tier; the price of the model that nobody knows is not made up."""
    program = headless(**_tiers(MEDIUM="openai:unheard-of"), **account(openai_upstream))
    Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hello"))
    [(kept,)] = _rows(program, "alternatives")
    assert isinstance(kept, str)
    simple, medium, *others = json.loads(kept)
    assert (simple["tier"], simple["target"]) == ("SIMPLE", "openai:gpt-4o-mini")
    assert (simple["cost_usd"], simple["switch_usd"]) == ("0.000006", "")
    assert (medium["tier"], medium["target"]) == ("MEDIUM", "openai:unheard-of")
    assert (medium["cost_usd"], medium["switch_usd"]) == (None, None)
    assert len(others) == 2
