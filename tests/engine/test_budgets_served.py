"""Budgets from outside: many requests at once, a refusal in each dialect, a restart, and tiers that get cheaper."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT, MESSAGES
from tests.fakes.lab import MODELS, account
from tests.fakes.program import Program
from tests.fakes.script import Answer, Delivery, Ending, Say, Tokens
from tests.fakes.upstream import Upstream

Start = Callable[..., Program]
MODEL = MODELS["anthropic"]
# 1,000 output tokens of this model cost $0.005, 20 input tokens $0.00002.
WRITTEN = Tokens(input=20, output=1000)
COST = Decimal("0.00502")


def budgets_in(folder: Path, *budgets: dict[str, object]) -> str:
    """A data folder whose settings hold these budgets."""
    folder.mkdir(exist_ok=True)
    (folder / "settings.json").write_text(json.dumps({"version": 1, "budgets": budgets}))
    return str(folder)


def test_ten_streams_at_once_overshoot_by_one_estimate_at_most(
    headless: Start, anthropic_upstream: Upstream, tmp_path: Path
) -> None:
    """The fourth of ten equal requests would begin above the budget: it and all later ones are refused, also after a restart."""
    amount = Decimal("0.012")
    folder = budgets_in(tmp_path / "kept", {"amount_usd": str(amount)})
    start = {"MODEL_PROVIDER": f"anthropic:{MODEL}", "LYNKR_DATA_DIR": folder} | account(anthropic_upstream)
    program = headless(**start)
    caller = Caller(program.url, program.token)
    held = Delivery(Ending.HOLD, cut_before=b"message_delta")
    anthropic_upstream.always = Answer((Say("a long answer"),), tokens=WRITTEN, delivery=held)
    ask = MESSAGES.ask("hello", is_streamed=True, max_tokens=1000)
    connections = [caller.open(MESSAGES.path, ask) for _ in range(10)]
    replies = [connection.getresponse() for connection in connections]
    assert sorted(reply.status for reply in replies) == [200] * 3 + [402] * 7
    served = anthropic_upstream.chats
    assert len(served) == 3
    spent = COST * len(served)
    assert amount <= spent <= amount + COST
    for received in served:
        received.release()
    for reply, connection in zip(replies, connections, strict=True):
        reply.read()
        connection.close()
    assert caller.post(MESSAGES.path, ask).status == 402
    program.stop()
    again = headless(**start)
    assert Caller(again.url, again.token).post(MESSAGES.path, ask).status == 402
    assert len(anthropic_upstream.chats) == 3


@pytest.mark.parametrize(
    ("dialect", "status"),
    [
        ((MESSAGES.path, MESSAGES.ask("hello")), 402),
        ((CHAT.path, CHAT.ask("hello")), 400),
        (("/v1/responses", {"model": "m", "input": "hello"}), 400),
        (("/v1beta/models/m:generateContent", {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}), 400),
        (("/api/chat", {"model": "m", "stream": False, "messages": [{"role": "user", "content": "hello"}]}), 400),
    ],
)
def test_a_refusal_is_readable_and_final_in_every_dialect(
    headless: Start, anthropic_upstream: Upstream, tmp_path: Path, dialect: tuple[str, object], status: int
) -> None:
    """No status that makes programs try again, and a text that says which budget, until when, and what to do."""
    folder = budgets_in(tmp_path / "kept", {"amount_usd": "0.001"})
    program = headless(MODEL_PROVIDER=f"anthropic:{MODEL}", LYNKR_DATA_DIR=folder, **account(anthropic_upstream))
    caller = Caller(program.url, program.token)
    anthropic_upstream.always = Answer((Say("hi"),), tokens=WRITTEN)
    caller.post(MESSAGES.path, MESSAGES.ask("hello"))
    path, ask = dialect
    reply = caller.post(path, ask)
    words = reply.body.decode()
    assert reply.status == status, words
    assert "The daily budget of $0.001 is 502 % used: $0.005 spent. It begins anew on " in words
    assert "Raise the budget in Lynkr Desktop" in words
    assert "retry-after" not in reply.headers
    if path == MESSAGES.path:
        assert (reply.json["error"]["type"], reply.headers["x-should-retry"]) == ("billing_error", "false")
    assert len(anthropic_upstream.chats) == 1


def test_a_tier_is_capped_before_anything_is_refused(headless: Start, anthropic_upstream: Upstream, tmp_path: Path) -> None:
    names = (MODEL, MODEL, "claude-sonnet-4-5", "claude-opus-4-1")
    tiers = {
        f"TIER_{tier}": f"anthropic:{name}"
        for tier, name in zip(("SIMPLE", "MEDIUM", "COMPLEX", "REASONING"), names, strict=True)
    }
    folder = budgets_in(tmp_path / "kept", {"amount_usd": "0.01", "cap_at": 50, "highest_tier": "MEDIUM"})
    program = headless(LYNKR_DATA_DIR=folder, **tiers, **account(anthropic_upstream))
    caller = Caller(program.url, program.token)
    anthropic_upstream.always = Answer((Say("hi"),), tokens=WRITTEN)
    assert caller.post(MESSAGES.path, MESSAGES.ask("hello", model="lynkr-simple")).status == 200
    reply = caller.post(MESSAGES.path, MESSAGES.ask("hello", model="lynkr-complex"))
    assert (reply.status, reply.headers["x-lynkr-tier"], reply.headers["x-lynkr-model"]) == (200, "MEDIUM", MODEL)
    assert reply.headers["x-lynkr-routing-reason"].startswith(
        "MEDIUM instead of COMPLEX: the daily budget of $0.01 is 50 % used."
    )


def test_an_answer_that_fails_gives_back_what_was_held(headless: Start, anthropic_upstream: Upstream, tmp_path: Path) -> None:
    """Else every failure would eat a piece of the budget until the next start."""
    folder = budgets_in(tmp_path / "kept", {"amount_usd": "0.012"})
    program = headless(MODEL_PROVIDER=f"anthropic:{MODEL}", LYNKR_DATA_DIR=folder, **account(anthropic_upstream))
    caller = Caller(program.url, program.token)
    anthropic_upstream.always = Answer((Say("hi"),), tokens=WRITTEN, delivery=Delivery(Ending.HOLD, cut_before=b"message_delta"))
    ask = MESSAGES.ask("hello", is_streamed=True, max_tokens=1000)
    for number in range(1, 5):
        with caller.stream(MESSAGES.path, ask) as stream:
            assert stream.status == 200
            stream.read_until(b"content_block_delta")
            stream.leave()
        assert anthropic_upstream.wait_for_chat(number).hung_up.wait(20)
