"""The pages about routing: what would happen to a request, without its happening; how routing is set up; what it did."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT, MESSAGES
from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.script import Tokens, say
from tests.fakes.upstream import Upstream
from tests.rig.desk import until

Start = Callable[..., Program]
HARD = "Find out why the distributed lock deadlocks under concurrent writers and fix it in all modules of the service."
NAMES = ("openai:gpt-4o-mini", "openai:gpt-4o", "openai:unheard-of", "openai:o3")


@pytest.fixture
def caller(headless: Start, openai_upstream: Upstream) -> Caller:
    """A client of a program with four tiers."""
    tiers = dict(zip(("TIER_SIMPLE", "TIER_MEDIUM", "TIER_COMPLEX", "TIER_REASONING"), NAMES, strict=True))
    program = headless(**tiers, **account(openai_upstream))
    return Caller(program.url, program.token)


BODIES: dict[str, dict[str, Any]] = {
    "messages": MESSAGES.ask(HARD, tools=["read_file"]) | {"system": "Be brief."},
    "chat": CHAT.ask(HARD),
    "responses": {"model": "m", "input": HARD},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": HARD}]}]},
    "ollama": {"model": "m", "messages": [{"role": "user", "content": HARD}], "options": {"num_ctx": 4096}},
    "ollama-prompt": {"model": "m", "prompt": HARD},
}


@pytest.mark.parametrize("name", BODIES)
def test_analysing_any_wire(caller: Caller, openai_upstream: Upstream, name: str) -> None:
    """The same ask has the same verdict in each; no model is called for it."""
    found = caller.post("/routing/analyze", BODIES[name]).json
    assert (found["tier"], found["method"], found["floor"]) == ("COMPLEX", "score", None)
    assert 51 <= found["score"] <= 75
    assert found["reason"].startswith("COMPLEX: ")
    assert found["route"][0] == {"target": "openai:unheard-of", "tier": "COMPLEX"}
    assert [each["target"] for each in found["alternatives"]] == list(NAMES)
    prices = {each["tier"]: each["estimated_cost_usd"] for each in found["alternatives"]}
    assert prices["COMPLEX"] is None, "no price is known"
    assert float(prices["SIMPLE"]) < float(prices["REASONING"])
    assert any(each["points"] > 0 for each in found["dimensions"])
    assert found["input_tokens"] > 0
    assert (found["work"], found["risk"]) == ("single_shot", None)
    assert found["facts"]["ask_chars"] == len(HARD)
    assert set(found["learned"]["harder_words"]) < set(re.findall(r"\w+", HARD.lower()))
    assert all(each["estimated_ms"] is None for each in found["alternatives"]), "none has served yet"
    assert float(found["alternatives"][0]["switch_usd"]) > 0
    assert openai_upstream.received == []


def test_it_is_what_then_happens(caller: Caller) -> None:
    """Score and tier of the analysis are those of the request."""
    for ask in ("hello", HARD):
        told = caller.post("/routing/analyze", CHAT.ask(ask)).json
        reply = caller.post(CHAT.path, CHAT.ask(ask))
        assert reply.headers["x-lynkr-tier"] == told["tier"]
        assert reply.headers["x-lynkr-complexity-score"] == str(told["score"])
        assert reply.headers["x-lynkr-routing-reason"] == told["reason"]


def test_times_are_those_of_what_served(caller: Caller, openai_upstream: Upstream) -> None:
    """A tier whose model has answered has an estimate; what the ledger keeps says the same, with facts and no words."""
    openai_upstream.always = say("pong " * 40, tokens=Tokens(output=40))
    caller.post(CHAT.path, CHAT.ask("hello"))
    times = {
        each["tier"]: each["estimated_ms"] for each in caller.post("/routing/analyze", CHAT.ask("hello")).json["alternatives"]
    }
    assert times["SIMPLE"] > 0
    assert times["COMPLEX"] is None
    rows: list[dict[str, Any]] = []
    while not rows:
        rows = caller.get("/v1/routing/telemetry").json["rows"]
    assert rows[0]["facts"] == {"work": "single_shot", "ask_chars": 5, "messages": 1}
    assert rows[0]["alternatives"][0]["time_ms"] > 0
    assert rows[0]["alternatives"][3]["time_ms"] is None


def test_accuracy_is_what_the_user_says(caller: Caller) -> None:
    found = caller.get("/v1/routing/accuracy").json
    assert (found["judged"], found["under_provisioned_percent"]) == (0, None)
    assert list(found["by_tier"]) == ["SIMPLE", "MEDIUM", "COMPLEX", "REASONING"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"messages": 5}', b"\xff"])
def test_nonsense_is_refused(caller: Caller, body: bytes) -> None:
    """With the caller's fault named."""
    assert caller.post("/routing/analyze", body).status == 400
    assert caller.post("/routing/analyze?wire=telex", b"{}").status == 400


