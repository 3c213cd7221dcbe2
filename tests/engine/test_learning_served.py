"""What routing learns, from outside: verdicts that carry over, an order that follows failures, answers that are checked."""

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT, DIALECTS, MESSAGES, Dialect
from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.script import Answer, Refuse, Say, Tokens, say
from tests.fakes.upstream import Upstream

Start = Callable[..., Program]
NOTES = "Write the release notes for the billing service from the last commits and name what changes for its users."
OTHER = "Write the release notes for the search service from the last commits and name what changes for its users."
HARD = "Find out why the distributed lock deadlocks under concurrent writers and fix it in all modules of the service."
GOOD = "Both ways work; the first one is quicker and the second one survives a restart of the machine."


def _settings(folder: Path, **learning: Any) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "settings.json").write_text(json.dumps({"version": 1, "learning": learning}))
    return str(folder)


def _tiers(openai: Upstream, anthropic: Upstream) -> dict[str, str]:
    names = ("openai:gpt-4o-mini", "anthropic:claude-haiku-4-5", "anthropic:claude-sonnet-4-5", "anthropic:claude-opus-4-1")
    tiers = dict(zip(("TIER_SIMPLE", "TIER_MEDIUM", "TIER_COMPLEX", "TIER_REASONING"), names, strict=True))
    return tiers | account(openai) | account(anthropic)


def _rows(program: Program, columns: str) -> list[tuple[Any, ...]]:
    program.stop()
    with contextlib.closing(sqlite3.connect(program.data_dir / "ledger.db")) as connection:
        return connection.execute(f"SELECT {columns} FROM exchanges ORDER BY id").fetchall()


def test_a_verdict_carries_over_to_like_asks(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream, tmp_path: Path
) -> None:
    """And the ledger keeps no word of them."""
    folder = _settings(tmp_path / "kept", history=True)
    start = {"LYNKR_DATA_DIR": folder} | _tiers(openai_upstream, anthropic_upstream)
    openai_upstream.always = anthropic_upstream.always = say("done")
    program = headless(**start)
    before = Caller(program.url, program.token).post(CHAT.path, CHAT.ask(NOTES)).headers["x-lynkr-tier"]
    assert before == "MEDIUM"
    ((fingerprint,),) = _rows(program, "fingerprint")
    assert len(fingerprint) == 64
    assert b"billing" not in b"".join(path.read_bytes() for path in Path(folder).glob("ledger*"))
    with contextlib.closing(sqlite3.connect(program.data_dir / "ledger.db")) as connection, connection:
        connection.execute("UPDATE exchanges SET verdict = 1")
    again = headless(**start)
    caller = Caller(again.url, again.token)
    moved = caller.post(CHAT.path, CHAT.ask(OTHER))
    assert moved.headers["x-lynkr-tier"] == "COMPLEX"
    told = caller.post("/routing/analyze", CHAT.ask(OTHER)).json
    assert told["dimensions"][-1]["reason"] == "You said once that asks like this should go higher."
    assert caller.post(CHAT.path, CHAT.ask("hello")).headers["x-lynkr-tier"] == "SIMPLE"


