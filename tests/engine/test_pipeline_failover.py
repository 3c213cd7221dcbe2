"""One target fails before its first word and the next one serves: the client hears an answer, the headers say whose."""

import asyncio
import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from lynkr_desktop.config.environment import apply_environment
from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Endpoint, Settings
from lynkr_desktop.engine.resilience import breaker
from lynkr_desktop.engine.service import EngineService
from lynkr_desktop.startup import known_names
from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT, DIALECTS, MESSAGES
from tests.fakes.lab import account
from tests.fakes.program import Program, free_port
from tests.fakes.script import (
    EMPTY,
    GARBAGE,
    HTML,
    Answer,
    CallTool,
    Delivery,
    Ending,
    Refuse,
    Reset,
    Step,
    Think,
    dies,
    first_event_is_error,
    say,
)
from tests.fakes.upstream import Upstream

Start = Callable[..., Program]
WAYS = tuple(itertools.product(DIALECTS, (True, False)))
FAILURES: dict[str, Step] = {
    "401": Refuse(401, "Incorrect API key provided."),
    "402": Refuse(402, "You exceeded your current quota."),
    "403": Refuse(403, "Country not supported."),
    "404": Refuse(404, "The model does not exist."),
    "429-long": Refuse(429, "Slow down.", (("retry-after", "120"),)),
    "429-no-wait": Refuse(429, "Slow down."),
    "500": Refuse(500, "The server had an error."),
    "529": Refuse(529, "Overloaded"),
    "html-502": Refuse(502, body=b"<html><body>Bad Gateway</body></html>", content_type="text/html"),
    "reset": Reset(),
    "error-is-first-event": first_event_is_error(),
    "dies-before-content": dies(Ending.CLOSE, after=1),
    "empty": EMPTY,
    "garbage": GARBAGE,
    "web-page": HTML,
}


def _tiers(first: Upstream, second: Upstream) -> dict[str, str]:
    """Simple requests go to the first vendor, everything else to the second."""
    names = [f"{first.vendor.name}:gpt-4o-mini", *([f"{second.vendor.name}:claude-haiku-4-5"] * 3)]
    tiers = dict(zip(("TIER_SIMPLE", "TIER_MEDIUM", "TIER_COMPLEX", "TIER_REASONING"), names, strict=True))
    return tiers | account(first) | account(second)


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_the_next_tier_serves(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream, name: str, is_streamed: bool
) -> None:
    """For each way to fail before the first word, in both dialects."""
    openai_upstream.always = FAILURES[name]
    anthropic_upstream.always = say("rescued")
    program = headless(**_tiers(openai_upstream, anthropic_upstream))
    for dialect in DIALECTS:
        reply = Caller(program.url, program.token).post(dialect.path, dialect.ask("hi", is_streamed=is_streamed))
        assert reply.status == 200, reply.body
        assert dialect.heard(reply).text == "rescued"
        assert reply.headers["x-lynkr-tier"] == "SIMPLE"
        assert reply.headers["x-lynkr-provider"] == "anthropic"
        assert reply.headers["x-lynkr-model"] == "claude-haiku-4-5"
        assert reply.headers["x-lynkr-served-tier"] == "MEDIUM"
        assert "openai:gpt-4o-mini" in reply.headers["x-lynkr-fallback"]
        assert 0 <= int(reply.headers["x-lynkr-complexity-score"]) <= 25
    assert openai_upstream.chats, "the tier's own target is tried first"


