"""Conversations from outside: a loop of tools stays with the model that called them, also after a failover; others go freely."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.caller import Caller, Reply
from tests.fakes.dialects import DIALECTS, MESSAGES, Dialect
from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.script import Answer, CallTool, Refuse, say
from tests.fakes.upstream import Upstream

Start = Callable[..., Program]
HARD = "Find out why the distributed lock deadlocks under concurrent writers and fix it in all modules of the service."
CALL = Answer((CallTool("read_file", {"path": "x"}),))


def _tiers(openai_upstream: Upstream, anthropic_upstream: Upstream) -> dict[str, str]:
    names = ("openai:gpt-4o-mini", "anthropic:claude-haiku-4-5", "anthropic:claude-sonnet-5", "anthropic:claude-opus-5")
    tiers = dict(zip(("TIER_SIMPLE", "TIER_MEDIUM", "TIER_COMPLEX", "TIER_REASONING"), names, strict=True))
    return tiers | account(openai_upstream) | account(anthropic_upstream)


def _further(dialect: Dialect, request: dict[str, Any], reply: Reply) -> dict[str, Any]:
    """The request with the results of what the reply called."""
    heard = dialect.heard(reply)
    return dialect.next_turn(request, heard, {heard.calls[0].id: "ok"})


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
def test_row_206_a_loop_follows_a_failover(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream, dialect: Dialect
) -> None:
    """The first target fails once, another serves and calls tools: their results go to it although the first is well again."""
    openai_upstream.play(Refuse(403, "not now"))
    anthropic_upstream.play(CALL, CALL, say("done"))
    program = headless(**_tiers(openai_upstream, anthropic_upstream))
    caller = Caller(program.url, program.token)
    request = dialect.ask("Read it.", is_streamed=True, tools=["read_file"])
    first = caller.post(dialect.path, request)
    assert first.headers["x-lynkr-model"] == "claude-haiku-4-5"
    second = caller.post(dialect.path, request := _further(dialect, request, first))
    third = caller.post(dialect.path, _further(dialect, request, second))
    for reply in (second, third):
        assert (reply.headers["x-lynkr-model"], reply.headers["x-lynkr-routing-method"]) == ("claude-haiku-4-5", "sticky")
        assert reply.headers["x-lynkr-routing-reason"] == "MEDIUM: results of tools go to the model that called them."
        assert "x-lynkr-fallback" not in reply.headers
    assert dialect.heard(third).text == "done"


def test_a_lesser_rescuer_is_left_with_the_next_ask(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream
) -> None:
    """The strong models failed once and the small one took over: it ends its loop, then the strong one is asked again."""
    anthropic_upstream.play(*([Refuse(403, "not now")] * 3), say("strong again"))
    openai_upstream.play(CALL, say("done"))
    program = headless(**_tiers(openai_upstream, anthropic_upstream))
    caller = Caller(program.url, program.token)
    request = MESSAGES.ask(HARD, tools=["read_file"])
    first = caller.post(MESSAGES.path, request)
    second = caller.post(MESSAGES.path, request := _further(MESSAGES, request, first))
    assert [each.headers["x-lynkr-provider"] for each in (first, second)] == ["openai", "openai"]
    answer = {"role": "assistant", "content": MESSAGES.heard(second).blocks}
    turns = [*request["messages"], answer, {"role": "user", "content": HARD}]
    third = caller.post(MESSAGES.path, request | {"messages": turns})
    assert MESSAGES.heard(third).text == "strong again"


def test_the_switch(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    """LYNKR_STICKY_SESSIONS=false: each request by itself."""
    openai_upstream.play(Refuse(403, "not now"))
    anthropic_upstream.play(CALL)
    program = headless(LYNKR_STICKY_SESSIONS="false", **_tiers(openai_upstream, anthropic_upstream))
    caller = Caller(program.url, program.token)
    request = MESSAGES.ask("Read it.", tools=["read_file"])
    first = caller.post(MESSAGES.path, request)
    second = caller.post(MESSAGES.path, _further(MESSAGES, request, first))
    assert second.headers["x-lynkr-provider"] == "openai"
    assert second.headers["x-lynkr-routing-method"] == "score"


def test_side_requests_and_helpers_leave_a_session_alone(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream
) -> None:
    """A title and a helper's small task under the same session id go to small models; the loop stays where it is."""
    anthropic_upstream.play(CALL, say("done"))
    program = headless(**_tiers(openai_upstream, anthropic_upstream))
    caller, same = Caller(program.url, program.token), {"x-session-id": "one-and-the-same"}
    request = MESSAGES.ask(HARD, tools=["read_file"])
    first = caller.post(MESSAGES.path, request, same)
    title = caller.post(MESSAGES.path, MESSAGES.ask(f"Generate a title for this conversation:\n{HARD}"), same)
    helper = caller.post(MESSAGES.path, MESSAGES.ask("What is the capital of France?"), same)
    second = caller.post(MESSAGES.path, _further(MESSAGES, request, first), same)
    assert [each.headers["x-lynkr-tier"] for each in (title, helper)] == ["SIMPLE", "SIMPLE"]
    assert second.headers["x-lynkr-model"] == first.headers["x-lynkr-model"]
    assert second.headers["x-lynkr-provider"] == "anthropic"


def test_a_loop_survives_the_death_of_its_model(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    """Its attempt fails: another serves, and the rest of the loop is with that one."""
    anthropic_upstream.play(CALL, *([Refuse(403, "not now")] * 3))
    openai_upstream.play(CALL, say("done"))
    program = headless(**_tiers(openai_upstream, anthropic_upstream))
    caller = Caller(program.url, program.token)
    request = MESSAGES.ask(HARD, tools=["read_file"])
    first = caller.post(MESSAGES.path, request)
    second = caller.post(MESSAGES.path, request := _further(MESSAGES, request, first))
    third = caller.post(MESSAGES.path, _further(MESSAGES, request, second))
    assert [each.headers["x-lynkr-provider"] for each in (first, second, third)] == ["anthropic", "openai", "openai"]
    assert "x-lynkr-fallback" in second.headers
    assert third.headers["x-lynkr-routing-method"] == "sticky"
    assert MESSAGES.heard(third).text == "done"