def test_nothing_is_kept_while_it_is_off(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    program = headless(**_tiers(openai_upstream, anthropic_upstream))
    anthropic_upstream.always = say("done")
    Caller(program.url, program.token).post(CHAT.path, CHAT.ask(NOTES))
    assert _rows(program, "fingerprint, verdict") == [("", 0)]


def test_the_order_follows_failures(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream, tmp_path: Path
) -> None:
    """The first target fails: the second goes first soon, also after a restart; switched off, the order is back."""
    folder = _settings(tmp_path / "kept", order=True)
    tiers = _tiers(openai_upstream, anthropic_upstream) | {"TIER_MEDIUM": "anthropic:claude-haiku-4-5,openai:gpt-4o-mini"}
    start = {"LYNKR_DATA_DIR": folder} | tiers
    anthropic_upstream.always, openai_upstream.always = Refuse(403, "not now"), say("done")
    program = headless(**start)
    caller = Caller(program.url, program.token)
    replies = [caller.post(CHAT.path, CHAT.ask(f"{NOTES} Number {number}.")) for number in range(6)]
    assert all(reply.status == 200 for reply in replies)
    assert "x-lynkr-fallback" in replies[0].headers
    assert "x-lynkr-fallback" not in replies[-1].headers
    assert "gpt-4o-mini first: it has done better lately than claude-haiku-4-5." in replies[-1].headers["x-lynkr-routing-reason"]
    program.stop()
    asked = len(anthropic_upstream.chats)
    again = headless(**start)
    assert Caller(again.url, again.token).post(CHAT.path, CHAT.ask(OTHER)).status == 200
    assert len(anthropic_upstream.chats) == asked
    again.stop()
    plain = headless(**(start | {"LYNKR_DATA_DIR": _settings(tmp_path / "kept", order=False)}))
    Caller(plain.url, plain.token).post(CHAT.path, CHAT.ask(OTHER))
    assert len(anthropic_upstream.chats) == asked + 1


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_cheaper_answer_that_passes(
    headless: Start,
    openai_upstream: Upstream,
    anthropic_upstream: Upstream,
    tmp_path: Path,
    dialect: Dialect,
    *,
    is_streamed: bool,
) -> None:
    """Only the cheaper model is asked, and the reply says so."""
    folder = _settings(tmp_path / "kept", cascade="all")
    program = headless(LYNKR_DATA_DIR=folder, **_tiers(openai_upstream, anthropic_upstream))
    openai_upstream.always = say(GOOD)
    reply = Caller(program.url, program.token).post(dialect.path, dialect.ask(NOTES, is_streamed=is_streamed))
    assert dialect.heard(reply).text == GOOD
    assert reply.headers["x-lynkr-cascade"] == "passed"
    assert (reply.headers["x-lynkr-tier"], reply.headers["x-lynkr-routing-method"]) == ("SIMPLE", "cascade")
    assert anthropic_upstream.chats == []


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_one_that_does_not(
    headless: Start,
    openai_upstream: Upstream,
    anthropic_upstream: Upstream,
    tmp_path: Path,
    dialect: Dialect,
    *,
    is_streamed: bool,
) -> None:
    """The client sees nothing of it; what it cost counts, and the attempt is on record."""
    folder = _settings(tmp_path / "kept", cascade="all")
    program = headless(LYNKR_DATA_DIR=folder, **_tiers(openai_upstream, anthropic_upstream))
    openai_upstream.always = Answer((Say("```python\nprint(1)\n"),), tokens=Tokens(input=1_000_000, output=0))
    anthropic_upstream.always = say(GOOD, tokens=Tokens(input=0, output=1_000_000))
    reply = Caller(program.url, program.token).post(dialect.path, dialect.ask(NOTES, is_streamed=is_streamed))
    assert dialect.heard(reply).text == GOOD
    assert b"print(1)" not in reply.body
    assert reply.headers["x-lynkr-cascade"] == "openai:gpt-4o-mini: The answer did not pass: a block of code has no end."
    assert (reply.headers["x-lynkr-tier"], reply.headers["x-lynkr-routing-method"]) == ("MEDIUM", "score")
    ((cost, attempts),) = _rows(program, "cost_usd, attempts")
    assert cost == "5.15", "$5 for the one that answered, $0.15 for the one that did not pass"
    assert [(each["error"], each["cost_usd"]) for each in json.loads(attempts)] == [("unverified", "0.15"), ("", None)]


def test_streams_stay_streams_unless_that_is_wanted(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream, tmp_path: Path
) -> None:
    folder = _settings(tmp_path / "kept", cascade="whole")
    program = headless(LYNKR_DATA_DIR=folder, **_tiers(openai_upstream, anthropic_upstream))
    anthropic_upstream.always = say(GOOD)
    caller = Caller(program.url, program.token)
    assert "x-lynkr-cascade" not in caller.post(MESSAGES.path, MESSAGES.ask(NOTES, is_streamed=True)).headers
    assert openai_upstream.chats == []


def test_a_trial_that_fails_or_stands_alone(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream, tmp_path: Path
) -> None:
    """A refusal is an ordinary failover. And where nobody else answers, a poor answer is better than none."""
    folder = _settings(tmp_path / "kept", cascade="whole")
    program = headless(LYNKR_DATA_DIR=folder, **_tiers(openai_upstream, anthropic_upstream))
    caller = Caller(program.url, program.token)
    openai_upstream.play(Refuse(403, "not now"))
    anthropic_upstream.always = say(GOOD)
    reply = caller.post(CHAT.path, CHAT.ask(NOTES))
    assert CHAT.heard(reply).text == GOOD
    assert "x-lynkr-fallback" in reply.headers
