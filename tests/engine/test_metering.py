"""Costs to the last decimal, computed by hand beside each; and what is not known is never called zero."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.engine.chat.events import (
    Closed,
    Delta,
    Finished,
    Opened,
    OpenText,
    OpenThinking,
    OpenToolCall,
    Started,
    StopReason,
    Usage,
)
from lynkr_desktop.engine.metering import Cost, Meter, cost, decimal_text
from lynkr_desktop.engine.providers.models import ModelFacts, PriceStep, facts_of

SONNET = ModelFacts(
    id="sonnet",
    input_price="3",
    output_price="15",
    cache_read_price="0.3",
    cache_write_price="3.75",
    cache_write_1h_price="6",
    steps=(PriceStep(200_000, "6", "22.5", "0.6", "7.5", "12"),),
)


def test_plain_tokens() -> None:
    # 1,234 × 3 + 567 × 15 = 3,702 + 8,505 = 12,207 millionths
    assert cost(Usage(input_tokens=1234, output_tokens=567), SONNET) == Cost(Decimal("0.012207"), "priced")


def test_all_four_kinds_of_input_and_both_cache_times() -> None:
    usage = Usage(
        input_tokens=100, output_tokens=200, cache_read_tokens=50_000, cache_write_tokens=3_000, cache_write_1h_tokens=1_000
    )
    # 100 × 3 + 200 × 15 + 50,000 × 0.3 + 2,000 × 3.75 + 1,000 × 6 = 300 + 3,000 + 15,000 + 7,500 + 6,000 = 31,800 millionths
    assert cost(usage, SONNET).usd == "0.0318"


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (199_000, "0.0777"),  # exactly 200,000 in: 1,000 × 3 + 199,000 × 0.3 + 1,000 × 15
        (199_001, "0.1479006"),  # one more: 1,000 × 6 + 199,001 × 0.6 + 1,000 × 22.5, for every token
    ],
)
def test_a_long_prompt_counts_with_its_cached_part_and_pays_more_for_all(read: int, expected: str) -> None:
    assert cost(Usage(input_tokens=1000, output_tokens=1000, cache_read_tokens=read), SONNET).usd == expected


def test_the_highest_step_that_is_exceeded_counts() -> None:
    facts = ModelFacts(input_price="1", output_price="1", steps=(PriceStep(500, "4"), PriceStep(100, "2")))
    assert [cost(Usage(input_tokens=n), facts).usd for n in (100, 101, 501)] == ["0.0001", "0.000202", "0.002004"]


def test_the_snapshots_own_prices() -> None:
    # gpt-5-mini: 0.25 in, 0.025 cached, 2 out: 10,000 × 0.25 + 40,000 × 0.025 + 1,500 × 2 = 6,500 millionths
    usage = Usage(input_tokens=10_000, output_tokens=1_500, cache_read_tokens=40_000)
    assert cost(usage, facts_of("openai", "gpt-5-mini-2025-08-07")).usd == "0.0065"
    # claude-haiku-4-5 with 5-minute writes: 12 × 1 + 8,000 × 1.25 + 345 × 5 = 11,737 millionths
    usage = Usage(input_tokens=12, output_tokens=345, cache_write_tokens=8_000)
    assert cost(usage, facts_of("anthropic", "claude-haiku-4-5")).usd == "0.011737"


def test_the_providers_own_figure_wins() -> None:
    assert cost(Usage(input_tokens=5, output_tokens=5, cost_usd="0.00123"), SONNET) == Cost(Decimal("0.00123"), "reported")
    assert cost(Usage(cost_usd="0"), ModelFacts()) == Cost(Decimal(0), "reported")


@pytest.mark.parametrize("nonsense", ["", "free", "NaN", "Infinity", "-1"])
def test_a_reported_figure_that_is_none_is_ignored(nonsense: str) -> None:
    assert cost(Usage(input_tokens=1_000_000, output_tokens=0, cost_usd=nonsense), SONNET).basis == "priced"


def test_free_and_unknown_are_not_the_same() -> None:
    usage = Usage(input_tokens=10, output_tokens=10)
    assert cost(usage, ModelFacts(is_free=True)) == Cost(Decimal(0), "free")
    assert cost(usage, ModelFacts()) == Cost(None, "unpriced")
    assert cost(usage, ModelFacts(input_price="1")) == Cost(None, "unpriced")
    assert cost(Usage(), SONNET) == Cost(None, "unpriced")
    assert Cost(None, "unpriced").usd is None


def test_cached_tokens_without_a_price_of_their_own_cost_as_input() -> None:
    facts = ModelFacts(input_price="2", output_price="4")
    assert cost(Usage(input_tokens=1, output_tokens=1, cache_read_tokens=10, cache_write_tokens=10), facts).usd == "0.000046"


counts = st.integers(0, 100_000)


@given(counts, counts, counts, counts, counts)
def test_more_tokens_never_cost_less_and_sums_are_exact(a: int, b: int, read: int, written: int, hour: int) -> None:
    flat = ModelFacts(
        input_price="0.1", output_price="0.7", cache_read_price="0.01", cache_write_price="0.125", cache_write_1h_price="0.2"
    )
    hour = min(hour, written)
    usage = Usage(input_tokens=a, output_tokens=b, cache_read_tokens=read, cache_write_tokens=written, cache_write_1h_tokens=hour)
    thousandths_of_millionths = a * 100 + b * 700 + read * 10 + (written - hour) * 125 + hour * 200
    assert cost(usage, flat).amount == Decimal(thousandths_of_millionths) / Decimal(10**9)


def test_decimal_text_has_no_exponent() -> None:
    assert [decimal_text(Decimal(text)) for text in ("1E-7", "100", "0.10", "0", "1E+2")] == [
        "0.0000001",
        "100",
        "0.1",
        "0",
        "100",
    ]


def test_a_meter_notes_the_first_content_and_merges_usage() -> None:
    meter = Meter()
    meter.hear([Started("m", "x", Usage(input_tokens=10, cache_read_tokens=5)), Opened(OpenText())], 100)
    assert not meter.has_content
    meter.hear([Delta("Hello")], 250.5)
    meter.hear([Delta(" there"), Closed(), Finished(StopReason.END, Usage(output_tokens=3))], 400)
    assert meter.first_token_ms == 250.5
    assert meter.usage == Usage(input_tokens=10, output_tokens=3, cache_read_tokens=5)
    # 10 × 3 + 5 × 0.3 + 3 × 15 = 76.5 millionths
    assert meter.cost(SONNET) == Cost(Decimal("0.0000765"), "priced")


@pytest.mark.parametrize("part", [OpenToolCall("1", "ls"), OpenThinking(redacted="x")])
def test_what_has_no_text_is_content_too(part: OpenToolCall | OpenThinking) -> None:
    meter = Meter()
    meter.hear([Started("m", "x"), Opened(part)], 7)
    assert meter.first_token_ms == 7


def test_a_stream_that_broke_off_is_estimated_from_what_was_seen() -> None:
    meter = Meter()
    meter.hear([Started("m", "x", Usage(input_tokens=1000, output_tokens=1)), Opened(OpenText()), Delta("word " * 100)], 1)
    seen = meter.usage_seen()
    assert seen.input_tokens == 1000
    assert seen.output_tokens is not None
    assert 80 <= seen.output_tokens <= 130
    broken = meter.cost(SONNET)
    assert broken.basis == "estimated"
    assert broken.amount == (1000 * 3 + seen.output_tokens * 15) / Decimal(1_000_000)


def test_a_provider_that_tells_no_usage_gives_an_estimate_and_keeps_the_callers_input() -> None:
    meter = Meter()
    meter.hear([Started("m", "x"), Opened(OpenText()), Delta("a b c"), Closed(), Finished(StopReason.END)], 1)
    assert meter.usage_seen(77).input_tokens == 77
    assert meter.cost(SONNET, 77).basis == "estimated"
    assert meter.cost(ModelFacts(is_free=True)).basis == "free"
    assert meter.cost(ModelFacts(), 77) == Cost(None, "unpriced")
