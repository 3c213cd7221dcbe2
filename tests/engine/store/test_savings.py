"""A day's money by hand: what was spent, and what was saved or lost against each baseline."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lynkr_desktop.config.settings import Account, Routing, Settings, Target, TierTargets, validate
from lynkr_desktop.engine.api import Figures
from lynkr_desktop.engine.chat.events import Usage
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.engine.metering import cost
from lynkr_desktop.engine.providers.models import facts_of
from lynkr_desktop.engine.store.ledger import Ledger
from lynkr_desktop.engine.store.queries import Queries
from lynkr_desktop.engine.store.savings import baseline_of
from lynkr_desktop.errors import ConfigError
from tests.engine.store.exchanges import NOW_MS, exchange

SETTINGS = Settings(
    accounts=(Account("anthropic", "anthropic"), Account("here", "ollama"), Account("openai", "openai")),
    routing=Routing(tiers=TierTargets(complex=(Target("anthropic", "claude-sonnet-4-5"),))),
    baseline="complex",
)


def served(number: int, model: str, tokens: tuple[int, int, int], **changes: Any) -> Exchange:
    """An answer of a model, priced as the pipeline prices it. `tokens`: input, output, read from the cache."""
    provider = changes.pop("provider", "anthropic")
    usage = Usage(input_tokens=tokens[0], output_tokens=tokens[1], cache_read_tokens=tokens[2])
    paid = cost(usage, facts_of(provider, model))
    plain: dict[str, Any] = {
        "account": {"ollama": "here"}.get(provider, provider),
        "provider": provider,
        "model": model,
        "surface": "messages",
        "requested_model": "claude-opus-4-1",
        "input_tokens": tokens[0],
        "output_tokens": tokens[1],
        "cache_read_tokens": tokens[2],
        "cache_write_tokens": None,
        "cost_usd": paid.usd,
        "cost_basis": paid.basis,
    }
    return exchange(number, **(plain | changes))


# By hand, in USD: haiku 1 in, 5 out, 0.10 cached; sonnet 3, 15, 0.30; opus 15, 75, 1.50 for a million tokens.
CHEAP = served(1, "claude-haiku-4-5", (20_000, 1_000, 100_000))  # 0.020 + 0.005 + 0.010 = 0.035; at sonnet's 0.105
EQUAL = served(2, "claude-sonnet-4-5", (10_000, 2_000, 0))  # 0.030 + 0.030 = 0.060; the same
DEAR = served(3, "claude-opus-4-1", (10_000, 1_000, 0))  # 0.150 + 0.075 = 0.225; at sonnet's 0.045
LOCAL = served(4, "qwen2.5-coder:7b", (1_000, 1_000, 0), provider="ollama")  # free; at sonnet's 0.018
FAILED = served(5, "claude-haiku-4-5", (5_000, 0, 0), error="protocol", status=200)  # 0.005 for nothing
UNPRICED = served(6, "no-such-model", (9_000, 900, 0), provider="openai")


def asked(folder: Path, settings: Settings, *exchanges: Exchange) -> Figures:
    """The day's figures of a ledger that holds these."""
    path = folder / "ledger.db"
    ledger = Ledger(path, clock_ms=lambda: NOW_MS)
    ledger.open()
    for each in exchanges:
        ledger.record(each)
    ledger.close()
    return asyncio.run(Queries(path, lambda: NOW_MS + 1000).figures(NOW_MS - 1, baseline_of(settings)))


def test_a_days_cost_is_what_a_person_adds_up(tmp_path: Path) -> None:
    figures = asked(tmp_path, SETTINGS, CHEAP, EQUAL, DEAR, LOCAL, FAILED, UNPRICED)
    assert [each.cost_usd for each in (CHEAP, EQUAL, DEAR, LOCAL, FAILED, UNPRICED)] == [
        "0.035",
        "0.06",
        "0.225",
        "0",
        "0.005",
        None,
    ]
    assert (figures.cost_usd, figures.unpriced) == ("0.325", 1)


def test_cheaper_models_save_against_always_complex(tmp_path: Path) -> None:
    figures = asked(tmp_path, SETTINGS, CHEAP, EQUAL)
    assert (figures.saved_usd, figures.baseline, figures.saved_label) == ("0.07", "always COMPLEX", "measured")


def test_a_loss_is_shown_as_one(tmp_path: Path) -> None:
    """A dearer model, and a failure that was paid for, are more than the cheap request saved."""
    figures = asked(tmp_path, SETTINGS, CHEAP, DEAR, FAILED)
    assert figures.saved_usd == str(Decimal("0.070") + Decimal("0.045") - Decimal("0.225") - Decimal("0.005"))
    assert Decimal(figures.saved_usd) < 0


def test_another_providers_count_makes_it_an_estimate_and_the_unknown_is_left_out(tmp_path: Path) -> None:
    figures = asked(tmp_path, SETTINGS, CHEAP, LOCAL, UNPRICED)
    assert (figures.saved_usd, figures.saved_label, figures.unmeasurable) == ("0.088", "estimated", 1)


@pytest.mark.parametrize(
    ("baseline", "name", "saved"),
    [
        ("requested", "the model asked for", "0.49"),  # opus would have been 0.300 + 0.075 + 0.150
        ("anthropic:claude-haiku-4-5", "always claude-haiku-4-5", "0"),
        ("here:llama", "always llama", "-0.035"),  # a local model costs nothing: the cloud can only lose
    ],
)
def test_the_user_names_the_baseline(tmp_path: Path, baseline: str, name: str, saved: str) -> None:
    figures = asked(tmp_path, validate(replace(SETTINGS, baseline=baseline)), CHEAP)
    assert (figures.baseline, figures.saved_usd) == (name, saved)


@pytest.mark.parametrize("baseline", ["", "gone:model", "complex"])
def test_without_a_baseline_nothing_is_claimed(tmp_path: Path, baseline: str) -> None:
    figures = asked(tmp_path, replace(SETTINGS, baseline=baseline, routing=Routing()), CHEAP)
    assert (figures.saved_usd, figures.baseline) == (None, "")


def test_what_cannot_be_measured_is_not_zero(tmp_path: Path) -> None:
    assert asked(tmp_path, SETTINGS, UNPRICED).saved_usd is None
    assert (
        asked(
            tmp_path, replace(SETTINGS, baseline="requested"), served(7, "gpt-4o-mini", (9, 9, 0), surface="ollama_chat")
        ).saved_usd
        is None
    )


def test_asking_again_adds_what_is_new_once_and_forgets_an_emptied_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    queries, baseline = Queries(path, lambda: NOW_MS + 1000), baseline_of(SETTINGS)

    def saved(*exchanges: Exchange) -> str | None:
        ledger = Ledger(path, clock_ms=lambda: NOW_MS)
        ledger.open()
        for each in exchanges:
            ledger.record(each)
        ledger.close()
        return asyncio.run(queries.figures(NOW_MS - 1, baseline)).saved_usd

    assert saved() == "0"
    assert saved(CHEAP, EQUAL) == "0.07"
    assert saved() == "0.07"
    assert saved(LOCAL) == "0.088"
    path.unlink()
    assert saved(LOCAL) == "0.018"


def test_a_baseline_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        validate(replace(SETTINGS, baseline="the best"))
    assert caught.value.field == "baseline"
