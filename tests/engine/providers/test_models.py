"""Facts of models: found under every name that a client uses for them, and never under a name that merely looks alike."""

from decimal import Decimal
from pathlib import Path

import pytest

from lynkr_desktop.engine.data import __file__ as data_init
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.engine.providers.models import FILE, ModelFacts, _snapshot, facts_of, prices_as_of, quirks_for


@pytest.mark.parametrize(
    "name",
    [
        "claude-sonnet-4-5",
        "claude-sonnet-4-5-20250929",
        "Claude-Sonnet-4-5",
        "anthropic/claude-sonnet-4-5",
        "claude-sonnet-4.5",
        "claude-sonnet-4-5[1m]",
        "anthropic/claude-sonnet-4-5-20250929[1m]",
        "claude-sonnet-4-5-20991231",
        "claude-sonnet-4-5@20250929",
        "claude-sonnet-4-5-latest",
    ],
)
def test_every_spelling_of_a_model_has_its_price(name: str) -> None:
    facts = facts_of("anthropic", name)
    assert (facts.input_price, facts.output_price, facts.cache_read_price) == ("3", "15", "0.3")
    assert (facts.cache_write_price, facts.cache_write_1h_price) == ("3.75", "6")
    assert facts.id == name
    assert facts.takes_tools
    assert facts.takes_images


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("openai", "gpt-5-ultra"),  # not gpt-5
        ("openai", "gpt-5-mini-pro"),
        ("openai", "my-gpt-5"),
        ("openai", "gpt"),
        ("openai", "gpt-oss-20b"),  # served by others, never by OpenAI
        ("openai", "claude-sonnet-4-5"),
        ("anthropic", "claude-sonnet-4-9"),  # a single digit is a version, not a snapshot
        ("anthropic", "claude"),
        ("anthropic", ""),
        ("openai-compatible", "gpt-5"),
        ("nobody", "gpt-5"),
    ],
)
def test_an_unknown_model_stays_unknown(provider: str, name: str) -> None:
    assert facts_of(provider, name) == ModelFacts(id=name)


def test_a_local_model_is_free_without_being_known() -> None:
    for provider in ("ollama", "llamacpp", "lmstudio", "embedded"):
        facts = facts_of(provider, "qwen2.5:7b")
        assert facts.is_free
        assert facts.input_price is None


def test_versions_of_one_family_keep_their_own_prices() -> None:
    assert facts_of("anthropic", "claude-opus-4-1-20250805").input_price == "15"
    assert facts_of("anthropic", "claude-opus-4-5-20251101").input_price == "5"
    assert facts_of("openai", "gpt-5-mini-2025-08-07").input_price == "0.25"
    assert facts_of("openai", "gpt-5").input_price == "1.25"


def test_a_reseller_tells_the_makers_abilities_with_its_own_prices() -> None:
    facts = facts_of("openrouter", "openai/gpt-4o-mini")
    assert (facts.input_price, facts.output_price) == ("0.15", "0.6")
    assert facts.takes_tools
    assert facts.takes_images
    assert facts.thinks is False


def test_every_row_of_the_snapshot_is_sound() -> None:
    snapshot = _snapshot()
    for provider, rows in snapshot.models.items():
        assert provider in PROVIDERS
        for name in rows:
            facts = facts_of(provider, name)
            assert name == name.lower()
            for price in (facts.input_price, facts.output_price):
                assert price is not None
                assert Decimal(0) <= Decimal(price) < Decimal(1000), (provider, name)
            assert facts.context_tokens is None or facts.context_tokens > 500, (provider, name)
            assert facts.source
            assert facts.as_of == prices_as_of()
            for step in facts.steps:
                assert step.above_tokens >= 32_000, (provider, name)
        for alias, name in snapshot.aliases[provider].items():
            assert name in rows
            assert alias not in rows


def test_default_models_of_the_clouds_are_priced() -> None:
    for provider in ("anthropic", "openai", "openrouter"):
        assert facts_of(provider, PROVIDERS[provider].default_model).input_price is not None


def test_the_snapshot_is_small_and_carries_its_licences() -> None:
    folder = Path(data_init or "").parent
    assert (folder / FILE).stat().st_size < 300_000
    notice = (folder / "models.NOTICE.txt").read_text("utf-8")
    assert notice.count("Permission is hereby granted, free of charge") == 2
    assert prices_as_of() in notice


def test_quirks_follow_the_model() -> None:
    openai = PROVIDERS["openai"]
    assert quirks_for(openai, "gpt-5-mini").takes_sampling is False
    assert quirks_for(openai, "gpt-5-mini").takes_reasoning_effort
    assert quirks_for(openai, "gpt-4o").takes_sampling
    assert quirks_for(openai, "gpt-4o").takes_reasoning_effort is False
    assert quirks_for(openai, "gpt-4o").has_max_completion_tokens
    assert quirks_for(openai, "gpt-4").default_max_tokens == 4096
    assert quirks_for(openai, "o3-mini").takes_images is False
    assert quirks_for(PROVIDERS["anthropic"], "claude-opus-4-8").takes_sampling is False


def test_an_unknown_model_changes_no_quirk() -> None:
    for provider in PROVIDERS.values():
        assert quirks_for(provider, "nobody-knows-this-one") == provider.quirks
