"""Tiers from outside: the request's weight, or the client's wish, decides who answers; the headers say which and why."""

from collections.abc import Callable

from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT, DIALECTS, MESSAGES
from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.script import Answer, CallTool, say
from tests.fakes.upstream import Upstream

Start = Callable[..., Program]
HARD = (
    "Analyse step by step why our distributed lock deadlocks under concurrent writers, prove the invariant that is broken, "
    "compare three redesigns with their trade-offs, and refactor the whole service across all modules for the best of them."
)


def _tiers(openai_upstream: Upstream, anthropic_upstream: Upstream) -> dict[str, str]:
    """Two cheap tiers at one vendor, two strong ones at the other."""
    openai_upstream.always, anthropic_upstream.always = say("cheap"), say("strong")
    names = ("openai:gpt-4o-mini", "openai:gpt-4o", "anthropic:claude-sonnet-5", "anthropic:claude-opus-5")
    tiers = dict(zip(("TIER_SIMPLE", "TIER_MEDIUM", "TIER_COMPLEX", "TIER_REASONING"), names, strict=True))
    return tiers | account(openai_upstream) | account(anthropic_upstream)


def test_the_weight_decides(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    """A greeting costs little, hard work goes to a strong model, from each dialect."""
    program = headless(**_tiers(openai_upstream, anthropic_upstream))
    caller = Caller(program.url, program.token)
    for dialect in DIALECTS:
        light = caller.post(dialect.path, dialect.ask("hello"))
        heavy = caller.post(dialect.path, dialect.ask(HARD, is_streamed=True))
        assert (dialect.heard(light).text, light.headers["x-lynkr-tier"]) == ("cheap", "SIMPLE")
        assert dialect.heard(heavy).text == "strong"
        assert heavy.headers["x-lynkr-tier"] in {"COMPLEX", "REASONING"}
        assert int(light.headers["x-lynkr-complexity-score"]) < int(heavy.headers["x-lynkr-complexity-score"])
        assert heavy.headers["x-lynkr-routing-reason"] != light.headers["x-lynkr-routing-reason"]
        assert "x-lynkr-fallback" not in heavy.headers


def test_a_client_can_ask_for_a_tier_or_a_model(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    """By the names that the list of models shows."""
    program = headless(**_tiers(openai_upstream, anthropic_upstream))
    caller = Caller(program.url, program.token)
    wishes = {
        "lynkr-reasoning": ("anthropic", "claude-opus-5"),
        "lynkr-medium": ("openai", "gpt-4o"),
        "anthropic:claude-sonnet-5": ("anthropic", "claude-sonnet-5"),
        "lynkr-auto": ("openai", "gpt-4o-mini"),
    }
    listed = [entry["id"] for entry in caller.get("/v1/models").json["data"]]
    for name, served in wishes.items():
        reply = caller.post(CHAT.path, CHAT.ask("hello", model=name))
        assert (reply.headers["x-lynkr-provider"], reply.headers["x-lynkr-model"]) == served
        assert name in listed


def test_a_tool_loop_stays_with_its_model(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    """The turns with tool results belong to the ask that began them; the ask did not become simpler by them."""
    program = headless(**_tiers(openai_upstream, anthropic_upstream))
    caller = Caller(program.url, program.token)
    anthropic_upstream.play(Answer((CallTool("read_file", {"path": "x"}),)))
    request = MESSAGES.ask(HARD, is_streamed=True, tools=["read_file"])
    first = caller.post(MESSAGES.path, request)
    heard = MESSAGES.heard(first)
    second = caller.post(MESSAGES.path, MESSAGES.next_turn(request, heard, {heard.calls[0].id: "ok"}))
    assert second.headers["x-lynkr-model"] == first.headers["x-lynkr-model"]
    assert MESSAGES.heard(second).text == "strong"
    assert openai_upstream.chats == []