def test_the_set_up(caller: Caller) -> None:
    """Tiers with their ranges, models with their prices."""
    found = caller.get("/routing/tiers").json
    assert [(each["tier"], each["range"]) for each in found["tiers"]] == [
        ("SIMPLE", [0, 25]),
        ("MEDIUM", [26, 50]),
        ("COMPLEX", [51, 75]),
        ("REASONING", [76, 100]),
    ]
    assert (found["mode"], found["is_sticky"]) == ("auto", True)
    models = caller.get("/routing/models").json["models"]
    assert [each["target"] for each in models] == list(NAMES)
    one = caller.get("/routing/models/gpt-4o-mini").json
    assert one == caller.get("/routing/models/openai:gpt-4o-mini").json
    assert float(one["input_price"]) > 0
    assert one["context_tokens"] >= 100_000
    assert caller.get("/routing/models/unheard-of").json["input_price"] is None
    assert caller.get("/routing/models/never-heard-of").status == 404


def test_what_was_done(caller: Caller) -> None:
    """From the ledger, which writes within moments."""
    for ask in ("hello", "hello", HARD):
        caller.post(CHAT.path, CHAT.ask(ask))
    rows: list[dict[str, Any]] = []
    while len(rows) < 3:
        rows = caller.get("/v1/routing/telemetry").json["rows"]
    assert [each["tier"] for each in rows] == ["COMPLEX", "SIMPLE", "SIMPLE"]
    assert len(caller.get("/v1/routing/telemetry?tier=simple&limit=1").json["rows"]) == 1
    assert caller.get("/v1/routing/telemetry?provider=anthropic").json["rows"] == []
    assert "hello" not in json.dumps(rows)
    for path in ("/routing/stats", "/v1/routing/stats", "/v1/routing/stats/openai"):
        stats = caller.get(path).json
        assert (stats["total"], stats["cloud"], stats["local_percent"]) == (3, 3, 0.0)
        assert stats["by_tier"] == {"SIMPLE": 2, "COMPLEX": 1}
    assert caller.get("/v1/routing/stats/anthropic").json["total"] == 0
    for wrong in ("/v1/routing/telemetry?limit=0", "/v1/routing/telemetry?limit=x", "/routing/stats?since=yesterday"):
        assert caller.get(wrong).status == 400


def test_nobody_else_may_ask(caller: Caller) -> None:
    """The token opens these pages as any other."""
    assert caller.request("GET", "/routing/tiers", has_token=False).status == 401
    assert caller.request("POST", "/routing/analyze", CHAT.ask("x"), has_token=False).status == 401


def test_what_if(caller: Caller) -> None:
    """The served requests under other boundaries, tiers and prices; what means nothing is refused."""
    for ask in ("hello", HARD):
        caller.post(CHAT.path, CHAT.ask(ask))
    until(lambda: caller.post("/routing/what-if", {}).json["requests"] == 2, "the rows")
    now = caller.post("/routing/what-if", {}).json
    assert (now["days"], now["moved"], now["tiers"]) == (7, 0, {"SIMPLE": 1, "COMPLEX": 1})
    assert float(now["cost_usd"]) == float(now["before_usd"]) == 0.000006, "the other model has no price"
    assert (now["unpriced"], now["unpriced_before"]) == (1, 1)
    wider = caller.post("/routing/what-if", {"boundaries": {"medium": 73, "complex": 74}}).json
    assert (wider["moved"], wider["tiers"], wider["unpriced"]) == (1, {"SIMPLE": 1, "MEDIUM": 1}, 0)
    other = caller.post("/routing/what-if", {"tiers": {"SIMPLE": ["openai:o3"]}}).json
    assert other["moved"] == 1
    assert float(other["cost_usd"]) > float(now["cost_usd"])
    dearer = caller.post("/routing/what-if", {"prices": {"openai:gpt-4o-mini": {"input": 1_000_000, "output": 0}}}).json
    assert (dearer["moved"], float(dearer["cost_usd"])) == (0, 12), "twelve tokens of input"


@pytest.mark.parametrize(
    "body",
    [
        {"boundaries": {"simple": 60}},
        {"days": 0},
        {"tiers": {"SIMPLE": ["nameless"]}},
        {"tiers": {"HUGE": ["a:b"]}},
        {"prices": {"a:b": {"input": -1, "output": 1}}},
        {"temperature": 1},
    ],
)
def test_what_if_of_nonsense(caller: Caller, body: dict[str, Any]) -> None:
    assert caller.post("/routing/what-if", body).status == 400