def test_an_address_without_a_server(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    """Nobody listens there."""
    env = _tiers(openai_upstream, anthropic_upstream) | {"OPENAI_API_BASE": f"http://127.0.0.1:{free_port()}"}
    program = headless(**env)
    assert MESSAGES.heard(Caller(program.url, program.token).post(MESSAGES.path, MESSAGES.ask("hi"))).text == "pong"


def test_a_short_wait_is_waited(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    """`Retry-After` of a second: the same target answers at the second try, and the other one is not bothered."""
    openai_upstream.play(Refuse(429, "Slow down.", (("retry-after", "1"),)), say("after the wait"))
    program = headless(**_tiers(openai_upstream, anthropic_upstream))
    reply = Caller(program.url, program.token).post(MESSAGES.path, MESSAGES.ask("hi", is_streamed=True))
    assert MESSAGES.heard(reply).text == "after the wait"
    assert len(openai_upstream.chats) == 2
    assert anthropic_upstream.chats == []


def test_row_118_the_requests_own_fault_goes_nowhere_else(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream
) -> None:
    """A 400 is told to the client at once, with the vendor's words: elsewhere the mistake would only hide."""
    openai_upstream.always = Refuse(400, "The number of penguins is invalid.")
    program = headless(**_tiers(openai_upstream, anthropic_upstream))
    for count, dialect in enumerate(DIALECTS, 1):
        reply = Caller(program.url, program.token).post(dialect.path, dialect.ask("hi"))
        assert reply.status == 400
        assert "penguins" in dialect.error_of(reply.json)
        assert len(openai_upstream.chats) == count
    assert anthropic_upstream.chats == []


def test_when_all_fail_the_client_hears_why(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    """Each target with its reason, in the client's own dialect, with an HTTP status and not a broken stream."""
    openai_upstream.always = Refuse(500, "The penguins are asleep.")
    anthropic_upstream.always = Refuse(529, "Overloaded by whales.")
    program = headless(**_tiers(openai_upstream, anthropic_upstream))
    for dialect, is_streamed in WAYS:
        reply = Caller(program.url, program.token).post(dialect.path, dialect.ask("hi", is_streamed=is_streamed))
        assert reply.status >= 500
        message = dialect.error_of(reply.json)
        assert "penguins" in message
        assert "whales" in message


STATUS: dict[str, tuple[Step, int]] = {
    "401": (Refuse(401, "Incorrect API key provided."), 502),
    "429": (Refuse(429, "Slow down.", (("retry-after", "77"),)), 429),
    "empty": (EMPTY, 502),
    "garbage": (GARBAGE, 502),
    "web-page": (HTML, 502),
}


@pytest.mark.parametrize("name", STATUS)
def test_a_lone_target_that_fails(headless: Start, openai_upstream: Upstream, name: str) -> None:
    """The status makes the client do what helps: wait for a 429, and not ask for a login where our own key was refused."""
    step, status = STATUS[name]
    openai_upstream.always = step
    program = headless(MODEL_PROVIDER="openai:gpt-4o-mini", **account(openai_upstream))
    for dialect, is_streamed in WAYS:
        reply = Caller(program.url, program.token).post(dialect.path, dialect.ask("hi", is_streamed=is_streamed))
        assert reply.status == status, reply.body
        assert dialect.error_of(reply.json)
        assert name != "429" or reply.headers["retry-after"] == "77"
        assert name != "401" or reply.headers["x-should-retry"] == "false"


def test_overload_is_told_in_each_dialect(headless: Start, anthropic_upstream: Upstream) -> None:
    """529 is Anthropic's word; an OpenAI client retries on 503."""
    anthropic_upstream.always = Refuse(529, "Overloaded")
    program = headless(MODEL_PROVIDER="anthropic:claude-haiku-4-5", **account(anthropic_upstream))
    caller = Caller(program.url, program.token)
    assert caller.post(MESSAGES.path, MESSAGES.ask("hi")).status == 529
    assert caller.post(CHAT.path, CHAT.ask("hi")).status == 503


def test_the_last_resort_serves(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    """FALLBACK_PROVIDER, after a target in Direct mode."""
    openai_upstream.always = Refuse(401, "Incorrect API key provided.")
    anthropic_upstream.always = say("last resort")
    accounts = account(openai_upstream) | account(anthropic_upstream)
    program = headless(MODEL_PROVIDER="openai:gpt-4o-mini", FALLBACK_PROVIDER="anthropic:claude-haiku-4-5", **accounts)
    reply = Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi", is_streamed=True))
    assert CHAT.heard(reply).text == "last resort"
    assert reply.headers["x-lynkr-provider"] == "anthropic"


def test_no_fallback_if_it_is_off(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    """FALLBACK_ENABLED=false."""
    openai_upstream.always = Refuse(401, "Incorrect API key provided.")
    accounts = account(openai_upstream) | account(anthropic_upstream)
    names = {"MODEL_PROVIDER": "openai:gpt-4o-mini", "FALLBACK_PROVIDER": "anthropic:claude-haiku-4-5"}
    program = headless(FALLBACK_ENABLED="false", **names, **accounts)
    reply = Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi"))
    assert "Incorrect API key" in CHAT.error_of(reply.json)
    assert anthropic_upstream.chats == []


def test_row_067_a_thinking_loop_survives_a_change_of_vendor(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream
) -> None:
    """The first turn came from a vendor that signs nothing; the second goes to one that demands a signed thought."""
    tiers = ("TIER_SIMPLE", "TIER_MEDIUM", "TIER_COMPLEX", "TIER_REASONING")
    both = "openai:gpt-4o-mini,anthropic:claude-haiku-4-5"
    program = headless(**dict.fromkeys(tiers, both), **account(openai_upstream), **account(anthropic_upstream))
    odd_call = CallTool("read_file", {"path": "x"}, "functions.read_file:0")
    openai_upstream.play(Answer((Think("Hm."), odd_call)), Refuse(401, "revoked"))
    anthropic_upstream.play(say("done"))
    caller = Caller(program.url, program.token)
    thinking = {"type": "enabled", "budget_tokens": 1024}
    request = MESSAGES.ask("Read it.", is_streamed=True, tools=["read_file"], thinking=thinking) | {"max_tokens": 4000}
    heard = MESSAGES.heard(caller.post(MESSAGES.path, request))
    reply = caller.post(MESSAGES.path, MESSAGES.next_turn(request, heard, {heard.calls[0].id: "the content"}))
    assert MESSAGES.heard(reply).text == "done"


def test_who_fails_least_goes_first_where_the_user_wants_that(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream
) -> None:
    both = "openai:gpt-4o-mini,anthropic:claude-haiku-4-5"
    tiers = dict.fromkeys(("TIER_SIMPLE", "TIER_MEDIUM", "TIER_COMPLEX", "TIER_REASONING"), both)
    program = headless(LYNKR_TARGET_ORDER="success", **tiers, **account(openai_upstream), **account(anthropic_upstream))
    caller = Caller(program.url, program.token)
    openai_upstream.play(FAILURES["402"])
    first = caller.post(CHAT.path, CHAT.ask("hello"), {"x-lynkr-session-id": "one"})
    assert (first.status, first.headers["x-lynkr-provider"]) == (200, "anthropic")
    second = caller.post(CHAT.path, CHAT.ask("hello"), {"x-lynkr-session-id": "two"})
    assert second.headers["x-lynkr-provider"] == "anthropic"
    assert "anthropic:claude-haiku-4-5 fails least." in second.headers["x-lynkr-routing-reason"]
    assert "x-lynkr-fallback" not in second.headers
    assert len(openai_upstream.chats) == 1


async def test_only_one_of_many_requests_tries_a_target_that_may_have_healed(
    openai_upstream: Upstream, anthropic_upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "OPEN_SECONDS", 0.0)
    env = {"MODEL_PROVIDER": "openai:gpt-4o-mini", "FALLBACK_PROVIDER": "anthropic:claude-haiku-4-5"}
    env |= account(openai_upstream) | account(anthropic_upstream)
    settings, secrets, _ = apply_environment(Settings(), env, known_names())
    settings = dataclasses.replace(settings, endpoint=Endpoint(free_port()))
    engine = EngineService(settings, secrets, Secret("token"), tmp_path / "ledger.db")
    await engine.start()
    try:
        caller = Caller(engine.url, "token")

        async def ask() -> str:
            reply = await asyncio.to_thread(caller.post, CHAT.path, CHAT.ask("hello"))
            return reply.headers["x-lynkr-provider"]

        openai_upstream.play(*[FAILURES["402"]] * breaker.FAILURES_TO_OPEN)
        for _ in range(breaker.FAILURES_TO_OPEN):
            assert await ask() == "anthropic"
        openai_upstream.always = say("well again", delivery=Delivery(ending=Ending.HOLD))
        probe = asyncio.create_task(ask())
        await asyncio.to_thread(openai_upstream.wait_for_chat, breaker.FAILURES_TO_OPEN + 1)
        assert await asyncio.gather(*(ask() for _ in range(8))) == ["anthropic"] * 8
        assert len(openai_upstream.chats) == breaker.FAILURES_TO_OPEN + 1
        openai_upstream.chats[-1].release()
        assert await probe == "openai"
        openai_upstream.always = say("well")
        assert await ask() == "openai"
    finally:
        await engine.stop()


def test_a_client_that_leaves_ends_the_wait_for_another_try(headless: Start, openai_upstream: Upstream) -> None:
    program = headless(MODEL_PROVIDER="openai:gpt-4o-mini", **account(openai_upstream))
    openai_upstream.always = Refuse(429, "Slow down.", (("retry-after", "25"),))
    caller = Caller(program.url, program.token)
    caller_left = caller.open(CHAT.path, CHAT.ask("hello"))
    openai_upstream.wait_for_chat().is_done.wait()
    assert caller.get("/health").status == 200  # behind the refusal on the same loop
    caller_left.close()
    usage = {"requests": 0}
    while usage["requests"] == 0:
        usage = caller.get("/v1/usage").json
    assert (usage["requests"], usage["failed"]) == (1, 0)
    assert len(openai_upstream.chats) == 1
