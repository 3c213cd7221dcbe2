"""A day of requests through the real program, and the same day's bill added up by hand: they agree to the last digit.

The bill is made here from the providers' own tokens and from prices as they stand on the vendors' pages, in whole numbers of a
millionth of a millionth of a dollar. It uses nothing of ours.
"""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from typing import Any, Final

from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT, MESSAGES
from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.script import Answer, Ending, Refuse, Tokens, dies, say
from tests.fakes.upstream import Upstream

# USD for a million tokens: input, output, read from the cache, written to it for five minutes.
PRICES: Final = {
    "claude-sonnet-4-5": ("3", "15", "0.30", "3.75"),
    "claude-haiku-4-5": ("1", "5", "0.10", "1.25"),
    "claude-opus-4-5": ("5", "25", "0.50", "6.25"),
    "gpt-4o-mini": ("0.15", "0.60", "0.075", "0"),
    "gpt-4o": ("2.50", "10", "1.25", "0"),
}
REQUESTS: Final = 150
Start = Callable[..., Program]


def bill(model: str, tokens: Tokens) -> Fraction:
    prices = [Fraction(each) for each in PRICES[model]]
    counts = (tokens.input, tokens.output, tokens.cache_read, tokens.cache_write)
    return sum((price * count for price, count in zip(prices, counts, strict=True)), Fraction(0)) / 1_000_000


def kept(program: Program) -> list[tuple[str, str, str, Fraction]]:
    """Model, basis, error and cost of every row, oldest first."""
    with closing(sqlite3.connect(program.data_dir / "ledger.db")) as connection:
        rows = connection.execute("SELECT model, cost_basis, error, cost_usd FROM exchanges ORDER BY id").fetchall()
    return [(model, basis, error, Fraction(cost or 0)) for model, basis, error, cost in rows]


def told(caller: Caller, requests: int) -> Any:
    """The program's own sums, once all requests are in them."""
    usage = caller.get("/v1/usage").json
    while usage["requests"] < requests:
        usage = caller.get("/v1/usage").json
    return usage


def test_a_days_cost_is_the_one_added_up_by_hand(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream
) -> None:
    program = headless(MODEL_PROVIDER="anthropic:claude-sonnet-4-5", **account(openai_upstream), **account(anthropic_upstream))
    caller, chance, by_hand = Caller(program.url, program.token), random.Random(2026), list[tuple[str, Fraction]]()
    for _ in range(REQUESTS):
        model = chance.choice(list(PRICES))
        is_claude = model.startswith("claude")
        tokens = Tokens(
            input=chance.randrange(1, 40_000),
            output=chance.randrange(1, 6_000),
            cache_read=chance.choice((0, chance.randrange(1, 90_000))),
            cache_write=chance.randrange(1, 20_000) if is_claude and chance.random() < 0.5 else 0,
        )
        vendor = anthropic_upstream if is_claude else openai_upstream
        vendor.play(say("done", tokens=tokens))
        dialect = chance.choice((MESSAGES, CHAT))
        name = f"{vendor.vendor.name}:{model}"
        reply = caller.post(dialect.path, dialect.ask("Go on.", is_streamed=chance.random() < 0.5, model=name))
        assert reply.status == 200, reply.body
        by_hand.append((model, bill(model, tokens)))
    usage = told(caller, REQUESTS)
    assert program.stop() == 0
    rows = kept(program)
    assert [(model, cost) for model, _, _, cost in rows] == by_hand
    assert {basis for _, basis, _, _ in rows} == {"priced"}
    total = sum((cost for _, cost in by_hand), Fraction(0))
    assert abs(Fraction(usage["cost_usd"]) - total) < Fraction(1, 10**9)
    assert f"{float(Fraction(usage['cost_usd'])):.2f}" == f"{float(total):.2f}"
    for row in usage["models"]:
        assert Fraction(row["cost_usd"]) == sum((cost for model, cost in by_hand if model == row["model"]), Fraction(0))


def test_what_fails_after_the_provider_has_counted_is_paid_and_counts_against_us(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream
) -> None:
    """An answer without content, then one that serves; then two that both fail."""
    tiers = dict.fromkeys(
        ("TIER_SIMPLE", "TIER_MEDIUM", "TIER_COMPLEX", "TIER_REASONING"), "openai:gpt-4o,anthropic:claude-haiku-4-5"
    )
    program = headless(**tiers, **account(openai_upstream), **account(anthropic_upstream))
    caller = Caller(program.url, program.token)
    empty, good = Tokens(input=10_000, output=0), Tokens(input=9_000, output=300)
    openai_upstream.play(Answer(parts=(), tokens=empty))
    anthropic_upstream.play(say("done", tokens=good))
    assert caller.post(MESSAGES.path, MESSAGES.ask("hello", is_streamed=True), {"x-session-id": "1"}).status == 200
    openai_upstream.play(Answer(parts=(), tokens=empty))
    anthropic_upstream.play(Refuse(402, "No credit."))
    assert caller.post(MESSAGES.path, MESSAGES.ask("hello", is_streamed=True), {"x-session-id": "2"}).status != 200
    usage = told(caller, 2)
    assert program.stop() == 0
    first, second = kept(program)
    assert first == ("claude-haiku-4-5", "priced", "", bill("gpt-4o", empty) + bill("claude-haiku-4-5", good))
    assert second == ("", "priced", "empty", bill("gpt-4o", empty))
    # Always gpt-4o, the first of COMPLEX: the first answer there would have cost its own tokens only.
    saved = bill("gpt-4o", good) - first[3] - second[3]
    assert Fraction(usage["savings"]["saved_usd"]) == saved


def test_a_stream_that_breaks_off_is_an_estimate(headless: Start, anthropic_upstream: Upstream) -> None:
    program = headless(MODEL_PROVIDER="anthropic:claude-haiku-4-5", **account(anthropic_upstream))
    anthropic_upstream.play(dies(Ending.RESET, after=8))
    Caller(program.url, program.token).post(MESSAGES.path, MESSAGES.ask("hello", is_streamed=True))
    assert program.stop() == 0
    ((model, basis, error, cost),) = kept(program)
    assert (model, basis, error) == ("claude-haiku-4-5", "estimated", "protocol")
    assert cost > 0
